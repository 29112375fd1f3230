package dsl

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// unnest binds table JOIN UNNEST(…): each row of l with each element of its collection.
func (b *binder) unnest(j *ast.Join, u *ast.Unnest, with *ctes) *relation {
	left := j.Kind == ast.LeftJoin
	switch {
	case j.Natural || len(j.Using) > 0:
		fail("SD3001", j.Op, "UNNEST is joined by CROSS JOIN, or by LEFT JOIN … ON TRUE")
	case !left && j.Kind != ast.CrossJoin && j.Kind != ast.InnerJoin:
		notYet(j.Op, string(j.Kind)+" JOIN with UNNEST is", "CROSS JOIN and LEFT JOIN … ON TRUE are")
	}
	r := b.unnested(b.from(j.Left, with), u, left)
	if j.On == nil {
		return r
	}
	conds := b.conjuncts(j.On, &scope{rel: r, clause: "ON"})
	switch {
	case left:
		for _, c := range conds {
			if k, ok := ex.Fold(c.e).(*ex.Const); !ok || k.IsNull() || !k.V.B[0] {
				notYet(b.head(j.On), "LEFT JOIN with UNNEST on a condition is", "write ON TRUE")
			}
		}
		return r
	case r.group != nil:
		r.conds = append(r.conds, conds...)
		return r
	}
	return b.where(r, conds)
}

// unnested adds the columns of u's elements to l. Where l is a group of pending joins, they are added to the table of the group
// whose collection it is, so that WHERE may still say how the tables are joined.
func (b *binder) unnested(l *relation, u *ast.Unnest, outer bool) *relation {
	if len(u.Exprs) != 1 {
		notYet(b.headOf(u.Span), "UNNEST of several collections is", "UNNEST one after the other")
	}
	if l.win != nil || l.rank != nil {
		l = b.finish(l, nil)
	}
	e := b.expr(u.Exprs[0], &scope{rel: l, clause: "UNNEST"})
	t := e.Type()
	if t.SQL != batch.Array && t.SQL != batch.Map && t.SQL != batch.Multiset {
		fail("SD3001", b.head(u.Exprs[0]), "UNNEST takes an ARRAY, MAP or MULTISET, not %s", t.With(false))
	}
	named := b.elementColumns(t, u)
	b.distinctNames(l, named, u)
	if l.group == nil {
		if len(l.cols) > 0 {
			l = b.plain(l)
			e = b.expr(u.Exprs[0], &scope{rel: l, clause: "UNNEST"})
		}
		n := b.unnestNode(l, e, u, outer, named)
		return withElements(&relation{node: n, cols: l.cols}, named, len(l.cols))
	}
	at, start := l.memberOf(e)
	if at < 0 {
		l = b.plain(b.finish(l, nil))
		return b.unnested(l, u, outer)
	}
	m := l.group[at]
	end := start + len(m.cols)
	move := make([]int, 0, end)
	for i := range end {
		move = append(move, i-start)
	}
	n := b.unnestNode(m, ex.Remap(e, move), u, outer, named)
	return l.grown(at, withElements(&relation{node: n, cols: m.cols}, named, len(m.cols)), end)
}

// elementColumns names the elements.
func (b *binder) elementColumns(t batch.Type, u *ast.Unnest) *relation {
	r := &relation{}
	for i, f := range ops.ElementFields(t, u.Ordinality) {
		switch {
		case t.SQL == batch.Map && i == 0:
			f.Name = "KEY"
		case t.SQL == batch.Map && i == 1:
			f.Name = "VALUE"
		case i == 0 && t.Fields[0].Type.SQL != batch.RowType:
			f.Name = "EXPR$0"
			if u.Alias != nil && !u.Ordinality {
				f.Name = u.Alias.Name.String() // a table of one column is called as its column
			}
		}
		r.cols = append(r.cols, column{name: f.Name, idx: i, f: f})
	}
	return b.alias(r, u.Alias)
}

func (b *binder) unnestNode(l *relation, e ex.Expr, u *ast.Unnest, outer bool, named *relation) ops.Node {
	in, at := b.withColumns(l, []ex.Expr{e})
	var kept []int
	for i := range l.cols {
		kept = append(kept, i)
	}
	var names []string
	for _, c := range named.cols {
		names = append(names, c.name)
	}
	n := b.in.intern(fmt.Sprintf("unnest|%d|%v|%v|%v", at[0], kept, outer, u.Ordinality), []ops.Node{in}, func() ops.Node {
		return ops.NewUnnest(in, at[0], kept, outer, u.Ordinality, names)
	})
	n.Base().Span = opSpan(u.Span)
	return n
}

// withElements adds the columns of elements, which stand from position at on.
func withElements(r, named *relation, at int) *relation {
	r.cols = append([]column{}, r.cols...)
	for i, c := range named.cols {
		c.idx = at + i
		c.f.Type = r.node.Base().Schema.Fields[c.idx].Type
		r.cols = append(r.cols, c)
	}
	return r
}

// memberOf finds the table of a group whose columns alone e uses, and where its columns begin; -1 when there is none.
func (r *relation) memberOf(e ex.Expr) (at, start int) {
	cols := ex.Cols(e)
	for i, m := range r.group {
		end := start + len(m.cols)
		if len(cols) == 0 || cols[0] >= start && cols[len(cols)-1] < end {
			return i, start
		}
		start = end
	}
	return -1, 0
}

// grown returns a group whose table at has become m: its new columns stand from position end on, and the others move up.
func (r *relation) grown(at int, m *relation, end int) *relation {
	added := len(m.cols) - len(r.group[at].cols)
	out := *r
	out.group = append([]*relation{}, r.group...)
	out.group[at] = m
	width := 0
	for _, g := range r.group {
		width += len(g.cols)
	}
	move := make([]int, width)
	for i := range move {
		move[i] = i
		if i >= end {
			move[i] += added
		}
	}
	out.cols, out.conds = nil, nil
	for _, c := range r.cols {
		c.idx = move[c.idx]
		out.cols = append(out.cols, c)
	}
	for _, c := range m.cols[len(m.cols)-added:] {
		c.idx += end - (len(m.cols) - added)
		out.cols = append(out.cols, c)
	}
	for _, c := range r.conds {
		out.conds = append(out.conds, cond{ex.Remap(c.e, move), c.at})
	}
	return &out
}

// bareUnnest is UNNEST as the first table of FROM.
func (b *binder) bareUnnest(u *ast.Unnest) *relation {
	if len(u.Exprs) == 1 {
		if _, ok := u.Exprs[0].(*ast.ColumnRef); ok && len(b.subs) == 0 {
			d := diag.New("SD2003", u.Exprs[0].At(), "unknown column %q: there is no table before UNNEST", b.file.Source.Slice(u.Exprs[0].At()))
			throw(d.WithHint("write FROM t CROSS JOIN UNNEST(t.column)"))
		}
	}
	return b.unnested(b.oneRow(), u, false)
}
