package ast

// CreateTable is CREATE TABLE with columns, options and, sometimes, LIKE or AS.
type CreateTable struct {
	Span
	Replace     bool          `parser:"'CREATE' @( 'OR' 'REPLACE' )?"`
	Temporary   bool          `parser:"@'TEMPORARY'? 'TABLE'"`
	IfNotExists bool          `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        *QName        `parser:"@@"`
	Elems       []TableElem   `parser:"( '(' ( @@ ( ',' @@ )* )? ')' )?"`
	Comment     *String       `parser:"( 'COMMENT' @@ )?"`
	Distributed *Distribution `parser:"@@?"`
	Partitioned []*Name       `parser:"( 'PARTITIONED' 'BY' '(' @@ ( ',' @@ )* ')' )?"`
	With        []*Option     `parser:"( 'WITH' '(' ( @@ ( ',' @@ )* )? ')' )?"`
	Like        *LikeClause   `parser:"( @@"`
	As          *Query        `parser:"| 'AS' @@ )?"`
}

// TableElem is *Column, *Watermark or *PrimaryKey.
type TableElem interface {
	Node
	tableElem()
}

// Column is one of three kinds: computed (Computed is set), metadata (Metadata is set) or physical.
type Column struct {
	Span
	Name       *Name      `parser:"@@"`
	Computed   Expr       `parser:"( 'AS' @@"`
	Type       Type       `parser:"| @@"`
	Metadata   *Metadata  `parser:"  @@?"`
	PrimaryKey *InlineKey `parser:"  @@? )"`
	Comment    *String    `parser:"( 'COMMENT' @@ )?"`
}

// Metadata is METADATA [FROM 'key'] [VIRTUAL]; without FROM the key is the column's name.
type Metadata struct {
	Span
	From    *String `parser:"'METADATA' ( 'FROM' @@ )?"`
	Virtual bool    `parser:"@'VIRTUAL'?"`
}

// InlineKey is PRIMARY KEY [NOT ENFORCED] behind a column.
type InlineKey struct {
	Span
	NotEnforced bool `parser:"'PRIMARY' 'KEY' @( 'NOT' 'ENFORCED' )?"`
}

// Watermark is WATERMARK FOR column AS expression. Column may name a field of a row.
type Watermark struct {
	Span
	Column *QName `parser:"(?= 'WATERMARK' 'FOR' ) 'WATERMARK' 'FOR' @@"`
	Expr   Expr   `parser:"'AS' @@"`
}

// PrimaryKey is [CONSTRAINT name] PRIMARY KEY (columns) [NOT ENFORCED].
type PrimaryKey struct {
	Span
	Constraint  *Name   `parser:"(?= 'PRIMARY' 'KEY' | 'CONSTRAINT' ( Ident | Quoted ) 'PRIMARY' ) ( 'CONSTRAINT' @@ )?"`
	Columns     []*Name `parser:"'PRIMARY' 'KEY' '(' @@ ( ',' @@ )* ')'"`
	NotEnforced bool    `parser:"@( 'NOT' 'ENFORCED' )?"`
}

func (*Column) tableElem()     {}
func (*Watermark) tableElem()  {}
func (*PrimaryKey) tableElem() {}

// Distribution is DISTRIBUTED [BY [HASH|RANGE] (columns)] [INTO n BUCKETS].
type Distribution struct {
	Span
	Kind    string  `parser:"'DISTRIBUTED' ( 'BY' @( 'HASH' | 'RANGE' )?"`
	Columns []*Name `parser:"  '(' @@ ( ',' @@ )* ')' )?"`
	Buckets *Number `parser:"( 'INTO' @@ 'BUCKETS' )?"`
}

// LikeClause is LIKE table [(options)].
type LikeClause struct {
	Span
	Table   *QName        `parser:"'LIKE' @@"`
	Options []*LikeOption `parser:"( '(' @@* ')' )?"`
}

// LikeOption is for example INCLUDING ALL or OVERWRITING OPTIONS; both words as written.
type LikeOption struct {
	Span
	Action  string `parser:"@( 'INCLUDING' | 'EXCLUDING' | 'OVERWRITING' )"`
	Feature string `parser:"@( 'ALL' | 'CONSTRAINTS' | 'DISTRIBUTION' | 'GENERATED' | 'METADATA' | 'OPTIONS' | 'PARTITIONS' | 'WATERMARKS' )"`
}

// CreateView is CREATE VIEW: a named query, expanded where it is used.
type CreateView struct {
	Span
	Replace     bool    `parser:"'CREATE' @( 'OR' 'REPLACE' )?"`
	Temporary   bool    `parser:"@'TEMPORARY'? 'VIEW'"`
	IfNotExists bool    `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        *QName  `parser:"@@"`
	Columns     []*Name `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Comment     *String `parser:"( 'COMMENT' @@ )?"`
	Query       *Query  `parser:"'AS' @@"`
}

// CreateMaterializedView is CREATE MATERIALIZED VIEW: a query whose result is kept and served.
type CreateMaterializedView struct {
	Span
	Replace     bool       `parser:"'CREATE' @( 'OR' 'REPLACE' )? 'MATERIALIZED' 'VIEW'"`
	IfNotExists bool       `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        *QName     `parser:"@@"`
	Elems       []ViewElem `parser:"( '(' @@ ( ',' @@ )* ')' )?"`
	Comment     *String    `parser:"( 'COMMENT' @@ )?"`
	With        []*Option  `parser:"( 'WITH' '(' ( @@ ( ',' @@ )* )? ')' )?"`
	Query       *Query     `parser:"'AS' @@"`
}

// ViewElem is *PrimaryKey or *Name (a column's new name).
type ViewElem interface {
	Node
	viewElem()
}

func (*PrimaryKey) viewElem() {}
func (*Name) viewElem()       {}

// CreateFunction is CREATE FUNCTION f(params) RETURNS type AS expression, or Flink's form for Java, which has Class instead.
type CreateFunction struct {
	Span
	Replace     bool      `parser:"'CREATE' @( 'OR' 'REPLACE' )?"`
	Temporary   bool      `parser:"@'TEMPORARY'? 'SYSTEM'? 'FUNCTION'"`
	IfNotExists bool      `parser:"@( 'IF' 'NOT' 'EXISTS' )?"`
	Name        *QName    `parser:"@@"`
	Params      []*Param  `parser:"( ( '(' ( @@ ( ',' @@ )* )? ')' )"`
	Returns     Type      `parser:"  'RETURNS' @@"`
	Body        Expr      `parser:"  'AS' @@"`
	Class       *String   `parser:"| 'AS' @@"`
	Language    string    `parser:"  ( 'LANGUAGE' @Ident )?"`
	Jars        []*String `parser:"  ( 'USING' 'JAR' @@ ( ',' 'JAR' @@ )* )? )"`
}

// Param is one parameter of a SQL function.
type Param struct {
	Span
	Name *Name `parser:"@@"`
	Type Type  `parser:"@@"`
}

func (*CreateTable) statement()            {}
func (*CreateView) statement()             {}
func (*CreateMaterializedView) statement() {}
func (*CreateFunction) statement()         {}
