package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/print"
)

// keptRows is how many rows of a result are kept: the newest. Nobody looks further back.
const keptRows = 1000

// devViews are the results of one run of `streamd dev`, in the order of the text.
type devViews struct {
	mu   sync.Mutex
	list []*devView
}

func (s *devViews) all() []*devView {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// instead returns connectors whose sinks show what they are given, as lines on out
// and in views. Rows go on to the real sinks where write says so; print writes
// nowhere: its rows are shown.
func (s *devViews) instead(list []*connectors.Connector, out io.Writer, write bool) (all []*connectors.Connector) {
	for _, c := range list {
		x := *c
		if c.Sink != nil {
			x.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
				sink, err := c.Sink(d)
				if err != nil {
					return nil, err
				}
				name := d.Name
				if d.Select > 0 {
					name = fmt.Sprintf("SELECT %d", d.Select)
				}
				v := &devView{name: name, schema: d.Schema, rows: map[string]*devRow{}, out: out,
					lines: print.Renderer{Schema: d.Schema, Identifier: name}}
				if sink.Info().Accepts == connectors.Upserts {
					v.key = d.PrimaryKey
				}
				s.mu.Lock()
				s.list = append(s.list, v)
				s.mu.Unlock()
				return &devSink{Sink: sink, view: v, write: write && c.Name != "print"}, nil
			}
		}
		all = append(all, &x)
	}
	return all
}

// devSink is a sink whose rows are shown.
type devSink struct {
	connectors.Sink
	view  *devView
	write bool
}

func (s *devSink) Info() connectors.SinkInfo {
	i := s.Sink.Info()
	if s.write {
		return i
	}
	return connectors.SinkInfo{Identity: i.Identity, Accepts: i.Accepts}
}

func (s *devSink) Open(ctx context.Context) error {
	if s.write {
		return s.Sink.Open(ctx)
	}
	return nil
}

func (s *devSink) Writer(w int) (connectors.Writer, error) {
	if !s.write {
		return &devWriter{view: s.view}, nil
	}
	x, err := s.Sink.Writer(w)
	return &devWriter{x, s.view}, err
}

// SetLineage implements connectors.Lineaged.
func (s *devSink) SetLineage(l [16]byte) {
	if x, ok := s.Sink.(connectors.Lineaged); ok && s.write {
		x.SetLineage(l)
	}
}

func (s *devSink) Seal() (connectors.Sealed, error) {
	if s.write {
		return s.Sink.Seal()
	}
	return nothing{}, nil
}

// nothing is an epoch of a sink that writes nothing.
type nothing struct{}

func (nothing) Rows() int64 { return 0 }

func (nothing) Prepare(context.Context, connectors.EpochID) ([]byte, error) { return nil, nil }

// devWriter shows rows and hands them on, if there is somebody.
type devWriter struct {
	connectors.Writer
	view *devView
}

func (w *devWriter) Room() bool { return w.Writer == nil || w.Writer.Room() }

func (w *devWriter) Push(c connectors.Changes) error {
	if err := w.view.push(c); err != nil || w.Writer == nil {
		return err
	}
	return w.Writer.Push(c)
}

// devView is one result: its newest rows.
type devView struct {
	name   string
	schema *batch.Schema
	key    []int // of an upserting sink: +1 sets the row of its key
	out    io.Writer
	lines  print.Renderer

	mu      sync.Mutex
	rows    map[string]*devRow
	changes int64
	dropped bool
}

type devRow struct {
	cells []string
	n     int64 // how often it is there
	at    int64 // the change that came last
}

func (v *devView) push(c connectors.Changes) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var lines []byte
	c.B.Each(func(i int) {
		w := c.B.Weight(i)
		kind := connectors.Insert
		if c.Kinds != nil {
			kind = c.Kinds[i]
		}
		if v.out != io.Discard {
			for range max(w, -w) {
				lines = v.lines.Append(lines, c.B, i, kind)
			}
		}
		v.change(c.B, i, w)
	})
	if len(v.rows) > 2*keptRows {
		v.forget()
	}
	_, err := v.out.Write(lines)
	return err
}

// forget drops all rows but the newest.
func (v *devView) forget() {
	v.dropped = true
	ages := make([]int64, 0, len(v.rows))
	for _, r := range v.rows {
		ages = append(ages, r.at)
	}
	slices.Sort(ages)
	oldest := ages[len(ages)-keptRows]
	maps.DeleteFunc(v.rows, func(_ string, r *devRow) bool { return r.at < oldest })
}

func (v *devView) change(b *batch.Batch, i int, w int64) {
	v.changes++
	var key []byte
	if v.key != nil {
		for _, c := range v.key {
			key = b.Cols[c].AppendKey(key, i)
		}
	} else {
		key = batch.AppendKey(nil, b.Cols[:len(v.schema.Fields)], i)
	}
	r := v.rows[string(key)]
	if r == nil || v.key != nil {
		r = &devRow{}
		for c, f := range v.schema.Fields {
			r.cells = append(r.cells, string(b.Cols[c].AppendText(nil, i, f.Type)))
		}
	}
	if r.n, r.at = r.n+w, v.changes; r.n <= 0 {
		delete(v.rows, string(key))
		return
	}
	v.rows[string(key)] = r
}

// table returns a title, and the newest rows in columns: at most most of them,
// below their names.
func (v *devView) table(most int) (title string, lines []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	title = fmt.Sprintf("%s: %d rows, %d changes", v.name, len(v.rows), v.changes)
	if v.dropped {
		title = fmt.Sprintf("%s: the last %d rows, %d changes", v.name, len(v.rows), v.changes)
	}
	newest := slices.SortedFunc(maps.Values(v.rows), func(a, b *devRow) int { return int(b.at - a.at) })
	newest = newest[:max(0, min(len(newest), most))]
	wide := make([]int, len(v.schema.Fields))
	cells := [][]string{nil}
	for _, f := range v.schema.Fields {
		cells[0] = append(cells[0], f.Name)
	}
	for _, r := range newest {
		cells = append(cells, r.cells)
	}
	for _, row := range cells {
		for c, s := range row {
			wide[c] = max(wide[c], min(40, utf8.RuneCountInString(s)))
		}
	}
	for _, row := range cells {
		var b strings.Builder
		for c, s := range row {
			s = clip(s, 40)
			pad := strings.Repeat(" ", wide[c]-utf8.RuneCountInString(s))
			switch t := v.schema.Fields[c].Type; {
			case t.IsNumeric():
				b.WriteString(pad + s)
			default:
				b.WriteString(s + pad)
			}
			b.WriteString("  ")
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return title, lines
}
