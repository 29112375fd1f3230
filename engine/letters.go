package engine

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators"
	"github.com/streamd/streamd/operators/expr"
)

// policy is what becomes of a table's rows that cannot go on.
type policy struct {
	onError, late string // fail, skip or dead-letter; drop or dead-letter
	letters       []*operators.DeadLetters
	table         string
}

func policyOf(s *operators.ScanSpec) policy {
	return policy{onError: s.OnError, late: s.Late, letters: s.DeadLetters, table: s.Table}
}

// same tells whether rows of both go the same way; the table's name does not count.
func (p policy) same(q policy) bool {
	if p.onError != q.onError || p.late != q.late || len(p.letters) != len(q.letters) {
		return false
	}
	for i := range p.letters {
		if p.letters[i] != q.letters[i] {
			return false
		}
	}
	return true
}

// policies tell for a set of rejected rows what becomes of each: a row that
// carries its record says which table it is of; for others there is one answer.
type policies struct {
	inc  *incarnation
	rest policy
	raw  *batch.Vec // the column $raw, or nil
	pos  *batch.Vec // the column $pos, or nil
}

func (inc *incarnation) policies(x *gnode, r operators.Reject) policies {
	p := policies{inc: inc, rest: policy{onError: inc.job.plan.Settings.OnError, late: "drop"}}
	if r.Made {
		return p
	}
	if c := r.B.Schema.Index(connectors.RawColumn); c >= 0 && c < len(r.B.Cols) {
		p.raw = &r.B.Cols[c]
	}
	if c := r.B.Schema.Index(connectors.PosColumn); c >= 0 && c < len(r.B.Cols) {
		p.pos = &r.B.Cols[c]
	}
	from := x
	if len(x.in) > 0 {
		from = x.in[r.In].from
	}
	if q, ok := from.policy(); ok {
		p.rest = q
	}
	return p
}

// policy is that of the one table whose rows a node emits, each by itself, or
// that of several tables that have the same.
func (x *gnode) policy() (policy, bool) {
	switch n := x.node.(type) {
	case *operators.Scan:
		return policyOf(&n.Spec), true
	case *operators.Aggregate, *operators.WindowAggregate:
		return policy{}, false
	case *operators.UnionAll:
		p, ok := x.in[0].from.policy()
		for _, e := range x.in[1:] {
			q, known := e.from.policy()
			if ok = ok && known && p.same(q); p.table != q.table {
				p.table = ""
			}
		}
		return p, ok
	}
	if len(x.in) != 1 {
		return policy{}, false
	}
	return x.in[0].from.policy()
}

// of returns the policy for a row, and the record it came from where it is known.
func (p *policies) of(row int) (q policy, o connectors.Origin, known bool) {
	if p.raw != nil {
		if o, known = connectors.ParseOrigin(p.raw.Bytes(row)); known {
			if s := p.inc.scanOf(o.Table); s != nil {
				return policyOf(&s.Spec), o, true
			}
		}
	}
	return p.rest, o, known
}

// scanOf finds a scan by the number that its records carry.
func (inc *incarnation) scanOf(table int) *operators.Scan {
	for _, t := range inc.tables {
		if t.scan.Spec.Want.Raw && t.scan.Spec.Want.Table == table {
			return t.scan
		}
	}
	return nil
}

// place is where a row was read, of its own column; "" = not known.
func (p *policies) place(row int) string {
	if p.pos == nil {
		return ""
	}
	return string(p.pos.Bytes(row))
}

// letterWriter is one worker's way to one target of dead letters.
type letterWriter struct {
	box     *operators.DeadLetters
	w       connectors.Writer
	b       *batch.Batch
	letters []*connectors.Letter // the rows of b
	refused []connectors.Refusal // of the Push under way
}

// newLetterWriters opens the worker's writers of all targets.
func (inc *incarnation) newLetterWriters(worker int) (out []*letterWriter, err error) {
	for _, box := range inc.boxes {
		l := &letterWriter{box: box, b: batch.New(box.Schema, 1)}
		if l.w, err = box.Sink.Writer(worker); err != nil {
			return nil, err
		}
		if r, ok := l.w.(connectors.Refuser); ok {
			r.OnRefused(func(x connectors.Refusal) error { l.refused = append(l.refused, x); return nil })
		}
		out = append(out, l)
	}
	return out, nil
}

// write puts a letter into all targets of a policy. It holds memory of the rows
// at hand until flush.
func (w *worker) write(to []*operators.DeadLetters, l *connectors.Letter) error {
	l.Job, l.When = w.inc.job.Name, w.inc.now
	for _, x := range w.letters {
		for _, box := range to {
			if box != x.box {
				continue
			}
			l.AppendTo(x.b)
			x.letters = append(x.letters, l)
			if x.b.N >= readRows {
				if err := x.flush(); err != nil {
					return err
				}
			}
		}
	}
	w.inc.counts.letter()
	w.inc.lettersOut.Add(1)
	return nil
}

// flush hands on what write has gathered.
func (w *worker) flush() error {
	for _, x := range w.letters {
		if err := x.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (x *letterWriter) flush() error {
	if x.b.N == 0 {
		return nil
	}
	letters := x.letters
	if err := x.push(); err != nil {
		return err
	}
	refused := x.refused
	x.refused = nil
	for _, r := range refused {
		cut(letters[r.Row], r).AppendTo(x.b)
		if err := x.push(); err != nil {
			return err
		}
		if len(x.refused) > 0 {
			return &connectors.Permanent{Err: fmt.Errorf("a dead letter does not fit into %s even without its record: %w", x.box.Target, x.refused[0].Err)}
		}
	}
	return nil
}

func (x *letterWriter) push() error {
	err := x.w.Push(connectors.Changes{B: x.b})
	x.b.Reset()
	x.letters = nil
	if err != nil {
		return fmt.Errorf("write dead letters of table %q to %s: %w", x.box.Table, x.box.Target, err)
	}
	return nil
}

// cut returns l without what its target cannot hold: the end of the record, or
// where that is not enough all of it. The message says so, and the place tells
// where the whole record stands.
func cut(l *connectors.Letter, r connectors.Refusal) *connectors.Letter {
	c := *l
	c.HasOrigin = true
	if value := l.Value; value == nil {
		c.Value = []byte(l.Row)
	}
	const note = 200 // bytes of the header's growth, at most
	keep := len(c.Value) - (r.Bytes - r.Limit) - note
	if r.Limit <= 0 || keep < 0 {
		keep, c.Key, c.Headers = 0, nil, nil
	}
	c.Message = fmt.Sprintf("%s (the record has %d bytes, the first %d are here)", clipped(l.Message, 1000), len(c.Value), keep)
	c.Row, c.Value = "", c.Value[:keep]
	return &c
}

// clipped bounds a text to n bytes.
func clipped(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// letterOf makes the letter for a rejected row.
func (w *worker) letterOf(x *gnode, r *operators.Reject, e *expr.RowErr, q policy, o connectors.Origin, known bool, place string) *connectors.Letter {
	l := &connectors.Letter{Origin: o, HasOrigin: known, Table: q.table, Reason: r.Reason.String(), Code: e.Code, Message: e.Msg, Place: place,
		Operator: x.node.Op(), At: w.inc.at(e.At), Row: textOf(r.B, int(e.Row))}
	if known && o.Value != nil {
		l.Row = clipped(l.Row, 1000) // the record has it all
	}
	return l
}

// at names a place in the pipeline's text.
func (inc *incarnation) at(s expr.Span) string {
	if f := inc.job.plan.File; f != nil && s.To > s.From {
		p := f.Source.Pos(s.From)
		return fmt.Sprintf("%s:%d:%d", f.Source.Name, p.Line, p.Column)
	}
	return ""
}

// refused applies a sink table's policy to a row that its sink does not take.
func (inc *incarnation) refused(w *worker, x *gnode, r connectors.Refusal) error {
	s := &x.node.(*operators.SinkNode).Spec
	if s.OnError == "fail" || s.OnError == "" {
		var done *connectors.Permanent
		if errors.As(r.Err, &done) {
			return r.Err
		}
		return &connectors.Permanent{Err: r.Err, Code: r.Code}
	}
	inc.counts.add(operators.Refused, x.node.Op(), 1)
	if s.OnError != "dead-letter" {
		return nil
	}
	l := &connectors.Letter{Origin: connectors.Origin{Key: r.Key, Value: r.Value, Headers: r.Headers, Time: -1}, HasOrigin: true, Table: s.Table,
		Reason: operators.Refused.String(), Code: r.Code, Message: r.Err.Error(), Operator: x.node.Op(), At: inc.at(s.Span), Row: clipped(textOf(r.B, r.Row), 1000)}
	if err := w.write(s.DeadLetters, l); err != nil {
		return err
	}
	return w.flush()
}
