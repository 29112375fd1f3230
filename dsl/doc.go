// Package dsl turns the text of a pipeline into a checked plan.
//
// Its front end reads Flink's SQL dialect: ParseFile cuts a text into statements, parses each alone and returns the tree together
// with one diagnostic for each statement that is wrong. Nothing in a text can crash the process: size, tokens, nesting and chains
// of operators are bounded before anything recurses.
//
//	file, diags := dsl.ParseFile("a.sql", "SELECT 1; SELECT FROM t;")
//	len(file.Stmts) // 1
//	diags[0].Code   // "SD1001"
//
// ParseTest does the same for the statements of a NAME_test.sql, and Format writes a text anew without changing what it means.
//
// Its back end, Compile, binds names, types and options against a catalogue of the file's own tables (bind_*.go, catalog.go), builds a
// graph of operators in which equal sub-plans are one node, and lets package rules make it cheaper:
//
//	plan, diags := dsl.Compile("a.sql", text, dsl.Config{Connectors: connectors})
//	fmt.Print(plan.Explain())
package dsl
