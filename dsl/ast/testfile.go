package ast

// The statements of a NAME_test.sql. They stand in no pipeline.

// TestInput is INPUT table [DELETE] [(columns)] VALUES …: rows for a table that the pipeline reads.
type TestInput struct {
	Span
	Table   *QName
	Delete  bool // the rows are taken away
	Columns []*Name
	Rows    *Values
}

// TestWatermark is WATERMARK table TO time.
type TestWatermark struct {
	Span
	Table *QName
	To    Expr
}

// TestClock is CLOCK TO time, or CLOCK BY interval.
type TestClock struct {
	Span
	By   bool
	Time Expr
}

// TestExpect is EXPECT [CHANGES] view_or_sink [(columns)] VALUES … | EMPTY.
type TestExpect struct {
	Span
	Changes bool // what was added and taken away since the last EXPECT CHANGES of the table; the sign is each row's first value
	Table   *QName
	Columns []*Name
	Rows    *Values // nil: EMPTY
}

// TestError is EXPECT ERROR code: the pipeline has failed, or is refused.
type TestError struct {
	Span
	Code string // upper case
}

func (*TestInput) statement()     {}
func (*TestWatermark) statement() {}
func (*TestClock) statement()     {}
func (*TestExpect) statement()    {}
func (*TestError) statement()     {}

func (p *printer) test(s Statement) {
	switch s := s.(type) {
	case *TestInput:
		p.w("INPUT", s.Table, when(s.Delete, "DELETE"))
		if len(s.Columns) > 0 {
			parens(p, s.Columns)
		}
		p.w(s.Rows)
	case *TestWatermark:
		p.w("WATERMARK", s.Table, "TO", s.To)
	case *TestClock:
		p.w("CLOCK", when(s.By, "BY"), when(!s.By, "TO"), s.Time)
	case *TestExpect:
		p.w("EXPECT", when(s.Changes, "CHANGES"), s.Table)
		if len(s.Columns) > 0 {
			parens(p, s.Columns)
		}
		p.w(when(s.Rows == nil, "EMPTY"), s.Rows)
	case *TestError:
		p.w("EXPECT ERROR", s.Code)
	}
}
