package expr

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
)

// maxText bounds one made text, as in package funcs.
const maxText = 16 << 20

// concatKernel joins its operands, which newInst has made flat: a || b || c is one
// text, not a text of a || b besides.
func concatKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	parts := make([]*batch.Vec, len(in.kids))
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		for k, kid := range in.kids {
			parts[k] = kid.v
		}
		out := in.start(f.n)
		in.joinNulls(f.n, parts...)
		from := len(f.c.Errs)
		live := rows(sel, f.n)
		for _, i := range live {
			if out.IsNull(int(i)) {
				continue
			}
			if f.c.full(len(live), len(out.Data)) {
				break
			}
			at := len(out.Data)
			for _, p := range parts {
				if b := p.Bytes(int(i)); len(out.Data)-at+len(b) <= maxText {
					out.Data = append(out.Data, b...)
					continue
				}
				out.Data = out.Data[:at]
				f.fail(i, ErrOutOfScope, "the text is larger than 16 MiB", in.n.at)
				break
			}
			out.View[i] = batch.View(at, len(out.Data)-at)
		}
		return f.drop(sel, from)
	}
}

// concatParts are the operands of n and, where its first one is of the same kind,
// that one's instead.
func concatParts(n *node) []Expr {
	var tail []Expr
	for {
		tail = append(tail, n.kids[1])
		first, ok := n.kids[0].(*node)
		if !ok || first.op != opConcat {
			tail = append(tail, n.kids[0])
			slices.Reverse(tail)
			return tail
		}
		n = first
	}
}

// matcher is a compiled pattern of LIKE or SIMILAR TO.
type matcher struct {
	key  string
	like likePattern
	re   *regexp.Regexp
	err  error
}

func patternKernel(in *inst) func(*inst, *frame, []int32) []int32 {
	similar := in.n.op == opSimilar
	var m *matcher
	return func(in *inst, f *frame, sel []int32) []int32 {
		sel = in.evalKids(f, sel)
		x, pat := in.kids[0].v, in.kids[1].v
		out := in.start(f.n)
		if len(in.kids) > 2 {
			in.joinNulls(f.n, x, pat, in.kids[2].v)
		} else {
			in.joinNulls(f.n, x, pat)
		}
		from := len(f.c.Errs)
		constant := in.kids[1].k != nil && (len(in.kids) < 3 || in.kids[2].k != nil)
		for _, i := range rows(sel, f.n) {
			if out.IsNull(int(i)) {
				continue
			}
			if m == nil || !constant && (len(in.kids) > 2 || m.key != string(pat.Bytes(int(i)))) {
				var esc []byte
				if len(in.kids) > 2 {
					esc = in.kids[2].v.Bytes(int(i))
				}
				m = newMatcher(similar, string(pat.Bytes(int(i))), string(esc), len(in.kids) > 2)
			}
			if m.err != nil {
				f.fail(i, ErrPattern, m.err.Error(), in.n.at)
				continue
			}
			if similar {
				out.B[i] = m.re.Match(x.Bytes(int(i))) != in.n.not
			} else {
				out.B[i] = m.like.match(x.Bytes(int(i))) != in.n.not
			}
		}
		return f.drop(sel, from)
	}
}

func newMatcher(similar bool, pat, esc string, hasEsc bool) *matcher {
	m := &matcher{key: pat}
	if hasEsc && utf8.RuneCountInString(esc) != 1 {
		m.err = fmt.Errorf("the escape '%s' is not one character", esc)
		return m
	}
	if similar {
		var text string
		if text, m.err = similarToRegexp(pat, esc); m.err == nil {
			if m.re, m.err = regexp.Compile(text); m.err != nil {
				m.err = fmt.Errorf("'%s' is no pattern of SIMILAR TO", pat)
			}
		}
		return m
	}
	m.like, m.err = newLike(pat, esc)
	return m
}

// likePattern is a LIKE pattern: literal pieces with % between them. A piece is
// a list of code points, of which -1 stands for _ (any one).
//
//	'a_b%c'  ->  pieces ["a_b", "c"]: the value begins with the first, ends with the last
type likePattern struct {
	pieces [][]rune
	plain  [][]byte // the pieces as bytes where none has _; else nil
}

func newLike(pat, esc string) (likePattern, error) {
	var p likePattern
	var piece []rune
	e, _ := utf8.DecodeRuneInString(esc)
	any := false
	r := []rune(pat)
	for i := 0; i < len(r); i++ {
		switch {
		case esc != "" && r[i] == e:
			if i++; i == len(r) || r[i] != '%' && r[i] != '_' && r[i] != e {
				return p, fmt.Errorf("the escape in the LIKE pattern '%s' is not followed by %%, _ or itself", pat)
			}
			piece = append(piece, r[i])
		case r[i] == '%':
			p.pieces = append(p.pieces, piece)
			piece = nil
		case r[i] == '_':
			any = true
			piece = append(piece, -1)
		default:
			piece = append(piece, r[i])
		}
	}
	p.pieces = append(p.pieces, piece)
	if !any {
		for _, x := range p.pieces {
			p.plain = append(p.plain, []byte(string(x)))
		}
	}
	return p, nil
}

func (p *likePattern) match(s []byte) bool {
	if p.plain != nil {
		return p.matchPlain(s)
	}
	n, ok := prefixLen(s, p.pieces[0])
	if !ok {
		return false
	}
	s = s[n:]
	if len(p.pieces) == 1 {
		return len(s) == 0
	}
	last := len(p.pieces) - 1
	for _, piece := range p.pieces[1:last] {
		for {
			if n, ok := prefixLen(s, piece); ok {
				s = s[n:]
				break
			}
			if len(s) == 0 {
				return false
			}
			_, n := utf8.DecodeRune(s)
			s = s[n:]
		}
	}
	// The last piece must be the end: it begins as many code points before it.
	skip := utf8.RuneCount(s) - len(p.pieces[last])
	if skip < 0 {
		return false
	}
	for ; skip > 0; skip-- {
		_, n := utf8.DecodeRune(s)
		s = s[n:]
	}
	_, ok = prefixLen(s, p.pieces[last])
	return ok
}

func (p *likePattern) matchPlain(s []byte) bool {
	first, last := p.plain[0], p.plain[len(p.plain)-1]
	if len(p.plain) == 1 {
		return bytes.Equal(s, first)
	}
	if len(s) < len(first)+len(last) || !bytes.HasPrefix(s, first) || !bytes.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range p.plain[1 : len(p.plain)-1] {
		at := bytes.Index(s, piece)
		if at < 0 {
			return false
		}
		s = s[at+len(piece):]
	}
	return true
}

// prefixLen returns how many bytes of s the piece matches at its beginning.
func prefixLen(s []byte, piece []rune) (n int, ok bool) {
	for _, want := range piece {
		if n == len(s) {
			return 0, false
		}
		r, w := utf8.DecodeRune(s[n:])
		if want >= 0 && r != want {
			return 0, false
		}
		n += w
	}
	return n, true
}

// similarToRegexp writes a SQL regular expression as Go's: % is .*, _ is any
// one; | * + ? { } ( ) [ ] mean what they do there; . ^ $ are literal.
func similarToRegexp(pat, esc string) (string, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A(?:`)
	e, _ := utf8.DecodeRuneInString(esc)
	class := false
	r := []rune(pat)
	for i := 0; i < len(r); i++ {
		c := r[i]
		switch {
		case esc != "" && c == e:
			if i++; i == len(r) {
				return "", fmt.Errorf("the SIMILAR TO pattern '%s' ends in its escape", pat)
			}
			b.WriteString(regexp.QuoteMeta(string(r[i])))
		case class:
			if c == '[' && i+1 < len(r) && r[i+1] == ':' {
				end := strings.Index(string(r[i:]), ":]")
				if end < 0 {
					return "", fmt.Errorf("'%s' is no pattern of SIMILAR TO", pat)
				}
				name := string(r[i:])[:end+2]
				b.WriteString(strings.ToLower(name))
				i += utf8.RuneCountInString(name) - 1
				continue
			}
			class = c != ']'
			if c == '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(c)
		case c == '%':
			b.WriteString(".*")
		case c == '_':
			b.WriteByte('.')
		case c == '[':
			class = true
			b.WriteByte('[')
		case strings.ContainsRune("|*+?{}()", c):
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + `)\z`, nil
}
