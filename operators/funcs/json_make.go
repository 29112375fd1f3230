package funcs

import (
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

func init() {
	text(meta{name: "JSON_QUOTE", cat: jsons, syntax: "JSON_QUOTE(s)", doc: "The string as a JSON string: in double quotes, special characters and those beyond ASCII escaped.", example: `JSON_QUOTE('abc')`, result: `"abc"`},
		"s", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			return appendQuotedASCII(dst, str(c, 0, i)), true
		}))
	text(meta{name: "JSON_UNQUOTE", cat: jsons, syntax: "JSON_UNQUOTE(s)", doc: "The text of a JSON string; what is no JSON string stays as it is.", example: `JSON_UNQUOTE('"say \"hi\""')`, result: `say "hi"`},
		"s", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			s := str(c, 0, i)
			if v, ok := wholeJSON(s); ok && v[0] == '"' {
				s = unquoteJSON(v)
			}
			return append(dst, s...), true
		}))
	raw := meta{name: "JSON", cat: jsons, syntax: "JSON(s)", doc: "The string, which is JSON, as a value of JSON_OBJECT or JSON_ARRAY as it is.", example: `JSON_OBJECT('a' VALUE JSON('{"b": 1}'))`, result: `{"a":{"b": 1}}`, fails: true}
	text(raw, "s", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
		v, ok := wholeJSON(str(c, 0, i))
		if !ok {
			c.Fail(int32(i), expr.ErrJSON, "JSON: the string is not JSON")
			return dst, true
		}
		return append(dst, v...), true
	}))
	jsonObject()
	jsonArray()
}

func appendQuotedASCII(dst, s []byte) []byte {
	dst = append(dst, '"')
	for _, r := range string(s) {
		switch r {
		case '"', '\\', '/':
			dst = append(dst, '\\', byte(r))
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			if r <= 127 {
				dst = append(dst, byte(r))
				continue
			}
			for _, u := range utf16.Encode([]rune{r}) {
				dst = fmt.Appendf(dst, `\u%04x`, u)
			}
		}
	}
	return append(dst, '"')
}

// jsonMade tells values that are JSON already.
func jsonMade(e expr.Expr) bool {
	f, ok := expr.CallOf(e)
	return ok && (f.Name == "JSON_OBJECT" || f.Name == "JSON_ARRAY" || f.Name == "JSON")
}

// onNull takes the words NULL ON NULL or ABSENT ON NULL from the end of the
// operands; absent is what their lack means.
func onNull(m meta, args []expr.Expr, absent bool) ([]expr.Expr, bool, error) {
	w, ok := word(args, len(args)-1)
	if !ok {
		return args, absent, nil
	}
	if w != "NULL ON NULL" && w != "ABSENT ON NULL" {
		return nil, false, bad(len(args)-1, "%s does not take %s; write %s", m.name, w, m.syntax)
	}
	return args[:len(args)-1], w == "ABSENT ON NULL", nil
}

// jsonValues checks the values of an object or array.
func jsonValues(m meta, vals []expr.Expr) (made []bool, err error) {
	for i, v := range vals {
		if s, sym := v.(*expr.Sym); sym {
			return nil, bad(i, "%s does not take the word %s there; write %s", m.name, s, m.syntax)
		}
		made = append(made, jsonMade(v))
	}
	return made, nil
}

func appendJSONValue(dst []byte, v *batch.Vec, i int, t batch.Type, made bool) []byte {
	if made && !v.IsNull(i) {
		return append(dst, v.Bytes(i)...)
	}
	return v.AppendJSON(dst, i, t, batch.JSONStyle{})
}

func jsonObject() {
	m := meta{name: "JSON_OBJECT", cat: jsons, syntax: "JSON_OBJECT([KEY] key VALUE x, … [{NULL | ABSENT} ON NULL])", doc: "A JSON object of constant keys and values; a NULL is written as null, or left out with ABSENT ON NULL. Of equal keys the last one counts.",
		example: "JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE JSON_ARRAY(2, 'x'))", result: `{"a":1,"b":[2,"x"]}`}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, absent, err := onNull(m, args, false)
		if err != nil {
			return nil, err
		}
		var keys []string
		var vals []expr.Expr
		for i := 0; i < len(args); i += 2 {
			k, ok := args[i].(*expr.Const)
			if !ok || k.IsNull() || !k.T.IsString() || i+1 == len(args) {
				return nil, bad(i, "a key of JSON_OBJECT is a string constant; write %s", m.syntax)
			}
			key := string(k.V.Bytes(0))
			if at := slices.Index(keys, key); at >= 0 {
				vals[at] = args[i+1]
				continue
			}
			keys, vals = append(keys, key), append(vals, args[i+1])
		}
		made, err := jsonValues(m, vals)
		types := typesOf(vals)
		return &expr.Bound{Args: vals, Lax: true, Type: batch.TypeString.With(true),
			Show: func(s []string) string {
				out := "JSON_OBJECT("
				for i, v := range s {
					out += "KEY " + expr.Str(keys[i]).String() + " VALUE " + v
					if i+1 < len(s) {
						out += ", "
					}
				}
				if absent {
					out += " ABSENT ON NULL"
				}
				return out + ")"
			},
			New: func() expr.Kernel {
				return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
					return jsonMembers(c, dst, i, "{}", absent, func(dst []byte, k int) []byte {
						dst = append(batch.AppendQuoted(dst, []byte(keys[k])), ':')
						return appendJSONValue(dst, c.Args[k], i, types[k], made[k])
					}), true
				})
			}}, err
	})
}

// jsonMembers writes the arguments of row i between two brackets, each by member; NULLs are left out where absent says so.
func jsonMembers(c *expr.Call, dst []byte, i int, brackets string, absent bool, member func(dst []byte, k int) []byte) []byte {
	dst = append(dst, brackets[0])
	first := true
	for k, v := range c.Args {
		if absent && v.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = member(dst, k)
	}
	return append(dst, brackets[1])
}

func jsonArray() {
	m := meta{name: "JSON_ARRAY", cat: jsons, syntax: "JSON_ARRAY(x, … [{NULL | ABSENT} ON NULL])", doc: "A JSON array of the values; NULLs are left out, or written as null with NULL ON NULL.",
		example: "JSON_ARRAY(1, 'x', NULL, TRUE NULL ON NULL)", result: `[1,"x",null,true]`}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, absent, err := onNull(m, args, true)
		if err != nil {
			return nil, err
		}
		made, err := jsonValues(m, args)
		types := typesOf(args)
		return &expr.Bound{Args: args, Lax: true, Type: batch.TypeString.With(true),
			Show: func(s []string) string {
				out := "JSON_ARRAY("
				for i, v := range s {
					if i > 0 {
						out += ", "
					}
					out += v
				}
				if !absent {
					out += " NULL ON NULL"
				}
				return out + ")"
			},
			New: func() expr.Kernel {
				return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
					return jsonMembers(c, dst, i, "[]", absent, func(dst []byte, k int) []byte {
						return appendJSONValue(dst, c.Args[k], i, types[k], made[k])
					}), true
				})
			}}, err
	})
}
