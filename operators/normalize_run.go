package operators

import "github.com/streamd/streamd/batch"

// New returns the normalisation on one worker.
func (n *Normalize) New(env *Env) (Operator, error) {
	return &normalize{k: newKeyed(env, n.Ident, "normalize", n.Schema, n.PK, n.TTL)}, nil
}

// normalize applies upserts and deletes in the order of their arrival. A delete
// of a key that is not there does nothing.
type normalize struct {
	k    *keyed
	adds []int32
}

func (o *normalize) Push(_ int, b *batch.Batch, _ Emit) error {
	sel := o.k.row.of(b)
	if len(sel) == 0 {
		return nil
	}
	ids := o.k.find(b, sel)
	o.k.touch(ids, sel)
	o.adds = o.adds[:0]
	for _, i := range sel {
		if b.Weight(int(i)) > 0 {
			*o.k.state(ids[i]) = 1
			o.adds = append(o.adds, i)
		} else {
			*o.k.state(ids[i]) = 0
			o.k.t.Touch(ids[i])
		}
	}
	o.k.set(ids, o.adds, b)
	return nil
}

func (o *normalize) EndStep(_ []WM, out Emit) error { return o.k.flush(out) }
