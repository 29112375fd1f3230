package operators

import (
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/operators/expr"
)

// ScanSpec is a table as a pipeline reads it. Times in microseconds.
type ScanSpec struct {
	Table    string
	Source   connectors.Source
	Schema   *batch.Schema // visible columns: physical and metadata columns as the reader fills them, then computed ones
	Physical int           // how many come from the reader
	Computed []expr.Expr   // each over all columns before it

	WMCol       int       // the column the watermark is for, -1 = no watermark
	WMExpr      expr.Expr // the watermark of a row, over all columns
	OnEvent     bool      // 'scan.watermark.emit.strategy' = 'on-event': adds $wm
	IdleTimeout int64     // a split without rows for so long leaves the minimum; 0 = off
	FutureSkew  int64     // a time further ahead than this does not move the watermark; 0 = off

	OnError, Late string         // 'on-error', 'late'
	DeadLetters   []*DeadLetters // where they go; nil where no policy sends any
	PrimaryKey    []int
	Want          connectors.Want
	Bounded       bool
	Span          Span
}

// DeadLetters is a target of dead letters, shared by the tables that name it: a
// pointer, by which the engine knows it.
type DeadLetters struct {
	Sink   connectors.Sink
	Schema *batch.Schema // connectors.TopicLetters or FileLetters
	Table  string        // the first that names it, for messages
	Target string        // "topic t" or "path p"
	Span   Span          // that table in the text
}

// Scan is where rows enter. Its operator takes a reader's batches, with Runs.
type Scan struct {
	Props
	Stays
	Spec ScanSpec
}

// NewScan returns a scan. Hidden columns stand behind the visible ones: $pos and
// $raw where Want asks for them, $wm under OnEvent.
func NewScan(s ScanSpec) *Scan {
	f := append([]batch.Field(nil), s.Schema.Fields...)
	f = append(f, hiddenOf(s.Want)...)
	if s.OnEvent && s.WMCol >= 0 {
		f = append(f, batch.Field{Name: "$wm", Type: batch.TypeBigInt.With(true)})
	}
	n := &Scan{Spec: s, Props: Props{Schema: &batch.Schema{Fields: f}, Span: s.Span, State: "none", UsesWM: false}}
	if len(s.PrimaryKey) > 0 {
		n.Keys = [][]int{s.PrimaryKey}
	}
	n.Mode = mode(s.Source.Info().Changes != connectors.AppendOnly, n.Keys)
	return n
}

func hiddenOf(w connectors.Want) (f []batch.Field) {
	if w.Pos {
		f = append(f, batch.Field{Name: "$pos", Type: batch.Type{SQL: batch.Raw}})
	}
	if w.Raw {
		f = append(f, batch.Field{Name: "$raw", Type: batch.Type{SQL: batch.Raw}})
	}
	return f
}

// ReaderSchema returns the columns of the batches the scan takes: those the
// reader fills, then $pos and $raw where Want asks for them.
func (n *Scan) ReaderSchema() *batch.Schema {
	f := append([]batch.Field(nil), n.Spec.Schema.Fields[:n.Spec.Physical]...)
	return &batch.Schema{Fields: append(f, hiddenOf(n.Spec.Want)...)}
}

func (n *Scan) Op() string { return "scan" }

// Detail names the table, the columns that are read, and the watermark.
func (n *Scan) Detail() string {
	var cols []string
	for i := range n.Spec.Physical {
		if len(n.Spec.Want.Cols) <= i || n.Spec.Want.Cols[i] {
			cols = append(cols, n.column(i))
		}
	}
	s := n.Spec.Table + " (" + strings.Join(cols, ", ") + ")"
	if n.Spec.WMCol >= 0 {
		s += " watermark " + n.Spec.Schema.Fields[n.Spec.WMCol].Name + " AS " + n.Spec.WMExpr.String()
	}
	if n.Spec.OnEvent {
		s += " on-event"
	}
	return s
}

// column names column i, and the fields that are read when they are not all of a ROW's.
func (n *Scan) column(i int) string {
	f := n.Spec.Schema.Fields[i]
	read, some := n.Spec.Want.Fields[i]
	if !some {
		return f.Name
	}
	var names []string
	for k, x := range f.Type.Fields {
		if read[k] {
			names = append(names, x.Name)
		}
	}
	return f.Name + "<" + strings.Join(names, ", ") + ">"
}

// OutWM is not used: the engine computes a scan's watermark from its splits.
func (n *Scan) OutWM([]WM) WM { return WMStart }

func (n *Scan) With([]Node) Node { c := *n; return &c }
