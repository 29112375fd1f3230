// Package funcs is the registry of scalar functions and aggregates. A function
// is one entry: its operands and types, its code, its documentation and an
// example that a test evaluates stand together.
//
// A scalar function is an expr.Func registered in the file that implements it.
package funcs
