package operators

import (
	"fmt"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators/expr"
)

// flushRows bounds the buffer of a retracting sink: beyond it a step's rows go
// out netted, but not as one.
const flushRows = 1 << 16

// New opens the sink's writer of one worker.
func (n *SinkNode) New(env *Env) (Operator, error) {
	w, err := n.Spec.Sink.Writer(env.Worker)
	if err != nil {
		return nil, err
	}
	if r, ok := w.(connectors.Refuser); ok && env.Refused != nil {
		r.OnRefused(env.Refused)
	}
	s := sink{n: n, env: env, w: w, check: newEnforcer(n, env)}
	in := n.In[0].Base()
	info := n.Spec.Sink.Info()
	switch acc := info.Accepts; {
	case acc == connectors.Upserts && n.Materialize:
		return newMaterialize(s), nil
	case acc == connectors.Upserts:
		return &upsertSink{sink: s, buf: batch.New(n.Schema, 0), key: n.Spec.PrimaryKey}, nil
	case in.Mode == Append, info.Raw:
		return &appendSink{sink: s}, nil
	}
	r := &retractSink{sink: s, buf: batch.New(n.Schema, 0)}
	if len(in.Keys) > 0 {
		r.key, r.keyed = in.Keys[0], true
	}
	return r, nil
}

// sink is what all kinds of sinks have.
type sink struct {
	n     *SinkNode
	env   *Env
	w     connectors.Writer
	check *enforcer
}

// Room tells whether a step may begin, as the table's writer sees it.
func (s *sink) Room() bool { return s.w.Room() }

// table returns b under the table's own column names, without the rows its
// constraints refuse. Hidden columns of the input end here.
func (s *sink) table(b *batch.Batch) (*batch.Batch, error) {
	r := *b
	if s.check != nil {
		if err := s.check.apply(&r); err != nil {
			return nil, err
		}
	}
	r.Schema, r.Cols = s.n.Schema, r.Cols[:len(s.n.Schema.Fields)]
	return &r, nil
}

// send writes rows sel of b in chunks.
func (s *sink) send(b *batch.Batch, sel []int32, kinds []connectors.Kind) error {
	for len(sel) > 0 {
		n := min(len(sel), batch.Chunk)
		r := *b
		r.Sel, r.Hash, r.Runs = sel[:n], nil, nil
		if err := s.w.Push(connectors.Changes{B: &r, Kinds: kinds}); err != nil {
			return err
		}
		sel = sel[n:]
	}
	return nil
}

// appendSink passes rows on as they come.
type appendSink struct {
	stateless
	sink
}

func (o *appendSink) Push(_ int, b *batch.Batch, _ Emit) error {
	r, err := o.table(b)
	if err != nil || r.Live() == 0 {
		return err
	}
	return o.w.Push(connectors.Changes{B: r})
}

// retractSink nets the rows of a step and writes -U and +U where an old and a
// new row share the input's key, else -D and +I.
type retractSink struct {
	sink
	buf   *batch.Batch
	key   []int
	keyed bool
	kinds []connectors.Kind
	sel   []int32
}

func (o *retractSink) Push(_ int, b *batch.Batch, _ Emit) error {
	r, err := o.table(b)
	if err != nil {
		return err
	}
	o.buf.Append(r)
	if o.buf.N >= flushRows {
		return o.flush()
	}
	return nil
}

func (o *retractSink) EndStep([]WM, Emit) error { return o.flush() }

func (o *retractSink) flush() error {
	if o.buf.N == 0 {
		return nil
	}
	net := batch.Consolidate(o.buf)
	o.order(net)
	err := o.send(net, o.sel, o.kinds)
	o.buf = batch.New(o.n.Schema, 0)
	return err
}

// order puts net's rows in the order they go out, the old rows of a key before
// its new ones, keys in order of appearance, and says their kinds.
func (o *retractSink) order(net *batch.Batch) {
	o.kinds = make([]connectors.Kind, net.N)
	o.sel = o.sel[:0]
	if !o.keyed {
		for _, neg := range []bool{true, false} {
			net.Each(func(i int) {
				if (net.Weight(i) < 0) == neg {
					if neg {
						o.kinds[i] = connectors.Delete
					}
					o.sel = append(o.sel, int32(i))
				}
			})
		}
		return
	}
	g := groupRows(net, o.key)
	for k := range g.first {
		olds, news := 0, 0
		for i := g.first[k]; i >= 0; i = g.next[i] {
			if net.Weight(int(i)) < 0 {
				olds++
			} else {
				news++
			}
		}
		for _, neg := range []bool{true, false} {
			for i := g.first[k]; i >= 0; i = g.next[i] {
				if (net.Weight(int(i)) < 0) != neg {
					continue
				}
				switch {
				case neg && news > 0:
					o.kinds[i] = connectors.UpdateBefore
				case neg:
					o.kinds[i] = connectors.Delete
				case olds > 0:
					o.kinds[i] = connectors.UpdateAfter
				}
				o.sel = append(o.sel, i)
			}
		}
	}
}

// groups are the live rows of a batch by key, in order of appearance.
type groups struct {
	first, last []int32 // by group
	next        []int32 // by row; -1 = last of its group
}

func groupRows(b *batch.Batch, key []int) groups {
	var g groups
	g.next = make([]int32, b.N)
	cols := pick(nil, b, key)
	h := make([]uint64, b.N)
	batch.HashRows(cols, b.Sel, b.N, h)
	size := 16
	for size < 2*b.Live() {
		size *= 2
	}
	index := make([]int32, size) // group+1
	b.Each(func(i int) {
		g.next[i] = -1
		for at := h[i] >> 20 & uint64(size-1); ; at = (at + 1) & uint64(size-1) {
			k := index[at] - 1
			if k < 0 {
				index[at] = int32(len(g.first)) + 1
				g.first, g.last = append(g.first, int32(i)), append(g.last, int32(i))
				return
			}
			if f := g.first[k]; h[f] == h[i] && batch.EqualRows(cols, int(f), cols, i) {
				g.next[g.last[k]] = int32(i)
				g.last[k] = int32(i)
				return
			}
		}
	})
	return g
}

// upsertSink nets the rows of a whole step by primary key: a + that remains sets
// the key's row, a - alone deletes it. It must see the step whole: of "+new" in
// one batch and "-old" in a later one, written as they come, the deletion would
// win.
type upsertSink struct {
	sink
	buf  *batch.Batch
	key  []int
	full int // rows at which the buffer is netted in between
}

func (o *upsertSink) Push(_ int, b *batch.Batch, _ Emit) error {
	r, err := o.table(b)
	if err != nil {
		return err
	}
	o.buf.Append(r)
	if o.buf.N > max(o.full, flushRows) {
		o.buf = batch.Consolidate(o.buf).Clone()
		o.full = 2 * o.buf.N
	}
	return nil
}

func (o *upsertSink) EndStep([]WM, Emit) error {
	if o.buf.N == 0 {
		return nil
	}
	net := batch.Consolidate(o.buf)
	g := groupRows(net, o.key)
	sel := make([]int32, 0, len(g.first))
	w := make([]int64, net.N)
	for k := range g.first {
		at, sign := g.last[k], int64(-1)
		for i := g.first[k]; i >= 0; i = g.next[i] {
			if net.Weight(int(i)) > 0 {
				at, sign = i, 1
			}
		}
		w[at] = sign
		sel = append(sel, at)
	}
	r := *net
	r.W = w
	err := o.send(&r, sel, upsertKinds(w))
	o.buf, o.full = batch.New(o.n.Schema, 0), 0
	return err
}

func upsertKinds(w []int64) []connectors.Kind {
	kinds := make([]connectors.Kind, len(w))
	for i, x := range w {
		if x < 0 {
			kinds[i] = connectors.Delete
		}
	}
	return kinds
}

// enforcer holds a table's columns to their types: NOT NULL and lengths.
type enforcer struct {
	n       *SinkNode
	env     *Env
	notNull []int
	lens    []int
	bad     []expr.RowErr
	row     rows
}

func newEnforcer(n *SinkNode, env *Env) *enforcer {
	e := &enforcer{n: n, env: env}
	in := n.In[0].Base().Schema
	for c, f := range n.Schema.Fields {
		if f.Type.NotNull && !in.Fields[c].Type.NotNull {
			e.notNull = append(e.notNull, c)
		}
		if n.Spec.LengthEnforcer != "" && (f.Type.IsString() || f.Type.IsBytes()) && f.Type.P > 0 && f.Type.P < batch.MaxLen {
			e.lens = append(e.lens, c)
		}
	}
	if e.notNull == nil && e.lens == nil {
		return nil
	}
	return e
}

// apply takes refused rows out of b and trims or pads its strings.
func (e *enforcer) apply(b *batch.Batch) error {
	for _, c := range e.notNull {
		if err := e.take(b, func(i int) (string, string) {
			if b.Cols[c].IsNull(i) {
				return CodeNotNull, "NULL into column " + e.n.Schema.Fields[c].Name + ", which is NOT NULL"
			}
			return "", ""
		}, e.n.Spec.NotNullDrop); err != nil {
			return err
		}
	}
	for k, c := range e.lens {
		f := e.n.Schema.Fields[c]
		if e.n.Spec.LengthEnforcer == "error" {
			if err := e.take(b, func(i int) (string, string) {
				if !b.Cols[c].IsNull(i) && length(b.Cols[c].Bytes(i), f.Type) > int(f.Type.P) {
					return CodeTooLong, fmt.Sprintf("%q is longer than column %s %s", b.Cols[c].Bytes(i), f.Name, f.Type)
				}
				return "", ""
			}, false); err != nil {
				return err
			}
			continue
		}
		if k == 0 {
			b.Cols = append([]batch.Vec(nil), b.Cols...)
		}
		b.Cols[c] = e.fit(b, c, f.Type)
	}
	return nil
}

// take removes the rows for which bad gives a code.
func (e *enforcer) take(b *batch.Batch, bad func(i int) (code, msg string), dropped bool) error {
	e.bad = e.bad[:0]
	var kept []int32
	for k, i := range e.row.of(b) {
		code, msg := bad(int(i))
		if code == "" {
			if kept != nil {
				kept = append(kept, i)
			}
			continue
		}
		if kept == nil {
			kept = append(make([]int32, 0, b.N), e.row.of(b)[:k]...)
		}
		e.bad = append(e.bad, expr.RowErr{Row: i, Code: code, Msg: msg, At: e.n.Span})
	}
	if len(e.bad) == 0 {
		return nil
	}
	b.Sel = kept
	reason := Failed
	if dropped {
		reason = Enforced
	}
	return e.env.Reject(Reject{Reason: reason, B: b, Rows: e.bad})
}

// fit returns column c cut to its length; CHAR and BINARY are padded to it.
func (e *enforcer) fit(b *batch.Batch, c int, t batch.Type) batch.Vec {
	out := batch.NewVec(t, b.N)
	src := &b.Cols[c]
	for i := range b.N {
		if src.IsNull(i) {
			out.AppendNull()
			continue
		}
		s := src.Bytes(i)
		n := length(s, t)
		switch {
		case n > int(t.P) && t.IsBytes():
			s = s[:t.P]
		case n > int(t.P):
			end := 0
			for range t.P {
				_, w := utf8.DecodeRune(s[end:])
				end += w
			}
			s = s[:end]
		case n < int(t.P) && (t.SQL == batch.Char || t.SQL == batch.Binary):
			pad := byte(' ')
			if t.IsBytes() {
				pad = 0
			}
			s = append([]byte(nil), s...)
			for ; n < int(t.P); n++ {
				s = append(s, pad)
			}
		}
		out.AppendBytes(s)
	}
	return out
}

func length(s []byte, t batch.Type) int {
	if t.IsBytes() {
		return len(s)
	}
	return utf8.RuneCount(s)
}
