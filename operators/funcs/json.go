package funcs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const jsons = "JSON"

// Operands of the JSON functions after the path are words and values in the
// order of the text: RETURNING and a NULL of the type; NULL ON EMPTY; DEFAULT, a
// value, ON EMPTY; ERROR ON ERROR; WITH WRAPPER …

// jsonOpts are those operands, read.
type jsonOpts struct {
	returning        *batch.Type
	onEmpty, onError string // NULL, ERROR, DEFAULT, TRUE, FALSE, UNKNOWN, EMPTY ARRAY, EMPTY OBJECT
	empty, err       expr.Expr
	wrap             string // "", WITH, CONDITIONAL
}

// show writes a call with its options, so that calls that differ in them differ
// in their text. DEFAULTs are the operands from the third on.
func (o *jsonOpts) show(name string) func(s []string) string {
	return func(s []string) string {
		out, k := name+"("+strings.Join(s[:2], ", "), 2
		if o.returning != nil {
			out += " RETURNING " + o.returning.With(false).String()
		}
		if o.wrap != "" {
			out += map[string]string{"WITH": " WITH WRAPPER", "CONDITIONAL": " WITH CONDITIONAL WRAPPER"}[o.wrap]
		}
		for _, on := range []struct{ action, what string }{{o.onEmpty, " ON EMPTY"}, {o.onError, " ON ERROR"}} {
			switch on.action {
			case "NULL":
			case "DEFAULT":
				out += " DEFAULT " + s[k] + on.what
				k++
			default:
				out += " " + on.action + on.what
			}
		}
		return out + ")"
	}
}

func readJSONOpts(m meta, args []expr.Expr, allowed ...string) (o jsonOpts, err error) {
	o.onEmpty, o.onError = "NULL", "NULL"
	var def expr.Expr
	for i := 0; i < len(args); i++ {
		w, ok := word(args, i)
		if !ok {
			return o, bad(i+2, "%s: unexpected operand; write %s", m.name, m.syntax)
		}
		w = strings.Replace(strings.Replace(w, "ARRAY WRAPPER", "WRAPPER", 1), "UNCONDITIONAL ", "", 1)
		switch {
		case w == "RETURNING" && i+1 < len(args):
			t := args[i+1].Type()
			o.returning = &t
			i++
		case w == "DEFAULT" && m.name == "JSON_VALUE" && i+1 < len(args):
			def = args[i+1]
			i++
		case w == "ON EMPTY" && def != nil:
			o.onEmpty, o.empty, def = "DEFAULT", def, nil
		case w == "ON ERROR" && def != nil:
			o.onError, o.err, def = "DEFAULT", def, nil
		case strings.HasSuffix(w, " ON EMPTY") && slices.Contains(allowed, strings.TrimSuffix(w, " ON EMPTY")):
			o.onEmpty = strings.TrimSuffix(w, " ON EMPTY")
		case strings.HasSuffix(w, " ON ERROR") && slices.Contains(allowed, strings.TrimSuffix(w, " ON ERROR")):
			o.onError = strings.TrimSuffix(w, " ON ERROR")
		case w == "WITHOUT WRAPPER" && m.name == "JSON_QUERY":
			o.wrap = ""
		case w == "WITH WRAPPER" && m.name == "JSON_QUERY":
			o.wrap = "WITH"
		case w == "WITH CONDITIONAL WRAPPER" && m.name == "JSON_QUERY":
			o.wrap = "CONDITIONAL"
		default:
			return o, bad(i+2, "%s does not take %s; write %s", m.name, w, m.syntax)
		}
	}
	if def != nil {
		return o, bad(len(args)+1, "%s: DEFAULT needs ON EMPTY or ON ERROR; write %s", m.name, m.syntax)
	}
	return o, nil
}

// jsonHead checks the document and the path.
func jsonHead(m meta, args []expr.Expr) ([]expr.Expr, bool, error) {
	head, nn, err := take(m, "ss", args[:min(2, len(args))])
	if err != nil {
		return nil, false, err
	}
	if c, ok := head[1].(*expr.Const); ok && !c.IsNull() {
		if _, err := parsePath(string(c.V.Bytes(0))); err != nil {
			return nil, false, &expr.TypeError{Arg: 1, Msg: m.name + ": " + err.Error(), Hint: "for example '$.a.b[0]'"}
		}
	}
	return head, nn, nil
}

// pathCache is the path of the last row, parsed.
type pathCache struct {
	text string
	p    *jsonPath
	err  error
}

func (c *pathCache) of(b []byte) (*jsonPath, error) {
	if c.p == nil || c.text != string(b) {
		c.text = string(b)
		c.p, c.err = parsePath(c.text)
		if c.err != nil {
			c.p = nil
		}
	}
	return c.p, c.err
}

func init() {
	jsonExists()
	jsonValue()
	jsonQuery()
	js := meta{name: "JSON_STRING", cat: jsons, syntax: "JSON_STRING(x)", doc: "The value as JSON.", example: "JSON_STRING(ARRAY[1, 2])", result: "[1,2]"}
	fn(js, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(js, "x", args)
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				return c.Args[0].AppendJSON(dst, i, t, batch.JSONStyle{}), true
			})
		}}, nil
	})
	is := meta{name: "IS JSON", cat: jsons, syntax: "s IS [NOT] JSON [VALUE | OBJECT | ARRAY | SCALAR]", doc: "Whether the string is JSON, of the given kind; FALSE for NULL.", example: "'[1]' IS JSON", result: "true"}
	fn(is, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) == 0 || len(args) > 2 {
			return nil, bad(-1, "IS JSON does not take %s; write %s", operands(len(args)), is.syntax)
		}
		kind, _ := word(args, 1)
		if !slices.Contains([]string{"", "VALUE", "OBJECT", "ARRAY", "SCALAR"}, kind) {
			return nil, bad(1, "IS JSON does not take %s; write %s", kind, is.syntax)
		}
		args, _, err := take(is, "s", args[:1])
		return &expr.Bound{Args: args, Lax: true, Type: batch.TypeBool.With(true), Show: func(s []string) string { return strings.TrimSpace(s[0] + " IS JSON " + kind) },
			New: func() expr.Kernel {
				return func(c *expr.Call) {
					for _, i := range c.Sel {
						v, ok := []byte(nil), false
						if !c.Args[0].IsNull(int(i)) {
							v, ok = wholeJSON(str(c, 0, int(i)))
						}
						c.Out.B[i] = ok && (kind == "" || kind == "VALUE" || kind == "OBJECT" && v[0] == '{' || kind == "ARRAY" && v[0] == '[' || kind == "SCALAR" && v[0] != '{' && v[0] != '[')
					}
				}
			}}, err
	})
}

// lookup is the path's values in row i's document, and what is wrong with it.
func lookup(c *expr.Call, i int, cache *pathCache) (vals [][]byte, p *jsonPath, err error) {
	if p, err = cache.of(str(c, 1, i)); err != nil {
		return nil, nil, err
	}
	doc, ok := wholeJSON(str(c, 0, i))
	if !ok {
		return nil, p, fmt.Errorf("the document is not JSON")
	}
	vals, err = p.find(doc)
	return vals, p, err
}

func jsonExists() {
	m := meta{name: "JSON_EXISTS", cat: jsons, syntax: "JSON_EXISTS(doc, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])", doc: "Whether the path finds something in the document.",
		example: `JSON_EXISTS('{"a": [1]}', '$.a[0]')`, result: "true", nullable: true, fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		head, _, err := jsonHead(m, args)
		if err != nil {
			return nil, err
		}
		o, err := readJSONOpts(m, args[2:], "TRUE", "FALSE", "UNKNOWN", "ERROR")
		return &expr.Bound{Args: head, Type: batch.TypeBool, Show: o.show(m.name), New: func() expr.Kernel {
			var cache pathCache
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					vals, _, err := lookup(c, int(i), &cache)
					c.Out.B[i] = len(vals) > 0 && err == nil
					if err == nil {
						continue
					}
					switch o.onError {
					case "TRUE":
						c.Out.B[i] = true
					case "UNKNOWN":
						c.Null(i)
					case "ERROR":
						c.Fail(i, expr.ErrJSON, "JSON_EXISTS: "+err.Error())
					}
				}
			}
		}}, err
	})
}

func jsonValue() {
	m := meta{name: "JSON_VALUE", cat: jsons, syntax: "JSON_VALUE(doc, path [RETURNING type] [{NULL | ERROR | DEFAULT x} ON EMPTY] [{NULL | ERROR | DEFAULT x} ON ERROR])",
		doc: "The scalar at the path as a STRING, or as BOOLEAN, INTEGER or DOUBLE with RETURNING.", example: `JSON_VALUE('{"a": {"b": 5}}', '$.a.b')`, result: "5", nullable: true, fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		head, _, err := jsonHead(m, args)
		if err != nil {
			return nil, err
		}
		o, err := readJSONOpts(m, args[2:], "NULL", "ERROR")
		if err != nil {
			return nil, err
		}
		out := batch.TypeString
		if o.returning != nil {
			if out = o.returning.With(false); out.SQL != batch.Boolean && out.SQL != batch.Integer && out.SQL != batch.BigInt && out.SQL != batch.Float64 && !out.IsString() {
				return nil, bad(-1, "JSON_VALUE cannot return %s; it returns STRING, BOOLEAN, INTEGER, BIGINT or DOUBLE", out)
			}
		}
		// Defaults ride along as operands of the result's type.
		at := map[string]int{}
		for _, d := range []struct {
			k string
			e expr.Expr
		}{{"empty", o.empty}, {"error", o.err}} {
			if d.e == nil {
				continue
			}
			x, err := expr.Cast(d.e, out, false)
			if err != nil {
				return nil, err
			}
			at[d.k] = len(head)
			head = append(head, x)
		}
		return &expr.Bound{Args: head, Type: out, Lax: true, Show: o.show(m.name), New: func() expr.Kernel { return jsonValueKernel(o, out, at) }}, nil
	})
}

func jsonValueKernel(o jsonOpts, out batch.Type, at map[string]int) expr.Kernel {
	var cache pathCache
	return func(c *expr.Call) {
		other := func(i int32, action, key, msg string) {
			switch action {
			case "DEFAULT":
				c.Copy(i, at[key])
			case "ERROR":
				c.Fail(i, expr.ErrJSON, "JSON_VALUE: "+msg)
			default:
				c.Null(i)
			}
		}
		for _, i := range c.Sel {
			if c.Args[0].IsNull(int(i)) || c.Args[1].IsNull(int(i)) {
				c.Null(i)
				continue
			}
			vals, _, err := lookup(c, int(i), &cache)
			switch {
			case err != nil:
				other(i, o.onError, "error", err.Error())
			case len(vals) == 0:
				other(i, o.onEmpty, "empty", "the path finds nothing")
			case len(vals) > 1 || vals[0][0] == '{' || vals[0][0] == '[':
				other(i, o.onError, "error", "the path does not lead to a scalar")
			case string(vals[0]) == "null":
				c.Null(i)
			case !putJSONScalar(c.Out, int(i), vals[0], out):
				other(i, o.onError, "error", fmt.Sprintf("%s is no %s", vals[0], out))
			}
		}
	}
}

// putJSONScalar stores a scalar's JSON text in row i.
func putJSONScalar(v *batch.Vec, i int, b []byte, t batch.Type) bool {
	if b[0] == '"' {
		b = unquoteJSON(b)
	}
	switch t.SQL {
	case batch.Boolean:
		x, ok := batch.ParseBool(b)
		v.B[i] = x
		return ok
	case batch.Integer, batch.BigInt:
		x, ok := batch.ParseIntTrunc(b, t.SQL)
		v.I[i] = x
		return ok
	case batch.Float64:
		x, ok := batch.ParseFloat(b, t.SQL)
		v.F[i] = x
		return ok
	}
	v.PutBytes(i, b)
	return true
}

func jsonQuery() {
	m := meta{name: "JSON_QUERY", cat: jsons, syntax: "JSON_QUERY(doc, path [{WITHOUT | WITH [CONDITIONAL]} WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] [… ON ERROR])",
		doc: "The object or array at the path as JSON text; a wrapper makes an array of what was found.", example: `JSON_QUERY('{"a": [1, 2]}', '$.a')`, result: "[1,2]", nullable: true, fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		head, _, err := jsonHead(m, args)
		if err != nil {
			return nil, err
		}
		o, err := readJSONOpts(m, args[2:], "NULL", "ERROR", "EMPTY ARRAY", "EMPTY OBJECT")
		if o.returning != nil && !o.returning.IsString() {
			return nil, bad(-1, "JSON_QUERY returns STRING, not %s", o.returning)
		}
		return &expr.Bound{Args: head, Type: batch.TypeString, Show: o.show(m.name), New: func() expr.Kernel {
			var cache pathCache
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				other := func(action, msg string) ([]byte, bool) {
					switch action {
					case "EMPTY ARRAY":
						return append(dst, "[]"...), true
					case "EMPTY OBJECT":
						return append(dst, "{}"...), true
					case "ERROR":
						c.Fail(int32(i), expr.ErrJSON, "JSON_QUERY: "+msg)
						return dst, true
					}
					return dst, false
				}
				vals, p, err := lookup(c, i, &cache)
				if err != nil {
					return other(o.onError, err.Error())
				}
				if len(vals) == 0 && !(p.many && o.wrap != "") {
					return other(o.onEmpty, "the path finds nothing")
				}
				nested := len(vals) == 1 && (vals[0][0] == '{' || vals[0][0] == '[')
				switch {
				case o.wrap == "WITH" || o.wrap == "CONDITIONAL" && !nested:
					dst = append(dst, '[')
					for k, v := range vals {
						if k > 0 {
							dst = append(dst, ',')
						}
						dst = appendCompact(dst, v)
					}
					return append(dst, ']'), true
				case !nested:
					return other(o.onError, "the path does not lead to one object or array")
				}
				return appendCompact(dst, vals[0]), true
			})
		}}, err
	})
}
