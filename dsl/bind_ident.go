package dsl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// interner makes equal sub-plans one node: what two statements both compute is computed once.
type interner struct {
	nodes map[string]ops.Node
	ids   map[ops.Node]int
}

func newInterner() *interner {
	return &interner{nodes: map[string]ops.Node{}, ids: map[ops.Node]int{}}
}

// intern returns the node of this structure over these inputs, made at the first call. The key says everything else about it.
func (in *interner) intern(key string, inputs []ops.Node, mk func() ops.Node) ops.Node {
	var k strings.Builder
	k.WriteString(key)
	for _, x := range inputs {
		fmt.Fprintf(&k, "|#%d", in.ids[x])
	}
	if n, ok := in.nodes[k.String()]; ok {
		return n
	}
	n := mk()
	in.nodes[k.String()] = n
	in.ids[n] = len(in.ids)
	return n
}

// fieldKey leaves names out: what two statements compute is one thing whatever they call it. Relations keep the names.
func fieldKey(f []batch.Field) string {
	var s strings.Builder
	for _, x := range f {
		fmt.Fprintf(&s, "%s %d,", x.Type, x.Time)
	}
	return s.String()
}

func exprKey(e ex.Expr) string {
	if e == nil {
		return ""
	}
	return ex.Key(e)
}

func aggKey(aggs []ops.AggCall) string {
	key := ""
	for _, a := range aggs {
		key += fmt.Sprintf("|%s %q %v %v %d %v", a.Fn.Name, a.Fn.Param, a.Fn.Ignore, a.Args, a.Filter, a.Distinct)
	}
	return key
}

// filter keeps the rows for which pred is TRUE. Over updates a condition of the clock or of chance is a column first, which a
// projection remembers: a row that goes must meet the same condition as when it came.
func (b *binder) filter(n ops.Node, pred ex.Expr) ops.Node {
	p := n.Base()
	if p.Mode == ops.Append || ex.Deterministic(pred) {
		return b.filterBy(n, pred)
	}
	var all []ex.Expr
	var fields []batch.Field
	for c, f := range p.Schema.Fields {
		if !f.Hidden() {
			all, fields = append(all, ex.NewCol(c, f)), append(fields, f)
		}
	}
	cond := batch.Field{Name: pred.String(), Type: pred.Type()}
	with := b.project(n, append(slices.Clone(all), pred), append(slices.Clone(fields), cond))
	return b.project(b.filterBy(with, ex.NewCol(len(all), cond)), all, fields)
}

func (b *binder) filterBy(n ops.Node, pred ex.Expr) ops.Node {
	return b.in.intern("filter|"+ex.Key(pred), []ops.Node{n}, func() ops.Node { return ops.NewFilter(n, pred) })
}

func (b *binder) project(n ops.Node, exprs []ex.Expr, fields []batch.Field) ops.Node {
	var k strings.Builder
	k.WriteString("project|" + fieldKey(fields))
	for _, e := range exprs {
		k.WriteString("|" + ex.Key(e))
	}
	return b.in.intern(k.String(), []ops.Node{n}, func() ops.Node { return ops.NewProject(n, exprs, fields) })
}

func (b *binder) union(ins []ops.Node) ops.Node {
	return b.in.intern("union", ins, func() ops.Node { return ops.NewUnionAll(ins) })
}

func (b *binder) aggregate(n ops.Node, keys []int, aggs []ops.AggCall, fields []batch.Field, ttl int64) ops.Node {
	return b.in.intern(fmt.Sprintf("aggregate|%v|%s|%s|%d", keys, aggKey(aggs), fieldKey(fields), ttl), []ops.Node{n}, func() ops.Node {
		a := ops.NewAggregate(n, keys, aggs, fields)
		if ttl > 0 {
			a.SetTTL(ttl)
		}
		return a
	})
}

// planned turns a refusal of package operators into a diagnostic at the place of the construct.
func planned[T ops.Node](at source.Span, n T, err error) ops.Node {
	if err != nil {
		throw(planDiag(at, err))
	}
	return n
}

func planDiag(at source.Span, err error) *diag.Diagnostic {
	pe, ok := err.(*ops.PlanError)
	if !ok {
		panic("BUG: a plan is refused with " + err.Error())
	}
	d := diag.New(pe.Code, at, "%s", pe.Msg)
	if pe.Hint != "" {
		d.WithHint("%s", pe.Hint)
	}
	return d
}
