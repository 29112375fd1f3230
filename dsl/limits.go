package dsl

import (
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// Limits of what a text may ask for. A few lines can name a table twice in a view, that view twice in the next, and so on: the
// text is small, its columns are 2^n. Each column of each table and query costs some hundred bytes while a text is checked.
const (
	maxColumns    = 10_000    // of one table or query
	maxAllColumns = 1_000_000 // of all tables, queries and joins of a file
)

// tooMany tells whether so many errors were found that the rest of the file, from st on, is not worth checking; it says so once.
func (b *binder) tooMany(st ast.Statement) bool {
	n := 0
	for _, d := range b.diags {
		switch {
		case d.Code == codeTooManyErrors:
			return true
		case d.Severity == diag.Error:
			n++
		}
	}
	if n < maxErrors {
		return false
	}
	b.report(diag.New(codeTooManyErrors, b.headOf(st.At()), "too many errors; the rest of the file was not checked").WithSeverity(diag.Note))
	return true
}

// widen counts the n columns of a table, query or join at a place, and refuses what is too wide.
func (b *binder) widen(at source.Span, n int) {
	if n > maxColumns {
		throw(diag.New("SD1017", at, "%d columns; at most %d are possible", n, maxColumns).
			WithHint("name the columns that are needed instead of *; keep the rest in an ARRAY, MAP or ROW"))
	}
	if b.columns += n; b.columns > maxAllColumns {
		throw(diag.New("SD1017", at, "the tables, queries and joins up to here have more than %d columns together", maxAllColumns).
			WithHint("name the columns that are needed instead of *, or split the pipeline into several files"))
	}
}
