package ast

// Type is a data type as written: *ScalarType, *ArrayType, *MapType, *MultisetType or *RowType. Built by code.
type Type interface {
	Node
	// IsNotNull reports whether NOT NULL was written behind the type.
	IsNotNull() bool
	dataType()
}

// Nullability is embedded in every type.
type Nullability struct {
	NotNull bool
}

// IsNotNull implements Type.
func (n Nullability) IsNotNull() bool { return n.NotNull }

// ScalarType is a type without parts.
type ScalarType struct {
	Span
	Nullability
	// Name is the canonical upper-case name: BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL CHAR VARCHAR STRING BINARY
	// VARBINARY BYTES DATE TIME TIMESTAMP TIMESTAMP_LTZ INTERVAL, with the synonyms (INTEGER, DEC, NUMERIC, DOUBLE PRECISION,
	// TIMESTAMP(p) WITH LOCAL TIME ZONE, …) already replaced; any other word is upper-cased and left to the binder to refuse.
	Name string
	// Args are length, precision and scale as written: DECIMAL(10, 2) has [10 2].
	Args []int
	// Zone is true for TIME and TIMESTAMP … WITH TIME ZONE, which streamd has not.
	Zone bool
	// From, To and the arguments of INTERVAL DAY(3) TO SECOND(6): To is "" for a single unit.
	From, To       string
	FromArg, ToArg int // -1 when absent
}

// ArrayType is ARRAY<elem> or `elem ARRAY`.
type ArrayType struct {
	Span
	Nullability
	Elem Type
}

// MultisetType is MULTISET<elem>.
type MultisetType struct {
	Span
	Nullability
	Elem Type
}

// MapType is MAP<key, value>.
type MapType struct {
	Span
	Nullability
	Key, Value Type
}

// RowType is ROW<a INT, b STRING> or ROW(…).
type RowType struct {
	Span
	Nullability
	Fields []*Field
}

// Field is one field of a row type.
type Field struct {
	Span
	Name    *Name
	Type    Type
	Comment string
}

func (*ScalarType) dataType()   {}
func (*ArrayType) dataType()    {}
func (*MultisetType) dataType() {}
func (*MapType) dataType()      {}
func (*RowType) dataType()      {}
