package dsl

import (
	"slices"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// windowFunc is a window table function: its arguments in order. OFFSET may be absent.
type windowFunc struct {
	kind windows.Kind
	args []string
}

var windowFuncs = map[string]windowFunc{
	"TUMBLE":   {windows.Tumble, []string{"DATA", "TIMECOL", "SIZE", "OFFSET"}},
	"HOP":      {windows.Hop, []string{"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"}},
	"CUMULATE": {windows.Cumulate, []string{"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"}},
	"SESSION":  {windows.Session, []string{"DATA", "TIMECOL", "GAP"}},
}

// maxWindows is how many windows of one HOP or CUMULATE a row may be in: each is a row of the result.
const maxWindows = 100_000

// tableFunc binds a window table function.
func (b *binder) tableFunc(t *ast.TableFunc, with *ctes) *relation {
	name := strings.ToUpper(t.Call.Name.Last().String())
	at := t.Call.Name.Span
	fn, known := windowFuncs[name]
	switch {
	case t.AsOf != nil:
		notYet(b.between("FOR", t.Call.Span, t.AsOf.At()), "FOR SYSTEM_TIME AS OF is")
	case name == "UNNEST":
		notYet(at, "UNNEST inside of TABLE() is", "write UNNEST(…) in FROM")
	case !known:
		d := diag.New("SD2006", at, "unknown table function %s", clip(name))
		if h := foreignName(name); h != "" {
			throw(d.WithHint("%s", h))
		}
		if near := diag.Near(name, []string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}); near != "" {
			d.WithLabel("did you mean %s?", near)
		}
		throw(d)
	}
	args := b.windowArgs(t.Call, name, fn.args)
	rel, keys := b.windowInput(args[0], name, at, with)
	spec := windows.Spec{Kind: fn.kind, Keys: keys}
	b.windowTime(&spec, rel, args[1], name, at)
	b.windowLengths(&spec, args[2:], name, at)
	return b.windowed(rel, spec, at, t.Alias)
}

// windowInput binds the table of a window function, and the columns of its PARTITION BY.
func (b *binder) windowInput(arg ast.Expr, name string, at source.Span, with *ctes) (*relation, []int) {
	in, ok := arg.(*ast.TableArg)
	switch {
	case !ok:
		fail("SD3002", at, "the first argument of %s is a table: TABLE name", name)
	case len(in.PartitionBy) > 0 && name != "SESSION":
		notYet(b.headOf(in.Span), "PARTITION BY of "+name+" is", "group by the columns instead")
	case len(in.OrderBy) > 0:
		notYet(b.headOf(in.Span), "ORDER BY of "+name+" is")
	}
	var rel *relation
	if in.Query != nil {
		rel = b.query(in.Query, with)
	} else {
		rel = b.tableByName(in.Name, nil, with)
	}
	rel = b.plain(b.finish(rel, nil))
	var keys []int
	for _, e := range in.PartitionBy {
		c, ok := b.expr(e, &scope{rel: rel, clause: "PARTITION BY"}).(*ex.Col)
		if !ok {
			notYet(b.head(e), "PARTITION BY of an expression is", "compute the column in a view or WITH query that SESSION reads")
		}
		if !slices.Contains(keys, c.Index) {
			keys = append(keys, c.Index)
		}
	}
	return rel, keys
}

// windowTime finds the time attribute that DESCRIPTOR names.
func (b *binder) windowTime(spec *windows.Spec, rel *relation, arg ast.Expr, name string, at source.Span) {
	d, ok := arg.(*ast.Descriptor)
	if !ok || len(d.Columns) != 1 {
		fail("SD3002", at, "the second argument of %s is a column: DESCRIPTOR(ts)", name)
	}
	col := d.Columns[0]
	if spec.Col = rel.find("", col.String(), nil); spec.Col < 0 {
		rel.unknown(col, "")
	}
	f := rel.cols[spec.Col].f
	if f.Time == batch.NoTime {
		b.notTime(at, col, name, f)
	}
	spec.Proc = f.Time == batch.Proctime
	if f.Type.SQL == batch.TimestampLTZ {
		spec.Zone = b.set.Zone
	}
}

// windowLengths takes the intervals behind the time attribute.
func (b *binder) windowLengths(spec *windows.Spec, rest []ast.Expr, name string, at source.Span) {
	first := rest[0]
	if spec.Kind == windows.Hop || spec.Kind == windows.Cumulate {
		spec.Slide = b.length(at, first, name, true)
		rest = rest[1:]
	}
	spec.Size = b.length(at, rest[0], name, true)
	if spec.Kind == windows.Session {
		return
	}
	if len(rest) > 1 && rest[1] != nil {
		spec.Offset = b.length(at, rest[1], name, false)
		if spec.Offset >= spec.Size || -spec.Offset >= spec.Size {
			fail("SD4001", b.head(rest[1]), "the offset of %s is smaller than the window", name)
		}
	}
	switch {
	case spec.Kind == windows.Tumble:
		spec.Slide = spec.Size
	case spec.Kind == windows.Cumulate && spec.Size%spec.Slide != 0:
		d := diag.New("SD4001", b.head(first), "the step of CUMULATE must divide its size, so that the last window of each row ends with a step")
		throw(d.WithHint("%s is not a multiple of %s", duration(spec.Size), duration(spec.Slide)))
	}
	if spec.Kind == windows.Hop && spec.Slide > spec.Size {
		d := diag.New("SD4001", b.head(first), "the slide of HOP is larger than its size: rows between two windows are in none").WithSeverity(diag.Warning)
		b.report(d.WithHint("the slide comes first, then the size: HOP(TABLE t, DESCRIPTOR(ts), slide, size)"))
	}
	if n := spec.Size / spec.Slide; n > maxWindows {
		d := diag.New("SD4001", b.head(first), "every row would be in %d windows; at most %d are possible", n, maxWindows)
		throw(d.WithHint("take a larger %s or a smaller size", map[windows.Kind]string{windows.Hop: "slide", windows.Cumulate: "step"}[spec.Kind]))
	}
}

func duration(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

// notTime refuses a window on a plain column, with what can be done about it.
func (b *binder) notTime(at source.Span, col *ast.Name, fn string, f batch.Field) {
	d := diag.New(ops.CodeNotTime, at, "%s needs a time attribute; %q is a plain column", fn, col.String())
	switch {
	case f.Type.IsTimestamp() && f.Type.P <= 3:
		d.WithHint("declare WATERMARK FOR %s AS %s - INTERVAL '5' SECOND in CREATE TABLE", col.String(), col.String())
		d.WithHint("GROUP BY, regular joins and arithmetic end a time attribute; window_time of a window is one")
	default:
		d.WithHint("a time attribute is a TIMESTAMP(3) column with a WATERMARK, or a PROCTIME() column; this one is %s", f.Type.With(false))
	}
	throw(d)
}

// windowed adds the columns of a pending window.
func (b *binder) windowed(rel *relation, spec windows.Spec, at source.Span, a *ast.Alias) *relation {
	out := &relation{node: rel.node, win: &pendingWindow{spec: spec, at: at}}
	out.cols = append(out.cols, rel.cols...)
	shape := spec
	shape.Col, shape.Keys = 0, nil // windows of one shape are the same, whatever column they are over
	of := windowKey(shape)
	f := rel.cols[spec.Col].f
	tt := f.Type.With(true)
	tt.P = 3
	n := len(rel.cols)
	for i, c := range []column{
		{name: "window_start", f: winField("window_start"), role: windowRole{'s', of}},
		{name: "window_end", f: winField("window_end"), role: windowRole{'e', of}},
		{name: "window_time", f: batch.Field{Name: "window_time", Type: tt, Time: f.Time}, role: windowRole{'t', of}},
	} {
		c.idx = n + i
		out.cols = append(out.cols, c)
	}
	for i := range out.cols {
		out.cols[i].qual = ""
	}
	return b.alias(out, a)
}

// windowArgs puts the arguments of a window function in the order of names; an absent offset is nil.
func (b *binder) windowArgs(c *ast.Call, name string, names []string) []ast.Expr {
	out := make([]ast.Expr, len(names))
	for i, a := range c.Args {
		at := i
		if a.Name != nil {
			at = -1
			for k, n := range names {
				if strings.EqualFold(n, a.Name.String()) {
					at = k
				}
			}
			if at < 0 {
				d := diag.New("SD3002", a.Name.Span, "%s has no argument %s", name, a.Name.String())
				throw(d.WithHint("arguments: %s", strings.Join(names, ", ")))
			}
		}
		if at >= len(out) || out[at] != nil {
			fail("SD3002", c.Name.Span, "%s takes %s", name, strings.Join(names, ", "))
		}
		out[at] = a.Value
	}
	for i, a := range out {
		if a == nil && names[i] != "OFFSET" {
			throw(diag.New("SD3002", c.Name.Span, "%s: the argument %s is missing", name, names[i]).WithHint("%s takes %s", name, strings.Join(names, ", ")))
		}
	}
	return out
}

// length is a constant interval in microseconds, of the window function at call.
func (b *binder) length(call source.Span, e ast.Expr, name string, positive bool) int64 {
	v := b.expr(e, &scope{clause: name})
	if t := v.Type(); t.SQL != batch.IntervalDay && t.SQL != batch.IntervalMonth {
		fail("SD3002", call, "%s takes a constant interval, for example INTERVAL '10' SECOND, not %s", name, t.With(false))
	}
	x, ok := ex.Fold(v).(*ex.Const)
	switch {
	case !ok || x.IsNull():
		fail("SD4001", b.head(e), "%s takes a constant interval here, for example INTERVAL '10' SECOND", name)
	case x.T.SQL == batch.IntervalMonth:
		fail("SD4001", b.head(e), "windows of months and years are not possible: they differ in length")
	case positive && x.V.I[0] <= 0:
		fail("SD4001", b.head(e), "the interval must be positive")
	case x.V.I[0]%1000 != 0:
		fail("SD4001", b.head(e), "windows have whole milliseconds")
	}
	return x.V.I[0]
}
