package dsl

import (
	"slices"
	"strings"
)

// file lays out the statements, keeping one empty line where there were some.
func (x *formatter) file() string {
	var b strings.Builder
	gap := func(want bool) {
		if want && b.Len() > 0 {
			b.WriteByte('\n')
		}
	}
	from := 0
	for i := range x.toks {
		t := &x.toks[i]
		end := t.Type == tEOF
		if !isOp(&t.Token, ";") && !end {
			continue
		}
		toks := x.toks[from:i]
		from = i + 1
		if len(toks) == 0 && !end {
			// A semicolon that ends nothing goes; its comments stay.
			next := &x.toks[i+1]
			next.before = slices.Concat(t.before, t.after, next.before)
			next.gaps = slices.Concat(t.gaps[:len(t.before)], make([]bool, len(t.after)), next.gaps)
			continue
		}
		first := t
		if len(toks) > 0 {
			first = &toks[0]
		}
		for k, c := range first.before {
			gap(first.gaps[k])
			b.WriteString(c + "\n")
		}
		if len(toks) == 0 {
			break
		}
		gap(first.gaps[len(first.before)])
		first.before = nil
		body := x.statement(toks)
		if end {
			b.WriteString(body.render() + "\n")
			for k, c := range t.before {
				gap(t.gaps[k])
				b.WriteString(c + "\n")
			}
			break
		}
		b.WriteString(concat(body, x.sep(&toks[len(toks)-1], t, ""), leaf(t)).render() + "\n")
	}
	return b.String()
}

// leaf is a token with its comments; what stands in front of it has made a line end for those above it.
func leaf(t *formatToken) *layout {
	var kids []*layout
	for _, c := range t.before {
		kids = append(kids, words(c), hardLine())
	}
	text := t.Value
	if t.Type == tKeyword || t.Type == tIdent {
		text = strings.ToUpper(text)
	}
	kids = append(kids, words(text))
	for _, c := range t.after {
		kids = append(kids, words(" "+c))
		if strings.HasPrefix(c, "--") {
			kids = append(kids, mark())
		}
	}
	return concat(kids...)
}

// sep stands between two tokens that no break separates: blank or nothing, and a line end where a comment needs one.
func (x *formatter) sep(a, b *formatToken, blank string) *layout {
	if len(b.before) > 0 || len(a.after) > 0 && strings.HasPrefix(a.after[len(a.after)-1], "--") {
		return hardLine()
	}
	return words(blank)
}

// statement lays out the tokens of one statement.
func (x *formatter) statement(toks []formatToken) *layout {
	if x.foreign[toks[0].Pos.Offset] {
		return x.verbatim(toks)
	}
	for _, head := range []string{"EXECUTE STATEMENT SET BEGIN", "BEGIN STATEMENT SET", "EXPLAIN STATEMENT SET BEGIN"} {
		if n := len(strings.Fields(head)); startsWith(toks, head) {
			if len(toks) == n {
				return x.run(toks)
			}
			return concat(x.run(toks[:n]), hardLine(), x.statement(toks[n:]))
		}
	}
	if wordAt(toks, 0, "CREATE") && slices.ContainsFunc(toks[:min(4, len(toks))], func(t formatToken) bool { return isWord(&t.Token, "TABLE") }) {
		return x.createTable(toks)
	}
	if startsQuery(&toks[0].Token) {
		return x.query(toks)
	}
	depth := 0
	for i := range toks {
		depth += opens(&toks[i])
		if depth != 0 || i == 0 {
			continue
		}
		switch t := &toks[i].Token; {
		case isWord(t, "VALUES"):
			return groupOf(formatShort, x.run(toks[:i]), x.sep(&toks[i-1], &toks[i], " "), leaf(&toks[i]), nest(line(), x.list(toks[i+1:], false)))
		case isOneOf(t, "SELECT", "WITH"), isWord(t, "TABLE") && isWord(&toks[i-1].Token, "AS"):
			return groupOf(formatShort, x.run(toks[:i]), line(), x.clauses(toks[i:]))
		}
	}
	return x.run(toks)
}

func startsWith(toks []formatToken, head string) bool {
	for i, w := range strings.Fields(head) {
		if !wordAt(toks, i, w) {
			return false
		}
	}
	return true
}

func wordAt(toks []formatToken, i int, w string) bool {
	return i >= 0 && i < len(toks) && isWord(&toks[i].Token, w)
}

// opens says by how much a token changes the depth.
func opens(t *formatToken) int {
	if t.Type != tOp {
		return 0
	}
	switch t.Value {
	case "(", "[", "{":
		return 1
	case ")", "]", "}":
		return -1
	}
	return 0
}

// closing is the index of the token that closes the one at i.
func closing(toks []formatToken, i int) int {
	depth := 0
	for k := i; k < len(toks); k++ {
		if depth += opens(&toks[k]); depth == 0 {
			return k
		}
	}
	return len(toks) - 1
}

// createTable breaks its two lists together.
func (x *formatter) createTable(toks []formatToken) *layout {
	var kids []*layout
	from := 0
	flush := func(to int) {
		if to > from {
			if from > 0 {
				kids = append(kids, x.sep(&toks[from-1], &toks[from], " "))
			}
			kids = append(kids, x.run(toks[from:to]))
			from = to
		}
	}
	for i := 0; i < len(toks); i++ {
		t := &toks[i]
		switch {
		case isOp(&t.Token, "("):
			end := closing(toks, i)
			if i > 0 && isOneOf(&toks[i-1].Token, "BY", "INTO") || end == i+1 {
				i = end // PARTITIONED BY (a) is short
				continue
			}
			flush(i)
			kids = append(kids, x.sep(&toks[i-1], t, " "), leaf(t), nest(softLine(), x.list(toks[i+1:end], false)), softLine(), leaf(&toks[end]))
			from, i = end+1, end
		case isWord(&t.Token, "AS") && i+1 < len(toks) && startsQuery(&toks[i+1].Token):
			flush(i + 1)
			kids = append(kids, line(), x.clauses(toks[i+1:]))
			return groupOf(formatShort, kids...)
		}
	}
	flush(len(toks))
	return groupOf(formatShort, kids...)
}
