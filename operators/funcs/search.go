package funcs

import (
	"bytes"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// search finds matches of regular expressions of a common shape by string search:
//
//	[one of some ASCII characters, or ^] literal [class* or class+] [literal] … [$]
//
// (&|^)channel_id=([^&]*) is one: search for channel_id=, look at the byte in
// front, take bytes up to the next &. Each start has at most one match (see
// newSearch), so the first one found is the one regexp would find: sixty times as
// fast on the pattern above (BenchmarkExtract).
type search struct {
	lit    []byte // the first literal
	head   *[256]bool
	begin  bool // the head may be the beginning of the text
	pieces []piece
	loc    []int // of the last match, as regexp's FindSubmatchIndex; reused
}

// piece is one step of a match from its start.
type piece struct {
	kind  pieceKind
	group int // mark: index into loc
	lit   []byte
	class *[256]bool
	least int // class: how many bytes at least
}

type pieceKind uint8

const (
	pieceMark  pieceKind = iota // a group begins or ends
	pieceHead                   // what stands in front of the first literal
	pieceLit                    // these bytes
	pieceClass                  // as many bytes of a class as there are
	pieceEnd                    // the end of the text
)

// newSearch returns nil for a pattern of another shape.
//
// What it takes has at most one match at each start: a class ends where the next
// literal begins, for that literal's first byte is not in the class, and the head
// is told from the literal by its byte.
func newSearch(pattern string) *search {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	m := &search{loc: make([]int, 2*(re.MaxCap()+1))}
	if !m.add(re) || m.lit == nil || m.head != nil && m.head[m.lit[0]] {
		return nil
	}
	return m
}

// add appends the pieces of re and tells whether the shape still holds.
func (m *search) add(re *syntax.Regexp) bool {
	last := piece{kind: pieceMark}
	for _, p := range slices.Backward(m.pieces) {
		if p.kind != pieceMark {
			last = p
			break
		}
	}
	if last.kind == pieceEnd && re.Op != syntax.OpEmptyMatch {
		return false
	}
	switch re.Op {
	case syntax.OpEmptyMatch:
		return true
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(x *syntax.Regexp) bool { return !m.add(x) })
	case syntax.OpCapture:
		m.pieces = append(m.pieces, piece{group: 2 * re.Cap})
		ok := m.add(re.Sub[0])
		m.pieces = append(m.pieces, piece{group: 2*re.Cap + 1})
		return ok
	case syntax.OpAlternate, syntax.OpBeginText, syntax.OpCharClass:
		if last.kind != pieceMark || m.lit != nil {
			return false
		}
		m.pieces = append(m.pieces, piece{kind: pieceHead})
		m.head = new([256]bool)
		return m.addHead(re)
	case syntax.OpLiteral:
		lit := []byte(string(re.Rune))
		if re.Flags&syntax.FoldCase != 0 || bytes.ContainsRune(lit, utf8.RuneError) || last.kind == pieceClass && last.class[lit[0]] {
			return false
		}
		if m.lit == nil {
			m.lit = lit
		}
		m.pieces = append(m.pieces, piece{kind: pieceLit, lit: lit})
		return true
	case syntax.OpStar, syntax.OpPlus:
		class := classBytes(re.Sub[0])
		if re.Flags&syntax.NonGreedy != 0 || class == nil || last.kind != pieceLit {
			return false
		}
		p := piece{kind: pieceClass, class: class}
		if re.Op == syntax.OpPlus {
			p.least = 1
		}
		m.pieces = append(m.pieces, p)
		return true
	case syntax.OpEndText:
		m.pieces = append(m.pieces, piece{kind: pieceEnd})
		return m.lit != nil
	}
	return false
}

// addHead takes in what may stand in front of the first literal: ^ or one ASCII character.
func (m *search) addHead(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(x *syntax.Regexp) bool { return !m.addHead(x) })
	case syntax.OpBeginText:
		m.begin = true
		return true
	case syntax.OpLiteral:
		if len(re.Rune) != 1 || re.Rune[0] >= utf8.RuneSelf || re.Flags&syntax.FoldCase != 0 {
			return false
		}
		m.head[re.Rune[0]] = true
		return true
	case syntax.OpCharClass:
		class := classBytes(re)
		if class == nil || class[utf8.RuneSelf] {
			return false
		}
		for b, in := range class {
			m.head[b] = m.head[b] || in
		}
		return true
	}
	return false
}

// classBytes returns a class of characters as a class of bytes: possible where it
// holds all characters beyond ASCII or none; else nil.
func classBytes(re *syntax.Regexp) *[256]bool {
	var set [256]bool
	fill := func(lo, hi rune) {
		for r := lo; r <= min(hi, 255); r++ {
			set[r] = true
		}
	}
	switch re.Op {
	case syntax.OpAnyChar:
		fill(0, 255)
	case syntax.OpAnyCharNotNL:
		fill(0, 255)
		set['\n'] = false
	case syntax.OpCharClass:
		beyond := false
		for i := 0; i < len(re.Rune); i += 2 {
			lo, hi := re.Rune[i], re.Rune[i+1]
			if hi >= utf8.RuneSelf {
				if beyond || lo > utf8.RuneSelf || hi != utf8.MaxRune {
					return nil
				}
				beyond = true
			}
			fill(lo, hi)
		}
	default:
		return nil
	}
	return &set
}

// find returns the first match in s as regexp's FindSubmatchIndex does, or nil.
// The result is valid until the next call.
func (m *search) find(s []byte) []int {
	for from := 0; ; from++ {
		i := bytes.Index(s[from:], m.lit)
		if i < 0 {
			return nil
		}
		from += i
		start := from
		if m.head != nil {
			switch {
			case from > 0 && m.head[s[from-1]]:
				start--
			case !m.begin || from > 0:
				continue
			}
		}
		if m.at(s, start, from) {
			return m.loc
		}
	}
}

// at tells whether a match begins at start, with its first literal at lit.
func (m *search) at(s []byte, start, lit int) bool {
	pos := start
	for k := range m.pieces {
		switch p := &m.pieces[k]; p.kind {
		case pieceMark:
			m.loc[p.group] = pos
		case pieceHead:
			pos = lit
		case pieceLit:
			if !bytes.HasPrefix(s[pos:], p.lit) {
				return false
			}
			pos += len(p.lit)
		case pieceClass:
			from := pos
			for pos < len(s) && p.class[s[pos]] {
				pos++
			}
			if pos-from < p.least {
				return false
			}
		case pieceEnd:
			if pos != len(s) {
				return false
			}
		}
	}
	m.loc[0], m.loc[1] = start, pos
	return true
}
