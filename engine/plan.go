package engine

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/operators"
)

// Plan is a compiled pipeline. A plan runs once: Start takes it over.
type Plan struct {
	*dsl.Plan
	taken atomic.Bool // by Start
}

// Sources returns the tables the plan reads, each once.
func (p *Plan) Sources() (out []*operators.Scan) {
	seen := map[operators.Node]bool{}
	var visit func(n operators.Node)
	visit = func(n operators.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if s, ok := n.(*operators.Scan); ok {
			out = append(out, s)
		}
		for _, in := range n.Base().In {
			visit(in)
		}
	}
	for _, r := range p.Sinks {
		visit(r)
	}
	return out
}

// letters returns the targets of dead letters, each once: of tables that are
// read, then of those that are written.
func (p *Plan) letters() (out []*operators.DeadLetters) {
	add := func(list []*operators.DeadLetters) {
		for _, x := range list {
			if !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	for _, s := range p.Sources() {
		add(s.Spec.DeadLetters)
	}
	for _, n := range p.Sinks {
		add(n.(*operators.SinkNode).Spec.DeadLetters)
	}
	return out
}

// outputs returns the sinks of the plan: those of its INSERTs and SELECTs, each as
// often as it is written, then those of dead letters.
func (p *Plan) outputs() (out []connectors.Sink) {
	for _, n := range p.Sinks {
		out = append(out, n.(*operators.SinkNode).Spec.Sink)
	}
	for _, x := range p.letters() {
		out = append(out, x.Sink)
	}
	return out
}

// Mistakes makes one error of the diagnostics that are errors, nil where none is.
// It reads as streamd prints them: each with its code, its place in the text, which
// Compile got under that name, and advice.
func Mistakes(name, text string, ds []diag.Diagnostic) error {
	var b strings.Builder
	for i := range ds {
		if ds[i].Severity == diag.Error {
			_ = diag.Render(&b, source.NewFile(name, text), &ds[i]) // a Builder takes everything
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return errors.New(strings.TrimSuffix(b.String(), "\n"))
}

// deciders returns the clusters of the plan's tables: those of the sinks, in
// order, then those of the sources.
func (p *Plan) deciders() (ds []connectors.Decider) {
	add := func(d connectors.Decider) {
		if d != nil && !slices.Contains(ds, d) {
			ds = append(ds, d)
		}
	}
	for _, s := range p.outputs() {
		add(s.Info().Decider)
	}
	for _, s := range p.Sources() {
		if d, ok := s.Spec.Source.(connectors.Deciding); ok {
			add(d.Decider())
		}
	}
	return ds
}

// refuse finds what the language has and this engine does not run.
func (p *Plan) refuse(name, text string) (ds []diag.Diagnostic) {
	f := source.NewFile(name, text)
	if p.Settings.OnError == "dead-letter" {
		ds = append(ds, *diag.New(operators.CodeNotYet, f.Span(0, 0), "'streamd.on-error' = 'dead-letter' is not supported yet").WithHint("'skip' counts such rows and goes on"))
	}
	return ds
}
