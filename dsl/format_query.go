package dsl

// query lays out a query on one line if it is short.
func (x *formatter) query(toks []formatToken) *layout {
	return groupOf(formatShort, x.clauses(toks))
}

// clauses gives each clause of a query a line.
func (x *formatter) clauses(toks []formatToken) *layout {
	var kids []*layout
	from, depth := 0, 0
	for i := 1; i <= len(toks); i++ {
		depth += opens(&toks[i-1])
		if i < len(toks) && (depth != 0 || !startsClause(toks, i)) {
			continue
		}
		if from > 0 {
			kids = append(kids, line())
		}
		kids = append(kids, x.clause(toks[from:i]))
		from = i
	}
	return concat(kids...)
}

func startsClause(toks []formatToken, i int) bool {
	t := &toks[i].Token
	switch {
	case t.Type != tKeyword:
		return false
	case isWord(t, "ON"):
		return wordAt(toks, i+1, "CONFLICT") && wordAt(toks, i+2, "DO")
	case isWord(t, "FROM"):
		return !wordAt(toks, i-1, "DISTINCT") || !wordAt(toks, i-2, "IS") && !wordAt(toks, i-2, "NOT")
	case isWord(t, "TABLE"):
		return isOneOf(&toks[i-1].Token, "UNION", "INTERSECT", "EXCEPT", "ALL")
	}
	return isOneOf(t, "SELECT", "WHERE", "GROUP", "HAVING", "WINDOW", "QUALIFY", "ORDER", "LIMIT", "FETCH", "UNION", "INTERSECT", "EXCEPT", "VALUES")
}

// clause lays out one clause: its words, and what follows on the same line or below.
func (x *formatter) clause(toks []formatToken) *layout {
	n := 1
	list := true
	switch t := &toks[0].Token; {
	case isWord(t, "SELECT"):
		for n < len(toks) && (isOp(&toks[n].Token, "/*+") || isOneOf(&toks[n].Token, "DISTINCT", "ALL")) {
			if isOp(&toks[n].Token, "/*+") {
				for n < len(toks) && !isOp(&toks[n].Token, "*/") {
					n++
				}
			}
			n++
		}
	case isOneOf(t, "GROUP", "ORDER") && wordAt(toks, 1, "BY"):
		n = 2
	case isWord(t, "VALUES"):
	case isWord(t, "FROM"):
		return x.from(toks)
	case isOneOf(t, "WHERE", "HAVING", "QUALIFY"):
		list = false
	default:
		return x.run(toks)
	}
	if n >= len(toks) {
		return x.run(toks)
	}
	if !list {
		return group(leaf(&toks[0]), x.sep(&toks[0], &toks[1], " "), x.conditions(toks[1:]))
	}
	return group(x.run(toks[:n]), nest(line(), x.list(toks[n:], false)))
}

// from puts each JOIN on a line of its own, unless all fit on one.
func (x *formatter) from(toks []formatToken) *layout {
	kids := []*layout{leaf(&toks[0])}
	var joins []*layout
	from, depth := 1, 0
	add := func(to int) {
		switch {
		case to <= from:
		case from == 1:
			kids = append(kids, x.sep(&toks[0], &toks[1], " "), x.run(toks[1:to]))
		default:
			joins = append(joins, line(), x.join(toks[from:to]))
		}
		from = to
	}
	for i := 1; i < len(toks); i++ {
		if depth += opens(&toks[i]); depth == 0 && joinHead(toks, i) {
			add(i)
		}
	}
	add(len(toks))
	return group(append(kids, nest(joins...))...)
}

// joinHead tells whether the words of a join begin at i.
func joinHead(toks []formatToken, i int) bool {
	was := func(w ...string) bool { return i > 0 && isOneOf(&toks[i-1].Token, w...) }
	if toks[i].call {
		return false
	}
	switch t := &toks[i].Token; {
	case isWord(t, "JOIN"):
		return !was("INNER", "LEFT", "RIGHT", "FULL", "OUTER", "CROSS", "SEMI", "ANTI", "NATURAL")
	case isOneOf(t, "INNER", "LEFT", "RIGHT", "FULL", "CROSS"):
		return !was("NATURAL") && i+1 < len(toks) && isOneOf(&toks[i+1].Token, "JOIN", "OUTER", "SEMI", "ANTI")
	case isWord(t, "NATURAL"):
		return true
	}
	return false
}

// join breaks in front of ON if it has to.
func (x *formatter) join(toks []formatToken) *layout {
	depth := 0
	for i := range toks {
		if depth += opens(&toks[i]); depth == 0 && i > 0 && isWord(&toks[i].Token, "ON") && i+1 < len(toks) {
			return group(x.run(toks[:i]), nest(line(), leaf(&toks[i]), x.sep(&toks[i], &toks[i+1], " "), x.conditions(toks[i+1:])))
		}
	}
	return x.run(toks)
}
