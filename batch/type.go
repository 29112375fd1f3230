package batch

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is the physical representation of a column: which slices of a Vec hold
// its data. Several SQL types share a Kind.
type Kind uint8

const (
	Bool  Kind = iota // Vec.B
	Int               // Vec.I: integers, DATE, TIME, timestamps, intervals, DECIMAL(p<=18) scaled
	Float             // Vec.F: FLOAT (rounded to 32 bits after each operation) and DOUBLE
	Wide              // Vec.Hi, Vec.Lo: DECIMAL(p>18), scaled
	Str               // Vec.Data, Vec.View: STRING, CHAR, VARCHAR, BYTES
	Row               // Vec.Child: one vector a field
	List              // Vec.View into Vec.Child: ARRAY (1 child), MAP (2), MULTISET (2: value, count)
)

// SQLType is a type family as the user writes it.
type SQLType uint8

const (
	Null SQLType = iota // the type of a bare NULL: Kind Int, every row null
	Boolean
	TinyInt
	SmallInt
	Integer
	BigInt
	Float32
	Float64
	Decimal
	Char
	Varchar // STRING is VARCHAR(MaxLen)
	Binary
	Varbinary // BYTES is VARBINARY(MaxLen)
	Date
	Time
	Timestamp
	TimestampLTZ
	IntervalDay   // microseconds
	IntervalMonth // months
	RowType
	Array
	Map
	Multiset
	Raw // internal: hidden columns such as $pos; never visible in SQL
)

// MaxLen is the length of STRING and BYTES.
const MaxLen = 1<<31 - 1

var sqlNames = [...]string{
	Null: "NULL", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Integer: "INT", BigInt: "BIGINT",
	Float32: "FLOAT", Float64: "DOUBLE", Decimal: "DECIMAL", Char: "CHAR", Varchar: "VARCHAR", Binary: "BINARY",
	Varbinary: "VARBINARY", Date: "DATE", Time: "TIME", Timestamp: "TIMESTAMP", TimestampLTZ: "TIMESTAMP_LTZ",
	IntervalDay: "INTERVAL DAY TO SECOND", IntervalMonth: "INTERVAL YEAR TO MONTH", RowType: "ROW", Array: "ARRAY",
	Map: "MAP", Multiset: "MULTISET", Raw: "RAW",
}

func (t SQLType) String() string { return sqlNames[t] }

// Type is the SQL type of a column. The zero value is the type of NULL.
type Type struct {
	SQL     SQLType
	P, S    int32 // DECIMAL(P,S); CHAR, VARCHAR, BINARY, VARBINARY(P); TIME, TIMESTAMP, TIMESTAMP_LTZ(P)
	NotNull bool
	Fields  []Field // ROW: its fields; ARRAY: [element]; MAP: [key, value]; MULTISET: [element]
}

// Shorthands for the types that appear everywhere.
var (
	TypeBool   = Type{SQL: Boolean}
	TypeInt    = Type{SQL: Integer}
	TypeBigInt = Type{SQL: BigInt}
	TypeDouble = Type{SQL: Float64}
	TypeString = Type{SQL: Varchar, P: MaxLen}
	TypeBytes  = Type{SQL: Varbinary, P: MaxLen}
	TypeDate   = Type{SQL: Date}
	TypeTS3    = Type{SQL: Timestamp, P: 3}
	TypeLTZ3   = Type{SQL: TimestampLTZ, P: 3}
)

// Kind returns how values of t are stored.
func (t Type) Kind() Kind {
	switch t.SQL {
	case Boolean:
		return Bool
	case Float32, Float64:
		return Float
	case Decimal:
		if t.P > 18 {
			return Wide
		}
		return Int
	case Char, Varchar, Binary, Varbinary, Raw:
		return Str
	case RowType:
		return Row
	case Array, Map, Multiset:
		return List
	}
	return Int
}

// With returns t with the given NOT NULL.
func (t Type) With(notNull bool) Type { t.NotNull = notNull; return t }

// IsInteger tells TINYINT, SMALLINT, INT, BIGINT.
func (t Type) IsInteger() bool { return t.SQL >= TinyInt && t.SQL <= BigInt }

// IsFloat tells FLOAT and DOUBLE.
func (t Type) IsFloat() bool { return t.SQL == Float32 || t.SQL == Float64 }

// IsNumeric tells integers, DECIMAL and floats.
func (t Type) IsNumeric() bool { return t.SQL >= TinyInt && t.SQL <= Decimal }

// IsString tells CHAR and VARCHAR.
func (t Type) IsString() bool { return t.SQL == Char || t.SQL == Varchar }

// IsBytes tells BINARY and VARBINARY.
func (t Type) IsBytes() bool { return t.SQL == Binary || t.SQL == Varbinary }

// IsTimestamp tells TIMESTAMP and TIMESTAMP_LTZ.
func (t Type) IsTimestamp() bool { return t.SQL == Timestamp || t.SQL == TimestampLTZ }

// Equal tells whether two types are the same but for NOT NULL at the top.
func (t Type) Equal(u Type) bool {
	if t.SQL != u.SQL || t.P != u.P || t.S != u.S || len(t.Fields) != len(u.Fields) {
		return false
	}
	for i := range t.Fields {
		if t.SQL == RowType && t.Fields[i].Name != u.Fields[i].Name || !t.Fields[i].Type.Equal(u.Fields[i].Type) {
			return false
		}
	}
	return true
}

// String writes the type as SQL, with NOT NULL where it holds.
func (t Type) String() string {
	s := t.bare()
	if t.NotNull {
		s += " NOT NULL"
	}
	return s
}

func (t Type) bare() string {
	switch t.SQL {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.P, t.S)
	case Char, Binary:
		return fmt.Sprintf("%s(%d)", t.SQL, t.P)
	case Varchar, Varbinary:
		if t.P == MaxLen {
			return map[SQLType]string{Varchar: "STRING", Varbinary: "BYTES"}[t.SQL]
		}
		return fmt.Sprintf("%s(%d)", t.SQL, t.P)
	case Time, Timestamp, TimestampLTZ:
		return t.SQL.String() + "(" + strconv.Itoa(int(t.P)) + ")"
	case RowType:
		var b strings.Builder
		b.WriteString("ROW<")
		for i, f := range t.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString("`" + f.Name + "` " + f.Type.String())
		}
		return b.String() + ">"
	case Array, Multiset:
		return t.SQL.String() + "<" + t.Fields[0].Type.String() + ">"
	case Map:
		return "MAP<" + t.Fields[0].Type.String() + ", " + t.Fields[1].Type.String() + ">"
	}
	return t.SQL.String()
}

// ArrayOf, MapOf and MultisetOf build the collection types.
func ArrayOf(e Type) Type { return Type{SQL: Array, Fields: []Field{{Name: "element", Type: e}}} }

// MapOf builds MAP<k, v>.
func MapOf(k, v Type) Type {
	return Type{SQL: Map, Fields: []Field{{Name: "key", Type: k}, {Name: "value", Type: v}}}
}

// MultisetOf builds MULTISET<e>.
func MultisetOf(e Type) Type { return Type{SQL: Multiset, Fields: []Field{{Name: "element", Type: e}}} }

// DecimalOf builds DECIMAL(p, s).
func DecimalOf(p, s int32) Type { return Type{SQL: Decimal, P: p, S: s} }
