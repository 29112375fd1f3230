// Package source says where in a text something stands: positions, spans, and the lines they belong to.
//
// Everything that points into a pipeline file (tokens, syntax nodes, diagnostics) does it with a Span:
//
//	f := source.NewFile("a.sql", "SELECT\n\t1")
//	f.Pos(8).Column // 2: the tab counts as one
package source

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Pos is a place between two characters. Its fields mirror those of the parser's position, so one converts to the other.
type Pos struct {
	Filename string // as the user typed it
	Offset   int    // bytes from 0
	Line     int    // from 1
	Column   int    // code points from 1; a tab counts as one
}

// IsValid reports whether p was set.
func (p Pos) IsValid() bool { return p.Line > 0 }

// Span is a stretch of text: EndPos is exclusive. The two fields carry the names the parser fills by itself.
type Span struct {
	Pos    Pos
	EndPos Pos
}

// At returns the span itself, so every node that embeds a Span can say where it stands.
func (s Span) At() Span { return s }

// To returns the span from the start of s to the end of t.
func (s Span) To(t Span) Span { return Span{Pos: s.Pos, EndPos: t.EndPos} }

// IsValid reports whether the span was set.
func (s Span) IsValid() bool { return s.Pos.IsValid() }

// File is one text with its line table.
type File struct {
	Name  string
	Text  string
	lines []int // offset of each line's first byte
}

// NewFile indexes the lines of text. Lines end at '\n'; a '\r' before it belongs to the line end.
func NewFile(name, text string) *File {
	f := &File{Name: name, Text: text, lines: []int{0}}
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '\n')
		if n < 0 {
			return f
		}
		i += n + 1
		f.lines = append(f.lines, i)
	}
}

// Pos returns the position of a byte offset; an offset outside the text is moved to its nearer end.
func (f *File) Pos(offset int) Pos {
	offset = min(max(offset, 0), len(f.Text))
	line := sort.SearchInts(f.lines, offset+1)
	start := f.lines[line-1]
	return Pos{Filename: f.Name, Offset: offset, Line: line, Column: utf8.RuneCountInString(f.Text[start:offset]) + 1}
}

// Span returns the span of text[from:to].
func (f *File) Span(from, to int) Span { return Span{Pos: f.Pos(from), EndPos: f.Pos(to)} }

// Line returns the text of a line (from 1) without its line end, "" if there is no such line.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	end := len(f.Text)
	if n < len(f.lines) {
		end = f.lines[n] - 1
	}
	return strings.TrimSuffix(f.Text[f.lines[n-1]:end], "\r")
}

// Slice returns the text under s.
func (f *File) Slice(s Span) string {
	from, to := min(max(s.Pos.Offset, 0), len(f.Text)), min(max(s.EndPos.Offset, 0), len(f.Text))
	if to < from {
		return ""
	}
	return f.Text[from:to]
}
