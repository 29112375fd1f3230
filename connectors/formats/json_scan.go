package formats

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep the arrays and objects of a record may be nested.
const MaxDepth = 256

// scanner walks over the text of one record. Its methods take an index and
// return the index behind what they read, or -1 after noting a fault.
type scanner struct {
	b       []byte
	code    Code   // of the fault, "" while there is none
	at      int    // where it is
	msg     string // what was expected
	depth   int
	scratch []byte // the last unescaped string
}

func (s *scanner) reset(b []byte) {
	s.b, s.code, s.msg, s.at, s.depth = b, "", "", 0, 0
}

func (s *scanner) fail(code Code, at int, msg string) int {
	if s.code == "" {
		s.code, s.at, s.msg = code, at, msg
	}
	return -1
}

// ws skips blanks.
func (s *scanner) ws(i int) int {
	b := s.b
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// str reads a string whose opening quote is before i. end is the index of the
// closing quote; esc tells that it has escapes, which are checked by unescape.
func (s *scanner) str(i int) (end int, esc bool) {
	const lo, hi = 0x0101010101010101, 0x8080808080808080
	b, from, high := s.b, i, uint64(0)
	for {
		// Fast path: eight bytes at once that hold no quote, backslash or control
		// character. A byte above 127 may raise a false alarm, not hide one.
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			q, e := w^lo*'"', w^lo*'\\'
			high |= w
			if m := ((q-lo)&^q | (e-lo)&^e | (w-lo*0x20)&^w) & hi; m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return s.fail(Syntax, from-1, "a string does not end"), false
		}
		switch c := b[i]; {
		case c == '"':
			if high&hi != 0 && !utf8.Valid(b[from:i]) {
				return s.fail(BadUTF8, from, "bytes that are no UTF-8"), false
			}
			return i, esc
		case c == '\\':
			esc = true
			if i+1 >= len(b) {
				return s.fail(Syntax, from-1, "a string does not end"), false
			}
			if n := escape(b[i:]); n > 0 {
				i += n
			} else {
				return s.fail(Syntax, i, "an escape that JSON does not have"), false
			}
		case c < 0x20:
			return s.fail(Syntax, i, "a control character in a string"), false
		default:
			high |= uint64(c)
			i++
		}
	}
}

// escape returns the length of the escape at the start of b, 0 if it is none.
func escape(b []byte) int {
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b, 2); ok {
			return 6
		}
	}
	return 0
}

func hex4(b []byte, i int) (r rune, ok bool) {
	if len(b) < i+4 {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape returns the text of the checked string between from and to. Half a
// surrogate pair becomes U+FFFD. The result is valid until the next call.
func (s *scanner) unescape(from, to int) []byte {
	out, b := s.scratch[:0], s.b[from:to]
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		c := b[i+1]
		i += 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(b, i)
			i += 4
			if utf16.IsSurrogate(r) {
				r2 := rune(0)
				if i+6 <= len(b) && b[i] == '\\' && b[i+1] == 'u' {
					r2, _ = hex4(b, i+2)
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		out = append(out, c)
	}
	s.scratch = out
	return out
}

// num reads a number; whole tells that it has neither point nor exponent.
func (s *scanner) num(i int) (end int, whole bool) {
	b, from := s.b, i
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := func() bool {
		at := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		return i > at
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case !digits():
		return s.fail(Syntax, from, "not a value"), false
	}
	whole = true
	if i < len(b) && b[i] == '.' {
		i++
		if whole = false; !digits() {
			return s.fail(Syntax, i, "a number without digits behind its point"), false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if whole = false; !digits() {
			return s.fail(Syntax, i, "a number without digits in its exponent"), false
		}
	}
	return i, whole
}

// lit reads the literal w.
func (s *scanner) lit(i int, w string) int {
	if len(s.b)-i < len(w) || string(s.b[i:i+len(w)]) != w {
		return s.fail(Syntax, i, "not a value")
	}
	return i + len(w)
}

// skip reads one value of any kind, which starts at i, and checks it.
func (s *scanner) skip(i int) int {
	if i >= len(s.b) {
		return s.fail(Syntax, i, "the text ends where a value is expected")
	}
	switch s.b[i] {
	case '"':
		e, _ := s.str(i + 1)
		if e < 0 {
			return -1
		}
		return e + 1
	case '{':
		if !s.down(i) {
			return -1
		}
		for first := true; ; first = false {
			_, ke, j := s.key(i+1, first)
			if j < 0 {
				return -1
			}
			if ke < 0 { // the end
				s.depth--
				return j
			}
			if i = s.skip(j); i < 0 {
				return -1
			}
			if i = s.ws(i); i >= len(s.b) || s.b[i] != ',' && s.b[i] != '}' {
				return s.fail(Syntax, i, "expected ',' or '}'")
			}
			if s.b[i] == '}' {
				s.depth--
				return i + 1
			}
		}
	case '[':
		if !s.down(i) {
			return -1
		}
		if i = s.ws(i + 1); i < len(s.b) && s.b[i] == ']' {
			s.depth--
			return i + 1
		}
		for {
			if i = s.skip(s.ws(i)); i < 0 {
				return -1
			}
			if i = s.ws(i); i >= len(s.b) || s.b[i] != ',' && s.b[i] != ']' {
				return s.fail(Syntax, i, "expected ',' or ']'")
			}
			i++
			if s.b[i-1] == ']' {
				s.depth--
				return i
			}
		}
	case 't':
		return s.lit(i, "true")
	case 'f':
		return s.lit(i, "false")
	case 'n':
		return s.lit(i, "null")
	}
	e, _ := s.num(i)
	return e
}

// key reads, behind '{' or ',', a name and the colon. It returns the span of the
// name's text and the start of the value. ke is -1 at the '}' of an empty
// object, next then being behind it; next is -1 after a fault.
func (s *scanner) key(i int, first bool) (k, ke, next int) {
	b := s.b
	i = s.ws(i)
	if first && i < len(b) && b[i] == '}' {
		return 0, -1, i + 1
	}
	if i >= len(b) || b[i] != '"' {
		return 0, 0, s.fail(Syntax, i, "expected a name in quotes")
	}
	ke, esc := s.str(i + 1)
	if ke < 0 {
		return 0, 0, -1
	}
	k = i + 1
	if esc {
		k = -k // tells that the name has escapes
	}
	if i = s.ws(ke + 1); i >= len(b) || b[i] != ':' {
		return 0, 0, s.fail(Syntax, i, "expected ':'")
	}
	return k, ke, s.ws(i + 1)
}

// name returns the text of a name that key has found.
func (s *scanner) name(k, ke int) []byte {
	if k < 0 {
		return s.unescape(-k, ke)
	}
	return s.b[k:ke]
}

func (s *scanner) down(i int) bool {
	if s.depth++; s.depth > MaxDepth {
		s.fail(TooDeep, i, "nested too deeply")
		return false
	}
	return true
}
