package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// join binds a join. Inner joins stay pending, since WHERE may hold their conditions.
func (b *binder) join(j *ast.Join, with *ctes) *relation {
	at := j.Op
	if u, ok := j.Right.(*ast.Unnest); ok {
		return b.unnest(j, u, with)
	}
	if j.Natural {
		notYet(at, "NATURAL JOIN is", "write ON or USING")
	}
	if j.Kind != ast.CrossJoin && j.On == nil && len(j.Using) == 0 {
		d := diag.New("SD4005", at, "%s without ON or USING", strings.ToUpper(b.file.Source.Slice(at)))
		throw(d.WithHint("add the condition: ON a.id = b.id; CROSS JOIN lets each row meet all of the other side"))
	}
	l, r := b.from(j.Left, with), b.from(j.Right, with)
	b.distinctNames(l, r, j.Right)
	inner := j.Kind == ast.InnerJoin || j.Kind == ast.CrossJoin
	if !inner {
		l, r = b.plain(b.finish(l, nil)), b.plain(b.finish(r, nil))
	}
	g := b.side(l)
	g.at = at
	g.group = append(g.group, b.side(r).group...)
	off := len(g.cols)
	for _, c := range b.side(r).cols {
		c.idx += off
		g.cols = append(g.cols, c)
	}
	b.widen(at, len(g.cols))
	for _, c := range b.side(r).conds {
		g.conds = append(g.conds, cond{shifted(c.e, off, len(g.cols)), c.at})
	}
	if len(j.Using) > 0 {
		b.using(g, j, off)
	} else if j.On != nil {
		g.conds = append(g.conds, b.conjuncts(j.On, &scope{rel: g, clause: "ON"})...)
	}
	if inner {
		return g
	}
	kind := map[ast.JoinKind]ops.JoinKind{ast.LeftJoin: ops.Left, ast.RightJoin: ops.Right, ast.FullJoin: ops.Full, ast.SemiJoin: ops.Semi, ast.AntiJoin: ops.Anti}[j.Kind]
	conds := g.conds
	n, pos := b.joinTwo(kind, l, r, conds, at)
	out := &relation{node: n}
	for _, c := range g.cols {
		if c.idx >= off && (kind == ops.Semi || kind == ops.Anti) {
			continue
		}
		c.idx = pos[c.idx]
		f := n.Base().Schema.Fields[c.idx]
		c.f.Type, c.f.Time, c.role = f.Type, f.Time, roleIn(n, c.idx, c.role)
		out.cols = append(out.cols, c)
	}
	if kind == ops.Full && len(j.Using) > 0 {
		notYet(j.Using[0].Span, "FULL JOIN with USING is", "write ON and COALESCE")
	}
	if kind == ops.Right && len(j.Using) > 0 { // the right side's column is the one that is never padded
		for _, u := range j.Using {
			for i := range out.cols {
				if out.cols[i].name == u.String() {
					out.cols[i].hidden = !out.cols[i].hidden
				}
			}
		}
	}
	return out
}

// side is a relation as a group of inner joins, columns in concatenated positions.
func (b *binder) side(r *relation) *relation {
	if r.group != nil {
		return r
	}
	if r.win == nil && r.rank == nil {
		r = b.plain(r)
	} else {
		r = b.plain(b.finish(r, nil))
	}
	return &relation{group: []*relation{r}, cols: slices.Clone(r.cols)}
}

func (b *binder) distinctNames(l, r *relation, at ast.TableExpr) {
	for _, t := range r.tables() {
		if l.hasTable(t) {
			d := diag.New("SD2010", b.calledAt(at), "there are two tables named %q here", t)
			throw(d.WithHint("give one of them another name: … AS x"))
		}
	}
}

// calledAt is the place of the name that a table goes by.
func (b *binder) calledAt(t ast.TableExpr) source.Span {
	var a *ast.Alias
	switch t := t.(type) {
	case *ast.TableName:
		a = t.Alias
	case *ast.Derived:
		a = t.Alias
	case *ast.TableFunc:
		a = t.Alias
	}
	if a != nil {
		return a.Name.Span
	}
	return b.headOf(t.At())
}

// shifted moves the columns of e up by n.
func shifted(e ex.Expr, n, max int) ex.Expr {
	m := make([]int, max)
	for i := range m {
		m[i] = i + n
	}
	return ex.Remap(e, m)
}

func (b *binder) using(g *relation, j *ast.Join, off int) {
	for _, u := range j.Using {
		li, ri := -1, -1
		for i, c := range g.cols {
			switch {
			case c.name != u.String() || c.hidden:
			case c.idx < off && li >= 0:
				fail("SD2004", u.Span, "column %q is ambiguous", u.String())
			case c.idx < off:
				li = i
			case ri < 0:
				ri = i
			}
		}
		if li < 0 || ri < 0 {
			fail("SD2003", u.Span, "column %q of USING is not in both tables", u.String())
		}
		e, err := ex.Compare("=", g.col(li), g.col(ri))
		if err != nil {
			fail("SD3001", u.Span, "%s", err.Error())
		}
		g.cols[ri].hidden = true
		g.conds = append(g.conds, cond{e, u.Span})
	}
	// `*` gives the columns of USING first, once.
	rank := func(c column) int {
		for i, u := range j.Using {
			if c.name == u.String() && c.idx < off {
				return i
			}
		}
		return len(j.Using)
	}
	slices.SortStableFunc(g.cols, func(a, z column) int { return rank(a) - rank(z) })
}

// joinGroup makes operators of pending inner joins. The tables are joined in the order of the text, but a table that no equality
// links to those before it waits until one does; where none is linked, the next one meets them without an equality.
func (b *binder) joinGroup(r *relation, where []cond) *relation {
	conds := append(slices.Clone(r.conds), where...)
	starts := make([]int, len(r.group)+1)
	for i, t := range r.group {
		starts[i+1] = starts[i] + len(t.cols)
	}
	total := starts[len(r.group)]
	table := func(col int) int {
		i := 0
		for starts[i+1] <= col {
			i++
		}
		return i
	}
	done := map[int]bool{0: true}
	acc := r.group[0]
	pos := make([]int, total) // concatenated position -> column of acc
	for i := range pos {
		pos[i] = -1
	}
	for i := range acc.cols {
		pos[i] = i
	}
	used := make([]bool, len(conds))
	for len(done) < len(r.group) {
		next, first := -1, -1
		for t := 1; t < len(r.group) && next < 0; t++ {
			if !done[t] && linked(conds, used, done, t, table) {
				next = t
			}
			if !done[t] && first < 0 {
				first = t
			}
		}
		if next < 0 {
			next = first
		}
		done[next] = true
		local := slices.Clone(pos)
		left := len(acc.cols)
		for k := range r.group[next].cols {
			local[starts[next]+k] = left + k
		}
		mine := takeConds(conds, used, done, local, table, func(on []cond) *near { return timeBounds(acc, r.group[next], on) })
		n, p := b.joinTwo(ops.Inner, acc, r.group[next], mine, r.at)
		for i := range pos {
			if local[i] >= 0 {
				pos[i] = p[local[i]]
			}
		}
		acc = joinedRelation(n, append(slices.Clone(acc.cols), r.group[next].cols...), p)
	}
	out := &relation{node: acc.node}
	for _, c := range r.cols {
		c.idx = pos[c.idx]
		f := acc.node.Base().Schema.Fields[c.idx]
		c.f.Type, c.f.Time, c.role = f.Type, f.Time, acc.cols[c.idx].role
		out.cols = append(out.cols, c)
	}
	var rest []cond
	for i, c := range conds {
		if !used[i] {
			rest = append(rest, cond{ex.Remap(c.e, pos), c.at})
		}
	}
	return b.where(out, rest)
}

// takeConds takes the conditions that the tables joined so far decide, and marks
// them used. What can fail stays behind, and what stands after it too; but the
// bounds of an interval join are not computed.
func takeConds(conds []cond, used []bool, done map[int]bool, local []int, table func(int) int, bounds func([]cond) *near) (mine []cond) {
	var on []cond
	var at []int
	for i, c := range conds {
		all, both := true, map[int]bool{}
		for _, x := range ex.Cols(c.e) {
			all = all && done[table(x)]
			both[table(x)] = true
		}
		if !used[i] && all && len(both) >= 2 {
			on, at = append(on, cond{ex.Remap(c.e, local), c.at}), append(at, i)
		}
	}
	bound := map[int]bool{}
	if near := bounds(on); near != nil {
		for k, i := range at {
			bound[i] = near.of[k]
		}
	}
	failing, k := false, 0
	for i, c := range conds {
		failing = failing || !used[i] && !bound[i] && (ex.CanFail(c.e) || !ex.Deterministic(c.e))
		if k == len(at) || at[k] != i {
			continue
		}
		if !failing || bound[i] || isEquality(c.e) {
			used[i] = true
			mine = append(mine, on[k])
		}
		k++
	}
	return mine
}

// joinedRelation names the columns of a join of two tables: pos says where each of cols is.
func joinedRelation(n ops.Node, cols []column, pos []int) *relation {
	r := &relation{node: n}
	for i, f := range n.Base().Schema.Fields {
		r.cols = append(r.cols, column{idx: i, f: f})
	}
	for i, c := range cols {
		r.cols[pos[i]].role, r.cols[pos[i]].name = roleIn(n, pos[i], c.role), c.name
	}
	return r
}

// roleIn is the role of a window column as column i of a join. Rows of a regular join may come when their window is over: an
// operator that works window by window would take them for late ones. A column that is padded is not of every row's window.
func roleIn(n ops.Node, i int, role windowRole) windowRole {
	if _, regular := n.(*ops.Join); regular || !n.Base().Schema.Fields[i].Type.NotNull {
		return windowRole{}
	}
	return role
}

// linked tells whether an equality links table t to those that are done.
func linked(conds []cond, used []bool, done map[int]bool, t int, table func(int) int) bool {
	for i, c := range conds {
		if used[i] {
			continue
		}
		a, z, _, ok := equality(c.e)
		if !ok {
			continue
		}
		of := func(e ex.Expr, ok func(int) bool) bool {
			cols := ex.Cols(e)
			for _, x := range cols {
				if !ok(table(x)) {
					return false
				}
			}
			return len(cols) > 0
		}
		isDone := func(i int) bool { return done[i] }
		isT := func(i int) bool { return i == t }
		if of(a, isDone) && of(z, isT) || of(z, isDone) && of(a, isT) {
			return true
		}
	}
	return false
}

func isEquality(e ex.Expr) bool { _, _, _, ok := equality(e); return ok }

// equality takes a = b or a IS NOT DISTINCT FROM b apart, also where the latter is written out with IS NULL.
func equality(e ex.Expr) (a, z ex.Expr, nullSafe, ok bool) {
	if op, a, z, ok := ex.Comparison(e); ok && op == "=" {
		return a, z, false, true
	}
	if a, z, ok := ex.NotDistinct(e); ok {
		return a, z, true, true
	}
	if a, z, ok := ex.EqualOrBothNull(e); ok {
		return a, z, true, true
	}
	return nil, nil, false, false
}

// joinTwo joins two plain relations by conditions over their concatenated columns. pos says where each of these is in the result.
func (b *binder) joinTwo(kind ops.JoinKind, l, r *relation, conds []cond, at source.Span) (ops.Node, []int) {
	nl, nr := len(l.cols), len(r.cols)
	back := make([]int, nl+nr)
	for i := range back {
		back[i] = i - nl
	}
	var le, re []ex.Expr
	var nulls []bool
	var rest, bounds []ex.Expr // bounds: what an interval join makes of its interval
	var near *near
	if kind <= ops.Full { // a semi or anti join on times is a regular one
		near = timeBounds(l, r, conds)
	}
	for i, c := range conds {
		if near != nil && near.of[i] {
			bounds = append(bounds, c.e)
			continue
		}
		a, z, safe, ok := equality(c.e)
		if ok && within(z, 0, nl) && within(a, nl, nl+nr) {
			a, z = z, a
		}
		if !ok || !within(a, 0, nl) || !within(z, nl, nl+nr) {
			if !ex.Deterministic(c.e) && (l.node.Base().Mode != ops.Append || r.node.Base().Mode != ops.Append) {
				notYet(c.at, "a condition of the clock or of chance in a join of updates is", "compute it as a column of one side")
			}
			rest = append(rest, c.e)
			continue
		}
		le, re, nulls = append(le, a), append(re, ex.Remap(z, back)), append(nulls, safe)
	}
	ln, lk := b.withColumns(l, le)
	rn, rk := b.withColumns(r, re)
	wl := visible(ln)
	pos := make([]int, nl+nr)
	for i := range pos {
		pos[i] = i
		if i >= nl {
			pos[i] = wl + i - nl
		}
	}
	ls, le2, rs, re2, keys := windowEqualities(l, r, lk, rk, nulls)
	if keys != nil {
		rest = append(rest, bounds...)
	}
	var residual ex.Expr
	if len(rest) > 0 {
		residual = ex.Remap(and(rest), pos)
	}
	if keys != nil {
		n := b.windowJoin(kind, ln, rn, [4]int{ls, le2, rs, re2}, pickInts(lk, keys), pickInts(rk, keys), pickBools(nulls, keys), residual, at)
		return n, pos
	}
	if near != nil {
		return b.intervalJoin(kind, ln, rn, near.within, lk, rk, nulls, residual, at), pos
	}
	n := b.regularJoin(kind, ln, rn, lk, rk, nulls, residual, [2]int64{b.ttlFor(l, at), b.ttlFor(r, at)})
	n.Base().Span = opSpan(at)
	return n, pos
}

func within(e ex.Expr, from, to int) bool {
	cols := ex.Cols(e)
	return len(cols) > 0 && cols[0] >= from && cols[len(cols)-1] < to
}

func pickInts(a, at []int) []int {
	out := []int{}
	for _, i := range at {
		out = append(out, a[i])
	}
	return out
}

func pickBools(a []bool, at []int) []bool {
	out := []bool{}
	for _, i := range at {
		out = append(out, a[i])
	}
	return out
}

// windowEqualities finds the equalities of both window columns of windows of one shape; keys are the other equalities, not nil.
func windowEqualities(l, r *relation, lk, rk []int, nulls []bool) (ls, le, rs, re int, keys []int) {
	ls, le, rs, re = -1, -1, -1, -1
	keys = []int{}
	of := ""
	for i := range lk {
		a, z := l.columnOf(lk[i]), r.columnOf(rk[i])
		if a != nil && z != nil && a.role == z.role && a.role.part != 0 && (of == "" || of == a.role.of) && !nulls[i] {
			switch {
			case a.role.part == 's' && ls < 0:
				ls, rs, of = lk[i], rk[i], a.role.of
				continue
			case a.role.part == 'e' && le < 0:
				le, re, of = lk[i], rk[i], a.role.of
				continue
			}
		}
		keys = append(keys, i)
	}
	if ls < 0 || le < 0 {
		return -1, -1, -1, -1, nil
	}
	return ls, le, rs, re, keys
}

func (b *binder) regularJoin(kind ops.JoinKind, l, r ops.Node, lk, rk []int, nulls []bool, residual ex.Expr, ttl [2]int64) ops.Node {
	key := fmt.Sprintf("join|%v|%v|%v|%v|%s|%v", kind, lk, rk, nulls, exprKey(residual), ttl)
	return b.in.intern(key, []ops.Node{l, r}, func() ops.Node {
		n := ops.NewJoin(kind, l, r, lk, rk, nulls, residual)
		if ttl[0] > 0 || ttl[1] > 0 {
			n.SetTTL(max(ttl[0], 0), max(ttl[1], 0))
		}
		return n
	})
}

func (b *binder) windowJoin(kind ops.JoinKind, l, r ops.Node, w [4]int, lk, rk []int, nulls []bool, residual ex.Expr, at source.Span) ops.Node {
	key := fmt.Sprintf("window join|%v|%v|%v|%v|%v|%s", kind, w, lk, rk, nulls, exprKey(residual))
	n := b.in.intern(key, []ops.Node{l, r}, func() ops.Node {
		n, err := ops.NewWindowJoin(kind, l, r, w[0], w[1], w[2], w[3], lk, rk, nulls, residual)
		return planned(at, n, err)
	})
	n.Base().Span = opSpan(at)
	return n
}
