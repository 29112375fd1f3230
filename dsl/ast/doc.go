// Package ast is the syntax tree of streamd's language, one Go type for each thing a user can write.
//
// The tree says what was written, not what it means: names are unresolved, types unchecked, and what the engine does not run yet
// still has a node. Every node embeds a Span with both ends. Types that carry `parser:"…"` tags are built by the grammar in those
// tags; types without tags (expressions, data types, joins, set operations) are built by code in package dsl.
//
// A file is a list of statements; each Statement is one of
//
//	CreateTable CreateView CreateMaterializedView CreateFunction Drop Insert StatementSet QueryStmt
//	Set Reset Explain Describe Show Use Foreign
//
// Print writes any node as canonical SQL, Walk visits a tree:
//
//	ast.Walk(stmt, func(n ast.Node) bool {
//		if c, ok := n.(*ast.ColumnRef); ok {
//			fmt.Println(c.String(), c.At().Pos.Line)
//		}
//		return true
//	})
package ast
