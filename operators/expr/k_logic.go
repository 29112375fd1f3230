package expr

import "github.com/streamd/streamd/batch"

// runLogic computes AND (stop = false) and OR (stop = true): an operand that
// equals stop decides the row, which later operands then never see.
//
//	AND   TRUE  FALSE NULL      OR    TRUE FALSE NULL
//	TRUE  TRUE  FALSE NULL      TRUE  TRUE TRUE  TRUE
//	FALSE FALSE FALSE FALSE     FALSE TRUE FALSE NULL
//	NULL  NULL  FALSE NULL      NULL  TRUE NULL  NULL
func runLogic(in *inst, f *frame, sel []int32, stop bool) []int32 {
	out := in.start(f.n)
	from := len(f.c.Errs)
	rest := sel
	for k, kid := range in.kids {
		v, ok := kid.eval(f, rest)
		last := k == len(in.kids)-1
		buf := in.rows[:0]
		for _, i := range rows(ok, f.n) {
			switch {
			case v.IsNull(int(i)):
				out.SetNull(int(i), f.n)
				buf = append(buf, i)
			case v.B[i] == stop:
				out.B[i] = stop
				if out.Null != nil {
					out.Null[i>>6] &^= 1 << (i & 63)
				}
			default:
				out.B[i] = !stop
				buf = append(buf, i)
			}
		}
		// rest may stand in in.rows itself: the filter writes behind what it reads.
		in.rows, rest = buf, buf
		if last || len(rest) == 0 {
			break
		}
	}
	return f.drop(sel, from)
}

func runNot(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	out := in.start(f.n)
	in.joinNulls(f.n, v)
	for i, x := range v.B[:f.n] {
		out.B[i] = !x
	}
	return sel
}

func runIsNull(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	out := in.start(f.n)
	if v.Null == nil {
		for i := range out.B {
			out.B[i] = in.n.not
		}
		return sel
	}
	for i := range out.B {
		out.B[i] = v.Null[i>>6]>>(i&63)&1 != 0 != in.n.not
	}
	return sel
}

func runIsTrue(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	out := in.start(f.n)
	for _, i := range rows(sel, f.n) {
		null := v.IsNull(int(i))
		var is bool
		switch in.n.sub {
		case "TRUE":
			is = !null && v.B[i]
		case "FALSE":
			is = !null && !v.B[i]
		default:
			is = null
		}
		out.B[i] = is != in.n.not
	}
	return sel
}

func runDistinct(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	a, b := in.kids[0].v, in.kids[1].v
	out := in.start(f.n)
	for _, i := range rows(sel, f.n) {
		out.B[i] = batch.EqualAt(a, int(i), b, int(i)) == in.n.not
	}
	return sel
}

// runCase gives each row the value of the first branch whose condition is TRUE.
// Conditions and values are computed only for the rows that get to them.
func runCase(in *inst, f *frame, sel []int32) []int32 {
	out := in.start(f.n)
	from := len(f.c.Errs)
	rest := sel
	for k := 0; k+1 < len(in.kids); k += 2 {
		cond, ok := in.kids[k].eval(f, rest)
		yes, no := in.rows[:0], make([]int32, 0, len(rows(ok, f.n)))
		for _, i := range rows(ok, f.n) {
			if cond.B[i] && !cond.IsNull(int(i)) {
				yes = append(yes, i)
			} else {
				no = append(no, i)
			}
		}
		in.rows, rest = yes, no
		if len(yes) > 0 {
			v, ok := in.kids[k+1].eval(f, yes)
			scatter(out, v, ok, f.n)
		}
		if len(rest) == 0 {
			return f.drop(sel, from)
		}
	}
	v, ok := in.kids[len(in.kids)-1].eval(f, rest)
	scatter(out, v, rows(ok, f.n), f.n)
	return f.drop(sel, from)
}

func runCoalesce(in *inst, f *frame, sel []int32) []int32 {
	v, ok := in.kids[0].eval(f, sel)
	if v.Null == nil {
		in.v = v // Fast path: nothing to replace.
		return ok
	}
	out := in.start(f.n)
	from := len(f.c.Errs)
	if ok != nil || sel != nil {
		sel = rows(ok, f.n)
	}
	rest := ok
	for k := 0; ; k++ {
		if k > 0 {
			v, rest = in.kids[k].eval(f, rest)
		}
		has, none := in.rows[:0], make([]int32, 0, 16)
		for _, i := range rows(rest, f.n) {
			if v.IsNull(int(i)) {
				none = append(none, i)
			} else {
				has = append(has, i)
			}
		}
		in.rows = has
		scatter(out, v, has, f.n)
		rest = none
		if len(rest) == 0 {
			break
		}
		if k == len(in.kids)-1 {
			for _, i := range rest {
				out.SetNull(int(i), f.n)
			}
			break
		}
	}
	return f.drop(sel, from)
}

// scatter copies rows sel of src to the same rows of dst, which has n rows and
// the same shape; bytes and elements are copied into dst's own arena.
func scatter(dst, src *batch.Vec, sel []int32, n int) {
	switch src.Kind {
	case batch.Bool:
		for _, i := range sel {
			dst.B[i] = src.B[i]
		}
	case batch.Int:
		for _, i := range sel {
			dst.I[i] = src.I[i]
		}
	case batch.Float:
		for _, i := range sel {
			dst.F[i] = src.F[i]
		}
	case batch.Wide:
		for _, i := range sel {
			dst.Hi[i], dst.Lo[i] = src.Hi[i], src.Lo[i]
		}
	case batch.Str:
		for _, i := range sel {
			dst.PutBytes(int(i), src.Bytes(int(i)))
		}
	case batch.Row:
		for c := range src.Child {
			scatter(&dst.Child[c], &src.Child[c], sel, n)
		}
	case batch.List:
		for _, i := range sel {
			putList(dst, int(i), src, int(i))
		}
	}
	if src.Null != nil {
		for _, i := range sel {
			if src.IsNull(int(i)) {
				dst.SetNull(int(i), n)
			}
		}
	}
}

// putList copies list j of src to row i of dst.
func putList(dst *batch.Vec, i int, src *batch.Vec, j int) {
	from, to := src.Span(j)
	at := dst.Child[0].Len()
	for ; from < to; from++ {
		for c := range src.Child {
			dst.Child[c].AppendFrom(&src.Child[c], from)
		}
	}
	dst.View[i] = batch.View(at, dst.Child[0].Len()-at)
}

// putRow copies row j of src to row i of dst, which has n rows.
func putRow(dst *batch.Vec, i int, src *batch.Vec, j, n int) {
	if src.IsNull(j) {
		dst.SetNull(i, n)
		return
	}
	switch src.Kind {
	case batch.Bool:
		dst.B[i] = src.B[j]
	case batch.Int:
		dst.I[i] = src.I[j]
	case batch.Float:
		dst.F[i] = src.F[j]
	case batch.Wide:
		dst.Hi[i], dst.Lo[i] = src.Hi[j], src.Lo[j]
	case batch.Str:
		dst.PutBytes(i, src.Bytes(j))
	case batch.Row:
		for c := range src.Child {
			putRow(&dst.Child[c], i, &src.Child[c], j, n)
		}
	case batch.List:
		putList(dst, i, src, j)
	}
}
