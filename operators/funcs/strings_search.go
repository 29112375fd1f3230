package funcs

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// locate is where sub first stands in s at or after character from; 0 = nowhere.
// As in Flink an empty text stands at 1, wherever the search begins.
func locate(s, sub []byte, from int64) int64 { return nthOf(s, sub, max(from, 1), 1) }

// nthOf is where t stands in s for the nth time at or after character from.
func nthOf(s, t []byte, from, nth int64) int64 {
	switch {
	case from < 1:
		return 0
	case len(t) == 0:
		return 1
	case from-1 > int64(len(s)):
		return 0
	}
	at := len(s) - len(chars(s, int(from-1), len(s)))
	for {
		k := bytes.Index(s[at:], t)
		if k < 0 || at == len(s) {
			return 0
		}
		at += k
		if nth--; nth == 0 {
			return charAt(s, at)
		}
		_, w := utf8.DecodeRune(s[at:])
		at += w
	}
}

func instr() {
	ints(meta{name: "INSTR", cat: strs, syntax: "INSTR(s, t[, from[, nth]])", doc: "Where t stands in s for the nth time (1) at or after position from (1), counted from 1; 0 where it does not. A negative from counts and searches from the end.",
		example: "INSTR('abcabc', 'c', 1, 2)", result: "6", fails: true},
		"ss?ii", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) {
			from, nth := int64(1), int64(1)
			if len(c.Args) > 2 {
				from = num(c, 2, i)
			}
			if len(c.Args) > 3 {
				nth = num(c, 3, i)
			}
			if nth <= 0 {
				c.Fail(int32(i), expr.ErrArgument, fmt.Sprintf("INSTR needs a count above 0, not %d", nth))
				return 0, true
			}
			s, t := str(c, 0, i), str(c, 1, i)
			back := from < 0
			if back {
				s, t, from = reversed(s), reversed(t), -from
			}
			at := nthOf(s, t, from, nth)
			if at == 0 {
				return 0, true
			}
			if back {
				at = int64(runeCount(s)) + 2 - at - int64(runeCount(t))
			}
			return at, true
		}))
}

func searches() {
	ints(meta{name: "POSITION", cat: strs, syntax: "POSITION(t IN s)", doc: "Where t first stands in s, counted from 1; 0 where it does not.", example: "POSITION('b' IN 'abc')", result: "2"},
		"ss", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) { return locate(str(c, 1, i), str(c, 0, i), 1), true }))
	instr()
	ints(meta{name: "LOCATE", cat: strs, syntax: "LOCATE(t, s[, from])", doc: "Where t first stands in s at or after position from; 0 where it does not.", example: "LOCATE('a', 'abca', 2)", result: "4"},
		"ss?i", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) {
			from := int64(1)
			if len(c.Args) > 2 {
				from = num(c, 2, i)
			}
			return locate(str(c, 1, i), str(c, 0, i), from), true
		}))
	bools(meta{name: "STARTSWITH", cat: strs, syntax: "STARTSWITH(s, t)", doc: "Whether s begins with t.", example: "STARTSWITH('abc', 'ab')", result: "true"},
		"zz", plain(func(c *expr.Call, i int) (bool, bool) { return bytes.HasPrefix(str(c, 0, i), str(c, 1, i)), true }))
	bools(meta{name: "ENDSWITH", cat: strs, syntax: "ENDSWITH(s, t)", doc: "Whether s ends with t.", example: "ENDSWITH('abc', 'ab')", result: "false"},
		"zz", plain(func(c *expr.Call, i int) (bool, bool) { return bytes.HasSuffix(str(c, 0, i), str(c, 1, i)), true }))
	text(meta{name: "REPLACE", cat: strs, syntax: "REPLACE(s, t, u)", doc: "s with every t replaced by u.", example: "REPLACE('a-b-c', '-', '+')", result: "a+b+c"},
		"sss", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			s, t, u := str(c, 0, i), str(c, 1, i), str(c, 2, i)
			at := len(dst)
			if len(t) == 0 { // as in Java: before each character and at the end
				for len(s) > 0 && len(dst)-at <= maxText {
					_, w := utf8.DecodeRune(s)
					dst = append(append(dst, u...), s[:w]...)
					s = s[w:]
				}
				return append(dst, u...), true
			}
			for len(dst)-at <= maxText {
				part, rest, more := bytes.Cut(s, t)
				if !more {
					break
				}
				dst = append(append(dst, part...), u...)
				s = rest
			}
			return append(dst, s...), true
		}))
	text(meta{name: "TRANSLATE", cat: strs, syntax: "TRANSLATE(s, from, to)", doc: "s with each character of from replaced by the one at its place in to, or dropped where to is shorter.",
		example: "TRANSLATE('www.site.org', 'w.', 'W')", result: "WWWsiteorg"},
		"sss", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			from, to := []rune(string(str(c, 1, i))), []rune(string(str(c, 2, i)))
		next:
			for _, r := range string(str(c, 0, i)) {
				for k, x := range from {
					if x == r {
						if k < len(to) {
							dst = utf8.AppendRune(dst, to[k])
						}
						continue next
					}
				}
				dst = utf8.AppendRune(dst, r)
			}
			return dst, true
		}))
}
