package dsl

import (
	"slices"
	"strings"
)

// list lays out what commas separate, or a query where one may stand.
func (x *formatter) list(toks []formatToken, query bool) *layout {
	if query && len(toks) > 0 && isOneOf(&toks[0].Token, "SELECT", "WITH", "VALUES") {
		return x.query(toks)
	}
	var kids []*layout
	from, depth := 0, 0
	for i := range toks {
		depth += opens(&toks[i]) + toks[i].angle
		if depth != 0 || !isOp(&toks[i].Token, ",") {
			continue
		}
		if i > from {
			kids = append(kids, group(x.conditions(toks[from:i])), x.sep(&toks[i-1], &toks[i], ""))
		}
		kids = append(kids, leaf(&toks[i]), line())
		from = i + 1
	}
	if from < len(toks) {
		kids = append(kids, group(x.conditions(toks[from:])))
	}
	return concat(kids...)
}

// conditions lays out an expression; it may be broken in front of AND and OR.
func (x *formatter) conditions(toks []formatToken) *layout {
	var kids []*layout
	from, depth, between := 0, 0, 0
	for i := range toks {
		depth += opens(&toks[i]) + caseDepth(toks, i)
		t := &toks[i].Token
		switch {
		case depth != 0:
		case isWord(t, "BETWEEN"):
			between++
		case isWord(t, "AND") && between > 0:
			between--
		case isOneOf(t, "AND", "OR") && i > from:
			kids = append(kids, x.run(toks[from:i]), line())
			from = i
		}
	}
	if from == 0 {
		return x.run(toks)
	}
	return group(kids[0], nest(append(kids[1:], x.run(toks[from:]))...))
}

func caseDepth(toks []formatToken, i int) int {
	if i > 0 && isOp(&toks[i-1].Token, ".") {
		return 0
	}
	switch {
	case isWord(&toks[i].Token, "CASE"):
		return 1
	case isWord(&toks[i].Token, "END"):
		return -1
	}
	return 0
}

// run lays out tokens one behind the other; parentheses and CASE may be broken.
func (x *formatter) run(toks []formatToken) *layout {
	var kids []*layout
	for i := 0; i < len(toks); {
		if i > 0 {
			kids = append(kids, x.sep(&toks[i-1], &toks[i], blank(toks, i)))
		}
		switch t := &toks[i]; {
		case wordAt(toks, i-1, "MATCH_RECOGNIZE") && opens(t) > 0:
			end := closing(toks, i)
			kids = append(kids, x.verbatim(toks[i:end+1]))
			i = end + 1
		case opens(t) > 0:
			end := closing(toks, i)
			kids = append(kids, x.bracket(toks[i:end+1]))
			i = end + 1
		case caseDepth(toks, i) == 1:
			end := caseEnd(toks, i)
			kids = append(kids, x.choice(toks[i:end+1]))
			i = end + 1
		default:
			kids = append(kids, leaf(t))
			i++
		}
	}
	return concat(kids...)
}

// verbatim is a stretch that stays as it was written, blanks and all.
func (x *formatter) verbatim(toks []formatToken) *layout {
	first, last := &toks[0], &toks[len(toks)-1]
	inner := *first
	inner.after = nil
	text := x.text[first.Pos.Offset : last.Pos.Offset+len(last.Value)]
	inner.Value, inner.Type = text, tOp
	inner.after = last.after
	return leaf(&inner)
}

// bracket lays out ( … ), [ … ] or { … }.
func (x *formatter) bracket(toks []formatToken) *layout {
	n := len(toks) - 1
	if n == 1 {
		return concat(leaf(&toks[0]), x.sep(&toks[0], &toks[1], ""), leaf(&toks[1]))
	}
	inner := toks[1:n]
	body := x.list(inner, true)
	if isOneOf(&inner[0].Token, "PARTITION", "ORDER") {
		body = x.window(inner)
	}
	return group(leaf(&toks[0]), nest(softLine(), body), softLine(), leaf(&toks[n]))
}

// window lays out the parts of OVER (…).
func (x *formatter) window(toks []formatToken) *layout {
	var kids []*layout
	from, depth := 0, 0
	for i := range toks {
		if depth += opens(&toks[i]); depth == 0 && i > 0 && isOneOf(&toks[i].Token, "ORDER", "ROWS", "RANGE") {
			kids = append(kids, x.run(toks[from:i]), line())
			from = i
		}
	}
	return concat(append(kids, x.run(toks[from:]))...)
}

func caseEnd(toks []formatToken, i int) int {
	depth := 0
	for k := i; k < len(toks); k++ {
		if depth += caseDepth(toks, k); depth == 0 {
			return k
		}
	}
	return len(toks) - 1
}

// choice lays out CASE … END with a line for each WHEN.
func (x *formatter) choice(toks []formatToken) *layout {
	var kids []*layout
	from, depth := 0, 0
	n := len(toks) - 1
	for i := 1; i < n; i++ {
		depth += opens(&toks[i]) + caseDepth(toks, i)
		if depth == 0 && isOneOf(&toks[i].Token, "WHEN", "ELSE") {
			kids = append(kids, x.run(toks[from:i]), line())
			from = i
		}
	}
	if from == 0 {
		return x.plain(toks)
	}
	kids = append(kids, x.run(toks[from:n]))
	return group(kids[0], nest(kids[1:]...), line(), leaf(&toks[n]))
}

// plain is run without regard to CASE.
func (x *formatter) plain(toks []formatToken) *layout {
	var kids []*layout
	for i := range toks {
		if i > 0 {
			kids = append(kids, x.sep(&toks[i-1], &toks[i], blank(toks, i)))
		}
		kids = append(kids, leaf(&toks[i]))
	}
	return concat(kids...)
}

// spacedWords are words that are no function's: a blank stands between them and a parenthesis.
var spacedWords = wordSet(`IN AS VALUES OVER FROM WITH KEY BY AND OR NOT ON WHERE HAVING WHEN THEN ELSE SELECT UNION ALL EXISTS USING SETS LIKE BETWEEN
INTO FILTER LATERAL JOIN DISTINCT INTERSECT EXCEPT ANY SOME ORDER GROUP EXPLAIN FOR LIMIT OFFSET FETCH PARTITION IS ESCAPE TO COLUMNS MEASURES
DELETE ENFORCED DEFAULT EMPTY OF THEN SIMILAR SYMMETRIC ASYMMETRIC OVERLAPS FIRST LAST WINDOW MATCH_RECOGNIZE PLACING`)

// blank is what stands between token i and the one before it, on one line.
func blank(toks []formatToken, i int) string {
	a, b := &toks[i-1], &toks[i]
	op := func(t *formatToken, list ...string) bool { return t.Type == tOp && slices.Contains(list, t.Value) }
	switch {
	case op(b, ",", ")", "]", ";", ".", "::"), op(a, "(", "[", ".", "::"), op(a, "{"), op(b, "}"):
		return ""
	case op(b, "["):
		if a.Type == tKeyword || op(a, ",", "=", "<", ">", "+", "-") {
			return " "
		}
		return ""
	case op(b, "("):
		switch {
		case a.call:
			return ""
		case a.Type == tQuoted || a.Type == tOp && a.Value != ">" || a.Type == tString || a.Type == tNumber:
			return " "
		case spacedWords[strings.ToUpper(a.Value)]:
			return " "
		}
		return ""
	case a.prefix && op(a, "-", "+"):
		if op(b, "-", "+") {
			return " "
		}
		return ""
	case b.angle != 0, a.angle > 0:
		return ""
	case op(b, "<>") && isWord(&a.Token, "ROW"):
		return ""
	}
	return " "
}
