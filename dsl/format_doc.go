package dsl

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// formatWidth is how long a line gets before it is broken; a statement or query that fits into formatShort stays on one line.
const (
	formatWidth = 120
	formatShort = 80
)

// layout is a document: text with places where a line may be broken. A group is written on one line if it fits, else all of its own
// breaks become line ends.
type layout struct {
	kind   layoutKind
	text   string
	kids   []*layout
	most   int  // of a group: how long it may be on one line
	broken bool // holds a break that is always one
}

type layoutKind uint8

const (
	textLayout   layoutKind = iota
	breakLayout             // text on one line, a line end else
	hardLayout              // always a line end
	markLayout              // nothing, but breaks the groups around it
	concatLayout            // kids
	nestLayout              // kids, two columns further in
	groupLayout             // kids
)

func words(s string) *layout {
	return &layout{kind: textLayout, text: s, broken: strings.Contains(s, "\n")}
}

func line() *layout     { return &layout{kind: breakLayout, text: " "} }
func softLine() *layout { return &layout{kind: breakLayout} }
func hardLine() *layout { return &layout{kind: hardLayout, broken: true} }
func mark() *layout     { return &layout{kind: markLayout, broken: true} }

func concat(kids ...*layout) *layout { return parent(concatLayout, kids) }
func nest(kids ...*layout) *layout   { return parent(nestLayout, kids) }

func group(kids ...*layout) *layout { return groupOf(formatWidth, kids...) }

func groupOf(most int, kids ...*layout) *layout {
	g := parent(groupLayout, kids)
	g.most = most
	return g
}

func parent(k layoutKind, kids []*layout) *layout {
	l := &layout{kind: k, kids: kids}
	for _, x := range kids {
		l.broken = l.broken || x.broken
	}
	return l
}

// piece is a layout that is still to be written.
type piece struct {
	*layout
	indent int
	flat   bool
}

// render writes a document, without blanks at the ends of lines.
func (l *layout) render() string {
	var b []byte
	column := 0
	end := func(indent int) {
		b = append(bytes.TrimRight(b, " "), '\n')
		b = append(b, strings.Repeat(" ", indent)...)
		column = indent
	}
	stack := []piece{{l, 0, false}}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case p.kind == textLayout, p.kind == breakLayout && p.flat:
			b = append(b, p.text...)
			if i := strings.LastIndexByte(p.text, '\n'); i >= 0 {
				column = utf8.RuneCountInString(p.text[i+1:])
			} else {
				column += utf8.RuneCountInString(p.text)
			}
		case p.kind == breakLayout, p.kind == hardLayout:
			end(p.indent)
		case p.kind == markLayout:
		default:
			if p.kind == groupLayout {
				p.flat = p.flat || !p.broken && p.fits(min(column+p.most, formatWidth)-column, stack)
			}
			if p.kind == nestLayout {
				p.indent += 2
			}
			for i := len(p.kids) - 1; i >= 0; i-- {
				stack = append(stack, piece{p.kids[i], p.indent, p.flat})
			}
		}
	}
	return string(b)
}

// fits tells whether p on one line, with what follows it up to the next possible line end, is at most room long.
func (p piece) fits(room int, rest []piece) bool {
	todo := []piece{{p.layout, 0, true}}
	for n := len(rest); room >= 0; {
		if len(todo) == 0 {
			if n--; n < 0 {
				return true
			}
			todo = append(todo, rest[n])
		}
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch x.kind {
		case textLayout:
			room -= utf8.RuneCountInString(x.text)
		case hardLayout:
			return true
		case markLayout:
		case breakLayout:
			if !x.flat {
				return true
			}
			room -= len(x.text)
		default:
			for i := len(x.kids) - 1; i >= 0; i-- {
				todo = append(todo, piece{x.kids[i], 0, x.flat})
			}
		}
	}
	return false
}
