// Package diag is how streamd tells a user that a text is wrong: what, where, why, and what to do.
//
// A Diagnostic has a stable code of the registry, a span and, where they help, a label under the carets, hints and what was
// expected instead. Render writes them for people, JSON for programs:
//
//	d := diag.New("SD2003", span, `unknown column "pric"`).WithLabel(`rides has no such column`).WithHint("columns: ride_id, price")
//	diag.Render(os.Stderr, file, d)
package diag

import (
	"fmt"
	"sort"

	"github.com/streamd/streamd/dsl/source"
)

// Severity says how bad it is.
type Severity string

// Errors stop the pipeline, warnings and notes do not.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Diagnostic is one finding about a text. The code never changes its meaning.
type Diagnostic struct {
	Code     string
	Severity Severity
	Message  string
	File     string // as typed
	Span     source.Span
	Label    string   // stands behind the carets; may be empty
	Hints    []string // one line each, what to do
	Expected []string // what would have been right here, short words for people
}

// New makes an error. The file is the span's. It panics when the code is not registered: our fault, not the user's.
func New(code string, span source.Span, format string, args ...any) *Diagnostic {
	if _, ok := Lookup(code); !ok {
		panic("BUG: diagnostic code " + code + " is not registered")
	}
	msg := format
	if len(args) > 0 {
		msg = fmt.Sprintf(format, args...)
	}
	return &Diagnostic{Code: code, Severity: Error, Message: msg, File: span.Pos.Filename, Span: span}
}

// WithSeverity changes the severity and returns d.
func (d *Diagnostic) WithSeverity(s Severity) *Diagnostic { d.Severity = s; return d }

// WithLabel sets what stands behind the carets and returns d.
func (d *Diagnostic) WithLabel(format string, args ...any) *Diagnostic {
	d.Label = fmt.Sprintf(format, args...)
	return d
}

// WithHint appends a hint and returns d.
func (d *Diagnostic) WithHint(format string, args ...any) *Diagnostic {
	d.Hints = append(d.Hints, fmt.Sprintf(format, args...))
	return d
}

// Error makes a Diagnostic usable as an error: one line.
func (d *Diagnostic) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s[%s]: %s", d.File, d.Span.Pos.Line, d.Span.Pos.Column, d.Severity, d.Code, d.Message)
}

// HasErrors reports whether one of them is an error.
func HasErrors(ds []*Diagnostic) bool {
	for _, d := range ds {
		if d.Severity == Error {
			return true
		}
	}
	return false
}

// Sort orders by file and offset, errors first at one place; the order is stable.
func Sort(ds []*Diagnostic) {
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := ds[i], ds[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Span.Pos.Offset != b.Span.Pos.Offset {
			return a.Span.Pos.Offset < b.Span.Pos.Offset
		}
		return a.Severity == Error && b.Severity != Error
	})
}
