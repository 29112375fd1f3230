package ast

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Unquote takes quotes and escapes off a token as the lexer cuts it: `name`, 'string', U&'\0041', X'6162' (hex digits stay);
// any other token comes back unchanged.
func Unquote(tok string) string {
	switch {
	case len(tok) >= 2 && tok[0] == '`':
		return strings.ReplaceAll(tok[1:len(tok)-1], "``", "`")
	case len(tok) >= 2 && tok[0] == '\'':
		return strings.ReplaceAll(tok[1:len(tok)-1], "''", "'")
	case len(tok) >= 4 && (tok[0] == 'u' || tok[0] == 'U') && tok[1] == '&' && tok[2] == '\'':
		s, _ := unescape(strings.ReplaceAll(tok[3:len(tok)-1], "''", "'"))
		return s
	case len(tok) >= 3 && (tok[0] == 'x' || tok[0] == 'X') && tok[1] == '\'':
		return tok[2 : len(tok)-1]
	}
	return tok
}

// CheckEscapes reports the byte offset of the first bad escape in a U&'…' token, -1 when all are good.
func CheckEscapes(tok string) int {
	if len(tok) < 4 || tok[1] != '&' {
		return -1
	}
	if _, bad := unescape(tok[3 : len(tok)-1]); bad >= 0 {
		return bad + 3
	}
	return -1
}

// unescape decodes \XXXX, \+XXXXXX and \\; bad is the offset of the first escape that is none.
func unescape(s string) (out string, bad int) {
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			i++
			continue
		}
		rest := s[i+1:]
		if strings.HasPrefix(rest, `\`) {
			b.WriteByte('\\')
			i += 2
			continue
		}
		skip, n := 0, 4
		if strings.HasPrefix(rest, "+") {
			skip, n = 1, 6
		}
		if len(rest) < skip+n {
			return b.String(), i
		}
		v, err := strconv.ParseUint(rest[skip:skip+n], 16, 32)
		if err != nil || !utf8.ValidRune(rune(v)) {
			return b.String(), i
		}
		b.WriteRune(rune(v))
		i += 1 + skip + n
	}
	return b.String(), -1
}
