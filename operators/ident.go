package operators

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
	"github.com/streamd/streamd/operators/windows"
)

// SetIdent gives every node below the roots its identity: what its state is
// known by when a pipeline is started again. It is a hash of what the node
// computes from where: kind, parameters, key columns, inputs. Names, aliases,
// times to live, columns that are only carried along and the order of statements
// are not part of it, so they can change under a state that is kept.
//
// A column is known by how it comes about, not by its position: columns that are
// pruned or added elsewhere move none.
//
// Where two different nodes compute the same, the later ones (in the order of
// roots, inputs first) get a number behind the hash: their states are apart.
func SetIdent(roots ...Node) {
	s := identifier{done: map[Node]ident{}, seen: map[string]int{}}
	for _, r := range roots {
		s.of(r)
	}
}

// ident is the identity of a node's rows and of each of its columns.
type ident struct {
	rows string
	cols []string
}

type identifier struct {
	done map[Node]ident
	seen map[string]int
}

func (s *identifier) of(n Node) ident {
	if id, ok := s.done[n]; ok {
		return id
	}
	p := n.Base()
	in := make([]ident, len(p.In))
	for i, x := range p.In {
		in[i] = s.of(x)
	}
	id := identOf(n, in)
	s.done[n] = id
	p.Ident = id.rows
	// A projection has the identity of its input's rows, and no state unless it
	// remembers.
	q, project := n.(*Project)
	if project && q.remembers() {
		p.Ident = digest("remember", id.rows, id.cols)
	}
	if !project || q.remembers() {
		if s.seen[p.Ident]++; s.seen[p.Ident] > 1 {
			p.Ident = fmt.Sprintf("%s.%d", p.Ident, s.seen[p.Ident])
		}
	}
	return id
}

// digest hashes parts; where one ends is part of it.
func digest(parts ...any) string {
	h := sha256.New()
	for _, p := range parts {
		t := fmt.Sprint(p)
		fmt.Fprintf(h, "%d:%s", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// at returns the identities of columns.
func (d ident) at(cols []int) string {
	s := make([]string, len(cols))
	for i, c := range cols {
		s[i] = d.cols[c]
	}
	return strings.Join(s, ",")
}

// expr returns the identity of an expression over the columns of d.
func (d ident) expr(e expr.Expr) string {
	if e == nil {
		return ""
	}
	if c, ok := bareColumn(e); ok {
		return d.cols[c]
	}
	return digest("expr", expr.Key(expr.Transform(e, func(e expr.Expr) expr.Expr {
		if c, ok := bareColumn(e); ok {
			return expr.Symbol(d.cols[c])
		}
		return e
	})))
}

func (d ident) calls(calls []AggCall) string {
	var s []string
	for _, c := range calls {
		f := ""
		if c.Filter >= 0 {
			f = d.cols[c.Filter]
		}
		name := c.Fn.Name
		if c.Fn.Param != "" || c.Fn.Nulls {
			name = digest(name, c.Fn.Param, c.Fn.Nulls)
		}
		s = append(s, digest(name, c.Distinct, d.at(c.Args), f))
	}
	return strings.Join(s, ",")
}

// made returns the identities of n columns that come about at rows.
func made(rows string, n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = digest("made", rows, i)
	}
	return s
}

func identOf(n Node, in []ident) ident {
	switch n := n.(type) {
	case *Scan:
		return n.ident()
	case *Values:
		return n.ident()
	case *Filter:
		return ident{digest("filter", in[0].rows, in[0].expr(n.Pred)), in[0].cols}
	case *Project:
		return n.ident(in[0])
	case *UnionAll:
		return unionIdent(in)
	case *Normalize:
		return ident{digest("normalize", in[0].rows, in[0].at(n.PK)), in[0].cols}
	case *Aggregate:
		calls := in[0].calls(n.Aggs)
		rows := digest("aggregate", in[0].rows, in[0].at(n.By), calls)
		return ident{rows, append(pickIdents(in[0], n.By), made(rows, len(n.Aggs))...)}
	case *WindowAssign:
		rows := digest("window", in[0].rows, in[0].window(n.Win))
		v := visible(n.In[0].Base().Schema)
		cols := append(append([]string(nil), in[0].cols[:v]...), made(rows, 3)...)
		return ident{rows, append(cols, in[0].cols[v:]...)}
	case *Unnest:
		rows := digest("unnest", in[0].rows, in[0].cols[n.Col], n.Outer, n.Ordinality)
		v := visible(n.In[0].Base().Schema)
		return ident{rows, append(append(pickIdents(in[0], n.Keep), made(rows, n.Added())...), in[0].cols[v:]...)}
	case *WindowAggregate:
		rows := digest("window aggregate", in[0].rows, n.window(in[0]), in[0].at(n.By), in[0].calls(n.Aggs))
		return ident{rows, append(pickIdents(in[0], n.By), made(rows, len(n.Schema.Fields)-len(n.By))...)}
	case *Join:
		return joinIdent(n, in, n.Residual, "join", n.Kind, in[0].at(n.LK), in[1].at(n.RK), n.NullSafe)
	case *WindowJoin:
		return joinIdent(n, in, n.Residual, "window join", n.Kind, in[0].at([]int{n.LStart, n.LEnd}), in[1].at([]int{n.RStart, n.REnd}), in[0].at(n.LK), in[1].at(n.RK), n.NullSafe)
	case *IntervalJoin:
		w := n.Within
		return joinIdent(n, in, n.Residual, "interval join", n.Kind, in[0].at(n.LK), in[1].at(n.RK), n.NullSafe, in[0].cols[w.LT], in[1].cols[w.RT], w.Lo, w.Hi)
	case *TopN:
		var order []string
		for _, o := range n.Order {
			nulls := ""
			if o.NullsLast != nil {
				nulls = fmt.Sprint(*o.NullsLast)
			}
			order = append(order, digest(in[0].cols[o.Col], o.Desc, nulls))
		}
		kind := []any{"top-n"}
		if n.End >= 0 {
			kind = []any{"window top-n", n.Newest}
		}
		rows := digest(append(kind, in[0].rows, in[0].at(n.Part), order, n.From, n.To)...)
		return ident{rows, append(append([]string(nil), in[0].cols[:visible(n.In[0].Base().Schema)]...), made(rows, 1)...)}
	case *Dedup:
		return ident{digest("dedup", in[0].rows, in[0].at(n.Part), in[0].cols[n.Col], n.Last), in[0].cols}
	case *SinkNode:
		return ident{digest("sink", in[0].rows, n.Spec.Sink.Info().Identity, n.Spec.PrimaryKey, n.Spec.OnConflict), in[0].cols}
	}
	var rows []any
	for _, x := range in {
		rows = append(rows, x.rows)
	}
	id := digest(append([]any{n.Op(), n.Detail()}, rows...)...)
	return ident{id, made(id, len(n.Base().Schema.Fields))}
}

func pickIdents(d ident, cols []int) (s []string) {
	for _, c := range cols {
		s = append(s, d.cols[c])
	}
	return s
}

// window is the windows' part of the identity.
func (n *WindowAggregate) window(in ident) string {
	if n.Ends >= 0 {
		return digest("attached", in.cols[n.Beg], in.cols[n.Ends])
	}
	return in.window(n.Win)
}

func (d ident) window(w windows.Spec) string {
	col, zone := d.cols[w.Col], ""
	if w.Zone != nil {
		zone = w.Zone.String()
	}
	w.Col = 0
	return digest(w.String(), col, zone)
}

func (n *Scan) ident() ident {
	s := &n.Spec
	info := s.Source.Info()
	base := digest("scan", info.Identity, info.Changes)
	var d ident
	for _, f := range s.Schema.Fields[:s.Physical] {
		d.cols = append(d.cols, digest("column", base, f.Name, f.Type.With(false)))
	}
	for _, e := range s.Computed {
		d.cols = append(d.cols, d.expr(e))
	}
	wm := ""
	if s.WMCol >= 0 {
		wm = digest(d.cols[s.WMCol], d.expr(s.WMExpr), s.OnEvent)
	}
	d.rows = digest(base, wm)
	for _, f := range n.Schema.Fields[len(s.Schema.Fields):] {
		d.cols = append(d.cols, digest("column", base, f.Name))
	}
	return d
}

func (n *Values) ident() ident {
	var t []byte
	for i := range n.N {
		t = batch.AppendKey(t, n.Cols, i)
	}
	rows := digest("values", n.N, string(t))
	return ident{rows, made(rows, len(n.Schema.Fields))}
}

func (n *Project) ident(in ident) ident {
	d := ident{rows: in.rows}
	for i, c := range n.Pick {
		if c >= 0 {
			d.cols = append(d.cols, in.cols[c])
		} else {
			d.cols = append(d.cols, in.expr(n.Exprs[i]))
		}
	}
	return d
}

func unionIdent(in []ident) ident {
	parts := []any{"union"}
	for _, x := range in {
		parts = append(parts, x.rows)
	}
	d := ident{rows: digest(parts...)}
	for c := range in[0].cols {
		p := []any{"union column", d.rows}
		for _, x := range in {
			p = append(p, x.cols[c])
		}
		d.cols = append(d.cols, digest(p...))
	}
	return d
}

func joinIdent(n Node, in []ident, residual expr.Expr, parts ...any) ident {
	var d ident
	cols := []int{visible(n.Base().In[0].Base().Schema), visible(n.Base().In[1].Base().Schema)}
	for i, x := range in {
		for _, c := range x.cols[:cols[i]] {
			d.cols = append(d.cols, digest("side", i, c))
		}
		parts = append(parts, x.rows)
	}
	d.rows = digest(append(parts, d.expr(residual))...)
	d.cols = d.cols[:len(n.Base().Schema.Fields)] // a semi or anti join has the left ones only
	return d
}
