// Package treeprint writes plans as EXPLAIN shows them: a tree from the sinks
// to the sources, one operator a line.
//
//	#3 sink out  mode=append by=any state=none
//	  #2 filter price > 10  mode=append by=any state=none
//	    #1 scan orders  mode=append by=any state=none
//
// Operators are numbered so that inputs come before their consumers. A sub-plan
// with several consumers is printed once, then as "→ #2".
package treeprint

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators"
)

// Node is one operator of a plan, in the form of EXPLAIN's JSON.
type Node struct {
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

// Nodes numbers the operators under roots, inputs first.
func Nodes(roots []operators.Node) []Node {
	var out []Node
	seen := map[operators.Node]int{}
	var visit func(n operators.Node) int
	visit = func(n operators.Node) int {
		if id, ok := seen[n]; ok {
			return id
		}
		p := n.Base()
		inputs := []int{}
		for _, in := range p.In {
			inputs = append(inputs, visit(in))
		}
		id := len(out) + 1
		seen[n] = id
		x := Node{ID: id, Op: n.Op(), Detail: n.Detail(), Inputs: inputs, Mode: p.Mode.String(), Key: []string{}, By: by(n), State: p.State, Identity: p.Ident}
		if len(p.Keys) > 0 {
			x.Key = append(x.Key, columns(p.Schema, p.Keys[0])...)
		}
		if p.Mode == operators.Upsert {
			x.Mode = "upsert(" + strings.Join(x.Key, ",") + ")"
		}
		if x.State == "" {
			x.State = "none"
		}
		out = append(out, x)
		return id
	}
	for _, r := range roots {
		visit(r)
	}
	return out
}

func columns(s *batch.Schema, cols []int) (names []string) {
	for _, c := range cols {
		names = append(names, s.Fields[c].Name)
	}
	return names
}

// by says how the rows of the first input are spread over workers.
func by(n operators.Node) string {
	in := n.Base().In
	if len(in) == 0 {
		return "any"
	}
	switch p := n.Place(0); p.Kind {
	case operators.ByKey:
		return "key(" + strings.Join(columns(in[0].Base().Schema, p.Keys), ",") + ")"
	case operators.One:
		return "one"
	case operators.Broadcast:
		return "all"
	}
	return "any"
}

// line is an operator without its number.
func (n Node) line() string {
	return strings.TrimRight(n.Op+" "+n.Detail, " ") + "  mode=" + n.Mode + " by=" + n.By + " state=" + n.State
}

// Text writes the tree.
func Text(w io.Writer, roots []operators.Node) error {
	nodes := Nodes(roots)
	isInput := make([]bool, len(nodes)+1)
	for _, n := range nodes {
		for _, in := range n.Inputs {
			isInput[in] = true
		}
	}
	var b strings.Builder
	printed := make([]bool, len(nodes)+1)
	var write func(id, depth int)
	write = func(id, depth int) {
		indent := strings.Repeat("  ", depth)
		if printed[id] {
			fmt.Fprintf(&b, "%s→ #%d\n", indent, id)
			return
		}
		printed[id] = true
		fmt.Fprintf(&b, "%s#%d %s\n", indent, id, nodes[id-1].line())
		for _, in := range nodes[id-1].Inputs {
			write(in, depth+1)
		}
	}
	for _, n := range nodes {
		if !isInput[n.ID] {
			write(n.ID, 0)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes one document {"nodes":[…]}.
func JSON(w io.Writer, roots []operators.Node) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(map[string][]Node{"nodes": Nodes(roots)})
}

// Dot writes the plan for Graphviz.
func Dot(w io.Writer, roots []operators.Node) error {
	var b strings.Builder
	b.WriteString("digraph plan {\n  rankdir=LR;\n  node [shape=box, fontname=\"monospace\"];\n")
	for _, n := range Nodes(roots) {
		fmt.Fprintf(&b, "  n%d [label=%s];\n", n.ID, dotQuote(fmt.Sprintf("#%d %s\n%s\nmode=%s by=%s\nstate=%s", n.ID, n.Op, n.Detail, n.Mode, n.By, n.State)))
		for _, in := range n.Inputs {
			fmt.Fprintf(&b, "  n%d -> n%d;\n", in, n.ID)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// dotQuote quotes a label: Graphviz knows \" and \n, all else stands for itself.
func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}
