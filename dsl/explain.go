package dsl

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// maxTrialTokens bounds the statements for which expectations are searched: each candidate parses the statement's start again.
const maxTrialTokens = 3000

// beyond is the offset of the end of a trial: an error there means that all tokens before it were acceptable.
const beyond = 1 << 40

// candidateWords are the grammar's words that can be the next one; candidateOps likewise.
var (
	candidateWords = strings.Fields(`SELECT WITH VALUES INSERT CREATE DROP SET RESET EXPLAIN DESCRIBE SHOW USE EXECUTE BEGIN
TABLE VIEW MATERIALIZED FUNCTION TEMPORARY REPLACE IF EXISTS PRIMARY KEY WATERMARK FOR ENFORCED COMMENT PARTITIONED METADATA VIRTUAL
LIKE INCLUDING EXCLUDING OVERWRITING ALL CONSTRAINTS GENERATED OPTIONS PARTITIONS WATERMARKS RETURNS LANGUAGE
INTO OVERWRITE ON CONFLICT DO DEDUPLICATE ERROR NOTHING STATEMENT END PLAN
DISTINCT FROM WHERE GROUP BY HAVING WINDOW ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET ROW ROWS ONLY FETCH NEXT
UNION INTERSECT EXCEPT JOIN INNER LEFT RIGHT FULL CROSS NATURAL OUTER USING AS LATERAL UNNEST ORDINALITY SYSTEM_TIME OF
MATCH_RECOGNIZE PARTITION MEASURES ONE PER MATCH AFTER SKIP PAST TO PATTERN WITHIN SUBSET DEFINE
RANGE BETWEEN AND OR NOT IS IN SIMILAR ESCAPE UNBOUNDED CURRENT PRECEDING FOLLOWING
NULL TRUE FALSE UNKNOWN CASE WHEN THEN ELSE TIME ZONE DAY OVERLAPS JSON WRAPPER EMPTY VALUE`)
	candidateOps = strings.Fields("( ) [ ] { } , . = <> < > + - * / % || :: => ? | */")
)

var (
	operatorWords = wordSet("AND OR IS IN LIKE SIMILAR NOT BETWEEN OVERLAPS = <> < > + - * / % || :: [ .")
	operandWords  = wordSet("NULL TRUE FALSE CASE NOT ( - + *")
	joinWords     = wordSet("INNER LEFT RIGHT FULL CROSS NATURAL MATCH_RECOGNIZE FOR")
	queryWords    = wordSet("SELECT WITH VALUES TABLE (")
)

// explain turns any error of a parse into one with message, expectations and hints.
func (p *fileParser) explain(lex lexer.PeekingLexer, err error) *syntaxError {
	tok := tokenOf(err, lex)
	e, ok := err.(*syntaxError)
	if !ok || e.code == codeUnexpected && e.msg == "" {
		e = &syntaxError{tok: tok, code: codeUnexpected}
	}
	if e.msg != "" {
		return e
	}
	t := p.newTrial(lex, tok)
	if at, hint := foreignWordAt(significant(lex, tok), tok); hint != "" {
		if e.tok, e.msg, e.hints = at, "unexpected "+quote(at.Value), []string{hint}; t != nil && at.Pos == tok.Pos {
			e.expected = t.summary()
		}
		return e
	}
	if t != nil {
		if moved := t.misspeltBefore(); moved != nil {
			return moved
		}
		e.expected = t.summary()
	}
	e.msg = "unexpected " + quote(tok.Value)
	if tok.Type == tEOF {
		e.msg = "the statement ends too early"
	}
	e.label, e.hints = p.hints(t, lex, tok)
	return e
}

// significant returns the last words and signs in front of tok, and the first one of the statement.
func significant(lex lexer.PeekingLexer, tok lexer.Token) (out []lexer.Token) {
	for lex.Peek().Type != tEOF && lex.Peek().Pos.Offset < tok.Pos.Offset {
		if out = append(out, *lex.Next()); len(out) > 20 {
			out = append(out[:1], out[2:]...)
		}
	}
	return out
}

// trial finds out what could stand at a place by trying it.
type trial struct {
	before                              []lexer.Token // the significant tokens in front of the wrong one
	tok                                 lexer.Token
	one                                 statementParser
	words                               map[string]bool // acceptable words and operators
	name, quoted, number, str, typ, end bool
}

func (p *fileParser) newTrial(lex lexer.PeekingLexer, tok lexer.Token) *trial {
	t := &trial{tok: tok, one: p.one}
	for lex.Peek().Type != tEOF && lex.Peek().Pos.Offset < tok.Pos.Offset {
		t.before = append(t.before, *lex.Next())
		if len(t.before) > maxTrialTokens {
			return nil
		}
	}
	if p.budget -= len(t.before) * (len(candidateWords) + len(candidateOps)) * 2; p.budget < 0 {
		return nil
	}
	t.collect()
	return t
}

func (t *trial) collect() {
	t.words = map[string]bool{}
	for _, w := range candidateWords {
		t.words[w] = t.accepts(word(w))
	}
	for _, op := range candidateOps {
		t.words[op] = t.accepts(lexer.Token{Type: tOp, Value: op})
	}
	t.name = t.accepts(lexer.Token{Type: tIdent, Value: "zz_9"})
	t.quoted = t.accepts(lexer.Token{Type: tQuoted, Value: "`zz 9`"})
	t.number = t.accepts(lexer.Token{Type: tNumber, Value: "1"})
	t.str = t.accepts(lexer.Token{Type: tString, Value: "'x'"})
	t.typ = t.name && !t.quoted && t.accepts(word("ARRAY"), lexer.Token{Type: tOp, Value: "<"})
	t.end = t.complete()
}

func word(w string) lexer.Token {
	if ast.IsReserved(w) {
		return lexer.Token{Type: tKeyword, Value: w}
	}
	return lexer.Token{Type: tIdent, Value: w}
}

// run parses the tokens before the wrong one, cut by drop, and more.
func (t *trial) run(drop int, more ...lexer.Token) error {
	keep := len(t.before) - drop
	toks := make([]lexer.Token, 0, keep+len(more)+1)
	toks = append(append(toks, t.before[:keep]...), more...)
	for i := keep; i < len(toks); i++ {
		toks[i].Pos = lexer.Position{Offset: 1<<30 + i, Line: 1, Column: 1}
	}
	toks = append(toks, lexer.Token{Type: tEOF, Pos: lexer.Position{Offset: beyond, Line: 1, Column: 1}})
	lex := peeking(toks)
	_, err := t.one(&lex)
	if err != nil && tokenOf(err, peeking(toks)).Pos.Offset == beyond {
		return nil
	}
	return err
}

func (t *trial) accepts(more ...lexer.Token) bool { return t.run(0, more...) == nil }

// complete reports whether the statement could end here.
func (t *trial) complete() bool {
	if len(t.before) == 0 {
		return false
	}
	toks := append(append([]lexer.Token{}, t.before...), lexer.Token{Type: tEOF, Pos: lexer.Position{Offset: beyond, Line: 1, Column: 1}})
	lex := peeking(toks)
	_, err := t.one(&lex)
	return err == nil
}

// summary folds what is acceptable into a few words.
func (t *trial) summary() []string {
	var out []string
	skip := map[string]bool{}
	drop := func(set map[string]bool) {
		for w := range set {
			skip[w] = true
		}
	}
	switch {
	case t.words["SELECT"] && t.words["INSERT"] && t.words["DROP"]:
		return []string{"a statement"}
	case t.number && t.str && t.quoted && t.words["CASE"]:
		out = append(out, "an expression")
		drop(operandWords)
	case t.typ:
		out = append(out, "a type")
	case t.quoted || t.name:
		out = append(out, "a name")
	case t.words["DAY"]:
		out = append(out, "a time unit")
	}
	if len(out) == 0 || out[0] != "an expression" {
		if t.str {
			out = append(out, "a string")
		}
		if t.number {
			out = append(out, "a number")
		}
	}
	if t.words["SELECT"] && t.words["VALUES"] {
		if !(len(out) > 0 && out[0] == "an expression") {
			out = append(out, "a query")
		}
		drop(queryWords)
	}
	if t.words["AND"] && t.words["+"] {
		out = append(out, "an operator")
		drop(operatorWords)
		skip["("], skip["=>"] = true, true // the operand may yet turn out to be a call's name
		if !t.words["OR"] {
			delete(skip, "AND") // the AND of BETWEEN
		}
	}
	if t.words["JOIN"] {
		drop(joinWords)
	}
	if t.words["UNION"] {
		skip["INTERSECT"], skip["EXCEPT"] = true, true
	}
	for _, w := range append(append([]string{}, candidateOps...), candidateWords...) {
		soft := !ast.IsReserved(w) && w[0] >= 'A' && w[0] <= 'Z'
		if !t.words[w] || skip[w] || soft && (t.name || w == "DAY") {
			continue
		}
		if soft || ast.IsReserved(w) {
			out = append(out, w)
		} else {
			out = append(out, `"`+w+`"`)
		}
	}
	if t.end && t.tok.Type != tEOF {
		out = append(out, `";"`)
	}
	const most = 8
	if len(out) > most {
		out = append(out[:most:most], "…")
	}
	return out
}

// misspeltBefore looks whether the word before the wrong token is a misspelt keyword that was taken for an alias:
// in `FROM t GRUOP BY a` the parser stumbles over BY. A correction counts only if it makes the wrong token right.
func (t *trial) misspeltBefore() *syntaxError {
	if len(t.before) < 2 {
		return nil
	}
	prev := t.before[len(t.before)-1]
	if prev.Type != tIdent || len(prev.Value) < 3 {
		return nil
	}
	var fits []string
	for _, w := range candidateWords {
		if len(w) > 2 && diag.Near(prev.Value, []string{w}) != "" && t.run(1, word(w), t.tok) == nil && t.run(1, word(w)) == nil {
			fits = append(fits, w)
		}
	}
	near := diag.Near(prev.Value, fits)
	if near == "" || strings.EqualFold(near, prev.Value) {
		return nil
	}
	return &syntaxError{tok: prev, code: codeUnexpected, msg: "unexpected " + quote(prev.Value),
		label: fmt.Sprintf("did you mean %q?", near), expected: []string{near}}
}
