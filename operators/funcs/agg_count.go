package funcs

import (
	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	registerAgg(AggFunc{Name: "COUNT", Syntax: "COUNT(*) or COUNT(x)", Doc: "Number of rows (COUNT(*)), or of rows whose arguments are not NULL.",
		Example: "COUNT(x) of 1, NULL, 1", Result: "2", Bind: func(args []batch.Type, distinct bool) (*Agg, error) {
			if distinct && len(args) != 1 {
				return nil, &expr.TypeError{Arg: -1, Msg: "COUNT(DISTINCT) takes one argument", Hint: "count the rows of a SELECT DISTINCT of the columns"}
			}
			return &Agg{Name: "COUNT", Out: bigint, State: []batch.Field{{Name: "n", Type: bigint}}, k: count{}}, nil
		}})
}

// count keeps n.
type count struct{}

func (count) update(p []*batch.Page, at int, ids []batch.RowID, args []*batch.Vec, w []int64, sel []int32) {
	nulls := false
	for _, a := range args {
		nulls = nulls || a.Null != nil
	}
	// Fast path: every row counts.
	if !nulls {
		CountRows(p, at, ids, w, sel)
		return
	}
rows:
	for _, i := range sel {
		for _, a := range args {
			if a.IsNull(int(i)) {
				continue rows
			}
		}
		id := ids[i]
		p[id>>batch.PageBits].Cols[at].I[id&batch.SlotMask] += weight(w, i)
	}
}

// CountRows adds the weights of rows sel (nil w = +1) to column at of the rows ids
// (by batch row). A run of one id is added at once: each sum would wait for the one
// before it.
func CountRows(p []*batch.Page, at int, ids []batch.RowID, w []int64, sel []int32) {
	for j := 0; j < len(sel); {
		id, n := ids[sel[j]], weight(w, sel[j])
		for j++; j < len(sel) && ids[sel[j]] == id; j++ {
			n += weight(w, sel[j])
		}
		p[id>>batch.PageBits].Cols[at].I[id&batch.SlotMask] += n
	}
}

func (count) merge(dst []*batch.Page, dat int, dids []batch.RowID, src []*batch.Page, sat int, sids []batch.RowID) {
	for k, s := range sids {
		d := dids[k]
		dst[d>>batch.PageBits].Cols[dat].I[d&batch.SlotMask] += src[s>>batch.PageBits].Cols[sat].I[s&batch.SlotMask]
	}
}

func (count) result(p []*batch.Page, at int, ids []batch.RowID, out *batch.Vec, _ Fail) {
	for _, id := range ids {
		out.AppendInt(p[id>>batch.PageBits].Cols[at].I[id&batch.SlotMask])
	}
}

func weight(w []int64, i int32) int64 {
	if w == nil {
		return 1
	}
	return w[i]
}
