package formats

import (
	"fmt"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
)

func init() {
	keys := append([]connectors.OptionKey{
		{Key: "schema-include", Default: "false", Doc: "events are {\"schema\": …, \"payload\": …}"},
	}, jsonKeys[1:]...)
	register(&Format{
		Name: "debezium-json", Doc: "change events of Debezium", Ext: "json", Keys: keys, Changes: connectors.Retracts, Accepts: connectors.Retracts,
		Decoder: newDebezium,
		Encoder: func(s *Spec) (Encoder, error) {
			o, err := s.debeziumOptions()
			if err != nil {
				return nil, err
			}
			if o.SchemaInclude {
				return nil, s.optionError("debezium-json", "schema-include", "events are written without their schema")
			}
			e, err := newJSONEncoder(s, "debezium-json")
			return debeziumEncoder{e}, err
		},
	})
}

type debeziumOptions struct {
	SchemaInclude bool `opt:"schema-include" default:"false"`
}

func (s *Spec) debeziumOptions() (o debeziumOptions, err error) {
	err = s.options("debezium-json", &o)
	return o, err
}

// debezium decodes {"before": row, "after": row, "op": "c"|"r"|"u"|"d", …}: c and r
// add after, u takes before away and adds after, d takes before away.
type debezium struct {
	*jsonDecoder
	include bool
	weights []int64
}

func newDebezium(s *Spec) (Decoder, error) {
	o, err := s.debeziumOptions()
	if err != nil {
		return nil, err
	}
	j, err := newJSON(s, "debezium-json")
	return &debezium{jsonDecoder: j, include: o.SchemaInclude}, err
}

var (
	onlyInsert = []int64{1}
	onlyDelete = []int64{-1}
	update     = []int64{-1, 1}
)

func (d *debezium) Weights() []int64 { return d.weights }

// envelope are the places of an event's parts; 0 = absent or null.
type envelope struct {
	payload, before, after int
	op                     string
}

func (d *debezium) Decode(b *batch.Batch, rec []byte) (int, []Problem) {
	d.bad = d.bad[:0]
	d.reset(rec)
	var e envelope
	i := d.ws(0)
	if i >= len(rec) || rec[i] != '{' {
		return d.noObject(b, i)
	}
	if i = d.members(i, &e); i >= 0 {
		if i = d.ws(i); i < len(rec) {
			i = d.fail(Syntax, i, "text behind the end of the object")
		}
	}
	if i >= 0 && d.include {
		at := e.payload
		if e = (envelope{}); at > 0 && rec[at] == '{' {
			i = d.members(at, &e)
		}
	}
	if i < 0 {
		return 0, d.drop(b, b.N)
	}
	if !d.images(b, &e) {
		return 0, d.drop(b, b.N)
	}
	return len(d.weights), d.bad
}

// images appends the rows that the op asks for.
func (d *debezium) images(b *batch.Batch, e *envelope) bool {
	switch e.op {
	case "c", "r":
		d.weights = onlyInsert
		return d.image(b, e.after, b.N, "after", e.op)
	case "d":
		d.weights = onlyDelete
		return d.image(b, e.before, b.N, "before", e.op)
	case "u":
		d.weights = update
		return d.image(b, e.before, b.N, "before", e.op) && d.image(b, e.after, b.N+1, "after", e.op)
	}
	msg := fmt.Sprintf("op %q is not c, r, u or d", e.op)
	if e.op == "" {
		msg = "the event has no \"op\""
	}
	d.fail(NoOp, 0, msg)
	return false
}

func (d *debezium) image(b *batch.Batch, at, row int, name, op string) bool {
	if at == 0 || d.b[at] != '{' {
		d.fail(NoImage, 0, fmt.Sprintf("op %q without %q", op, name))
		return false
	}
	return d.object(&d.root, b.Cols, d.cols, at, row) >= 0
}

// members notes where the parts of the object at i are and checks its syntax.
func (d *debezium) members(i int, e *envelope) int {
	if !d.down(i) {
		return -1
	}
	for first := true; ; first = false {
		k, ke, j := d.key(i+1, first)
		if j < 0 {
			return -1
		}
		if ke < 0 {
			d.depth--
			return j
		}
		name := string(d.name(k, ke))
		if i = d.skip(j); i < 0 {
			return -1
		}
		at := j
		if d.b[j] == 'n' {
			at = 0
		}
		switch name {
		case "payload":
			e.payload = at
		case "before":
			e.before = at
		case "after":
			e.after = at
		case "op":
			e.op = ""
			if d.b[j] == '"' {
				e.op = string(d.b[j+1 : i-1])
			}
		}
		if i = d.ws(i); i >= len(d.b) || d.b[i] != ',' && d.b[i] != '}' {
			return d.fail(Syntax, i, "expected ',' or '}'")
		}
		if d.b[i] == '}' {
			d.depth--
			return i + 1
		}
	}
}

// debeziumEncoder writes additions as c with after and removals as d with before.
type debeziumEncoder struct{ *jsonEncoder }

func (e debeziumEncoder) Append(dst []byte, b *batch.Batch, i int, kind connectors.Kind) ([]byte, bool, error) {
	add := kind == connectors.Insert || kind == connectors.UpdateAfter
	if add {
		dst = append(dst, `{"before":null,"after":`...)
	} else {
		dst = append(dst, `{"before":`...)
	}
	dst, err := e.row(dst, &e.root, b.Cols, e.cols, i)
	if add {
		return append(dst, `,"op":"c"}`...), false, err
	}
	return append(dst, `,"after":null,"op":"d"}`...), false, err
}
