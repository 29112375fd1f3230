package ast

// TableExpr is something in FROM: *TableName, *Derived, *TableFunc, *Unnest, *Match or *Join. Built by code.
type TableExpr interface {
	Node
	tableExpr()
}

// Alias is [AS] name [(columns)] behind a table.
type Alias struct {
	Span
	Name    *Name   `parser:"( 'AS' @@ | @@ )"`
	Columns []*Name `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
}

// TableName is a table or view: name [hints] [FOR SYSTEM_TIME AS OF expr] [alias].
type TableName struct {
	Span
	Name  *QName
	Hints []*Hint
	AsOf  Expr // nil unless FOR SYSTEM_TIME AS OF was given
	Alias *Alias
}

// Derived is [LATERAL] (query) [alias].
type Derived struct {
	Span
	Lateral bool
	Query   *Query
	Alias   *Alias
}

// TableFunc is a call that gives a table: TABLE(TUMBLE(TABLE t, …)), the same without TABLE(), or LATERAL TABLE(f(x)).
type TableFunc struct {
	Span
	Lateral bool
	Wrapped bool // written within TABLE(…)
	Call    *Call
	Hints   []*Hint
	AsOf    Expr
	Alias   *Alias
}

// Unnest is [LATERAL] UNNEST(expr, …) [WITH ORDINALITY] [alias].
type Unnest struct {
	Span
	Lateral    bool
	Exprs      []Expr
	Ordinality bool
	Alias      *Alias
}

// Join is left kind JOIN right [ON …|USING …]. `a, b` is a Cross join with Comma set.
type Join struct {
	Span
	Kind        JoinKind
	Natural     bool
	Comma       bool
	Left, Right TableExpr
	// Op is where the words between the two tables stand, for example LEFT JOIN.
	Op    Span
	On    Expr
	Using []*Name
}

// JoinKind names a join.
type JoinKind string

// The joins. Semi and anti join the left table.
const (
	InnerJoin JoinKind = "INNER"
	LeftJoin  JoinKind = "LEFT"
	RightJoin JoinKind = "RIGHT"
	FullJoin  JoinKind = "FULL"
	CrossJoin JoinKind = "CROSS"
	SemiJoin  JoinKind = "LEFT SEMI"
	AntiJoin  JoinKind = "LEFT ANTI"
)

// Match is input MATCH_RECOGNIZE (…) [alias].
type Match struct {
	Span
	Input TableExpr
	Body  *MatchBody
	Alias *Alias
}

// MatchBody is what stands in the parentheses of MATCH_RECOGNIZE.
type MatchBody struct {
	Span
	PartitionBy []Expr       `parser:"'MATCH_RECOGNIZE' '(' ( 'PARTITION' 'BY' @@ ( ',' @@ )* )?"`
	OrderBy     []*OrderItem `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Measures    []*Measure   `parser:"( 'MEASURES' @@ ( ',' @@ )* )?"`
	OneRow      bool         `parser:"( @( 'ONE' 'ROW' ) 'PER' 'MATCH'"`
	AllRows     *AllRows     `parser:"| @@ )?"`
	Skip        *Skip        `parser:"@@?"`
	Pattern     Pattern      `parser:"'PATTERN' '(' @@ ')'"`
	Within      Expr         `parser:"( 'WITHIN' @@ )?"`
	Subsets     []*Subset    `parser:"( 'SUBSET' @@ ( ',' @@ )* )?"`
	Define      []*Define    `parser:"( 'DEFINE' @@ ( ',' @@ )* )? ')'"`
}

// AllRows is ALL ROWS PER MATCH [SHOW|OMIT EMPTY MATCHES|WITH UNMATCHED ROWS].
type AllRows struct {
	Span
	ShowEmpty bool `parser:"'ALL' 'ROWS' 'PER' 'MATCH' ( @'SHOW' 'EMPTY' 'MATCHES'"`
	OmitEmpty bool `parser:"| @'OMIT' 'EMPTY' 'MATCHES'"`
	Unmatched bool `parser:"| @'WITH' 'UNMATCHED' 'ROWS' )?"`
}

// Measure is expression AS name.
type Measure struct {
	Span
	Expr Expr  `parser:"@@"`
	Name *Name `parser:"'AS' @@"`
}

// Skip is AFTER MATCH SKIP PAST LAST ROW | TO NEXT ROW | TO [FIRST|LAST] variable.
type Skip struct {
	Span
	PastLast bool  `parser:"'AFTER' 'MATCH' 'SKIP' ( @( 'PAST' 'LAST' 'ROW' )"`
	ToNext   bool  `parser:"| 'TO' ( (?= 'NEXT' 'ROW' ) @( 'NEXT' 'ROW' )"`
	ToFirst  bool  `parser:"  | ( (?= 'FIRST' ( Ident | Quoted ) ) @'FIRST'"`
	ToLast   bool  `parser:"    | (?= 'LAST' ( Ident | Quoted ) ) @'LAST' )?"`
	Variable *Name `parser:"    @@ ) )"`
}

// Subset is name = (variables).
type Subset struct {
	Span
	Name    *Name   `parser:"@@"`
	Members []*Name `parser:"'=' '(' @@ ( ',' @@ )* ')'"`
}

// Define is variable AS condition.
type Define struct {
	Span
	Variable *Name `parser:"@@"`
	Cond     Expr  `parser:"'AS' @@"`
}

// Pattern is *PatternAlt, *PatternSeq, *PatternRepeat, *PatternVar, *PatternPermute, *PatternExclude or *PatternAnchor. Built by code.
type Pattern interface {
	Node
	pattern()
}

// PatternAlt is a | b | …, at least two.
type PatternAlt struct {
	Span
	Alts []Pattern
}

// PatternSeq is a b …, at least two, or none: ().
type PatternSeq struct {
	Span
	Items []Pattern
}

// PatternRepeat is item * | + | ? | {min,max}, possibly reluctant.
type PatternRepeat struct {
	Span
	Item      Pattern
	Min       int
	Max       int // -1: no limit
	Reluctant bool
}

// PatternVar is a variable.
type PatternVar struct {
	Span
	Name *Name
}

// PatternPermute is PERMUTE(a, b, …).
type PatternPermute struct {
	Span
	Items []Pattern
}

// PatternExclude is {- a -}.
type PatternExclude struct {
	Span
	Item Pattern
}

// PatternAnchor is ^ (Start) or $.
type PatternAnchor struct {
	Span
	Start bool
}

func (*TableName) tableExpr() {}
func (*Derived) tableExpr()   {}
func (*TableFunc) tableExpr() {}
func (*Unnest) tableExpr()    {}
func (*Match) tableExpr()     {}
func (*Join) tableExpr()      {}

func (*PatternAlt) pattern()     {}
func (*PatternSeq) pattern()     {}
func (*PatternRepeat) pattern()  {}
func (*PatternVar) pattern()     {}
func (*PatternPermute) pattern() {}
func (*PatternExclude) pattern() {}
func (*PatternAnchor) pattern()  {}
