// Package outside holds tests of streamd as a library: a program in a module of
// its own is built and run with nothing but the public API. It has no code of its
// own.
package outside
