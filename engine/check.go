package engine

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// check panics where a batch that node x emits, or that arrives from it, breaks
// the contract of package batch or the node's own promise. Only the invariants
// build calls it.
func (x *gnode) check(b *batch.Batch) {
	p := x.node.Base()
	bug := func(format string, args ...any) {
		panic(fmt.Sprintf("BUG: %s %s emits ", x.node.Op(), x.node.Detail()) + fmt.Sprintf(format, args...))
	}
	if n := b.Live(); n > batch.Chunk {
		bug("%d rows at once, at most %d are allowed", n, batch.Chunk)
	}
	last := int32(-1)
	for _, i := range b.Sel {
		if i <= last || int(i) >= b.N {
			bug("a selection with row %d after %d, of %d rows", i, last, b.N)
		}
		last = i
	}
	if b.W != nil && len(b.W) < b.N || b.Hash != nil && len(b.Hash) < b.N {
		bug("%d weights and %d hashes for %d rows", len(b.W), len(b.Hash), b.N)
	}
	if p.Mode == operators.Append && b.W != nil {
		b.Each(func(i int) {
			if b.W[i] < 0 {
				bug("weight %d, but says that it takes nothing back", b.W[i])
			}
		})
	}
	if len(b.Cols) != len(p.Schema.Fields) {
		bug("%d columns, its schema has %d", len(b.Cols), len(p.Schema.Fields))
	}
	for c := range b.Cols {
		v, f := &b.Cols[c], p.Schema.Fields[c]
		switch {
		case v.Kind != f.Type.Kind():
			bug("column %s with storage of kind %d, its type has %d", f.Name, v.Kind, f.Type.Kind())
		case v.Len() < b.N && !(v.Len() == 0 && x.unread(f.Name)):
			bug("%d rows of column %s, want %d", v.Len(), f.Name, b.N)
		case v.Null != nil && len(v.Null) < (b.N+63)/64:
			bug("%d words of nulls of column %s for %d rows", len(v.Null), f.Name, b.N)
		}
	}
}

// unread tells whether a column of that name may have been left out by a reader
// because nothing looks at it.
func (x *gnode) unread(name string) bool {
	if s, ok := x.node.(*operators.Scan); ok {
		i := s.Base().Schema.Index(name)
		return i >= 0 && i < len(s.Spec.Want.Cols) && !s.Spec.Want.Cols[i]
	}
	for _, e := range x.in {
		if e.from.unread(name) {
			return true
		}
	}
	return false
}
