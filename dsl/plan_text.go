package dsl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	ops "github.com/streamd/streamd/operators"
)

// planNode is one operator of a plan as EXPLAIN shows it.
type planNode struct {
	ID       int      `json:"id"`
	Op       string   `json:"op"`
	Detail   string   `json:"detail"`
	Inputs   []int    `json:"inputs"`
	Mode     string   `json:"mode"`
	Key      []string `json:"key"`
	By       string   `json:"by"`
	State    string   `json:"state"`
	Identity string   `json:"identity"`
}

// planNodes numbers the operators from 1 in the order in which the text shows them first.
func (p *Plan) planNodes() (list []*planNode, at map[ops.Node]*planNode) {
	at = map[ops.Node]*planNode{}
	var walk func(n ops.Node) int
	walk = func(n ops.Node) int {
		if x := at[n]; x != nil {
			return x.ID
		}
		x := describeNode(n)
		at[n] = x
		list = append(list, x)
		x.ID = len(list)
		for _, in := range n.Base().In {
			x.Inputs = append(x.Inputs, walk(in))
		}
		return x.ID
	}
	for _, s := range p.Sinks {
		walk(s)
	}
	return list, at
}

func describeNode(n ops.Node) *planNode {
	p := n.Base()
	x := &planNode{Op: n.Op(), Detail: n.Detail(), Inputs: []int{}, Mode: p.Mode.String(), Key: []string{}, By: "any", State: p.State, Identity: p.Ident}
	if len(p.Keys) > 0 {
		x.Key = columnNames(p.Schema, p.Keys[0])
	}
	if len(p.In) > 0 {
		pl := n.Place(0)
		switch pl.Kind {
		case ops.ByKey:
			x.By = "key(" + strings.Join(columnNames(p.In[0].Base().Schema, pl.Keys), ", ") + ")"
		case ops.One:
			x.By = "one"
		case ops.Broadcast:
			x.By = "all"
		}
	}
	return x
}

func columnNames(s *batch.Schema, cols []int) []string {
	out := []string{}
	for _, c := range cols {
		out = append(out, s.Fields[c].Name)
	}
	return out
}

func (x *planNode) line() string {
	mode := x.Mode
	if mode == "upsert" {
		mode += "(" + strings.Join(x.Key, ", ") + ")"
	}
	return strings.TrimSpace(fmt.Sprintf("#%d %s", x.ID, strings.TrimSpace(x.Op+" "+x.Detail))) + fmt.Sprintf("  mode=%s by=%s state=%s", mode, x.By, x.State)
}

// Explain writes the plan as a tree from the sinks to the sources; a sub-plan that several operators read is written once.
func (p *Plan) Explain() string {
	_, at := p.planNodes()
	var out strings.Builder
	shown := map[ops.Node]bool{}
	var walk func(n ops.Node, depth int)
	walk = func(n ops.Node, depth int) {
		out.WriteString(strings.Repeat("  ", depth))
		if shown[n] {
			fmt.Fprintf(&out, "→ #%d\n", at[n].ID)
			return
		}
		shown[n] = true
		out.WriteString(at[n].line() + "\n")
		for _, in := range n.Base().In {
			walk(in, depth+1)
		}
	}
	for _, s := range p.Sinks {
		walk(s, 0)
	}
	return out.String()
}

// ExplainJSON is the plan as one JSON document.
func (p *Plan) ExplainJSON() []byte {
	list, _ := p.planNodes()
	if list == nil {
		list = []*planNode{}
	}
	out, err := json.Marshal(struct {
		Nodes []*planNode `json:"nodes"`
	}{list})
	if err != nil {
		panic("BUG: a plan that is no JSON: " + err.Error())
	}
	return append(out, '\n')
}

// ExplainDot is the plan as a graph for Graphviz; edges go the way of the data.
func (p *Plan) ExplainDot() string {
	list, _ := p.planNodes()
	list = slices.Clone(list)
	var out strings.Builder
	out.WriteString("digraph plan {\n  rankdir=BT;\n  node [shape=box];\n")
	for _, x := range list {
		label := fmt.Sprintf("#%d %s\n%s\n%s", x.ID, x.Op, shorten(x.Detail), x.Mode)
		fmt.Fprintf(&out, "  n%d [label=%s];\n", x.ID, dotQuote(label))
	}
	for _, x := range list {
		for _, in := range x.Inputs {
			fmt.Fprintf(&out, "  n%d -> n%d;\n", in, x.ID)
		}
	}
	out.WriteString("}\n")
	return out.String()
}

func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
