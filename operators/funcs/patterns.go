package funcs

import (
	"fmt"
	"regexp"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// pattern is the regular expression of the last row, compiled.
type pattern struct {
	text string
	re   *regexp.Regexp
	err  error
	fast *search // nil: re has another shape
}

func (p *pattern) of(b []byte) (*regexp.Regexp, error) {
	if p.re == nil && p.err == nil || p.text != string(b) {
		p.text = string(b)
		p.re, p.err = regexp.Compile(p.text)
		p.fast = newSearch(p.text)
	}
	return p.re, p.err
}

// find returns the first match of the pattern that of has compiled, and its
// groups, or nil. The result is valid until the next call.
func (p *pattern) find(s []byte) []int {
	if p.fast != nil {
		return p.fast.find(s)
	}
	return p.re.FindSubmatchIndex(s)
}

// checkPattern refuses a constant pattern that does not compile.
func checkPattern(m meta, args []expr.Expr) error {
	if len(args) < 2 {
		return nil
	}
	c, ok := args[1].(*expr.Const)
	if !ok || c.IsNull() || !c.T.IsString() {
		return nil
	}
	if _, err := regexp.Compile(string(c.V.Bytes(0))); err != nil {
		return &expr.TypeError{Arg: 1, Msg: m.name + ": " + err.Error(), Hint: "patterns are RE2's: no look-around, no back-references"}
	}
	return nil
}

// matching registers a function whose second operand is a regular expression.
func matching(m meta, spec string, out batch.Type, kernel func() expr.Kernel) {
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, spec, args)
		if err == nil {
			err = checkPattern(m, args)
		}
		return &expr.Bound{Args: args, Type: out.With(nn), New: kernel}, err
	})
}

func init() {
	matching(meta{name: "REGEXP", cat: strs, syntax: "REGEXP(s, pattern)", doc: "Whether a part of s matches the regular expression; FALSE for an empty or malformed one.", example: "REGEXP('abc123', '[0-9]+')", result: "true"},
		"ss", batch.TypeBool, func() expr.Kernel {
			var p pattern
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					re, err := p.of(str(c, 1, int(i)))
					switch {
					case err != nil || p.text == "":
						c.Out.B[i] = false
					case p.fast != nil:
						c.Out.B[i] = p.fast.find(str(c, 0, int(i))) != nil
					default:
						c.Out.B[i] = re.Match(str(c, 0, int(i)))
					}
				}
			}
		})
	matching(meta{name: "REGEXP_REPLACE", cat: strs, syntax: "REGEXP_REPLACE(s, pattern, t)", doc: "s with every match replaced by t, taken literally; NULL for a malformed pattern.",
		example: "REGEXP_REPLACE('foobar', 'oo|ar', '')", result: "fb", nullable: true, fails: true},
		"sss", batch.TypeString, func() expr.Kernel {
			var p pattern
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				re, err := p.of(str(c, 1, i))
				if err != nil {
					return dst, false
				}
				s, t := str(c, 0, i), str(c, 2, i)
				if len(t) > 64 && len(re.FindAllIndex(s, maxText/len(t)+1)) > maxText/len(t) {
					c.Fail(int32(i), expr.ErrOutOfScope, "the text is larger than 16 MiB")
					return dst, true
				}
				return append(dst, re.ReplaceAllLiteral(s, t)...), true
			})
		})
	matching(meta{name: "REGEXP_EXTRACT", cat: strs, syntax: "REGEXP_EXTRACT(s, pattern[, group])", doc: "The first match, or a group of it; NULL where nothing matches.",
		example: "REGEXP_EXTRACT('foothebar', 'foo(.*?)(bar)', 2)", result: "bar", nullable: true},
		"ss?i", batch.TypeString, func() expr.Kernel {
			var p pattern
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				group := int64(0)
				if len(c.Args) > 2 {
					group = num(c, 2, i)
				}
				re, err := p.of(str(c, 1, i))
				if err != nil || group < 0 || group > int64(re.NumSubexp()) {
					return dst, false
				}
				at := p.find(str(c, 0, i))
				if at == nil || at[2*group] < 0 {
					return dst, false
				}
				return append(dst, str(c, 0, i)[at[2*group]:at[2*group+1]]...), true
			})
		})
	regexpSubstr()
	extractAll()
	count := func(name, doc, example, result string, f func(re *regexp.Regexp, s []byte) int64) {
		matching(meta{name: name, cat: strs, syntax: name + "(s, pattern)", doc: doc, example: example, result: result, nullable: true}, "ss", batch.TypeInt, func() expr.Kernel {
			var p pattern
			return intKernel(func(c *expr.Call, i int) (int64, bool) {
				re, err := p.of(str(c, 1, i))
				if err != nil {
					return 0, false
				}
				return f(re, str(c, 0, i)), true
			})
		})
	}
	count("REGEXP_COUNT", "How often the pattern matches in s; NULL for a malformed pattern.", "REGEXP_COUNT('banana', 'an')", "2",
		func(re *regexp.Regexp, s []byte) int64 { return int64(len(re.FindAllIndex(s, -1))) })
	count("REGEXP_INSTR", "Where the first match begins, counted from 1; 0 for none, NULL for a malformed pattern.", "REGEXP_INSTR('hello', 'l+')", "3",
		func(re *regexp.Regexp, s []byte) int64 {
			if at := re.FindIndex(s); at != nil {
				return charAt(s, at[0])
			}
			return 0
		})
}

func regexpSubstr() {
	matching(meta{name: "REGEXP_SUBSTR", cat: strs, syntax: "REGEXP_SUBSTR(s, pattern)", doc: "The first match; NULL where nothing matches and for a malformed pattern.",
		example: "REGEXP_SUBSTR('hello world', 'w[a-z]+')", result: "world", nullable: true},
		"ss", batch.TypeString, func() expr.Kernel {
			var p pattern
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				if _, err := p.of(str(c, 1, i)); err != nil {
					return dst, false
				}
				at := p.find(str(c, 0, i))
				if at == nil {
					return dst, false
				}
				return append(dst, str(c, 0, i)[at[0]:at[1]]...), true
			})
		})
}

func extractAll() {
	matching(meta{name: "REGEXP_EXTRACT_ALL", cat: strs, syntax: "REGEXP_EXTRACT_ALL(s, pattern[, group])", doc: "An array of all matches' group, the first one unless a number is given; group 0 is the whole match.",
		example: "REGEXP_EXTRACT_ALL('a1,b22', '([a-z])([0-9]+)', 2)", result: "[1, 22]", fails: true},
		"ss?i", batch.ArrayOf(batch.TypeString), func() expr.Kernel {
			var p pattern
			return func(c *expr.Call) {
				out := &c.Out.Child[0]
				for _, i := range c.Sel {
					group := int64(1)
					if len(c.Args) > 2 {
						group = num(c, 2, int(i))
					}
					re, err := p.of(str(c, 1, int(i)))
					if err != nil {
						c.Fail(i, expr.ErrPattern, err.Error())
						continue
					}
					if group < 0 || group > int64(re.NumSubexp()) {
						c.Fail(i, expr.ErrArgument, fmt.Sprintf("REGEXP_EXTRACT_ALL: group %d is none of 0 to %d", group, re.NumSubexp()))
						continue
					}
					s, at := str(c, 0, int(i)), out.Len()
					for _, m := range re.FindAllSubmatchIndex(s, -1) {
						if m[2*group] < 0 {
							out.AppendNull()
						} else {
							out.AppendBytes(s[m[2*group]:m[2*group+1]])
						}
					}
					c.List(i, at)
				}
			}
		})
}
