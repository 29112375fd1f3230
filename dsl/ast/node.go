package ast

import (
	"strings"

	"github.com/streamd/streamd/dsl/source"
)

// Span is where a node stands in its file; both ends, the second exclusive.
type Span = source.Span

// Node is anything with a place in the text.
type Node interface {
	At() Span
}

// File is one parsed pipeline text. Statements that did not parse are absent from Stmts.
type File struct {
	Span
	Source *source.File
	Stmts  []Statement
	// Comments in order of appearance, hints excluded.
	Comments []*Comment
}

// Comment is `-- …` (without its line end) or `/* … */`, as written.
type Comment struct {
	Span
	Text string
}

// Text is a name or a string after quotes and escapes are taken away.
type Text string

// Capture takes the token as written: a word in backquotes is a name, a word in single quotes a string, U&'…' a string with escapes, anything
// else stands for itself. The lexer has checked the escapes before.
func (t *Text) Capture(tokens []string) error {
	for _, s := range tokens {
		*t += Text(Unquote(s))
	}
	return nil
}

// Name is one identifier. Table and column names are compared as they are, function names without regard to case.
type Name struct {
	Span
	Text Text `parser:"@( Ident | Quoted )"`
}

func (n *Name) String() string { return string(n.Text) }

// QName is a name with up to two qualifiers: [[catalogue.]database.]name.
type QName struct {
	Span
	Parts []*Name `parser:"@@ ( '.' @@ )*"`
}

// String joins the parts with dots, without quotes.
func (q *QName) String() string {
	parts := make([]string, len(q.Parts))
	for i, p := range q.Parts {
		parts[i] = p.String()
	}
	return strings.Join(parts, ".")
}

// Last is the name without its qualifiers.
func (q *QName) Last() *Name { return q.Parts[len(q.Parts)-1] }

// String is a character string in a place that takes nothing else, such as an option. `${NAME}` is still in it.
type String struct {
	Span
	Text Text `parser:"@String"`
}

// Number is an unsigned whole number in a place that takes nothing else.
type Number struct {
	Span
	Text string `parser:"@Number"`
}

// Option is `'key' = 'value'` of WITH (…) and of hints.
type Option struct {
	Span
	Key   *String `parser:"@@"`
	Value *String `parser:"'=' @@"`
}

// Hint is one of `/*+ OPTIONS('k'='v'), BROADCAST(t1, t2) */`. Options and Args are never both filled.
type Hint struct {
	Span
	Name    *Name      `parser:"@@"`
	Options []*Option  `parser:"( '(' ( (?= String '=' ) @@ ( ',' @@ )*"`
	Args    []*HintArg `parser:"       | @@ ( ',' @@ )* )? ')' )?"`
}

// HintArg is an argument of a hint that is not an option: a name, a string or a number.
type HintArg struct {
	Span
	Text Text `parser:"@( Ident | Quoted | String | Number )"`
}
