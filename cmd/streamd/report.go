package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
	"github.com/streamd/streamd/operators"
)

// render writes diagnostics for people, in the order of the text.
func render(w io.Writer, files map[string]*source.File, ds []*diag.Diagnostic) {
	diag.Sort(ds)
	for i, d := range ds {
		if i > 0 {
			fmt.Fprintln(w)
		}
		_ = diag.Render(w, files[d.File], d)
	}
}

// pointers is the form in which package diag works on diagnostics.
func pointers(ds []diag.Diagnostic) (out []*diag.Diagnostic) {
	for i := range ds {
		out = append(out, &ds[i])
	}
	return out
}

// report shows why a run ended and returns the exit code that says so.
func report(w io.Writer, f *source.File, err error) int {
	d, code := explainEnd(f, err)
	if d != nil {
		_ = diag.Render(w, f, d)
	}
	return code
}

// explainEnd turns the error of a job into a diagnostic with the pipeline's span
// where one is known, and an exit code.
func explainEnd(f *source.File, err error) (*diag.Diagnostic, int) {
	var row *engine.RowError
	var refused *connectors.Refused
	var bug *engine.BugError
	var plan *operators.PlanError
	var table *engine.TableError
	d := &diag.Diagnostic{Severity: diag.Error, File: f.Name}
	if errors.As(err, &table) && table.At.To > table.At.From {
		d.Span = f.Span(table.At.From, table.At.To)
	}
	switch {
	case err == nil:
		return nil, exitOK
	case errors.As(err, &row):
		d.Code, d.Message = row.Code, row.Msg
		if row.At.To > row.At.From {
			d.Span = f.Span(row.At.From, row.At.To)
		}
		rowHints(d, row)
		return d, exitFailed
	case errors.As(err, &refused):
		d.Code, d.Message = refused.Code, refused.What+": "+refused.Why
		if refused.Advice != "" {
			d.Hints = append(d.Hints, refused.Advice)
		}
		return d, exitConflict
	case errors.As(err, &bug):
		d.Code, d.Message = codeBug, strings.TrimPrefix(firstLine(bug.Error()), "BUG: ")
		d.Hints = append(d.Hints, "this is a fault of streamd; please report it with the pipeline and this text")
		d.Hints = append(d.Hints, strings.Split(strings.TrimRight(string(bug.Stack), "\n"), "\n")...)
		return d, exitFailed
	case errors.As(err, &plan):
		d.Code, d.Message = plan.Code, plan.Msg
		if plan.Hint != "" {
			d.Hints = append(d.Hints, plan.Hint)
		}
		return d, exitUsage
	case errors.Is(err, context.Canceled):
		d.Code, d.Message = codeFailed, "the run was ended before an epoch could be decided"
		return d, exitFailed
	}
	if errs, ok := connectors.IsOptionError(err); ok {
		d.Code, d.Message = codeFailed, errs.Error()
		for _, e := range errs {
			if e.Hint != "" {
				d.Hints = append(d.Hints, e.Hint)
			}
		}
		return d, exitFailed
	}
	d.Code, d.Message = codeFailed, firstLine(err.Error())
	if access := (*connectors.Access)(nil); errors.As(err, &access) {
		d.Code, d.Hints = access.Code, append(d.Hints, access.Advice)
	}
	if perm := (*connectors.Permanent)(nil); errors.As(err, &perm) && perm.Code != "" {
		d.Code = perm.Code
	}
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		d.Hints = append(d.Hints, "nobody answered there: look whether the broker runs, and at 'properties.bootstrap.servers' or --kafka; SET 'streamd.start.timeout' says how long a start tries")
	}
	if _, rest, ok := strings.Cut(err.Error(), "\n"); ok {
		d.Hints = append(d.Hints, strings.Split(rest, "\n")...)
	}
	return d, exitFailed
}

// rowHints says which row it was, where it came from and how to go on.
func rowHints(d *diag.Diagnostic, row *engine.RowError) {
	add := func(format string, args ...any) { d.Hints = append(d.Hints, fmt.Sprintf(format, args...)) }
	if row.Place != "" {
		add("record: %s", row.Place)
	}
	if row.Table != "" {
		add("table: %s", row.Table)
	}
	if row.Field != "" {
		add("field: %s", row.Field)
	}
	if row.Row != "" {
		add("row: %s", clip(row.Row, 400))
	}
	if row.Table != "" {
		add("'on-error' = 'skip' in table %s counts such rows and goes on, 'dead-letter' keeps them", row.Table)
	} else {
		add("the row is not of one table: SET 'streamd.on-error' = 'skip' counts such rows and goes on")
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
