package expr

import (
	"fmt"
	"time"

	"github.com/streamd/streamd/batch"
)

// inKernel is x IN (v…): TRUE when one is equal, else NULL when x or one is
// NULL, else FALSE. Constant lists of integers and strings become a set.
func inKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	hasNull, constant := false, true
	ints, strs := map[int64]bool{}, map[string]bool{}
	kind := in.n.kids[0].Type().Kind()
	for _, k := range in.kids[1:] {
		if k.k == nil {
			constant = false
			break
		}
		switch {
		case k.k.IsNull():
			hasNull = true
		case kind == batch.Int:
			ints[k.k.V.I[0]] = true
		case kind == batch.Str:
			strs[string(k.k.V.Bytes(0))] = true
		}
	}
	set := constant && (kind == batch.Int || kind == batch.Str)
	return func(in *inst, f *frame, sel []int32) []int32 {
		if !set {
			sel = in.evalKids(f, sel)
		} else {
			_, sel = in.kids[0].eval(f, sel)
		}
		x := in.kids[0].v
		out := in.start(f.n)
		in.joinNulls(f.n, x)
		for _, i := range rows(sel, f.n) {
			if out.IsNull(int(i)) {
				continue
			}
			var found bool
			null := hasNull
			switch {
			case !set:
				found, null = in.among(x, int(i))
			case kind == batch.Int:
				found = ints[x.I[i]]
			default:
				found = strs[string(x.Bytes(int(i)))]
			}
			if !found && null {
				out.SetNull(int(i), f.n)
			}
			out.B[i] = found != in.n.not
		}
		return sel
	}
}

func (in *inst) among(x *batch.Vec, i int) (found, null bool) {
	for _, k := range in.kids[1:] {
		if k.v.IsNull(i) {
			null = true
		} else if batch.EqualAt(x, i, k.v, i) {
			return true, false
		}
	}
	return false, null
}

func itemKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	array := in.n.kids[0].Type().SQL == batch.Array
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, key := in.kids[0].v, in.kids[1].v
		in.out.Reset()
		in.v = &in.out
		errs := len(f.c.Errs)
		next := 0
		for _, i := range rows(sel, f.n) {
			for ; next < int(i); next++ {
				in.out.AppendNull()
			}
			next++
			at := -1
			if !x.IsNull(int(i)) && !key.IsNull(int(i)) {
				from, to := x.Span(int(i))
				switch {
				case !array:
					for j := from; j < to; j++ {
						if batch.EqualAt(&x.Child[0], j, key, int(i)) {
							at = j
						}
					}
				case key.I[i] < 1:
					f.fail(i, ErrElement, fmt.Sprintf("array elements are numbered from 1, not %d", key.I[i]), in.n.at)
				case key.I[i] <= int64(to-from):
					at = from + int(key.I[i]) - 1
				}
			}
			if at < 0 {
				in.out.AppendNull()
			} else {
				in.out.AppendFrom(&x.Child[len(x.Child)-1], at)
			}
		}
		for ; next < f.n; next++ {
			in.out.AppendNull()
		}
		return f.drop(sel, errs)
	}
}

func runField(in *inst, f *frame, sel []int32) []int32 {
	x, sel := in.kids[0].eval(f, sel)
	in.out = x.Child[in.n.n]
	switch own := in.out.Null; {
	case x.Null == nil:
	case (own == nil || one(own, x.Null)) && f.complete(x.Null, sel):
		// Columns without a bitmap are faster all the way: behind WHERE event_type = 2
		// no bid is NULL.
		in.out.Null = nil
	default:
		in.joinNulls(f.n, x, &x.Child[in.n.n])
	}
	in.v = &in.out
	return sel
}

func runMakeRow(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	in.out.Null = nil
	for i, k := range in.kids {
		in.out.Child[i] = *k.v
	}
	in.v = &in.out
	return sel
}

func runMakeArray(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	out := in.start(f.n)
	for _, i := range rows(sel, f.n) {
		at := out.Child[0].Len()
		for _, k := range in.kids {
			out.Child[0].AppendFrom(k.v, int(i))
		}
		out.View[i] = batch.View(at, len(in.kids))
	}
	return sel
}

func runMakeMap(in *inst, f *frame, sel []int32) []int32 {
	sel = in.evalKids(f, sel)
	out := in.start(f.n)
	for _, i := range rows(sel, f.n) {
		at := out.Child[0].Len()
	pairs:
		for k := 0; k < len(in.kids); k += 2 {
			for later := k + 2; later < len(in.kids); later += 2 {
				if batch.EqualAt(in.kids[k].v, int(i), in.kids[later].v, int(i)) {
					continue pairs
				}
			}
			out.Child[0].AppendFrom(in.kids[k].v, int(i))
			out.Child[1].AppendFrom(in.kids[k+1].v, int(i))
		}
		out.View[i] = batch.View(at, out.Child[0].Len()-at)
	}
	return sel
}

// toLocal is the wall clock of zone z at us (UTC), toUTC its inverse; of a time
// that a zone skips or has twice, toUTC takes the reading before the change.
func toLocal(us int64, z *time.Location) int64 {
	_, off := time.Unix(batch.FloorDiv(us, 1e6), 0).In(z).Zone()
	return us + int64(off)*1e6
}

func toUTC(local int64, z *time.Location) int64 {
	if z == time.UTC {
		return local
	}
	s := batch.FloorDiv(local, 1e6)
	_, o1 := time.Unix(s-86400, 0).In(z).Zone()
	_, o2 := time.Unix(s+86400, 0).In(z).Zone()
	// A zone changes at most once within two days: the earlier offset counts
	// where it is consistent or where neither is.
	if o1 != o2 {
		if _, o := time.Unix(s-int64(o1), 0).In(z).Zone(); o != o1 {
			if _, o := time.Unix(s-int64(o2), 0).In(z).Zone(); o == o2 {
				o1 = o2
			}
		}
	}
	return local - int64(o1)*1e6
}

// ToLocal is the wall clock in the session's zone at us (UTC).
func (c *Ctx) ToLocal(us int64) int64 { return toLocal(us, c.zone()) }

// ToUTC reads us as the wall clock in the session's zone.
func (c *Ctx) ToUTC(us int64) int64 { return toUTC(us, c.zone()) }

func timeZoneKernel() func(*inst, *frame, []int32) []int32 {
	name := ""
	var z *time.Location
	var err error
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, zone := in.kids[0].v, in.kids[1].v
		out := in.start(f.n)
		in.joinNulls(f.n, x, zone)
		from := len(f.c.Errs)
		for _, i := range rows(sel, f.n) {
			if out.IsNull(int(i)) {
				continue
			}
			if b := zone.Bytes(int(i)); z == nil || string(b) != name {
				name = string(b)
				z, err = Zone(name)
			}
			switch {
			case err != nil:
				f.fail(i, ErrZone, err.Error(), in.n.at)
			case in.n.t.SQL == batch.Timestamp:
				out.I[i] = toLocal(x.I[i], z)
			default:
				out.I[i] = toUTC(x.I[i], z)
			}
		}
		return f.drop(sel, from)
	}
}

// AddMonths moves a local timestamp by m months; a day that the month lacks
// becomes its last: 31 January + 1 month = 28 or 29 February.
func AddMonths(us, m int64) int64 {
	days := batch.FloorDiv(us, batch.Day)
	return addMonthsToDate(days, m)*batch.Day + us - days*batch.Day
}

func addMonthsToDate(days, m int64) int64 {
	y, mo, d := batch.Civil(days)
	n := int64(y)*12 + int64(mo) - 1 + m
	y, mo = int(batch.FloorDiv(n, 12)), int(n-batch.FloorDiv(n, 12)*12)+1
	last := batch.Days(y, mo, 28)
	for d > 28 {
		if _, mm, _ := batch.Civil(batch.Days(y, mo, 28) + int64(d-28)); mm == mo {
			return last + int64(d-28)
		}
		d--
	}
	return batch.Days(y, mo, d)
}

// yearLimit bounds months in date arithmetic, so that no step overflows.
const yearLimit = 290_000

func timeAddKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	months := in.n.kids[1].Type().SQL == batch.IntervalMonth
	t := in.n.t.SQL
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, iv := in.kids[0].v, in.kids[1].v
		out := in.start(f.n)
		in.joinNulls(f.n, x, iv)
		if !months && in.n.t.IsTimestamp() && addMicros(in, out.I, sel) {
			return sel
		}
		from := len(f.c.Errs)
		for _, i := range rows(sel, f.n) {
			if out.IsNull(int(i)) {
				continue
			}
			d := iv.I[i]
			if in.n.flag {
				d = -d
			}
			a := x.I[i]
			var r int64
			bad := false
			switch {
			case months && (d > yearLimit*12 || d < -yearLimit*12):
				bad = true
			case months && t == batch.Date:
				r = addMonthsToDate(a, d)
			case months:
				r = AddMonths(a, d)
				bad = (r > a) != (d > 0) && d != 0
			case t == batch.Date:
				r = a + d/batch.Day
			case t == batch.Time:
				r = a + d%batch.Day
				r -= batch.FloorDiv(r, batch.Day) * batch.Day
			default:
				r = a + d
				bad = (a^r)&(d^r) < 0
			}
			if bad {
				f.fail(i, ErrTimeRange, fmt.Sprintf("%s plus the interval is out of range", x.AppendText(nil, int(i), in.n.t)), in.n.at)
				continue
			}
			out.I[i] = r
		}
		return f.drop(sel, from)
	}
}

// addMicros is the fast path of a timestamp and a fixed interval; false when
// some row may be out of range.
func addMicros(in *inst, out []int64, sel []int32) bool {
	op := "+"
	if in.n.flag {
		op = "-"
	}
	x, iv := in.kids[0].v.I, in.kids[1].v.I
	if sel != nil {
		return arithSel(op, out, x, iv, sel) >= 0
	}
	return arithDense(op, out, x, iv, in.kids[1].k) >= 0
}
