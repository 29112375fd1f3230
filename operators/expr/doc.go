// Package expr holds bound expressions and the kernels that evaluate them, a
// batch at a time: arithmetic, comparison, three-valued logic, casts, access to
// nested values. Scalar functions are entries of package funcs.
//
// A kernel takes a selection of rows and yields a vector; rows that fail (an
// overflow, a division by zero, a cast that does not parse) are reported as
// RowErr and taken out of the selection, so AND, OR, CASE and COALESCE protect
// their later operands.
package expr
