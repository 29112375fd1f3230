package ast

import "strings"

// Expr is an expression. All of them are built by code.
//
//	*Literal *Interval *ColumnRef *Star *FieldAccess *Index
//	*Unary *Binary *Between *In *Is *Distinct *Like *Quantified *Exists *Subquery
//	*Cast *Case *Call *Extract *Trim *AtTimeZone *TimeUnit
//	*Array *Map *Row *JSONCall *JSONObject *JSONArray
//	*TableArg *Descriptor *Default          (only as arguments of table functions)
type Expr interface {
	Node
	expr()
}

// Literal is a constant.
type Literal struct {
	Span
	Kind LiteralKind
	// Text is the value: digits as written for Number, TRUE or FALSE, "" for Null, the bare string for String, Date, Time and
	// Timestamp, hex digits for Binary.
	Text string
}

// LiteralKind is a family of constants.
type LiteralKind string

// The constants.
const (
	Null      LiteralKind = "NULL"
	Bool      LiteralKind = "BOOLEAN"
	Num       LiteralKind = "NUMBER"
	Str       LiteralKind = "STRING"
	Bin       LiteralKind = "BINARY"
	Date      LiteralKind = "DATE"
	Time      LiteralKind = "TIME"
	Timestamp LiteralKind = "TIMESTAMP"
	// TimestampLTZ is TIMESTAMP WITH LOCAL TIME ZONE '…'.
	TimestampLTZ LiteralKind = "TIMESTAMP_LTZ"
)

// Interval is INTERVAL [-] 'value' unit[(p)] [TO unit[(p)]].
type Interval struct {
	Span
	Negative bool
	Value    string
	// From and To are upper case without a plural S; To is "" for a single unit.
	From, To       string
	FromArg, ToArg int // precision; -1 when absent
	// ValueSpan and UnitSpan are where the value and the units stand.
	ValueSpan, UnitSpan Span
}

// ColumnRef is a name or dotted names; whether `a.b` is a column of table a or a field of column a is the binder's question.
type ColumnRef struct {
	Span
	Parts []*Name
}

// String joins the parts with dots, without quotes.
func (c *ColumnRef) String() string {
	parts := make([]string, len(c.Parts))
	for i, p := range c.Parts {
		parts[i] = p.String()
	}
	return strings.Join(parts, ".")
}

// Star is `*`, or `t.*` with a qualifier. It stands in select lists only.
type Star struct {
	Span
	Qualifier []*Name
}

// FieldAccess is x.field where x is more than names: f(a).b, a[1].b, (a).b.
type FieldAccess struct {
	Span
	X     Expr
	Field *Name
}

// Index is x[i]: an array element from 1, or a map entry.
type Index struct {
	Span
	X, I Expr
}

// Unary is NOT x, -x or +x.
type Unary struct {
	Span
	Op UnaryOp
	X  Expr
}

// UnaryOp is a prefix operator.
type UnaryOp string

// The prefix operators.
const (
	Not  UnaryOp = "NOT"
	Neg  UnaryOp = "-"
	Plus UnaryOp = "+"
)

// Binary is left op right.
type Binary struct {
	Span
	Op          BinaryOp
	OpSpan      Span
	Left, Right Expr
}

// BinaryOp is an infix operator in canonical form: != is <>.
type BinaryOp string

// The infix operators.
const (
	Or       BinaryOp = "OR"
	And      BinaryOp = "AND"
	Eq       BinaryOp = "="
	Ne       BinaryOp = "<>"
	Lt       BinaryOp = "<"
	Le       BinaryOp = "<="
	Gt       BinaryOp = ">"
	Ge       BinaryOp = ">="
	Overlaps BinaryOp = "OVERLAPS"
	Concat   BinaryOp = "||"
	Add      BinaryOp = "+"
	Sub      BinaryOp = "-"
	Mul      BinaryOp = "*"
	Div      BinaryOp = "/"
	Mod      BinaryOp = "%"
)

// Between is x [NOT] BETWEEN [SYMMETRIC|ASYMMETRIC] low AND high.
type Between struct {
	Span
	Not       bool
	Symmetric bool
	X         Expr
	Low, High Expr
}

// In is x [NOT] IN (list) or (query): exactly one of List and Query is set.
type In struct {
	Span
	Not   bool
	X     Expr
	List  []Expr
	Query *Query
}

// Is is x IS [NOT] test.
type Is struct {
	Span
	Not  bool
	X    Expr
	Test IsTest
}

// IsTest is what IS asks.
type IsTest string

// The tests of IS.
const (
	IsNull       IsTest = "NULL"
	IsTrue       IsTest = "TRUE"
	IsFalse      IsTest = "FALSE"
	IsUnknown    IsTest = "UNKNOWN"
	IsJSON       IsTest = "JSON" // the same as JSON VALUE
	IsJSONObject IsTest = "JSON OBJECT"
	IsJSONArray  IsTest = "JSON ARRAY"
	IsJSONScalar IsTest = "JSON SCALAR"
)

// Distinct is left IS [NOT] DISTINCT FROM right.
type Distinct struct {
	Span
	Not         bool
	Left, Right Expr
}

// Like is x [NOT] LIKE pattern [ESCAPE c], or SIMILAR TO.
type Like struct {
	Span
	Not     bool
	Similar bool
	X       Expr
	Pattern Expr
	Escape  Expr // nil when absent
}

// Quantified is left op ALL|ANY (query); SOME is ANY.
type Quantified struct {
	Span
	Left  Expr
	Op    BinaryOp
	All   bool
	Query *Query
}

// Exists is EXISTS (query).
type Exists struct {
	Span
	Query *Query
}

// Subquery is (query) used as one value.
type Subquery struct {
	Span
	Query *Query
}

// Cast is CAST(x AS type), TRY_CAST(x AS type) or x::type.
type Cast struct {
	Span
	Try   bool
	Colon bool // written x::type
	X     Expr
	Type  Type
}

// Case is CASE [operand] WHEN … THEN … [ELSE …] END.
type Case struct {
	Span
	Operand Expr // nil for the searched form
	Whens   []*When
	Else    Expr // nil when absent
}

// When is one branch of a Case.
type When struct {
	Span
	Cond, Then Expr
}

// Extract is EXTRACT(unit FROM x).
type Extract struct {
	Span
	Unit *TimeUnit
	X    Expr
}

// Trim is TRIM([BOTH|LEADING|TRAILING] [chars FROM] x). Where is "" when it was not written: BOTH.
type Trim struct {
	Span
	Where string
	Chars Expr // nil when absent
	X     Expr
}

// AtTimeZone is x AT TIME ZONE zone.
type AtTimeZone struct {
	Span
	X, Zone Expr
}

// TimeUnit is a unit as an argument: TIMESTAMPADD(DAY, …), FLOOR(x TO HOUR). Upper case, without a plural S.
type TimeUnit struct {
	Span
	Unit string
}

// Array is ARRAY[a, b].
type Array struct {
	Span
	Elems []Expr
}

// Map is MAP[k, v, k, v]; Entries alternate.
type Map struct {
	Span
	Entries []Expr
}

// Row is ROW(a, b) or (a, b).
type Row struct {
	Span
	Explicit bool // written with the word ROW
	Elems    []Expr
}

func (*Literal) expr()     {}
func (*Interval) expr()    {}
func (*ColumnRef) expr()   {}
func (*Star) expr()        {}
func (*FieldAccess) expr() {}
func (*Index) expr()       {}
func (*Unary) expr()       {}
func (*Binary) expr()      {}
func (*Between) expr()     {}
func (*In) expr()          {}
func (*Is) expr()          {}
func (*Distinct) expr()    {}
func (*Like) expr()        {}
func (*Quantified) expr()  {}
func (*Exists) expr()      {}
func (*Subquery) expr()    {}
func (*Cast) expr()        {}
func (*Case) expr()        {}
func (*Extract) expr()     {}
func (*Trim) expr()        {}
func (*AtTimeZone) expr()  {}
func (*TimeUnit) expr()    {}
func (*Array) expr()       {}
func (*Map) expr()         {}
func (*Row) expr()         {}
