package funcs

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
)

// accumulators are n rows of a's columns in one page, and their ids.
func accumulators(a *Agg, n int) ([]*batch.Page, []batch.RowID) {
	p := &batch.Page{}
	for _, f := range a.State {
		v := batch.NewVec(f.Type, n)
		if v.Kind == batch.Str {
			v.View = make([]uint64, n)
		} else {
			v.Resize(n)
			clear(v.I)
			clear(v.F)
			clear(v.B)
			clear(v.Hi)
			clear(v.Lo)
		}
		p.Cols = append(p.Cols, v)
	}
	ids := make([]batch.RowID, n)
	for i := range ids {
		ids[i] = batch.RowID(1<<batch.PageBits | i)
	}
	return []*batch.Page{{}, p}, ids
}

func bind(t *testing.T, name string, arg ...batch.Type) *Agg {
	t.Helper()
	f, ok := LookupAgg(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	a, err := f.Bind(arg, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func seq(n int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i)
	}
	return s
}

func bigOf(x batch.Int128) *big.Int {
	b := big.NewInt(x.Hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(x.Lo))
}

// want is the sum or mean of values as DECIMAL(38, outScale), by math/big.
func wantDecimal(sum *big.Int, n int64, avg bool, up int32) string {
	if n == 0 {
		return "NULL"
	}
	if avg {
		sum = new(big.Int).Mul(sum, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(up)), nil))
		twice := new(big.Int).Mul(sum, big.NewInt(2))
		d := big.NewInt(2 * n)
		if (sum.Sign() < 0) != (n < 0) {
			twice.Sub(twice, big.NewInt(n))
		} else {
			twice.Add(twice, big.NewInt(n))
		}
		sum = new(big.Int).Quo(twice, d)
	}
	if new(big.Int).Abs(sum).Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)) >= 0 {
		return "NULL"
	}
	return sum.String()
}

// Sums and means of decimals, weighted, in two accumulators that are merged,
// against math/big.
func TestDecimalSumsAgreeWithBig(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, in := range []batch.Type{batch.DecimalOf(10, 2), batch.DecimalOf(38, 0), batch.DecimalOf(38, 10)} {
		for _, name := range []string{"SUM", "AVG"} {
			for range 300 {
				a := bind(t, name, in)
				v := batch.NewVec(in, 0)
				sum, count := new(big.Int), int64(0)
				n := 1 + r.IntN(6)
				w := make([]int64, n)
				for i := range n {
					w[i] = r.Int64N(5) - 1
					x := batch.Int128From(r.Int64N(2_000_000) - 1_000_000)
					if v.Kind == batch.Wide && r.IntN(2) == 0 {
						x, _ = x.Mul(batch.Pow10[31])
						x = x.Add(batch.Int128From(r.Int64()))
					}
					if r.IntN(8) == 0 {
						v.AppendNull()
						continue
					}
					if v.Kind == batch.Wide {
						v.AppendWide(x)
					} else {
						v.AppendInt(int64(x.Lo))
					}
					sum.Add(sum, new(big.Int).Mul(bigOf(x), big.NewInt(w[i])))
					count += w[i]
				}
				p, ids := accumulators(a, 2)
				to := make([]batch.RowID, n)
				for i := range to {
					to[i] = ids[r.IntN(2)]
				}
				a.Update(p, 0, to, []*batch.Vec{&v}, w, seq(n))
				a.Merge(p, 0, ids[:1], p, 0, ids[1:])
				out := batch.NewVec(a.Out, 1)
				a.Result(p, 0, ids[:1], &out, func(int, string) { t.Error("a decimal sum failed") })
				got := "NULL"
				if !out.IsNull(0) {
					got = bigOf(out.Wide128(0)).String()
				}
				if count < 0 {
					continue // an operator never shows such a group
				}
				if want := wantDecimal(sum, count, name == "AVG", a.Out.S-in.S); got != want {
					t.Fatalf("%s(%s) of %d values, sum %s: %s, want %s", name, in, count, sum, got, want)
				}
			}
		}
	}
}

func TestIntegerRange(t *testing.T) {
	for _, c := range []struct {
		sql  batch.SQLType
		vals []int64
		want string
	}{
		{batch.TinyInt, []int64{100, 27}, "127"}, {batch.TinyInt, []int64{100, 28}, "SUM 128 does not fit TINYINT"},
		{batch.SmallInt, []int64{-32768, -1}, "SUM -32769 does not fit SMALLINT"},
		{batch.BigInt, []int64{math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64}, "-2"},
	} {
		a := bind(t, "SUM", batch.Type{SQL: c.sql})
		p, ids := accumulators(a, 1)
		v := batch.Vec{Kind: batch.Int, I: c.vals}
		to := make([]batch.RowID, len(c.vals))
		for i := range to {
			to[i] = ids[0]
		}
		a.Update(p, 0, to, []*batch.Vec{&v}, nil, seq(len(to)))
		out, got := batch.NewVec(a.Out, 1), ""
		a.Result(p, 0, ids, &out, func(_ int, msg string) { got = msg })
		if got == "" {
			got = fmt.Sprint(out.I[0])
		}
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.vals, got, c.want)
		}
	}
}

// Compensation: 10^16 + 1 + 1 … - 10^16 loses nothing.
func TestFloatSum(t *testing.T) {
	a := bind(t, "SUM", batch.TypeDouble)
	p, ids := accumulators(a, 1)
	v := batch.Vec{Kind: batch.Float, F: []float64{1e16, 1, -1e16, math.Inf(1)}}
	one := ids[0]
	a.Update(p, 0, []batch.RowID{one, one, one, one}, []*batch.Vec{&v}, []int64{1, 3, 1, 1}, seq(4))
	a.Update(p, 0, []batch.RowID{one, one, one, one}, []*batch.Vec{&v}, []int64{1, 3, 1, -1}, []int32{3})
	out := batch.NewVec(a.Out, 1)
	a.Result(p, 0, ids, &out, nil)
	if out.F[0] != 3 {
		t.Errorf("sum %v, want 3", out.F[0])
	}
}

// Longer and shorter strings over and over: the arena is packed, values stay.
func TestExtremesOfStringsKeepTheirArenaSmall(t *testing.T) {
	a := bind(t, "MAX", batch.TypeString)
	p, ids := accumulators(a, 64)
	for i := range 5000 {
		v := batch.Vec{Kind: batch.Str}
		for range ids {
			v.AppendString(fmt.Sprintf("%06d%s", i, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[:i%40]))
		}
		a.Update(p, 0, ids, []*batch.Vec{&v}, nil, seq(len(ids)))
	}
	out := batch.NewVec(a.Out, 64)
	a.Result(p, 0, ids, &out, nil)
	for k := range ids {
		if got := string(out.Bytes(k)); got[:6] != "004999" || len(got) != 6+4999%40 {
			t.Fatalf("value %d: %q", k, got)
		}
	}
	if n := len(p[1].Cols[1].Data); n > 64*46*8 {
		t.Errorf("the arena holds %d bytes for 64 values", n)
	}
}

func TestBindRefuses(t *testing.T) {
	for _, c := range []struct {
		name     string
		args     []batch.Type
		distinct bool
	}{
		{"SUM", []batch.Type{batch.TypeString}, false}, {"SUM", nil, false}, {"AVG", []batch.Type{batch.TypeInt, batch.TypeInt}, false},
		{"MAX", []batch.Type{batch.ArrayOf(batch.TypeInt)}, false}, {"COUNT", []batch.Type{batch.TypeInt, batch.TypeInt}, true},
	} {
		f, _ := LookupAgg(c.name)
		if _, err := f.Bind(c.args, c.distinct); err == nil {
			t.Errorf("%s of %v binds", c.name, c.args)
		}
	}
	if a := bind(t, "AVG", batch.DecimalOf(10, 2)); !a.Out.Equal(batch.DecimalOf(38, 6)) {
		t.Error(a.Out)
	}
	if a := bind(t, "SUM", batch.Type{SQL: batch.TinyInt, NotNull: true}); a.Out.SQL != batch.TinyInt || a.Out.NotNull {
		t.Error(a.Out)
	}
}

// Lists and bags in several accumulators, merged at random, hold what slices of
// values in order of arrival hold; long ones, so that bags are packed.
func TestListsAgreeWithSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 60 {
		listagg, arrayAgg, collect := bind(t, "LISTAGG", batch.TypeString), bind(t, "ARRAY_AGG", batch.TypeString), bind(t, "COLLECT", batch.TypeString)
		const accs = 4
		type value struct {
			seq  int64
			text string
			null bool
		}
		want := make([][]value, accs)
		pl, ids := accumulators(listagg, accs)
		pa, _ := accumulators(arrayAgg, accs)
		pc, _ := accumulators(collect, accs)
		for seqNo := int64(0); seqNo < int64(r.IntN(2000)); {
			n := 1 + r.IntN(40)
			x, s := batch.NewVec(batch.TypeString, n), batch.NewVec(batch.TypeBigInt, n)
			to, w := make([]batch.RowID, n), make([]int64, n)
			for i := range n {
				k := r.IntN(accs)
				seqNo++
				v := value{seq: seqNo, text: strings.Repeat("v", r.IntN(3)) + strconv.Itoa(r.IntN(40)), null: r.IntN(10) == 0}
				if v.null {
					x.AppendNull()
				} else {
					x.AppendString(v.text)
				}
				s.AppendInt(seqNo)
				to[i], w[i] = ids[k], r.Int64N(3)
				for range w[i] {
					want[k] = append(want[k], v)
				}
			}
			listagg.Update(pl, 0, to, []*batch.Vec{&x, &s}, w, seq(n))
			arrayAgg.Update(pa, 0, to, []*batch.Vec{&x, &s}, w, seq(n))
			collect.Update(pc, 0, to, []*batch.Vec{&x}, w, seq(n))
			if r.IntN(20) == 0 {
				from, into := r.IntN(accs), r.IntN(accs)
				if from == into {
					continue
				}
				for a, p := range map[*Agg][]*batch.Page{listagg: pl, arrayAgg: pa, collect: pc} {
					a.Merge(p, 0, ids[into:into+1], p, 0, ids[from:from+1])
				}
				want[into] = append(want[into], want[from]...)
				slices.SortStableFunc(want[into], func(a, b value) int { return int(a.seq - b.seq) })
			}
		}
		show := func(a *Agg, p []*batch.Page, k int) string {
			out := batch.NewVec(a.Out, 1)
			a.Result(p, 0, ids[k:k+1], &out, func(int, string) { t.Error("too large") })
			return string(out.AppendText(nil, 0, a.Out))
		}
		for k, vals := range want {
			var texts, all []string
			count := map[string]int{}
			for _, v := range vals {
				if v.null {
					all = append(all, "NULL")
					continue
				}
				all, texts = append(all, v.text), append(texts, v.text)
				count[v.text]++
			}
			joined, array, bag := "NULL", "NULL", []string{}
			if len(texts) > 0 {
				joined = strings.Join(texts, ",")
			}
			if len(all) > 0 {
				array = "[" + strings.Join(all, ", ") + "]"
			}
			for _, v := range slices.Sorted(maps.Keys(count)) {
				bag = append(bag, fmt.Sprintf("%s=%d", v, count[v]))
			}
			if got := show(listagg, pl, k); got != joined {
				t.Fatalf("LISTAGG\n got %s\nwant %s", got, joined)
			}
			if got := show(arrayAgg, pa, k); got != array {
				t.Fatalf("ARRAY_AGG\n got %s\nwant %s", got, array)
			}
			if got, want := show(collect, pc, k), "{"+strings.Join(bag, ", ")+"}"; got != want {
				t.Fatalf("COLLECT\n got %s\nwant %s", got, want)
			}
		}
		if n := len(pc[1].Cols[0].Data); n > 200_000 {
			t.Errorf("bags of 120 values take %d bytes", n)
		}
	}
}

// Variances of weighted values against math/big, of DOUBLE to 1e-9, where the values
// are large to 1e-30 of their squares.
func TestVariancesAgreeWithBig(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 6))
	for range 500 {
		base := []float64{0, 1e9, -1e12}[r.IntN(3)]
		n := 2 + r.IntN(20)
		x, ints := batch.NewVec(batch.TypeDouble, n), batch.NewVec(batch.TypeBigInt, n)
		w, count := make([]int64, n), int64(0)
		sum, sq := new(big.Float).SetPrec(400), new(big.Float).SetPrec(400)
		isum, isq := new(big.Int), new(big.Int)
		for i := range n {
			v, k := base+r.NormFloat64()*10, r.Int64()>>r.IntN(63)
			x.AppendFloat(v)
			ints.AppendInt(k)
			w[i] = 1 + r.Int64N(3)
			count += w[i]
			f, wf := new(big.Float).SetPrec(400).SetFloat64(v), new(big.Float).SetInt64(w[i])
			sum.Add(sum, new(big.Float).SetPrec(400).Mul(f, wf))
			sq.Add(sq, new(big.Float).SetPrec(400).Mul(new(big.Float).SetPrec(400).Mul(f, f), wf))
			b, wb := big.NewInt(k), big.NewInt(w[i])
			isum.Add(isum, new(big.Int).Mul(b, wb))
			isq.Add(isq, new(big.Int).Mul(new(big.Int).Mul(b, b), wb))
		}
		to, split := make([]batch.RowID, n), r.IntN(n)
		run := func(name string, in batch.Type, v *batch.Vec) (out batch.Vec, msg string) {
			a := bind(t, name, in)
			p, ids := accumulators(a, 2)
			for i := range to {
				to[i] = ids[b2i(i < split)]
			}
			a.Update(p, 0, to, []*batch.Vec{v}, w, seq(n))
			// Something comes and goes again.
			minus := slices.Repeat([]int64{-1}, n)
			a.Update(p, 0, to, []*batch.Vec{v}, nil, seq(n))
			a.Update(p, 0, to, []*batch.Vec{v}, minus, seq(n))
			a.Merge(p, 0, ids[:1], p, 0, ids[1:])
			out = batch.NewVec(a.Out, 1)
			a.Result(p, 0, ids[:1], &out, func(_ int, m string) { msg = m })
			return out, msg
		}
		nf := new(big.Float).SetInt64(count)
		d := new(big.Float).SetPrec(400).Sub(sq, new(big.Float).SetPrec(400).Quo(new(big.Float).SetPrec(400).Mul(sum, sum), nf))
		want, _ := d.Quo(d, nf).Float64()
		if out, _ := run("VAR_POP", batch.TypeDouble, &x); math.Abs(out.F[0]-want) > 1e-9*want+1e-30*base*base+1e-12 {
			t.Fatalf("VAR_POP at %g: %v, want %v", base, out.F[0], want)
		}
		id := new(big.Int).Sub(isq, new(big.Int).Quo(new(big.Int).Mul(isum, isum), big.NewInt(count)))
		id.Quo(id, big.NewInt(count-1))
		out, msg := run("VAR_SAMP", batch.TypeBigInt, &ints)
		if id.IsInt64() != (msg == "") || id.IsInt64() && out.I[0] != id.Int64() {
			t.Fatalf("VAR_SAMP: %v %q, want %s", out.I, msg, id)
		}
	}
}

// A list that is too large is NULL and said to be, and the others are there.
func TestListsHaveAnEnd(t *testing.T) {
	a := bind(t, "LISTAGG", batch.TypeString)
	p, ids := accumulators(a, 2)
	x, s := batch.NewVec(batch.TypeString, 3), batch.NewVec(batch.TypeBigInt, 3)
	for i, text := range []string{strings.Repeat("x", 9<<20), "y", strings.Repeat("x", 9<<20)} {
		x.AppendString(text)
		s.AppendInt(int64(i))
	}
	a.Update(p, 0, []batch.RowID{ids[0], ids[1], ids[0]}, []*batch.Vec{&x, &s}, nil, seq(3))
	out, said := batch.NewVec(a.Out, 2), ""
	a.Result(p, 0, ids, &out, func(k int, msg string) { said += fmt.Sprint(k, " ", msg) })
	if said != "0 LISTAGG is larger than 16 MiB" || !out.IsNull(0) || string(out.Bytes(1)) != "y" {
		t.Errorf("%q, NULL %v, %q", said, out.IsNull(0), out.Bytes(1))
	}
	b := bind(t, "ARRAY_AGG", batch.TypeInt)
	n := batch.NewVec(batch.TypeInt, 1)
	n.AppendInt(5)
	out, said = batch.NewVec(b.Out, 1), ""
	if said = b.Listed([]Item{{V: &n, N: 1 << 40}}, &out); said == "" || !out.IsNull(0) {
		t.Errorf("%q, NULL %v", said, out.IsNull(0))
	}
	if said = a.Listed([]Item{{V: &x, I: 1, N: 1 << 40}}, &out); said == "" || !out.IsNull(1) {
		t.Errorf("%q, NULL %v", said, out.IsNull(1))
	}
}
