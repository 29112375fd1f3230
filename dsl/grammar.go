package dsl

import (
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/streamd/streamd/dsl/ast"
)

// productions names every tagged type that code parses into, so that the parser generator meets it.
type productions struct {
	CreateTable            *ast.CreateTable            `parser:"@@"`
	CreateView             *ast.CreateView             `parser:"| @@"`
	CreateMaterializedView *ast.CreateMaterializedView `parser:"| @@"`
	CreateFunction         *ast.CreateFunction         `parser:"| @@"`
	Insert                 *ast.Insert                 `parser:"| @@"`
	Set                    *ast.Set                    `parser:"| @@"`
	Reset                  *ast.Reset                  `parser:"| @@"`
	Explain                *ast.Explain                `parser:"| @@"`
	Describe               *ast.Describe               `parser:"| @@"`
	Show                   *ast.Show                   `parser:"| @@"`
	Drop                   *ast.Drop                   `parser:"| @@"`
	Use                    *ast.Use                    `parser:"| @@"`
	QueryStmt              *ast.QueryStmt              `parser:"| @@"`
	Select                 *ast.Select                 `parser:"| @@"`
	ExplicitTable          *ast.ExplicitTable          `parser:"| @@"`
	NestedQuery            *ast.NestedQuery            `parser:"| @@"`
	Alias                  *ast.Alias                  `parser:"| @@"`
	MatchBody              *ast.MatchBody              `parser:"| @@"`
	WindowSpec             *ast.WindowSpec             `parser:"| @@"`
	Hint                   *ast.Hint                   `parser:"| @@"`
	OrderItem              *ast.OrderItem              `parser:"| @@"`
	Name                   *ast.Name                   `parser:"| @@"`
	QName                  *ast.QName                  `parser:"| @@"`
}

var (
	grammarOnce sync.Once
	grammarRoot *participle.Parser[productions]
)

// grammar builds the parser at its first use. Look-ahead 0 makes it predictive: one consumed token commits, so the first error is
// the true one.
func grammar() *participle.Parser[productions] {
	grammarOnce.Do(func() {
		grammarRoot = participle.MustBuild[productions](
			participle.Lexer(definition{}),
			participle.Elide("Space", "Comment"),
			participle.CaseInsensitive("Ident", "Keyword"),
			participle.UseLookahead(0),
			participle.ParseTypeWith(parseExpr),
			participle.ParseTypeWith(parseType),
			participle.ParseTypeWith(parseQueryBody),
			participle.ParseTypeWith(parseTableExpr),
			participle.ParseTypeWith(parseGroupItem),
			participle.ParseTypeWith(parsePattern),
			participle.ParseTypeWith(parseExplained),
			participle.Union[ast.TableElem](&ast.Watermark{}, &ast.PrimaryKey{}, &ast.Column{}),
			participle.Union[ast.ViewElem](&ast.PrimaryKey{}, &ast.Name{}),
		)
	})
	return grammarRoot
}

// production parses one tagged type and leaves the cursor behind it.
func production[T any](lex *lexer.PeekingLexer) (*T, error) {
	p, err := participle.ParserForProduction[T](grammar())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return p.ParseFromLexer(lex, participle.AllowTrailing(true))
}

// as turns a production into a statement, without a typed nil on errors.
func as[T any, P interface {
	*T
	ast.Statement
}](lex *lexer.PeekingLexer) (ast.Statement, error) {
	s, err := production[T](lex)
	if err != nil {
		return nil, err
	}
	return P(s), nil
}

// parseStatement decides by the first words which production it is.
func parseStatement(lex *lexer.PeekingLexer) (ast.Statement, error) {
	t := lex.Peek()
	switch {
	case isWord(t, "CREATE"):
		return parseCreate(lex)
	case isWord(t, "INSERT") || isWord(t, "EXECUTE"):
		return as[ast.Insert](lex)
	case isWord(t, "SET"):
		return as[ast.Set](lex)
	case isWord(t, "RESET"):
		return as[ast.Reset](lex)
	case isWord(t, "EXPLAIN"):
		return as[ast.Explain](lex)
	case isWord(t, "DESCRIBE"), isWord(t, "DESC"):
		return as[ast.Describe](lex)
	case isWord(t, "SHOW"):
		return as[ast.Show](lex)
	case isWord(t, "DROP"):
		return as[ast.Drop](lex)
	case isWord(t, "USE"):
		return as[ast.Use](lex)
	case startsQuery(t):
		return as[ast.QueryStmt](lex)
	}
	return nil, unexpected(lex)
}

func startsQuery(t *lexer.Token) bool {
	return isOneOf(t, "SELECT", "WITH", "VALUES", "TABLE") || isOp(t, "(")
}

// parseCreate looks over the words between CREATE and the kind.
func parseCreate(lex *lexer.PeekingLexer) (ast.Statement, error) {
	c := *lex
	c.Next()
	if isWord(c.Peek(), "OR") {
		if err := wantWord(&c, "OR", "REPLACE"); err != nil {
			*lex = c
			return nil, err
		}
	}
	if takeWord(&c, "TEMPORARY") {
		takeWord(&c, "SYSTEM")
	}
	switch t := c.Peek(); {
	case isWord(t, "TABLE"):
		return as[ast.CreateTable](lex)
	case isWord(t, "VIEW"):
		return as[ast.CreateView](lex)
	case isWord(t, "MATERIALIZED"):
		return as[ast.CreateMaterializedView](lex)
	case isWord(t, "FUNCTION"):
		return as[ast.CreateFunction](lex)
	}
	*lex = c
	return nil, unexpected(lex)
}

// parseExplained takes the statements that have a plan.
func parseExplained(lex *lexer.PeekingLexer) (ast.Explained, error) {
	t := lex.Peek()
	if !startsQuery(t) && !isOneOf(t, "INSERT", "CREATE", "EXECUTE") {
		return nil, participle.NextMatch
	}
	start := *lex
	s, err := parseStatement(lex)
	if err != nil {
		return nil, err
	}
	if e, ok := s.(ast.Explained); ok {
		return e, nil
	}
	return nil, &syntaxError{tok: *start.Peek(), code: codeUnexpected, msg: "this statement has no plan to explain",
		hints: []string{"EXPLAIN takes a query, an INSERT, a materialized view or a statement set"}}
}

// foreign are the heads of Flink's statements that streamd refuses by name.
var foreign = []string{
	"CREATE CATALOG", "CREATE DATABASE", "CREATE SOURCE", "CREATE SINK", "CREATE MODEL", "CREATE CONNECTION", "CREATE MATERIALIZED TABLE", "CREATE OR ALTER", "ALTER",
	"ADD JAR", "REMOVE JAR", "LOAD MODULE", "UNLOAD MODULE", "ANALYZE TABLE", "TRUNCATE TABLE", "UPDATE", "DELETE FROM", "CALL",
	"COMPILE PLAN", "COMPILE AND", "EXECUTE PLAN", "STOP JOB", "DROP MODEL", "DROP CONNECTION",
}

// foreignVerb returns the verb of such a statement, "" for any other.
func foreignVerb(lex *lexer.PeekingLexer) string {
	for _, verb := range foreign {
		if words := strings.Fields(verb); nextWords(lex, words...) {
			// `ALTER`, `UPDATE` and `CALL` alone are one word: take the next for the message.
			if n := peek(lex, len(words)); verb == "ALTER" && n.Type != tEOF {
				return verb + " " + strings.ToUpper(clip(n.Value))
			}
			return verb
		}
	}
	return ""
}
