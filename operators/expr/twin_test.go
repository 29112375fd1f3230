package expr

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/streamd/streamd/batch"
	"pgregory.net/rapid"
)

// intCols draws two columns of an integer type with NULLs and values near its ends.
func intCols(r *rapid.T, t batch.Type, n int, k int64) *batch.Batch {
	s := batch.NewSchema(batch.Field{Name: "a", Type: t}, batch.Field{Name: "b", Type: t})
	b := batch.New(s, n)
	lo, hi := intRange(t)
	val := rapid.OneOf(rapid.Int64Range(lo, hi), rapid.Int64Range(-3, 3), rapid.SampledFrom([]int64{lo, lo + 1, hi - 1, hi, hi / k, hi/k + 1, lo / k}))
	for range n {
		for c := range b.Cols {
			if rapid.IntRange(0, 9).Draw(r, "null") == 0 {
				b.Cols[c].AppendNull()
			} else {
				b.Cols[c].AppendInt(min(max(val.Draw(r, "v"), lo), hi))
			}
		}
		b.N++
	}
	return b
}

func drawSel(r *rapid.T, n int) []int32 {
	if rapid.Bool().Draw(r, "all") {
		return nil
	}
	sel := []int32{}
	for i := range n {
		if rapid.Bool().Draw(r, "in") {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

// TestIntTwin compares arithmetic and comparison with numbers of any size, a
// row at a time, for columns and constants on either side.
func TestIntTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		typ := batch.Type{SQL: rapid.SampledFrom([]batch.SQLType{batch.TinyInt, batch.Integer, batch.BigInt}).Draw(r, "type")}
		n := rapid.IntRange(1, 100).Draw(r, "n")
		lo, hi := intRange(typ)
		k := rapid.OneOf(rapid.Int64Range(lo, hi), rapid.Int64Range(-10, 100)).Draw(r, "k")
		near := k
		if k == 0 || k == -1 {
			near = 2
		}
		b := intCols(r, typ, n, near)
		op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">="}).Draw(r, "op")
		var x, y Expr = NewCol(0, b.Schema.Fields[0]), NewCol(1, b.Schema.Fields[1])
		side := rapid.IntRange(0, 2).Draw(r, "side")
		if side == 1 {
			y = Int(k, typ)
		} else if side == 2 {
			x = Int(k, typ)
		}
		arith := strings.Contains("+-*/%", op)
		build := Compare
		if arith {
			build = Arith
		}
		e, err := build(op, x, y)
		if err != nil {
			r.Fatal(err)
		}
		sel := drawSel(r, n)
		c := Ctx{}
		cols, sel2 := Compile([]Expr{e}).Eval(&c, b, sel)
		failed := map[int32]bool{}
		for _, f := range c.Errs {
			failed[f.Row] = true
		}
		kept := map[int32]bool{}
		for _, i := range rows(sel2, n) {
			kept[i] = true
		}
		var pick []int32
		for _, i := range rows(sel, n) {
			p, q := k, k
			null := false
			if side != 2 {
				p, null = b.Cols[0].I[i], b.Cols[0].IsNull(int(i))
			}
			if side != 1 {
				q, null = b.Cols[1].I[i], null || b.Cols[1].IsNull(int(i))
			}
			want, fails := twinInt(op, p, q, lo, hi)
			if null {
				want, fails = "NULL", false
			}
			if fails != failed[i] || fails == kept[i] {
				r.Fatalf("%d %s %d: failed %v, kept %v, want failure %v", p, op, q, failed[i], kept[i], fails)
			}
			if got := string(cols[0].AppendText(nil, int(i), e.Type())); !fails && got != want {
				r.Fatalf("%d %s %d of %s: got %s, want %s", p, op, q, typ, got, want)
			}
			if want == "true" {
				pick = append(pick, i)
			}
		}
		if !arith {
			if got := CompilePred(e).Select(&c, b, sel); fmt.Sprint(got) != fmt.Sprint(pick) {
				r.Fatalf("Select: got %v, want %v", got, pick)
			}
		}
	})
}

func twinInt(op string, p, q, lo, hi int64) (string, bool) {
	a, b := big.NewInt(p), big.NewInt(q)
	switch op {
	case "+":
		a.Add(a, b)
	case "-":
		a.Sub(a, b)
	case "*":
		a.Mul(a, b)
	case "/", "%":
		if q == 0 {
			return "", true
		}
		if op == "/" {
			a.Quo(a, b)
		} else {
			a.Rem(a, b)
		}
	default:
		c := a.Cmp(b)
		return fmt.Sprint(map[string]bool{"=": c == 0, "<>": c != 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]), false
	}
	return a.String(), a.Cmp(big.NewInt(lo)) < 0 || a.Cmp(big.NewInt(hi)) > 0
}

// TestDecimalTwin compares DECIMAL arithmetic with exact fractions.
func TestDecimalTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		draw := func(name string) (*Const, *big.Rat) {
			p := int32(rapid.IntRange(1, 38).Draw(r, name+"p"))
			s := int32(rapid.IntRange(0, int(p)).Draw(r, name+"s"))
			digits := rapid.StringMatching(fmt.Sprintf("[0-9]{1,%d}", p)).Draw(r, name)
			x, _ := new(big.Int).SetString(digits, 10)
			if rapid.Bool().Draw(r, "neg") {
				x.Neg(x)
			}
			v, _ := batch.Int128FromBig(x)
			return DecOf(v, p, s), new(big.Rat).SetFrac(x, bigPow(int(s)))
		}
		x, a := draw("x")
		y, b := draw("y")
		op := rapid.SampledFrom([]string{"+", "-", "*", "/", "%"}).Draw(r, "op")
		e, err := Arith(op, x, y)
		if err != nil {
			r.Fatal(err)
		}
		want := ""
		q := new(big.Rat)
		switch {
		case op == "+":
			q.Add(a, b)
		case op == "-":
			q.Sub(a, b)
		case op == "*":
			q.Mul(a, b)
		case b.Sign() == 0:
			want = "error"
		case op == "/":
			q.Quo(a, b)
		default:
			d := new(big.Rat).Quo(a, b)
			whole := new(big.Int).Quo(d.Num(), d.Denom())
			q.Sub(a, new(big.Rat).Mul(b, new(big.Rat).SetInt(whole)))
		}
		if want == "" {
			want = q.FloatString(int(e.Type().S)) // rounds halves away from zero
			if want[0] == '-' && strings.Trim(want, "-0.") == "" {
				want = want[1:]
			}
			if len(strings.TrimLeft(strings.NewReplacer("-", "", ".", "").Replace(want), "0")) > int(e.Type().P) {
				want = "NULL"
			}
		}
		v, err := EvalConst(e, nil)
		got := "error"
		if err == nil {
			got = string(v.AppendText(nil, 0, e.Type()))
		}
		if got != want {
			r.Fatalf("%s %s %s = %s of %s, want %s", x, op, y, got, e.Type(), want)
		}
	})
}

// TestLogicTwin builds random conditions over three-valued columns and compares
// with a truth table, a row at a time.
func TestLogicTwin(t *testing.T) {
	s := batch.NewSchema(batch.Field{Name: "a", Type: batch.TypeBool}, batch.Field{Name: "b", Type: batch.TypeBool}, batch.Field{Name: "c", Type: batch.TypeBool})
	b := batch.New(s, 27)
	var vals [27][3]int // 0 false, 1 true, 2 null
	for i := range 27 {
		vals[i] = [3]int{i % 3, i / 3 % 3, i / 9}
		for c := range 3 {
			if vals[i][c] == 2 {
				b.Cols[c].AppendNull()
			} else {
				b.Cols[c].AppendBool(vals[i][c] == 1)
			}
		}
		b.N++
	}
	rapid.Check(t, func(r *rapid.T) {
		e, f := genLogic(r, s, 3)
		sel := drawSel(r, 27)
		cols, sel2 := Compile([]Expr{e}).Eval(&Ctx{}, b, sel)
		if len(rows(sel2, 27)) != len(rows(sel, 27)) {
			r.Fatal("rows left the selection")
		}
		for _, i := range rows(sel, 27) {
			got := 2
			if !cols[0].IsNull(int(i)) {
				got = b2i(cols[0].B[i])
			}
			if want := f(vals[i]); got != want {
				r.Fatalf("%s of %v: got %d, want %d", e, vals[i], got, want)
			}
		}
		for _, i := range CompilePred(e).Select(&Ctx{}, b, sel) {
			if f(vals[i]) != 1 {
				r.Fatalf("%s of %v was selected", e, vals[i])
			}
		}
	})
}

func TestDividerTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		k := rapid.OneOf(rapid.Int64Range(1, math.MaxInt64), rapid.Int64Range(1, 1000)).Draw(r, "k")
		x := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, -1, 0, k, k - 1, -k})).Draw(r, "x")
		if d := newDivider(k); d.quo(x) != x/k {
			r.Fatalf("%d / %d = %d, want %d", x, k, d.quo(x), x/k)
		}
	})
}

// TestLikeTwin compares LIKE with a regular expression.
func TestLikeTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringMatching("[abä]{0,8}").Draw(r, "s")
		pat := rapid.StringMatching("[abä%_]{0,6}").Draw(r, "pattern")
		re := regexp.MustCompile("(?s)^" + strings.NewReplacer("%", ".*", "_", ".").Replace(pat) + "$")
		p, err := newLike(pat, "")
		if err != nil {
			r.Fatal(err)
		}
		if got := p.match([]byte(s)); got != re.MatchString(s) {
			r.Fatalf("'%s' LIKE '%s' = %v", s, pat, got)
		}
	})
}

// TestCastRoundTrip: what a value prints as reads back as that value.
func TestCastRoundTrip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var c *Const
		switch rapid.IntRange(0, 5).Draw(r, "kind") {
		case 0:
			c = Int(rapid.Int64().Draw(r, "x"), batch.TypeBigInt)
		case 1:
			c = Double(rapid.Float64().Draw(r, "x"))
		case 2:
			c = Int(rapid.Int64Range(-100_000, 100_000).Draw(r, "x"), batch.Type{SQL: batch.Date})
			if c.V.I[0] < batch.Days(1, 1, 1) {
				c.V.I[0] = 0
			}
		case 3:
			c = Int(rapid.Int64Range(batch.Days(1, 1, 1)*batch.Day, batch.Days(9999, 12, 31)*batch.Day).Draw(r, "x"), batch.Type{SQL: batch.Timestamp, P: 6})
		case 4:
			c = Int(rapid.Int64Range(0, batch.Day-1).Draw(r, "x"), batch.Type{SQL: batch.Time, P: 6})
		default:
			x := batch.Int128{Hi: rapid.Int64Range(-1<<60, 1<<60).Draw(r, "hi"), Lo: rapid.Uint64().Draw(r, "lo")}
			c = DecOf(x, 38, int32(rapid.IntRange(0, 38).Draw(r, "s")))
		}
		s, err := Cast(c, batch.TypeString, false)
		if err != nil {
			r.Fatal(err)
		}
		back, err := Cast(s, c.T, false)
		if err != nil {
			r.Fatal(err)
		}
		v, err := EvalConst(back, nil)
		if err != nil {
			r.Fatal(err)
		}
		if !batch.EqualAt(&v, 0, &c.V, 0) {
			r.Fatalf("%s came back as %s", c, v.AppendText(nil, 0, c.T))
		}
	})
}

// logicTwin computes a condition of a row of three values: 0 false, 1 true, 2 null.
type logicTwin = func(row [3]int) int

func genLogic(r *rapid.T, s *batch.Schema, depth int) (Expr, logicTwin) {
	kind := rapid.IntRange(0, 6).Draw(r, "kind")
	if depth == 0 || kind == 0 {
		c := rapid.IntRange(0, 2).Draw(r, "col")
		return NewCol(c, s.Fields[c]), func(row [3]int) int { return row[c] }
	}
	x, fx := genLogic(r, s, depth-1)
	y, fy := genLogic(r, s, depth-1)
	z, fz := genLogic(r, s, depth-1)
	switch kind {
	case 1:
		e, _ := And(x, y, z)
		return e, func(row [3]int) int {
			p, q, o := fx(row), fy(row), fz(row)
			if p == 0 || q == 0 || o == 0 {
				return 0
			}
			return max(p, q, o)
		}
	case 2:
		e, _ := Or(x, y, z)
		return e, func(row [3]int) int {
			p, q, o := fx(row), fy(row), fz(row)
			if p == 1 || q == 1 || o == 1 {
				return 1
			}
			return max(p, q, o)
		}
	case 3:
		e, _ := Not(x)
		return e, func(row [3]int) int { return [3]int{1, 0, 2}[fx(row)] }
	case 4:
		e, _ := Case([]Expr{x}, []Expr{y}, z)
		return e, func(row [3]int) int {
			if fx(row) == 1 {
				return fy(row)
			}
			return fz(row)
		}
	case 5:
		e, _ := Coalesce(x, y)
		return e, func(row [3]int) int {
			if p := fx(row); p != 2 {
				return p
			}
			return fy(row)
		}
	}
	word := rapid.SampledFrom([]string{"FALSE", "TRUE", "UNKNOWN"}).Draw(r, "word")
	e, _ := IsTrue(x, word, false)
	want := map[string]int{"FALSE": 0, "TRUE": 1, "UNKNOWN": 2}[word]
	return e, func(row [3]int) int { return b2i(fx(row) == want) }
}

// TestMulConstEdges multiplies the numbers around the limit of each constant.
func TestMulConstEdges(t *testing.T) {
	f := batch.Field{Name: "x", Type: batch.TypeBigInt}
	for _, k := range []int64{math.MinInt64, -3, -1, 0, 1, 2, 3, 7, 1 << 40, math.MaxInt64} {
		edges := []int64{math.MaxInt64, math.MinInt64, 0}
		if k != 0 && k != -1 {
			edges = append(edges, math.MaxInt64/k, math.MaxInt64/k+1, math.MinInt64/k, math.MinInt64/k-1)
		}
		for _, x := range edges {
			b := batch.New(batch.NewSchema(f), 1)
			b.Cols[0].AppendInt(x)
			b.N = 1
			e, _ := Arith("*", NewCol(0, f), Int(k, batch.TypeBigInt))
			c := Ctx{}
			Compile([]Expr{e}).Eval(&c, b, nil)
			if _, fails := twinInt("*", x, k, math.MinInt64, math.MaxInt64); fails != (len(c.Errs) == 1) {
				t.Errorf("%d * %d: errors %v, want failure %v", x, k, c.Errs, fails)
			}
		}
	}
}

// TestDecimalOfInts: DECIMAL times integer columns of every width, exactly.
func TestDecimalOfInts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		typ := batch.Type{SQL: rapid.SampledFrom([]batch.SQLType{batch.TinyInt, batch.Integer, batch.BigInt}).Draw(r, "type")}
		lo, hi := intRange(typ)
		x := rapid.Int64Range(lo, hi).Draw(r, "x")
		k := rapid.Int64Range(0, 1e15).Draw(r, "k")
		f := batch.Field{Name: "x", Type: typ}
		b := batch.New(batch.NewSchema(f), 1)
		b.Cols[0].AppendInt(x)
		b.N = 1
		op := rapid.SampledFrom([]string{"*", "+", "-"}).Draw(r, "op")
		e, err := Arith(op, DecOf(batch.Int128From(k), 16, 3), NewCol(0, f))
		if err != nil {
			r.Fatal(err)
		}
		cols, _ := Compile([]Expr{e}).Eval(&Ctx{}, b, nil)
		q, y := big.NewRat(k, 1000), new(big.Rat).SetInt64(x)
		switch op {
		case "*":
			q.Mul(q, y)
		case "+":
			q.Add(q, y)
		default:
			q.Sub(q, y)
		}
		if got, want := string(cols[0].AppendText(nil, 0, e.Type())), q.FloatString(3); got != want {
			r.Fatalf("%d e-3 %s %d: got %s, want %s", k, op, x, got, want)
		}
	})
}
