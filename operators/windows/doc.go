// Package windows assigns rows to windows: TUMBLE, HOP, CUMULATE and SESSION,
// on event time and processing time, one file a kind.
package windows
