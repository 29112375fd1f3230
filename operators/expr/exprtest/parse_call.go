package exprtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// call reads a call's operands after its bracket, with the forms of SQL that
// have words between them.
func (p *Parser) call(name string, at expr.Span) expr.Expr {
	var args []expr.Expr
	switch {
	case name == "EXTRACT":
		args = append(args, expr.Symbol(p.next()))
		p.want("FROM")
	case name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF":
		args = append(args, expr.Symbol(p.next()))
		p.want(",")
	case name == "TRIM" && (p.is("BOTH") || p.is("LEADING") || p.is("TRAILING")):
		args = append(args, expr.Symbol(p.next()))
		if p.is("FROM") {
			args = append(args, expr.Str(" "))
		}
		if !p.is("FROM") {
			args = append(args, p.or())
		}
		p.want("FROM")
	case name == "POSITION":
		a := p.concat()
		p.want("IN")
		b := p.or()
		p.want(")")
		return must(p.Call(name, []expr.Expr{a, b}, at))
	}
	for !p.take(")") {
		if name == "JSON_OBJECT" && (p.take("KEY") || p.take("VALUE")) {
			continue
		}
		if (p.is("NULL", "ON", "NULL") || p.is("ABSENT", "ON", "NULL")) && (name == "JSON_OBJECT" || name == "JSON_ARRAY") {
			args = append(args, expr.Symbol(p.next()+" ON NULL"))
			p.i += 2
			continue
		}
		if p.take(",") || p.take("FROM") || p.take("FOR") || p.take("PLACING") || p.take("USING") {
			continue
		}
		if p.take("TO") {
			args = append(args, expr.Symbol(p.next()))
			continue
		}
		if word := p.peek(); slices.Contains([]string{"JSON_VALUE", "JSON_QUERY", "JSON_EXISTS"}, name) && len(args) >= 2 {
			p.i++
			sym := word
			for !p.is(")") && !p.take(",") {
				if p.kinds[p.i] == 's' || p.kinds[p.i] == 'n' {
					args = append(args, expr.Symbol(sym), p.primary())
					sym = ""
					continue
				}
				if sym == "RETURNING" {
					args = append(args, expr.Symbol(sym), expr.NullOf(p.typ()))
					sym = ""
					continue
				}
				if sym != "" && (strings.HasSuffix(sym, " EMPTY") || strings.HasSuffix(sym, " ERROR") && strings.Contains(sym, " ON ")) {
					args = append(args, expr.Symbol(sym))
					sym = ""
				}
				sym = strings.TrimSpace(sym + " " + strings.ToUpper(p.next()))
			}
			if sym != "" {
				args = append(args, expr.Symbol(sym))
			}
			continue
		}
		args = append(args, p.or())
	}
	return must(p.Call(name, args, at))
}

var typeNames = map[string]batch.SQLType{
	"BOOLEAN": batch.Boolean, "TINYINT": batch.TinyInt, "SMALLINT": batch.SmallInt, "INT": batch.Integer, "INTEGER": batch.Integer,
	"BIGINT": batch.BigInt, "FLOAT": batch.Float32, "DOUBLE": batch.Float64, "DECIMAL": batch.Decimal, "CHAR": batch.Char,
	"VARCHAR": batch.Varchar, "BINARY": batch.Binary, "VARBINARY": batch.Varbinary, "DATE": batch.Date, "TIME": batch.Time,
	"TIMESTAMP": batch.Timestamp, "TIMESTAMP_LTZ": batch.TimestampLTZ,
}

// Type reads a type.
func Type(text string) batch.Type {
	c := must(Parser{}.Parse("TRY_CAST(NULL AS " + text + ")"))
	return c.Type()
}

func (p *Parser) typ() batch.Type {
	name := strings.ToUpper(p.next())
	switch name {
	case "STRING":
		return batch.TypeString
	case "BYTES":
		return batch.TypeBytes
	case "ARRAY", "MULTISET":
		p.want("<")
		e := p.typ()
		p.want(">")
		if name == "ARRAY" {
			return batch.ArrayOf(e)
		}
		return batch.MultisetOf(e)
	case "MAP":
		p.want("<")
		k := p.typ()
		p.want(",")
		v := p.typ()
		p.want(">")
		return batch.MapOf(k, v)
	case "ROW":
		p.want("<")
		t := batch.Type{SQL: batch.RowType}
		for {
			f := p.next()
			t.Fields = append(t.Fields, batch.Field{Name: f, Type: p.typ()})
			if !p.take(",") {
				break
			}
		}
		p.want(">")
		return t
	}
	sql, ok := typeNames[name]
	if !ok {
		panic(fmt.Errorf("%q: no type %s", p.text, name))
	}
	t := batch.Type{SQL: sql, P: 1}
	switch sql {
	case batch.Decimal:
		t.P = 10
	case batch.Timestamp, batch.TimestampLTZ:
		t.P = 6
	case batch.Char, batch.Varchar, batch.Binary, batch.Varbinary:
	default:
		t.P = 0
	}
	if p.take("(") {
		t.P = int32(must(strconv.Atoi(p.next())))
		if p.take(",") {
			t.S = int32(must(strconv.Atoi(p.next())))
		}
		p.want(")")
	}
	return t
}

// cast reads CAST or TRY_CAST, whose word is token start, from its bracket on.
func (p *Parser) cast(try bool, start int) expr.Expr {
	p.want("(")
	x := p.or()
	p.want("AS")
	t := p.typ()
	p.want(")")
	return expr.At(must(expr.Cast(x, t, try)), expr.Span{From: p.at[start], To: p.at[p.i-1] + 1})
}

// cases reads CASE after its word.
func (p *Parser) cases() expr.Expr {
	var w, t []expr.Expr
	var els expr.Expr
	for p.take("WHEN") {
		w = append(w, p.or())
		p.want("THEN")
		t = append(t, p.or())
	}
	if p.take("ELSE") {
		els = p.or()
	}
	p.want("END")
	return must(expr.Case(w, t, els))
}
