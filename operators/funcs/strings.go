package funcs

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const strs = "strings"

// chars returns the byte range of code points [from, to) of b.
func chars(b []byte, from, to int) []byte {
	// Fast path: the characters are bytes.
	if n := min(to, len(b)); n >= 0 && asciiLen(b[:n]) == n {
		return b[min(from, n):n]
	}
	start, n, at := len(b), 0, 0
	for ; at < len(b) && n < to; n++ {
		if n == from {
			start = at
		}
		_, w := utf8.DecodeRune(b[at:])
		at += w
	}
	if n <= from {
		return nil
	}
	return b[start:at]
}

// runeCount is utf8.RuneCount with a quick way through ASCII.
func runeCount(b []byte) int {
	n := asciiLen(b)
	return n + utf8.RuneCount(b[n:])
}

// asciiLen returns a length up to which b is ASCII: all of it where it is so
// everywhere.
func asciiLen(b []byte) int {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		if binary.LittleEndian.Uint64(b[n:])&0x8080808080808080 != 0 {
			return n
		}
	}
	for ; n < len(b) && b[n] < utf8.RuneSelf; n++ {
	}
	return n
}

// charAt returns the 1-based code point position of byte offset at.
func charAt(b []byte, at int) int64 { return int64(runeCount(b[:at])) + 1 }

func str(c *expr.Call, arg, i int) []byte { return c.Args[arg].Bytes(i) }
func num(c *expr.Call, arg, i int) int64  { return c.Args[arg].I[i] }

// mapText registers a function of one string to one string.
func mapText(m meta, f func(dst, s []byte) []byte) {
	text(m, "s", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) { return f(dst, str(c, 0, i)), true }))
}

// appendCase appends s with its letters mapped by f; ASCII letters, those from
// first to first+25, need no table. Eight at a time: adding 0x80-first to a byte
// below 0x80 sets its high bit from first on, adding 0x7f-last sets it beyond last,
// and the bit that a letter then has, moved to 0x20, is what tells its cases apart.
func appendCase(dst, s []byte, first byte, f func(rune) rune) []byte {
	const ones = 0x0101010101010101
	at := len(dst)
	dst = append(dst, s...)
	made := dst[at:]
	from, beyond := ones*uint64(0x80-first), ones*uint64(0x7f-(first+25))
	for len(made) >= 8 {
		x := binary.LittleEndian.Uint64(made)
		if x&(ones*0x80) != 0 {
			return appendMapped(dst[:at], s, f)
		}
		letters := (x + from) &^ (x + beyond) & (ones * 0x80)
		binary.LittleEndian.PutUint64(made, x^letters>>2)
		made = made[8:]
	}
	for k, b := range made {
		if b >= utf8.RuneSelf {
			return appendMapped(dst[:at], s, f)
		}
		if b-first < 26 {
			made[k] = b ^ ('a' - 'A')
		}
	}
	return dst
}

// upperMany are the letters whose upper case is several, as in Java.
var upperMany = map[rune]string{'ß': "SS", 'ŉ': "ʼN", 'ǰ': "J̌", 'ﬀ': "FF", 'ﬁ': "FI", 'ﬂ': "FL", 'ﬃ': "FFI", 'ﬄ': "FFL", 'ﬅ': "ST", 'ﬆ': "ST"}

func appendUpper(dst, s []byte) []byte {
	for len(s) > 0 {
		n := 0
		for n < len(s) && s[n] < utf8.RuneSelf {
			n++
		}
		dst = appendCase(dst, s[:n], 'a', unicode.ToUpper)
		if s = s[n:]; len(s) == 0 {
			break
		}
		r, w := utf8.DecodeRune(s)
		if many, ok := upperMany[r]; ok {
			dst = append(dst, many...)
		} else {
			dst = utf8.AppendRune(dst, unicode.ToUpper(r))
		}
		s = s[w:]
	}
	return dst
}

func appendMapped(dst, s []byte, f func(rune) rune) []byte {
	for len(s) > 0 {
		r, w := utf8.DecodeRune(s)
		dst = utf8.AppendRune(dst, f(r))
		s = s[w:]
	}
	return dst
}

func init() {
	mapText(meta{name: "UPPER", cat: strs, syntax: "UPPER(s)", doc: "The string in upper case.", example: "UPPER('aß')", result: "ASS"},
		appendUpper)
	mapText(meta{name: "LOWER", cat: strs, syntax: "LOWER(s)", doc: "The string in lower case.", example: "LOWER('AbC')", result: "abc"},
		func(dst, s []byte) []byte { return appendCase(dst, s, 'A', unicode.ToLower) })
	mapText(meta{name: "REVERSE", cat: strs, syntax: "REVERSE(s)", doc: "The characters in reverse order.", example: "REVERSE('abc')", result: "cba"},
		func(dst, s []byte) []byte { return append(dst, reversed(s)...) })
	mapText(meta{name: "INITCAP", cat: strs, syntax: "INITCAP(s)", doc: "Each word with its first letter in upper case and the others in lower case; words are letters and digits.",
		example: "INITCAP('hello WORLD')", result: "Hello World"},
		func(dst, s []byte) []byte {
			in := false
			return appendMapped(dst, s, func(r rune) rune {
				was := in
				in = unicode.IsLetter(r) || unicode.IsDigit(r)
				if was {
					return unicode.ToLower(r)
				}
				return unicode.ToUpper(r)
			})
		})
	ints(meta{name: "CHAR_LENGTH", alias: "CHARACTER_LENGTH LENGTH", cat: strs, syntax: "CHAR_LENGTH(s)", doc: "The number of characters.", example: "CHAR_LENGTH('añb')", result: "3"},
		"s", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) { return int64(runeCount(str(c, 0, i))), true }))
	ints(meta{name: "OCTET_LENGTH", cat: strs, syntax: "OCTET_LENGTH(s)", doc: "The number of bytes.", example: "OCTET_LENGTH('añb')", result: "4"},
		"z", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) { return int64(len(str(c, 0, i))), true }))
	ints(meta{name: "ASCII", cat: strs, syntax: "ASCII(s)", doc: "The code of the first byte, 0 for an empty string.", example: "ASCII('abc')", result: "97"},
		"s", batch.TypeInt, plain(func(c *expr.Call, i int) (int64, bool) {
			if b := str(c, 0, i); len(b) > 0 {
				return int64(b[0]), true
			}
			return 0, true
		}))
	text(meta{name: "CHR", cat: strs, syntax: "CHR(n)", doc: "The character with code n modulo 256; empty for a negative n.", example: "CHR(97)", result: "a"},
		"i", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			if n := num(c, 0, i); n >= 0 {
				dst = utf8.AppendRune(dst, rune(n&0xff))
			}
			return dst, true
		}))
	substring()
	searches()
	pads()
	trims()
	joins()
}

// reversed returns the characters of s in reverse order.
func reversed(s []byte) []byte {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		_, w := utf8.DecodeLastRune(s)
		out = append(out, s[len(s)-w:]...)
		s = s[:len(s)-w]
	}
	return out
}

func substring() {
	text(meta{name: "SUBSTRING", alias: "SUBSTR", cat: strs, syntax: "SUBSTRING(s, from[, length])",
		doc: "The characters from position from, counted from 1, or from the end when negative; 0 is the beginning. NULL for a negative length.", example: "SUBSTRING('abcdef', 2, 3)", result: "bcd", nullable: true},
		"si?i", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, from, to := str(c, 0, i), num(c, 1, i), int64(len(str(c, 0, i)))
			if len(c.Args) > 2 && num(c, 2, i) < 0 {
				return dst, false
			}
			switch {
			case from > 0:
				from--
			case from < 0:
				if from += int64(runeCount(b)); from < 0 {
					return dst, true
				}
			}
			if len(c.Args) > 2 {
				if n := num(c, 2, i); n < to-from {
					to = from + n
				}
			}
			if from >= to {
				return dst, true
			}
			return append(dst, chars(b, int(from), int(to))...), true
		}))
	text(meta{name: "LEFT", cat: strs, syntax: "LEFT(s, n)", doc: "The first n characters.", example: "LEFT('abc', 2)", result: "ab"},
		"si", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b := str(c, 0, i)
			return append(dst, chars(b, 0, int(min(max(num(c, 1, i), 0), int64(len(b)))))...), true
		}))
	text(meta{name: "RIGHT", cat: strs, syntax: "RIGHT(s, n)", doc: "The last n characters.", example: "RIGHT('abc', 2)", result: "bc"},
		"si", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b := str(c, 0, i)
			n := int64(runeCount(b))
			return append(dst, chars(b, int(n-min(max(num(c, 1, i), 0), n)), int(n))...), true
		}))
	text(meta{name: "OVERLAY", cat: strs, syntax: "OVERLAY(s PLACING t FROM n [FOR length])", doc: "s with t in place of the characters from position n on; length is that of t unless given; of 0 it is all there are.",
		example: "OVERLAY('This is old' PLACING 'new' FROM 9 FOR 3)", result: "This is new"},
		"ssi?i", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, t, from := str(c, 0, i), str(c, 1, i), num(c, 2, i)
			n := int64(runeCount(t))
			if len(c.Args) > 3 {
				n = num(c, 3, i)
			}
			size := int64(runeCount(b))
			if from <= 0 || from > size {
				return append(dst, b...), true
			}
			dst = append(append(dst, chars(b, 0, int(from-1))...), t...)
			if n > 0 && n < size-from+1 {
				dst = append(dst, chars(b, int(from-1+n), int(size))...)
			}
			return dst, true
		}))
	splitIndex()
}

func splitIndex() {
	text(meta{name: "SPLIT_INDEX", cat: strs, syntax: "SPLIT_INDEX(s, delimiter, index)", doc: "The part number index, from 0, of s split at the delimiter (a string, blanks for an empty one, or a character's code up to 255); NULL where there is none.",
		example: "SPLIT_INDEX('a,b,c', ',', 1)", result: "b", nullable: true},
		"sxi", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, n := str(c, 0, i), num(c, 2, i)
			var sep []byte
			switch {
			case c.Args[1].Kind == batch.Str:
				if sep = str(c, 1, i); len(sep) == 0 {
					sep = []byte{' '}
				}
			case c.Args[1].Kind == batch.Int:
				code := num(c, 1, i)
				if code < 1 || code > 255 {
					return dst, false
				}
				sep = utf8.AppendRune(nil, rune(code))
			}
			if len(b) == 0 || n < 0 || len(sep) == 0 {
				return dst, false
			}
			for ; ; n-- {
				part, rest, more := bytes.Cut(b, sep)
				if n == 0 {
					return append(dst, part...), true
				}
				if !more {
					return dst, false
				}
				b = rest
			}
		}))
}

func pads() {
	tooLarge := func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
		c.Fail(int32(i), expr.ErrOutOfScope, "the text is larger than 16 MiB")
		return dst, true
	}
	text(meta{name: "REPEAT", cat: strs, syntax: "REPEAT(s, n)", doc: "s, n times.", example: "REPEAT('ab', 3)", result: "ababab", fails: true},
		"si", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, n := str(c, 0, i), num(c, 1, i)
			if len(b) > 0 && n > int64(maxText/len(b)) {
				return tooLarge(c, dst, i)
			}
			for ; n > 0 && len(b) > 0; n-- {
				dst = append(dst, b...)
			}
			return dst, true
		}))
	text(meta{name: "SPACE", cat: strs, syntax: "SPACE(n)", doc: "n blanks.", example: "SPACE(2) || 'x'", result: "  x", fails: true},
		"i", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			n := num(c, 0, i)
			if n > maxText {
				return tooLarge(c, dst, i)
			}
			return append(dst, bytes.Repeat([]byte{' '}, int(max(n, 0)))...), true
		}))
	pad := func(left bool) func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
		return func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			b, n, p := str(c, 0, i), num(c, 1, i), str(c, 2, i)
			have := int64(runeCount(b))
			switch {
			case n < 0 || n > have && len(p) == 0:
				return dst, false
			case n <= have:
				return append(dst, chars(b, 0, int(n))...), true
			case n > maxText:
				return tooLarge(c, dst, i)
			}
			if !left {
				dst = append(dst, b...)
			}
			fill := int(n - have)
			each := runeCount(p)
			for ; fill >= each; fill -= each {
				dst = append(dst, p...)
			}
			dst = append(dst, chars(p, 0, fill)...)
			if left {
				dst = append(dst, b...)
			}
			return dst, true
		}
	}
	text(meta{name: "LPAD", cat: strs, syntax: "LPAD(s, n, t)", doc: "s with t repeated before it, n characters in all; a longer s is cut. NULL for a negative n or an empty t.",
		example: "LPAD('hi', 4, '??')", result: "??hi", nullable: true, fails: true}, "sis", batch.TypeString, plain(pad(true)))
	text(meta{name: "RPAD", cat: strs, syntax: "RPAD(s, n, t)", doc: "s with t repeated after it, n characters in all; a longer s is cut. NULL for a negative n or an empty t.",
		example: "RPAD('hi', 5, 'ab')", result: "hiaba", nullable: true, fails: true}, "sis", batch.TypeString, plain(pad(false)))
}

func trims() {
	m := meta{name: "TRIM", cat: strs, syntax: "TRIM([BOTH | LEADING | TRAILING] [chars] [FROM] s)", doc: "s without the given characters (blanks) at its ends.", example: "TRIM(LEADING 'x' FROM 'xxaxx')", result: "axx"}
	cut := func(b, set []byte, left, right bool) []byte {
		if left {
			b = bytes.TrimLeft(b, string(set))
		}
		if right {
			b = bytes.TrimRight(b, string(set))
		}
		return b
	}
	kernel := func(left, right bool) func() expr.Kernel {
		return func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				set := []byte{' '}
				if len(c.Args) > 1 {
					set = str(c, 1, i)
				}
				return append(dst, cut(str(c, 0, i), set, left, right)...), true
			})
		}
	}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		side := "BOTH"
		if w, ok := word(args, 0); ok {
			side = w
			if len(args) != 3 {
				return nil, &expr.TypeError{Arg: -1, Msg: "TRIM " + side + " needs characters and a string", Hint: "write " + m.syntax}
			}
			args = []expr.Expr{args[2], args[1]}
		}
		args, nn, err := take(m, "s?s", args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: kernel(side != "TRAILING", side != "LEADING"),
			Show: func(s []string) string {
				if len(s) == 1 {
					return "TRIM(" + s[0] + ")"
				}
				return "TRIM(" + side + " " + s[1] + " FROM " + s[0] + ")"
			}}, nil
	})
	for _, x := range []struct {
		name, doc, example, result string
		left, right                bool
	}{
		{"LTRIM", "s without blanks, or the given characters, at its beginning.", "LTRIM('  a ')", "a ", true, false},
		{"RTRIM", "s without blanks, or the given characters, at its end.", "RTRIM('ab--', '-')", "ab", false, true},
		{"BTRIM", "s without blanks, or the given characters, at both ends.", "BTRIM('xaxbx', 'x')", "axb", true, true},
	} {
		m := meta{name: x.name, cat: strs, syntax: x.name + "(s[, chars])", doc: x.doc, example: x.example, result: x.result}
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			args, nn, err := take(m, "s?s", args)
			return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: kernel(x.left, x.right)}, err
		})
	}
}

func joins() {
	text(meta{name: "CONCAT", cat: strs, syntax: "CONCAT(s, …)", doc: "The strings one after the other; NULL when one is NULL.", example: "CONCAT('a', 'b', 'c')", result: "abc"},
		"s*", batch.TypeString, plain(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			for k := range c.Args {
				dst = append(dst, str(c, k, i)...)
			}
			return dst, true
		}))
	m := meta{name: "CONCAT_WS", cat: strs, syntax: "CONCAT_WS(separator, s, …)", doc: "The strings that are not NULL with the separator between them; NULL when the separator is.",
		example: "CONCAT_WS('-', 'x', NULL, 'y')", result: "x-y"}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, _, err := take(m, "s?s*", args)
		if err != nil {
			return nil, err
		}
		return &expr.Bound{Args: args, Lax: true, Type: batch.TypeString.With(args[0].Type().NotNull), New: func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				if c.Args[0].IsNull(i) {
					return dst, false
				}
				first := true
				for k := 1; k < len(c.Args); k++ {
					if c.Args[k].IsNull(i) {
						continue
					}
					if !first {
						dst = append(dst, str(c, 0, i)...)
					}
					first = false
					dst = append(dst, str(c, k, i)...)
				}
				return dst, true
			})
		}}, nil
	})
}
