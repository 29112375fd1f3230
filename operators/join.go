package operators

import (
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// JoinKind is a kind of join.
type JoinKind uint8

const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Semi // left rows that match, once each
	Anti // left rows that match nothing
)

func (k JoinKind) String() string {
	return [...]string{"inner", "left", "right", "full", "semi", "anti"}[k]
}

// filters tells that the right side only decides which left rows are shown.
func (k JoinKind) filters() bool { return k == Semi || k == Anti }

// decides tells that whether a row of a side is shown, or padded, depends on its
// matches.
func (k JoinKind) decides(side int) bool {
	if side == 0 {
		return k.padsLeft() || k.filters()
	}
	return k.padsRight()
}

// padsLeft tells that left rows without a match are kept.
func (k JoinKind) padsLeft() bool { return k == Left || k == Full }

// padsRight tells that right rows without a match are kept.
func (k JoinKind) padsRight() bool { return k == Right || k == Full }

// Join is the regular join of two changing tables. Output: the left columns,
// then the right ones; of semi and anti joins the left ones alone. State: both
// sides, by join key. Without keys the condition decides alone, on one worker.
type Join struct {
	Props
	PassWM
	Kind     JoinKind
	LK, RK   []int
	NullSafe []bool        // by key: IS NOT DISTINCT FROM
	Residual expr.Expr     // over left then right columns; nil = none
	TTL      [2]int64      // by side, µs; 0 = keep for ever
	Keep     [2]*Retention // by side; nil = the watermark drops nothing
	Best     *Best         // nil = all pairs are wanted
}

// NewJoin returns the join of l and r where lk = rk and residual is TRUE.
func NewJoin(kind JoinKind, l, r Node, lk, rk []int, nullSafe []bool, residual expr.Expr) *Join {
	l, r = drop(l), drop(r)
	n := &Join{Kind: kind, LK: lk, RK: rk, NullSafe: nullSafe, Residual: residual}
	n.Props = joinProps(kind, l, r, lk, rk, "unbounded")
	n.Schema = noTime(n.Schema)
	return n
}

func joinProps(kind JoinKind, l, r Node, lk, rk []int, state string) Props {
	lp, rp := l.Base(), r.Base()
	if kind.filters() {
		updates := kind == Anti || lp.Mode != Append || rp.Mode != Append
		return Props{In: []Node{l, r}, Schema: shown(l), Keys: lp.Keys, Mode: mode(updates, lp.Keys), State: state}
	}
	p := Props{In: []Node{l, r}, Schema: joinSchema(kind, shown(l), shown(r)), State: state}
	nl := visible(lp.Schema)
	lu, ru := uniqueIn(lp.Keys, lk), uniqueIn(rp.Keys, rk)
	if ru && !kind.padsRight() {
		for _, k := range lp.Keys {
			p.Keys = addKey(p.Keys, k)
		}
	}
	if lu && !kind.padsLeft() {
		for _, k := range rp.Keys {
			p.Keys = addKey(p.Keys, shift(k, nl))
		}
	}
	for _, a := range lp.Keys {
		for _, b := range rp.Keys {
			p.Keys = addKey(p.Keys, append(append([]int(nil), a...), shift(b, nl)...))
		}
	}
	p.Mode = mode(lp.Mode != Append || rp.Mode != Append || kind != Inner, p.Keys)
	return p
}

// uniqueIn tells whether the columns hold a candidate key.
func uniqueIn(keys [][]int, cols []int) bool {
	for _, k := range keys {
		if subset(k, cols) {
			return true
		}
	}
	return false
}

func joinSchema(kind JoinKind, l, r *batch.Schema) *batch.Schema {
	s := l.Concat(r)
	for i := range s.Fields {
		left := i < len(l.Fields)
		if left && kind.padsRight() || !left && kind.padsLeft() {
			s.Fields[i].Type.NotNull = false
		}
	}
	return s
}

// SetTTL sets the time to live of each side's rows in microseconds.
func (n *Join) SetTTL(l, r int64) { n.TTL, n.State = [2]int64{l, r}, boundedTTL(l, r) }

func (n *Join) Op() string { return "join " + n.Kind.String() }

func (n *Join) Detail() string {
	return joinText(n.In[0].Base().Schema, n.In[1].Base().Schema, n.LK, n.RK, n.NullSafe, n.Residual) + n.retainedText() + n.bestText()
}

func joinText(l, r *batch.Schema, lk, rk []int, nullSafe []bool, residual expr.Expr) string {
	var c []string
	for i := range lk {
		eq := " = "
		if len(nullSafe) > i && nullSafe[i] {
			eq = " IS NOT DISTINCT FROM "
		}
		c = append(c, l.Fields[lk[i]].Name+eq+r.Fields[rk[i]].Name)
	}
	if residual != nil {
		c = append(c, residual.String())
	}
	if c == nil {
		return ""
	}
	return "on " + strings.Join(c, " AND ")
}

func (n *Join) Place(i int) Placement {
	if i == 0 {
		return byKey(n.LK)
	}
	return byKey(n.RK)
}

func (n *Join) With(in []Node) Node { c := *n; c.In = in; return &c }
