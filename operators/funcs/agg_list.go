package funcs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	registerAgg(AggFunc{Name: "LISTAGG", Syntax: "LISTAGG(s[, separator])", Doc: "The strings that are not NULL in order of arrival with the separator (',') between them; NULL if there are none.",
		Example: "LISTAGG(x) of 'x', NULL, '', 'y'", Result: "x,,y", Bind: bindListagg})
	registerAgg(AggFunc{Name: "ARRAY_AGG", Syntax: "ARRAY_AGG(x) or ARRAY_AGG(x) IGNORE NULLS", Nulls: true, Doc: "An array of the values in order of arrival, NULLs among them unless IGNORE NULLS is said; NULL if there are none.",
		Example: "ARRAY_AGG(x) of 'x', NULL, 'y'", Result: "[x, NULL, y]", Bind: func(args []batch.Type, _ bool) (*Agg, error) {
			if err := oneArg("ARRAY_AGG", args, isTyped, "a value"); err != nil {
				return nil, err
			}
			return &Agg{Name: "ARRAY_AGG", Out: batch.ArrayOf(args[0]), Keep: KeepAll, Arrival: true, Nulls: true, State: listState, k: list{keep: KeepAll, t: args[0], nulls: true}}, nil
		}})
	registerAgg(AggFunc{Name: "COLLECT", Syntax: "COLLECT(x)", Doc: "A multiset of the values that are not NULL: each with how often there is one.",
		Example: "COLLECT(x) of 'x', 'y', NULL, 'x'", Result: "{x=2, y=1}", Bind: func(args []batch.Type, _ bool) (*Agg, error) {
			if err := oneArg("COLLECT", args, isTyped, "a value"); err != nil {
				return nil, err
			}
			return &Agg{Name: "COLLECT", Out: batch.MultisetOf(args[0]).With(true), Keep: KeepBag, State: bagState, k: list{keep: KeepBag, t: args[0]}}, nil
		}})
}

var (
	listState = []batch.Field{{Name: "values", Type: batch.TypeBytes.With(true)}}
	bagState  = append(slices.Clip(listState), batch.Field{Name: "packed", Type: bigint})
)

// isTyped tells a type from that of a bare NULL.
func isTyped(t batch.Type) bool { return t.SQL != batch.Null }

func bindListagg(args []batch.Type, _ bool) (*Agg, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, &expr.TypeError{Arg: -1, Msg: "LISTAGG takes a string and perhaps a separator", Hint: "write LISTAGG(s, ', ')"}
	}
	for i, t := range args {
		if !t.IsString() {
			return nil, &expr.TypeError{Arg: i, Msg: "LISTAGG takes a string, not " + t.String(), Hint: "CAST it to STRING"}
		}
	}
	a := &Agg{Name: "LISTAGG", Out: batch.TypeString, Keep: KeepAll, Arrival: true, Params: len(args) - 1, State: listState, k: list{keep: KeepAll, t: args[0], text: true, sep: ","}}
	return a, nil
}

// list keeps values as bytes, one entry each:
//
//	number of arrival, weight·2 + null, length, value    LISTAGG, ARRAY_AGG
//	weight·2, length, value                              COLLECT
//
// numbers as varints. Entries of LISTAGG and ARRAY_AGG stand in order of arrival.
// Those of COLLECT are packed, equal values into one, when they have doubled since
// they last were; a second column holds how many bytes that left. It only takes
// rows in.
type list struct {
	keep  Keep
	t     batch.Type // of the values
	nulls bool       // NULL is a value
	text  bool       // LISTAGG
	sep   string
}

func (l list) bag() bool { return l.keep == KeepBag }

func (l list) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	x := args[0]
	// The rows of one accumulator are appended at once: an arena moves what grows.
	rows := slices.Clone(sel)
	slices.SortStableFunc(rows, func(a, b int32) int { return int(int64(ids[a]) - int64(ids[b])) })
	var buf []byte
	for k := 0; k < len(rows); {
		id := ids[rows[k]]
		buf = buf[:0]
		for ; k < len(rows) && ids[rows[k]] == id; k++ {
			i := rows[k]
			n := weight(w, i)
			if n <= 0 || x.IsNull(int(i)) && !l.nulls {
				continue
			}
			seq := int64(0)
			if !l.bag() {
				seq = args[1].I[i]
			}
			buf = l.append(buf, seq, n, x, int(i))
		}
		if len(buf) > 0 {
			l.add(p, at, id, buf)
		}
	}
}

// append writes the entry of row i of x.
func (l list) append(dst []byte, seq, n int64, x *batch.Vec, i int) []byte {
	head := uint64(n) << 1
	if x.IsNull(i) {
		head |= 1
	}
	if !l.bag() {
		dst = binary.AppendUvarint(dst, uint64(seq))
	}
	dst = binary.AppendUvarint(dst, head)
	if x.IsNull(i) {
		return append(dst, 0)
	}
	if x.Kind == batch.Str {
		b := x.Bytes(i)
		return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	var b []byte
	switch x.Kind {
	case batch.Bool:
		b = append(b, byte(b2i(x.B[i])))
	case batch.Int:
		b = binary.AppendVarint(b, x.I[i])
	case batch.Float:
		f := math.Float64bits(x.F[i])
		if l.bag() {
			f = batch.FloatBits(x.F[i]) // equal values, equal bytes
		}
		b = binary.LittleEndian.AppendUint64(b, f)
	default:
		b = batch.AppendCol(b, x, []int32{int32(i)}, 1)
	}
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// entry is one entry, read.
type entry struct {
	seq   uint64
	n     int64
	null  bool
	value []byte
	all   []byte
}

func (l list) next(b []byte) (e entry, rest []byte) {
	k := 0
	if !l.bag() {
		e.seq, k = binary.Uvarint(b)
	}
	head, n := binary.Uvarint(b[k:])
	k += n
	size, n := binary.Uvarint(b[k:])
	k += n
	e.n, e.null = int64(head>>1), head&1 != 0
	end := k + int(size)
	e.value, e.all = b[k:end], b[:end]
	return e, b[end:]
}

// read appends the value of an entry to v.
func (l list) read(e entry, v *batch.Vec) {
	switch {
	case e.null:
		v.AppendNull()
	case v.Kind == batch.Str:
		v.AppendBytes(e.value)
	case v.Kind == batch.Bool:
		v.AppendBool(e.value[0] != 0)
	case v.Kind == batch.Int:
		x, _ := binary.Varint(e.value)
		v.AppendInt(x)
	case v.Kind == batch.Float:
		v.AppendFloat(math.Float64frombits(binary.LittleEndian.Uint64(e.value)))
	default:
		x, _, err := batch.ReadCol(e.value, l.t, 1)
		if err != nil {
			panic("BUG: a list in state: " + err.Error())
		}
		v.AppendFrom(&x, 0)
	}
}

// add puts entries behind those of accumulator id.
func (l list) add(p []*batch.Page, at int, id batch.RowID, b []byte) {
	c, s := p[id>>batch.PageBits].Cols[at:], int(id&batch.SlotMask)
	appendCell(&c[0], s, b)
	if !l.bag() {
		return
	}
	if n := int64(c[0].View[s] & 0xffffffff); n > 2*c[1].I[s]+256 {
		packed := l.pack(c[0].Bytes(s))
		setBytes(&c[0], s, packed)
		c[1].I[s] = int64(len(packed))
	}
}

// pack makes one entry of all entries of one value, in order of their bytes.
func (l list) pack(b []byte) []byte {
	n := map[string]int64{}
	var order []string
	for len(b) > 0 {
		var e entry
		e, b = l.next(b)
		if _, ok := n[string(e.value)]; !ok {
			order = append(order, string(e.value))
		}
		n[string(e.value)] += e.n
	}
	slices.Sort(order)
	var out []byte
	for _, v := range order {
		out = binary.AppendUvarint(out, uint64(n[v])<<1)
		out = append(binary.AppendUvarint(out, uint64(len(v))), v...)
	}
	return out
}

func (l list) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, sid := range sids {
		b := src[sid>>batch.PageBits].Cols[sat].Bytes(int(sid & batch.SlotMask))
		if len(b) == 0 {
			continue
		}
		b = bytes.Clone(b) // both may stand in one arena
		d := &dst[dids[k]>>batch.PageBits].Cols[dat]
		have := d.Bytes(int(dids[k] & batch.SlotMask))
		if l.bag() || len(have) == 0 {
			l.add(dst, dat, dids[k], b)
			continue
		}
		setBytes(d, int(dids[k]&batch.SlotMask), l.zip(have, b))
	}
}

// zip merges two lists by the numbers of arrival.
func (l list) zip(a, b []byte) []byte {
	out := make([]byte, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		x, ra := l.next(a)
		y, rb := l.next(b)
		if x.seq <= y.seq {
			out, a = append(out, x.all...), ra
		} else {
			out, b = append(out, y.all...), rb
		}
	}
	return append(append(out, a...), b...)
}

func (l list) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, fail Fail) {
	a := &Agg{k: l}
	var items []Item
	for k, id := range ids {
		b := p[id>>batch.PageBits].Cols[at].Bytes(int(id & batch.SlotMask))
		if l.bag() {
			b = l.pack(b)
		}
		v := batch.NewVec(l.t, 0)
		items = items[:0]
		for len(b) > 0 {
			var e entry
			e, b = l.next(b)
			items = append(items, Item{V: &v, I: v.Len(), N: e.n})
			l.read(e, &v)
		}
		if l.bag() {
			slices.SortFunc(items, func(x, y Item) int { return batch.Compare(x.V, x.I, y.V, y.I) })
		}
		if msg := a.Listed(items, out); msg != "" {
			fail(k, msg)
		}
	}
}

// Item is a value of a group, which has it N times.
type Item struct {
	V *batch.Vec
	I int
	N int64
}

// Listed appends to out the result of a function that keeps all values of a
// group: in order of arrival, or for KeepBag in order of the values. When the
// result is too large it is NULL and the message says so.
func (a *Agg) Listed(items []Item, out *batch.Vec) (msg string) {
	l := a.k.(list)
	switch {
	case l.bag():
		at := out.Child[0].Len()
		for _, x := range items {
			out.Child[0].AppendFrom(x.V, x.I)
			out.Child[1].AppendInt(x.N)
		}
		out.AppendList(at)
	case len(items) == 0:
		out.AppendNull()
	case l.text:
		return l.join(items, out)
	default:
		total := int64(0)
		for _, x := range items {
			total += min(x.N, maxText+1)
		}
		if total > maxText {
			out.AppendNull()
			return fmt.Sprintf("ARRAY_AGG has %d elements, more than %d", total, maxText)
		}
		at := out.Child[0].Len()
		for _, x := range items {
			for range x.N {
				out.Child[0].AppendFrom(x.V, x.I)
			}
		}
		out.AppendList(at)
	}
	return ""
}

func (l list) join(items []Item, out *batch.Vec) (msg string) {
	size := -len(l.sep)
	for _, x := range items {
		if size += int(min(x.N, maxText)) * (len(x.V.Bytes(x.I)) + len(l.sep)); size > maxText || x.N > maxText {
			out.AppendNull()
			return "LISTAGG is larger than 16 MiB"
		}
	}
	buf := make([]byte, 0, size)
	for k, x := range items {
		for j := range x.N {
			if k > 0 || j > 0 {
				buf = append(buf, l.sep...)
			}
			buf = append(buf, x.V.Bytes(x.I)...)
		}
	}
	out.AppendBytes(buf)
	return ""
}

// appendCell puts b behind the bytes of row j: in place where they are the
// arena's last, else both go to its end.
func appendCell(v *batch.Vec, j int, b []byte) {
	at, n := v.View[j]>>32, v.View[j]&0xffffffff
	if n > 0 && int(at+n) == len(v.Data) {
		v.Data = append(v.Data, b...)
		v.View[j] = batch.View(int(at), int(n)+len(b))
		return
	}
	setBytes(v, j, append(v.Bytes(j), b...))
}
