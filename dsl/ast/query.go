package ast

// Query is [WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …] [FETCH FIRST … ROWS ONLY].
type Query struct {
	Span
	Recursive bool         `parser:"( 'WITH' @'RECURSIVE'?"`
	With      []*CTE       `parser:"  @@ ( ',' @@ )* )?"`
	Body      QueryBody    `parser:"@@"`
	OrderBy   []*OrderItem `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Limit     Expr         `parser:"( 'LIMIT' ( 'ALL' | @@ ) )?"`
	Offset    Expr         `parser:"( 'OFFSET' @@ ( 'ROW' | 'ROWS' )? )?"`
	Fetch     Expr         `parser:"( 'FETCH' ( 'FIRST' | 'NEXT' ) @@ ( 'ROW' | 'ROWS' ) 'ONLY' )?"`
}

// RowLimit is the number of rows wanted, by LIMIT or by FETCH; nil when there is no limit. Both together never parse.
func (q *Query) RowLimit() Expr {
	if q.Limit != nil {
		return q.Limit
	}
	return q.Fetch
}

// CTE is name [(columns)] AS (query).
type CTE struct {
	Span
	Name    *Name   `parser:"@@"`
	Columns []*Name `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Query   *Query  `parser:"'AS' '(' @@ ')'"`
}

// OrderItem is expression [ASC|DESC] [NULLS FIRST|LAST].
type OrderItem struct {
	Span
	Expr Expr `parser:"@@"`
	Asc  bool `parser:"( @'ASC'"`
	Desc bool `parser:"| @'DESC' )?"`
	// Nulls is FIRST, LAST (as written) or "".
	Nulls string `parser:"( 'NULLS' @( 'FIRST' | 'LAST' ) )?"`
}

// QueryBody is *Select, *Values, *SetOp, *ExplicitTable or *NestedQuery. Built by code.
type QueryBody interface {
	Node
	queryBody()
}

// SetOp is left UNION|INTERSECT|EXCEPT [ALL] right. INTERSECT binds tighter; equal ones group to the left.
type SetOp struct {
	Span
	Op          SetOpKind
	All         bool
	Left, Right QueryBody
}

// SetOpKind names a set operation.
type SetOpKind string

// The set operations.
const (
	Union     SetOpKind = "UNION"
	Intersect SetOpKind = "INTERSECT"
	Except    SetOpKind = "EXCEPT"
)

// NestedQuery is a query in parentheses that is an operand of a set operation or a whole body.
type NestedQuery struct {
	Span
	Query *Query `parser:"'(' @@ ')'"`
}

// ExplicitTable is TABLE t, short for SELECT * FROM t.
type ExplicitTable struct {
	Span
	Name *QName `parser:"'TABLE' @@"`
}

// Values is VALUES row, row, …. A row of one column may stand without parentheses. Built by code.
type Values struct {
	Span
	Rows []*ValuesRow
}

// ValuesRow is one row: (a, b), ROW(a, b) or a bare expression.
type ValuesRow struct {
	Span
	Exprs []Expr
}

// Select is SELECT … FROM … WHERE … GROUP BY … HAVING … WINDOW …. From is nil when absent; `FROM a, b` is a cross join.
type Select struct {
	Span
	Hints    []*Hint       `parser:"'SELECT' ( '/*+' @@ ( ','? @@ )* '*/' )?"`
	Distinct bool          `parser:"( @'DISTINCT' | 'ALL' )?"`
	Items    []*SelectItem `parser:"@@ ( ',' @@ )*"`
	From     TableExpr     `parser:"( 'FROM' @@ )?"`
	Where    Expr          `parser:"( 'WHERE' @@ )?"`
	GroupBy  *GroupBy      `parser:"@@?"`
	Having   Expr          `parser:"( 'HAVING' @@ )?"`
	Windows  *WindowClause `parser:"@@?"`
	Qualify  *Qualify      `parser:"@@?"`
}

// SelectItem is expression [[AS] alias]; Expr is *Star for `*` and `t.*`.
type SelectItem struct {
	Span
	Expr  Expr  `parser:"@@"`
	Alias *Name `parser:"( 'AS' @@ | @@ )?"`
}

// GroupBy is GROUP BY [DISTINCT] items.
type GroupBy struct {
	Span
	Distinct bool        `parser:"'GROUP' 'BY' ( @'DISTINCT' | 'ALL' )?"`
	Items    []GroupItem `parser:"@@ ( ',' @@ )*"`
}

// GroupItem is *GroupExpr or *GroupSets. Built by code.
type GroupItem interface {
	Node
	groupItem()
}

// GroupExpr is one grouping expression, or several in parentheses, or none: ().
type GroupExpr struct {
	Span
	Exprs []Expr
	// Paren is set when it was written as a list in parentheses.
	Paren bool
}

// GroupSets is GROUPING SETS (…), ROLLUP (…) or CUBE (…); its items are group expressions or nested sets.
type GroupSets struct {
	Span
	Kind  GroupSetsKind
	Items []GroupItem
}

// GroupSetsKind names a way to form grouping sets.
type GroupSetsKind string

// The ways to form grouping sets.
const (
	GroupingSets GroupSetsKind = "GROUPING SETS"
	Rollup       GroupSetsKind = "ROLLUP"
	Cube         GroupSetsKind = "CUBE"
)

// WindowClause is WINDOW w AS (spec), ….
type WindowClause struct {
	Span
	List []*NamedWindow `parser:"'WINDOW' @@ ( ',' @@ )*"`
}

// Qualify is QUALIFY condition.
type Qualify struct {
	Span
	Cond Expr `parser:"'QUALIFY' @@"`
}

// NamedWindow is `w AS (spec)` of the WINDOW clause.
type NamedWindow struct {
	Span
	Name *Name       `parser:"@@"`
	Spec *WindowSpec `parser:"'AS' @@"`
}

// WindowSpec is ([base] [PARTITION BY …] [ORDER BY …] [frame]).
type WindowSpec struct {
	Span
	Base        *Name        `parser:"'(' ( (?! ( 'PARTITION' | 'ORDER' | 'ROWS' | 'RANGE' ) ) @@ )?"`
	PartitionBy []Expr       `parser:"( 'PARTITION' 'BY' @@ ( ',' @@ )* )?"`
	OrderBy     []*OrderItem `parser:"( 'ORDER' 'BY' @@ ( ',' @@ )* )?"`
	Frame       *Frame       `parser:"@@? ')'"`
}

// Frame is ROWS|RANGE bound, or BETWEEN bound AND bound. To is nil in the first form: the current row.
type Frame struct {
	Span
	Unit string `parser:"@( 'ROWS' | 'RANGE' )"` // as written
	From *Bound `parser:"( 'BETWEEN' @@"`
	To   *Bound `parser:"  'AND' @@"`
	Only *Bound `parser:"| @@ )"`
}

// Bound is CURRENT ROW, UNBOUNDED dir, or expression dir.
type Bound struct {
	Span
	CurrentRow bool `parser:"( (?= 'CURRENT' 'ROW' ) @( 'CURRENT' 'ROW' )"`
	Unbounded  bool `parser:"| ( (?= 'UNBOUNDED' ( 'PRECEDING' | 'FOLLOWING' ) ) @'UNBOUNDED'"`
	Offset     Expr `parser:"  | @@ )"`
	Preceding  bool `parser:"  ( @'PRECEDING'"`
	Following  bool `parser:"  | @'FOLLOWING' ) )"`
}

func (*Select) queryBody()        {}
func (*Values) queryBody()        {}
func (*SetOp) queryBody()         {}
func (*ExplicitTable) queryBody() {}
func (*NestedQuery) queryBody()   {}
func (*GroupExpr) groupItem()     {}
func (*GroupSets) groupItem()     {}
