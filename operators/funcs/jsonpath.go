package funcs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// jsonPath is a path of SQL/JSON: [lax | strict] $ then steps .key, ['key'],
// [n], [last], [*], .*. In lax mode (the default) a missing member is an empty
// result, an array before .key stands for its elements, and a value that is no
// array is the array of itself.
type jsonPath struct {
	strict bool
	many   bool // has a wildcard
	steps  []jsonStep
}

type jsonStep struct {
	key   string
	index int
	kind  byte // '.' member, '[' element, '*' all elements, 'a' all members, 'l' last element
}

func parsePath(text string) (*jsonPath, error) {
	p := &jsonPath{}
	bad := func(at string) (*jsonPath, error) {
		return nil, fmt.Errorf("'%s' is no JSON path: cannot read '%s'", text, at)
	}
	s := strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(s, "strict "); ok {
		p.strict, s = true, strings.TrimSpace(rest)
	} else if rest, ok := strings.CutPrefix(s, "lax "); ok {
		s = strings.TrimSpace(rest)
	}
	if !strings.HasPrefix(s, "$") {
		return bad(s)
	}
	for s = s[1:]; s != ""; {
		switch {
		case strings.HasPrefix(s, ".*"):
			p.steps, p.many = append(p.steps, jsonStep{kind: 'a'}), true
			s = s[2:]
		case s[0] == '.':
			n := 1
			for n < len(s) && s[n] != '.' && s[n] != '[' {
				if s[n] == '(' || s[n] == '?' || s[n] == ' ' {
					return bad(s)
				}
				n++
			}
			if n == 1 {
				return bad(s)
			}
			p.steps = append(p.steps, jsonStep{kind: '.', key: s[1:n]})
			s = s[n:]
		case s[0] == '[':
			if len(s) > 1 && (s[1] == '\'' || s[1] == '"') {
				end := strings.Index(s[2:], s[1:2]+"]")
				if end < 0 {
					return bad(s)
				}
				p.steps = append(p.steps, jsonStep{kind: '.', key: s[2 : 2+end]})
				s = s[end+4:]
				continue
			}
			end := strings.IndexByte(s, ']')
			if end < 0 {
				return bad(s)
			}
			word := strings.TrimSpace(s[1:end])
			switch n, err := strconv.ParseUint(word, 10, 31); {
			case word == "*":
				p.steps, p.many = append(p.steps, jsonStep{kind: '*'}), true
			case word == "last":
				p.steps = append(p.steps, jsonStep{kind: 'l'})
			case err == nil:
				p.steps = append(p.steps, jsonStep{kind: '[', index: int(n)})
			default:
				return bad(s)
			}
			s = s[end+1:]
		default:
			return bad(s)
		}
	}
	return p, nil
}

// find returns the values that the path leads to, as parts of doc, which is
// valid JSON without blanks around it.
func (p *jsonPath) find(doc []byte) ([][]byte, error) {
	vals := [][]byte{doc}
	for _, st := range p.steps {
		var next [][]byte
		for _, v := range vals {
			found, ok := st.apply(v, !p.strict)
			if !ok && p.strict {
				return nil, fmt.Errorf("the strict path does not fit the document")
			}
			next = append(next, found...)
		}
		vals = next
	}
	return vals, nil
}

func (st *jsonStep) apply(v []byte, lax bool) (found [][]byte, ok bool) {
	if st.kind == '.' || st.kind == 'a' {
		if v[0] == '[' && lax {
			eachJSON(v, func(_, el []byte) {
				if el[0] == '{' {
					f, _ := st.apply(el, lax)
					found = append(found, f...)
				}
			})
			return found, len(found) > 0
		}
		if v[0] != '{' {
			return nil, false
		}
		eachJSON(v, func(key, el []byte) {
			if st.kind == 'a' {
				found = append(found, el)
			} else if string(key) == st.key {
				found = [][]byte{el} // of equal keys the last one counts
			}
		})
		return found, len(found) > 0 || st.kind == 'a'
	}
	if v[0] != '[' {
		if lax && (st.kind != '[' || st.index == 0) {
			return [][]byte{v}, true
		}
		return nil, false
	}
	eachJSON(v, func(_, el []byte) { found = append(found, el) })
	switch {
	case st.kind == '*':
		return found, true
	case st.kind == 'l' && len(found) > 0:
		return found[len(found)-1:], true
	case st.kind == '[' && st.index < len(found):
		return found[st.index : st.index+1], true
	}
	return nil, false
}

// wholeJSON returns the document without the blanks around it, if it is JSON.
func wholeJSON(b []byte) ([]byte, bool) {
	if !json.Valid(b) {
		return nil, false
	}
	return bytes.Trim(b, " \t\r\n"), true
}

// eachJSON calls f for the members or elements of a valid object or array; keys
// are unquoted.
func eachJSON(v []byte, f func(key, el []byte)) {
	i := 1
	skip := func() {
		for v[i] == ' ' || v[i] == '\t' || v[i] == '\n' || v[i] == '\r' || v[i] == ',' || v[i] == ':' {
			i++
		}
	}
	for skip(); v[i] != '}' && v[i] != ']'; skip() {
		var key []byte
		if v[0] == '{' {
			n := jsonLen(v[i:])
			key = unquoteJSON(v[i : i+n])
			i += n
			skip()
		}
		n := jsonLen(v[i:])
		f(key, v[i:i+n])
		i += n
	}
}

// jsonLen is the length of the valid JSON value at the beginning of b.
func jsonLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

// unquoteJSON returns the text of a valid JSON string.
func unquoteJSON(b []byte) []byte {
	if bytes.IndexByte(b, '\\') < 0 {
		return b[1 : len(b)-1]
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return b[1 : len(b)-1]
	}
	return []byte(s)
}

// appendCompact writes a valid value without blanks between its parts.
func appendCompact(dst, v []byte) []byte {
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case ' ', '\t', '\n', '\r':
		case '"':
			n := jsonLen(v[i:])
			dst = append(dst, v[i:i+n]...)
			i += n - 1
		default:
			dst = append(dst, v[i])
		}
	}
	return dst
}
