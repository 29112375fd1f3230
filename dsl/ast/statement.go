package ast

// Statement is one statement of a file.
type Statement interface {
	Node
	statement()
}

// QueryStmt is a query on its own: its result is printed.
type QueryStmt struct {
	Span
	Query *Query `parser:"@@"`
}

// Insert is INSERT INTO table [(columns)] query [ON CONFLICT …]. VALUES is a query too.
type Insert struct {
	Span
	// Execute is set by a leading EXECUTE, which means nothing more.
	Execute    bool        `parser:"@'EXECUTE'?"`
	Overwrite  bool        `parser:"'INSERT' ( 'INTO' | @'OVERWRITE' )"`
	Table      *QName      `parser:"@@"`
	Hints      []*Hint     `parser:"( '/*+' @@ ( ','? @@ )* '*/' )?"`
	Partition  []*Assign   `parser:"( 'PARTITION' '(' @@ ( ',' @@ )* ')' )?"`
	Columns    []*Name     `parser:"( (?= '(' ( Ident | Quoted ) ( ',' | ')' ) ) '(' @@ ( ',' @@ )* ')' )?"`
	Query      *Query      `parser:"@@"`
	OnConflict *OnConflict `parser:"@@?"`
}

// Assign is `name = value` of INSERT … PARTITION (…).
type Assign struct {
	Span
	Name  *Name `parser:"@@"`
	Value Expr  `parser:"( '=' @@ )?"`
}

// OnConflict says what an upsert sink does with rows of different upsert keys and one primary key.
type OnConflict struct {
	Span
	// Action is DEDUPLICATE, ERROR or NOTHING, in the case it was written.
	Action string `parser:"'ON' 'CONFLICT' 'DO' @( 'DEDUPLICATE' | 'ERROR' | 'NOTHING' )"`
}

// StatementSet groups INSERTs into one job. It is put together by package dsl, since its body may contain semicolons.
type StatementSet struct {
	Span
	// Begin is true for `BEGIN STATEMENT SET; … END;`, false for `EXECUTE STATEMENT SET BEGIN … END;`.
	Begin   bool
	Inserts []*Insert
}

// Set is SET 'key' = 'value'; with neither it lists the settings.
type Set struct {
	Span
	Key   *String `parser:"'SET' ( @@"`
	Value *String `parser:"'=' @@ )?"`
}

// Reset is RESET ['key'].
type Reset struct {
	Span
	Key *String `parser:"'RESET' @@?"`
}

// Explain is EXPLAIN [PLAN FOR | details] statement.
type Explain struct {
	Span
	PlanFor bool `parser:"'EXPLAIN' ( @( 'PLAN' 'FOR' )"`
	// Details as written: ESTIMATED_COST, CHANGELOG_MODE, PLAN_ADVICE, JSON_EXECUTION_PLAN.
	Details []string  `parser:"| @( 'ESTIMATED_COST' | 'CHANGELOG_MODE' | 'PLAN_ADVICE' | 'JSON_EXECUTION_PLAN' ) ( ',' @( 'ESTIMATED_COST' | 'CHANGELOG_MODE' | 'PLAN_ADVICE' | 'JSON_EXECUTION_PLAN' ) )* )?"`
	Stmt    Explained `parser:"@@"`
}

// Explained is what EXPLAIN takes: *Insert, *QueryStmt, *CreateMaterializedView, *CreateTable (AS query), *StatementSet.
type Explained interface {
	Statement
	explained()
}

// Describe is DESCRIBE [kind] [EXTENDED] name.
type Describe struct {
	Span
	// Kind is "" for a table or view, else CATALOG, DATABASE or FUNCTION as written.
	Kind     string `parser:"( 'DESCRIBE' | 'DESC' ) ( (?= ( 'CATALOG' | 'DATABASE' | 'FUNCTION' ) ( Ident | Quoted ) ) @Ident )?"`
	Extended bool   `parser:"( (?= 'EXTENDED' ( Ident | Quoted ) ) @'EXTENDED' )?"`
	Name     *QName `parser:"@@"`
}

// Show is SHOW words [name] [FROM name] [[NOT] LIKE 'pattern'], for example SHOW TABLES or SHOW CREATE TABLE t.
type Show struct {
	Span
	// Create is set for SHOW CREATE …, for example ["CREATE", "TABLE"], with Name; What otherwise, for example ["TABLES"]. As written.
	Create  []string `parser:"'SHOW' ( @'CREATE' ( @'TABLE' | @'VIEW' | @'MATERIALIZED' @( 'VIEW' | 'TABLE' ) | @'FUNCTION' | @'CATALOG' )"`
	Name    *QName   `parser:"  @@"`
	What    []string `parser:"| @( Ident | 'FULL' ) ( (?! 'LIKE' | 'ILIKE' ) @Ident )*"`
	From    *QName   `parser:"  ( ( 'FROM' | 'IN' ) @@ )?"`
	Not     bool     `parser:"  ( @'NOT'?"`
	ILike   bool     `parser:"  ( 'LIKE' | @'ILIKE' )"`
	Pattern *String  `parser:"  @@ )? )"`
}

// Drop is DROP [TEMPORARY] kind [IF EXISTS] name.
type Drop struct {
	Span
	Temporary    bool `parser:"'DROP' @'TEMPORARY'? 'SYSTEM'?"`
	Materialized bool `parser:"@'MATERIALIZED'?"`
	// Kind is TABLE, VIEW, FUNCTION, DATABASE or CATALOG as written.
	Kind     string `parser:"@( 'TABLE' | 'VIEW' | 'FUNCTION' | 'DATABASE' | 'CATALOG' )"`
	IfExists bool   `parser:"@( 'IF' 'EXISTS' )?"`
	Name     *QName `parser:"@@"`
	Cascade  bool   `parser:"( @'CASCADE' | 'RESTRICT' )?"`
}

// Use is USE [CATALOG] name.
type Use struct {
	Span
	Catalog bool   `parser:"'USE' ( (?= 'CATALOG' ( Ident | Quoted ) ) @'CATALOG' )?"`
	Name    *QName `parser:"@@"`
}

// Foreign is a statement that Flink has and streamd has not (ALTER TABLE, CREATE CATALOG, ADD JAR, …). Only its head was looked
// at, so that it can be refused by name.
type Foreign struct {
	Span
	Verb string // upper case, for example "CREATE CATALOG"
	Text string // the whole statement as written
}

func (*QueryStmt) statement()    {}
func (*Insert) statement()       {}
func (*StatementSet) statement() {}
func (*Set) statement()          {}
func (*Reset) statement()        {}
func (*Explain) statement()      {}
func (*Describe) statement()     {}
func (*Show) statement()         {}
func (*Drop) statement()         {}
func (*Use) statement()          {}
func (*Foreign) statement()      {}

func (*QueryStmt) explained()              {}
func (*Insert) explained()                 {}
func (*StatementSet) explained()           {}
func (*CreateMaterializedView) explained() {}
func (*CreateTable) explained()            {}
