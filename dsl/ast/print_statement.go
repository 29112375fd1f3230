package ast

import "strings"

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *QueryStmt:
		p.w(s.Query)
	case *TestInput, *TestWatermark, *TestClock, *TestExpect, *TestError:
		p.test(s)
	case *Insert:
		p.w(when(s.Execute, "EXECUTE"), "INSERT", when(s.Overwrite, "OVERWRITE"), when(!s.Overwrite, "INTO"), s.Table)
		p.hints(s.Hints)
		if len(s.Partition) > 0 {
			p.w("PARTITION")
			parens(p, s.Partition)
		}
		if len(s.Columns) > 0 {
			parens(p, s.Columns)
		}
		p.w(s.Query)
		if s.OnConflict != nil {
			p.w("ON CONFLICT DO", strings.ToUpper(s.OnConflict.Action))
		}
	case *StatementSet:
		p.w(when(s.Begin, "BEGIN STATEMENT SET;"), when(!s.Begin, "EXECUTE STATEMENT SET BEGIN"))
		for _, i := range s.Inserts {
			p.w(i)
			p.raw(";")
		}
		p.w("END")
	case *Set:
		p.w("SET")
		if s.Key != nil {
			p.w(s.Key, "=", s.Value)
		}
	case *Reset:
		p.w("RESET", s.Key)
	case *Explain:
		p.w("EXPLAIN", when(s.PlanFor, "PLAN FOR"), strings.ToUpper(strings.Join(s.Details, ", ")))
		if set, ok := s.Stmt.(*StatementSet); ok {
			p.w("STATEMENT SET BEGIN")
			for _, i := range set.Inserts {
				p.w(i)
				p.raw(";")
			}
			p.w("END")
			return
		}
		p.w(s.Stmt)
	case *Describe:
		p.w("DESCRIBE", strings.ToUpper(s.Kind), when(s.Extended, "EXTENDED"), s.Name)
	case *Show:
		p.w("SHOW", strings.ToUpper(strings.Join(s.Create, " ")), s.Name, strings.ToUpper(strings.Join(s.What, " ")))
		if s.From != nil {
			p.w("FROM", s.From)
		}
		if s.Pattern != nil {
			p.w(when(s.Not, "NOT"), when(s.ILike, "ILIKE"), when(!s.ILike, "LIKE"), s.Pattern)
		}
	case *Drop:
		p.w("DROP", when(s.Temporary, "TEMPORARY"), when(s.Materialized, "MATERIALIZED"), strings.ToUpper(s.Kind),
			when(s.IfExists, "IF EXISTS"), s.Name, when(s.Cascade, "CASCADE"))
	case *Use:
		p.w("USE", when(s.Catalog, "CATALOG"), s.Name)
	case *Foreign:
		p.w(s.Text)
	default:
		p.create(s)
	}
}

func (p *printer) create(s Statement) {
	switch s := s.(type) {
	case *CreateTable:
		p.w("CREATE", when(s.Replace, "OR REPLACE"), when(s.Temporary, "TEMPORARY"), "TABLE", when(s.IfNotExists, "IF NOT EXISTS"), s.Name)
		if len(s.Elems) > 0 {
			parens(p, s.Elems)
		}
		p.comment(s.Comment)
		p.w(s.Distributed)
		if len(s.Partitioned) > 0 {
			p.w("PARTITIONED BY")
			parens(p, s.Partitioned)
		}
		p.with(s.With)
		p.w(s.Like)
		if s.As != nil {
			p.w("AS", s.As)
		}
	case *CreateView:
		p.w("CREATE", when(s.Replace, "OR REPLACE"), when(s.Temporary, "TEMPORARY"), "VIEW", when(s.IfNotExists, "IF NOT EXISTS"), s.Name)
		if len(s.Columns) > 0 {
			parens(p, s.Columns)
		}
		p.comment(s.Comment)
		p.w("AS", s.Query)
	case *CreateMaterializedView:
		p.w("CREATE", when(s.Replace, "OR REPLACE"), "MATERIALIZED VIEW", when(s.IfNotExists, "IF NOT EXISTS"), s.Name)
		if len(s.Elems) > 0 {
			parens(p, s.Elems)
		}
		p.comment(s.Comment)
		p.with(s.With)
		p.w("AS", s.Query)
	case *CreateFunction:
		p.w("CREATE", when(s.Replace, "OR REPLACE"), when(s.Temporary, "TEMPORARY"), "FUNCTION", when(s.IfNotExists, "IF NOT EXISTS"), s.Name)
		if s.Class != nil {
			p.w("AS", s.Class)
			if s.Language != "" {
				p.w("LANGUAGE", strings.ToUpper(s.Language))
			}
			for i, j := range s.Jars {
				if i > 0 {
					p.raw(",")
				}
				p.w(when(i == 0, "USING"), "JAR", j)
			}
			return
		}
		parens(p, s.Params)
		p.w("RETURNS", s.Returns, "AS", s.Body)
	default:
		panic("BUG: unknown statement")
	}
}

func (p *printer) comment(c *String) {
	if c != nil {
		p.w("COMMENT", c)
	}
}

func (p *printer) with(options []*Option) {
	if len(options) > 0 {
		p.w("WITH")
		parens(p, options)
	}
}

// part prints nodes that are neither statements, expressions, types, patterns nor tables.
func (p *printer) part(n Node) {
	switch n := n.(type) {
	case *Assign:
		p.w(n.Name)
		if n.Value != nil {
			p.w("=", n.Value)
		}
	case *OnConflict:
		p.w("ON CONFLICT DO", strings.ToUpper(n.Action))
	case *Column:
		p.column(n)
	case *Metadata:
		p.w("METADATA")
		if n.From != nil {
			p.w("FROM", n.From)
		}
		p.w(when(n.Virtual, "VIRTUAL"))
	case *InlineKey:
		p.w("PRIMARY KEY", when(n.NotEnforced, "NOT ENFORCED"))
	case *Watermark:
		p.w("WATERMARK FOR", n.Column, "AS", n.Expr)
	case *PrimaryKey:
		if n.Constraint != nil {
			p.w("CONSTRAINT", n.Constraint)
		}
		p.w("PRIMARY KEY")
		parens(p, n.Columns)
		p.w(when(n.NotEnforced, "NOT ENFORCED"))
	case *Distribution:
		p.w("DISTRIBUTED")
		if len(n.Columns) > 0 {
			p.w("BY", strings.ToUpper(n.Kind))
			parens(p, n.Columns)
		}
		if n.Buckets != nil {
			p.w("INTO", n.Buckets, "BUCKETS")
		}
	case *LikeClause:
		p.w("LIKE", n.Table)
		if len(n.Options) > 0 {
			p.w("(")
			for _, o := range n.Options {
				p.w(o)
			}
			p.raw(")")
		}
	case *LikeOption:
		p.w(strings.ToUpper(n.Action), strings.ToUpper(n.Feature))
	case *Param:
		p.w(n.Name, n.Type)
	case *Field:
		p.w(n.Name, n.Type)
		if n.Comment != "" {
			p.w(QuoteString(n.Comment))
		}
	default:
		p.queryPart(n)
	}
}

func (p *printer) column(n *Column) {
	p.w(n.Name)
	if n.Computed != nil {
		p.w("AS", n.Computed)
	}
	p.w(n.Type, n.Metadata, n.PrimaryKey)
	p.comment(n.Comment)
}
