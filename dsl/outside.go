package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/operators/funcs"
)

// FreeFunctionName tells why a program cannot give a function of its own this
// name: it is no name, or the language has such a function. nil = it can. A name's
// case does not matter.
func FreeFunctionName(name string) error {
	upper := strings.ToUpper(name)
	_, scalar := funcs.Lookup(upper)
	_, aggregate := funcs.LookupAgg(upper)
	if scalar || aggregate || ofBinder(upper) || slices.Contains(laterAggregates, upper) {
		return fmt.Errorf("the language has a function %s", upper)
	}
	f, ds := ParseFile("name", "SELECT "+name+"(1);")
	if len(ds) == 0 && len(f.Stmts) == 1 {
		if q, ok := f.Stmts[0].(*ast.QueryStmt); ok && name != "" && onlyCall(q.Query) == name {
			return nil
		}
	}
	return fmt.Errorf("%.40q is no name of a function: letters, digits and _ make one, which is no word of the language", name)
}

// onlyCall is the name of the call that is all a query selects.
func onlyCall(q *ast.Query) string {
	sel, ok := q.Body.(*ast.Select)
	if !ok || len(sel.Items) != 1 || sel.Items[0].Alias != nil {
		return ""
	}
	c, ok := sel.Items[0].Expr.(*ast.Call)
	if !ok || len(c.Name.Parts) != 1 {
		return ""
	}
	return c.Name.Last().String()
}

// ParseType reads a data type as it is written for a column: "DECIMAL(10, 2) NOT NULL".
func ParseType(text string) (t batch.Type, err error) {
	f, ds := ParseFile("type", "CREATE TABLE t (c "+text+");")
	b := &binder{file: f, diags: ds}
	if len(ds) == 0 {
		b.catching(func() { t = b.typeOf(onlyType(f)) }, func() {})
	}
	for _, d := range b.diags {
		return t, fmt.Errorf("%.40q is no type: %s", text, d.Message)
	}
	return t, nil
}

// onlyType is the type of the only column of the only table of a file, which has
// nothing else.
func onlyType(f *ast.File) ast.Type {
	if len(f.Stmts) == 1 {
		if t, ok := f.Stmts[0].(*ast.CreateTable); ok && len(t.Elems) == 1 && len(t.With) == 0 {
			if c, ok := t.Elems[0].(*ast.Column); ok && c.Type != nil && c.Metadata == nil && c.PrimaryKey == nil && c.Comment == nil {
				return c.Type
			}
		}
	}
	fail("SD1001", f.Span, "there is more than a type")
	return nil
}
