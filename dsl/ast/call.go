package ast

// Call is a function call with everything that may stand around its arguments.
//
// Special forms of plain functions are calls too: SUBSTRING(a FROM b FOR c), OVERLAY(a PLACING b FROM c FOR d), POSITION(a IN b)
// have their parts as arguments in that order, CEIL(x TO unit) and TIMESTAMPADD(unit, n, x) have the unit as *TimeUnit.
type Call struct {
	Span
	Name *QName
	// NoParens is set for CURRENT_TIMESTAMP and its relatives without parentheses.
	NoParens bool
	// Star is set for COUNT(*); Args is empty then.
	Star     bool
	Distinct bool
	Args     []*Arg
	// OrderBy stands within the parentheses: ARRAY_AGG(x ORDER BY y).
	OrderBy []*OrderItem
	// Nulls is IGNORE or RESPECT (NULLS), or "".
	Nulls string
	// WithinGroup is WITHIN GROUP (ORDER BY …).
	WithinGroup []*OrderItem
	Filter      Expr // FILTER (WHERE …)
	Over        *Over
	// Running and Final are the words before a call in MEASURES.
	Running, Final bool
}

// Arg is [name =>] value.
type Arg struct {
	Span
	Name  *Name // nil for a positional argument
	Value Expr
}

// Over is OVER name or OVER (spec): exactly one is set.
type Over struct {
	Span
	Name *Name
	Spec *WindowSpec
}

// TableArg is TABLE t [PARTITION BY …] [ORDER BY …] or a query in a table function's argument; one of Name and Query is set.
type TableArg struct {
	Span
	Name        *QName
	Query       *Query
	PartitionBy []Expr
	OrderBy     []*OrderItem
}

// Descriptor is DESCRIPTOR(column, …).
type Descriptor struct {
	Span
	Columns []*Name
}

// Default is the word DEFAULT as an argument.
type Default struct {
	Span
}

// JSONCall is JSON_VALUE, JSON_QUERY or JSON_EXISTS with their clauses.
type JSONCall struct {
	Span
	Func      string // upper case
	X, Path   Expr
	Returning Type // nil when absent
	// Wrapper is "", WITHOUT ARRAY, WITH CONDITIONAL ARRAY or WITH UNCONDITIONAL ARRAY.
	Wrapper string
	OnEmpty *JSONBehavior
	OnError *JSONBehavior
}

// JSONBehavior is what ON EMPTY or ON ERROR gives.
type JSONBehavior struct {
	Span
	// Action is NULL, ERROR, DEFAULT (with Default), EMPTY ARRAY, EMPTY OBJECT, TRUE, FALSE or UNKNOWN.
	Action  string
	Default Expr
}

// JSONObject is JSON_OBJECT([KEY] k VALUE v, …) or JSON_OBJECTAGG(KEY k VALUE v).
type JSONObject struct {
	Span
	Agg     bool
	Entries []*JSONEntry
	// OnNull is NULL, ABSENT or "".
	OnNull string
	Filter Expr // of JSON_OBJECTAGG
}

// JSONEntry is one key with its value.
type JSONEntry struct {
	Span
	Key, Value Expr
}

// JSONArray is JSON_ARRAY(…) or JSON_ARRAYAGG(x [ORDER BY …]).
type JSONArray struct {
	Span
	Agg     bool
	Elems   []Expr
	OrderBy []*OrderItem
	// OnNull is NULL, ABSENT or "".
	OnNull string
	Filter Expr // of JSON_ARRAYAGG
}

func (*Call) expr()       {}
func (*TableArg) expr()   {}
func (*Descriptor) expr() {}
func (*Default) expr()    {}
func (*JSONCall) expr()   {}
func (*JSONObject) expr() {}
func (*JSONArray) expr()  {}
