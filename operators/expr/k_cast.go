package expr

import (
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
)

// castFn appends row i of src, converted, to dst: exactly one row whatever
// happens. It is false when the value cannot be cast; then the row is null.
type castFn func(c *Ctx, dst, src *batch.Vec, i int) bool

func castKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	from, to := in.n.kids[0].Type(), in.n.t
	switch {
	case from.SQL != batch.Null && sameValues(from, to):
		return func(in *inst, f *frame, sel []int32) []int32 {
			v, sel := in.kids[0].eval(f, sel)
			in.v = v
			return sel
		}
	case from.IsInteger() && to.IsFloat():
		return castIntFloat
	case from.IsInteger() && to.SQL == batch.Decimal && to.P <= 18 && to.P-to.S >= asDecimal(from).P:
		return castScale(pow64(to.S))
	case from.IsInteger() && to.SQL == batch.Decimal && to.S <= 18 && to.P-to.S >= asDecimal(from).P:
		return castWiden(pow64(to.S))
	case from.SQL == batch.Decimal && to.SQL == batch.Decimal && to.P <= 18 && from.P <= 18 && to.S >= from.S && to.P-to.S >= from.P-from.S:
		return castScale(pow64(to.S - from.S))
	case from.IsInteger() && to.IsInteger():
		return castNarrow
	}
	return castAny(from, to)
}

// sameValues tells a cast that changes the type and no value.
func sameValues(from, to batch.Type) bool {
	switch {
	case from.IsInteger() && to.IsInteger():
		return from.SQL <= to.SQL
	case from.SQL == batch.Float32 && to.SQL == batch.Float64, from.SQL == to.SQL && from.IsFloat():
		return true
	case from.SQL == batch.Decimal && to.SQL == batch.Decimal:
		return from.S == to.S && from.P <= to.P && from.Kind() == to.Kind()
	case from.IsString() && to.SQL == batch.Varchar, from.IsBytes() && to.SQL == batch.Varbinary:
		return from.P <= to.P
	case from.SQL == to.SQL && (from.IsTimestamp() || from.SQL == batch.Time):
		return from.P <= to.P
	case from.SQL == to.SQL && len(from.Fields) > 0:
		for i := range to.Fields {
			if !sameValues(from.Fields[i].Type, to.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return from.Equal(to)
}

func castIntFloat(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	out := in.start(f.n)
	in.joinNulls(f.n, v)
	if in.n.t.SQL == batch.Float32 {
		for i, x := range v.I[:f.n] {
			out.F[i] = float64(float32(x))
		}
		return sel
	}
	for i, x := range v.I[:f.n] {
		out.F[i] = float64(x)
	}
	return sel
}

func castScale(k int64) func(*inst, *frame, []int32) []int32 {
	return func(in *inst, f *frame, sel []int32) []int32 {
		v, sel := in.kids[0].eval(f, sel)
		out := in.start(f.n)
		in.joinNulls(f.n, v)
		for i, x := range v.I[:f.n] {
			out.I[i] = x * k
		}
		return sel
	}
}

// castWiden makes a DECIMAL of two words out of integers.
func castWiden(k int64) func(*inst, *frame, []int32) []int32 {
	return func(in *inst, f *frame, sel []int32) []int32 {
		v, sel := in.kids[0].eval(f, sel)
		out := in.start(f.n)
		in.joinNulls(f.n, v)
		hi, lo := out.Hi[:f.n], out.Lo[:f.n]
		for i, x := range v.I[:f.n] {
			r := batch.MulInt64(x, k)
			hi[i], lo[i] = r.Hi, r.Lo
		}
		return sel
	}
}

func castNarrow(in *inst, f *frame, sel []int32) []int32 {
	v, sel := in.kids[0].eval(f, sel)
	lo, hi := intRange(in.n.t)
	bad := false
	for _, x := range v.I[:f.n] {
		bad = bad || x < lo || x > hi
	}
	if !bad {
		in.v = v
		return sel
	}
	out := in.start(f.n)
	copy(out.I, v.I[:f.n])
	in.joinNulls(f.n, v)
	from := len(f.c.Errs)
	for _, i := range rows(sel, f.n) {
		if x := v.I[i]; !out.IsNull(int(i)) && (x < lo || x > hi) {
			if in.n.flag {
				in.ownNull(f.n)
				out.SetNull(int(i), f.n)
			} else {
				f.fail(i, ErrCast, castMsg(v, int(i), in.n.kids[0].Type(), in.n.t), in.n.at)
			}
		}
	}
	return f.drop(sel, from)
}

// ownNull makes sure that the result's bitmap is its own memory.
func (in *inst) ownNull(n int) {
	if in.out.Null == nil {
		in.out.Null = make([]uint64, (n+63)>>6)
	}
}

func castAny(from, to batch.Type) func(*inst, *frame, []int32) []int32 {
	cast := caster(from, to)
	return func(in *inst, f *frame, sel []int32) []int32 {
		v, sel := in.kids[0].eval(f, sel)
		in.out.Reset()
		in.v = &in.out
		errs := len(f.c.Errs)
		next := 0
		for _, i := range rows(sel, f.n) {
			for ; next < int(i); next++ {
				in.out.AppendNull()
			}
			next++
			if v.IsNull(int(i)) {
				in.out.AppendNull()
			} else if !cast(f.c, &in.out, v, int(i)) && !in.n.flag {
				f.fail(i, ErrCast, castMsg(v, int(i), from, to), in.n.at)
			}
		}
		for ; next < f.n; next++ {
			in.out.AppendNull()
		}
		return f.drop(sel, errs)
	}
}

func castMsg(v *batch.Vec, i int, from, to batch.Type) string {
	text := v.AppendText(nil, i, from)
	if len(text) > 80 {
		text = append(text[:80], "…"...)
	}
	if from.IsString() {
		return fmt.Sprintf("cannot cast '%s' to %s", text, to.With(false))
	}
	return fmt.Sprintf("cannot cast %s to %s", text, to.With(false))
}

// caster returns the conversion of single values.
func caster(from, to batch.Type) castFn {
	switch {
	case from.SQL == batch.Null:
		return func(_ *Ctx, dst, _ *batch.Vec, _ int) bool { dst.AppendNull(); return true }
	case to.IsString():
		return func(c *Ctx, dst, src *batch.Vec, i int) bool {
			at := len(dst.Data)
			dst.Data = appendCast(dst.Data, c, src, i, from)
			dst.Data = fitText(dst.Data, at, to)
			n := len(dst.Data) - at
			dst.Data = dst.Data[:at]
			dst.AppendBytes(dst.Data[at : at+n])
			return true
		}
	case to.IsBytes():
		return func(_ *Ctx, dst, src *batch.Vec, i int) bool {
			b := src.Bytes(i)
			if len(b) > int(to.P) {
				b = b[:to.P]
			}
			dst.AppendBytes(b)
			if pad := int(to.P) - len(b); to.SQL == batch.Binary && pad > 0 {
				dst.Data = append(dst.Data, make([]byte, pad)...)
				dst.View[len(dst.View)-1] += uint64(pad)
			}
			return true
		}
	case from.IsString():
		return parseCaster(to)
	case to.SQL == batch.Boolean:
		return func(_ *Ctx, dst, src *batch.Vec, i int) bool {
			if src.Kind == batch.Bool {
				dst.AppendBool(src.B[i])
			} else {
				dst.AppendBool(src.I[i] != 0)
			}
			return true
		}
	case to.IsInteger():
		return intCaster(from, to)
	case to.IsFloat():
		return floatCaster(from, to)
	case to.SQL == batch.Decimal:
		return decimalCaster(from, to)
	case isTime(to):
		return timeCaster(from, to)
	case len(to.Fields) > 0:
		return nestedCaster(from, to)
	}
	return func(_ *Ctx, dst, src *batch.Vec, i int) bool { dst.AppendFrom(src, i); return true }
}

func intCaster(from, to batch.Type) castFn {
	lo, hi := intRange(to)
	return func(_ *Ctx, dst, src *batch.Vec, i int) bool {
		var x int64
		ok := true
		switch from.SQL {
		case batch.Boolean:
			x = int64(b2i(src.B[i]))
		case batch.Float32, batch.Float64:
			f := math.Trunc(src.F[i])
			ok = f >= -1<<63 && f < 1<<63
			x = int64(f)
		case batch.Decimal:
			q, _ := src.Dec(i).QuoRem(batch.Pow10[from.S])
			x, ok = q.Int64()
		case batch.IntervalDay:
			x = src.I[i] / 1000
		default:
			x = src.I[i]
		}
		if !ok || x < lo || x > hi {
			dst.AppendNull()
			return false
		}
		dst.AppendInt(x)
		return true
	}
}

func floatCaster(from, to batch.Type) castFn {
	return func(_ *Ctx, dst, src *batch.Vec, i int) bool {
		var x float64
		switch {
		case from.SQL == batch.Boolean:
			x = float64(b2i(src.B[i]))
		case from.IsFloat():
			x = src.F[i]
		case from.SQL == batch.Decimal:
			// By its text: dividing by a power of ten would round twice.
			text := batch.AppendDecimal(nil, src.Dec(i), int(from.S))
			x, _ = batch.ParseFloat(text, to.SQL)
		default:
			x = float64(src.I[i])
		}
		if to.SQL == batch.Float32 {
			x = float64(float32(x))
		}
		dst.AppendFloat(x)
		return true
	}
}

// appendDec appends a DECIMAL value, or NULL where it has too many digits.
func appendDec(dst *batch.Vec, x batch.Int128, ok bool, to batch.Type) {
	switch {
	case !ok || !fitsDec(x, int(to.P)):
		dst.AppendNull()
	case dst.Kind == batch.Wide:
		dst.AppendWide(x)
	default:
		dst.AppendInt(int64(x.Lo))
	}
}

func decimalCaster(from, to batch.Type) castFn {
	return func(_ *Ctx, dst, src *batch.Vec, i int) bool {
		var x batch.Int128
		var ok bool
		switch {
		case from.IsFloat():
			f := src.F[i]
			if math.IsNaN(f) || math.IsInf(f, 0) {
				dst.AppendNull()
				return false
			}
			x, ok = batch.ParseDecimal(appendJavaFloat(nil, f, from.SQL == batch.Float32), int(to.P), int(to.S))
		case from.SQL == batch.Boolean:
			x, ok = rescale(batch.Int128From(int64(b2i(src.B[i]))), 0, int(to.S))
		case from.SQL == batch.Decimal:
			x, ok = rescale(src.Dec(i), int(from.S), int(to.S))
		default:
			x, ok = rescale(batch.Int128From(src.I[i]), 0, int(to.S))
		}
		appendDec(dst, x, ok, to)
		return true
	}
}
