// Package deps holds the layering test: which package may import which, and
// behind which package each library stands. It has no code of its own.
package deps
