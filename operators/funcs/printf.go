package funcs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// directive is one directive of a format: %[operand$][flags][width][.precision]verb.
var directive = regexp.MustCompile(`%(?:([0-9]+)\$)?([-#+ 0,(]*)([1-9][0-9]*)?(?:\.([0-9]+))?([a-zA-Z%])`)

func init() {
	m := meta{name: "PRINTF", cat: strs, syntax: "PRINTF(format, x, …)", doc: "The format with its directives replaced by the operands: %d %x %X %o of integers, %f %e %E of DOUBLE, %s %S of anything, %b %c %% %n, with -, +, 0, blank, comma, width, precision and operand numbers as in %2$5.1f.",
		example: "PRINTF('%s has %,d of %5.1f%%', 'a', 1200, 99.5e0)", result: "a has 1,200 of  99.5%", fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, _, err := take(m, "s?x*", args)
		if err != nil {
			return nil, err
		}
		types := typesOf(args)
		return &expr.Bound{Args: args, Lax: true, Type: batch.TypeString.With(types[0].NotNull), New: func() expr.Kernel {
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				if c.Args[0].IsNull(i) {
					return dst, false
				}
				p := printer{c: c, row: i, types: types}
				out, err := p.print(dst, string(str(c, 0, i)))
				if err != "" {
					c.Fail(int32(i), expr.ErrArgument, "PRINTF: "+err)
					return dst, true
				}
				return out, true
			})
		}}, nil
	})
}

// printer writes one row's text.
type printer struct {
	c     *expr.Call
	row   int
	types []batch.Type
	next  int // the operand of the next directive without a number, from 0
}

func (p *printer) print(dst []byte, format string) (_ []byte, err string) {
	from := len(dst)
	for {
		if len(dst)-from > maxText {
			return dst, "the text is larger than 16 MiB"
		}
		k := strings.IndexByte(format, '%')
		if k < 0 {
			return append(dst, format...), ""
		}
		m := directive.FindStringSubmatchIndex(format[k:])
		if m == nil || m[0] != 0 {
			return dst, "there is no directive at " + strconv.Quote(format[k:min(len(format), k+8)])
		}
		dst = append(dst, format[:k]...)
		part := func(g int) string {
			if m[2*g] < 0 {
				return ""
			}
			return format[k+m[2*g] : k+m[2*g+1]]
		}
		text, err := p.one(part(1), part(2), part(4), part(5)[0])
		if err != "" {
			return dst, err
		}
		width, _ := strconv.Atoi(part(3))
		if width > maxText {
			return dst, "the width " + part(3) + " is too large"
		}
		dst = pad(dst, text, width, strings.Contains(part(2), "-"), strings.Contains(part(2), "0") && part(5) != "s")
		format = format[k+m[1]:]
	}
}

// pad appends text in a field; zeros go between a sign and the digits.
func pad(dst []byte, text string, width int, left, zero bool) []byte {
	fill := width - len([]rune(text))
	switch {
	case fill <= 0:
		return append(dst, text...)
	case left:
		return append(append(dst, text...), strings.Repeat(" ", fill)...)
	case zero:
		sign := 0
		if text != "" && strings.ContainsRune("+- (", rune(text[0])) {
			sign = 1
		}
		return append(append(append(dst, text[:sign]...), strings.Repeat("0", fill)...), text[sign:]...)
	}
	return append(append(dst, strings.Repeat(" ", fill)...), text...)
}

// one is the text of a directive before it is padded.
func (p *printer) one(operand, flags, precision string, verb byte) (text, err string) {
	switch verb {
	case '%':
		return "%", ""
	case 'n':
		return "\n", ""
	}
	at := p.next
	if operand != "" {
		n, e := strconv.Atoi(operand)
		if at = n - 1; e != nil {
			at = -1
		}
	} else {
		p.next++
	}
	if at < 0 || at+1 >= len(p.c.Args) {
		return "", fmt.Sprintf("there is no operand %d", at+1)
	}
	v, t := p.c.Args[at+1], p.types[at+1]
	digits := -1
	if precision != "" {
		if digits, _ = strconv.Atoi(precision); digits > 1000 {
			return "", "the precision " + precision + " is too large"
		}
	}
	upper := verb >= 'A' && verb <= 'Z'
	low := verb | 0x20
	if v.IsNull(p.row) {
		text = "null"
		if low == 'b' {
			text = "false"
		}
	} else if text, err = p.value(v, t, flags, digits, low); err != "" {
		return "", err
	}
	if (low == 's' || low == 'b') && digits >= 0 {
		if r := []rune(text); len(r) > digits {
			text = string(r[:digits])
		}
	}
	if upper {
		text = strings.ToUpper(text)
	}
	return text, ""
}

func (p *printer) value(v *batch.Vec, t batch.Type, flags string, digits int, verb byte) (text, err string) {
	wrong := fmt.Sprintf("%%%c does not take %s", verb, t.With(false))
	switch verb {
	case 's':
		return string(v.AppendText(nil, p.row, t)), ""
	case 'b':
		if t.SQL == batch.Boolean {
			return strconv.FormatBool(v.B[p.row]), ""
		}
		return "true", ""
	case 'c':
		if !t.IsInteger() || v.I[p.row] < 0 || v.I[p.row] > 0x10ffff {
			return "", wrong
		}
		return string(rune(v.I[p.row])), ""
	case 'd':
		if !t.IsInteger() {
			return "", wrong
		}
		return signed(strconv.FormatInt(v.I[p.row], 10), flags), ""
	case 'x', 'o':
		if !t.IsInteger() {
			return "", wrong
		}
		u := uint64(v.I[p.row])
		if t.SQL != batch.BigInt {
			u &= 1<<(8<<(t.SQL-batch.TinyInt)) - 1
		}
		text = strconv.FormatUint(u, map[byte]int{'x': 16, 'o': 8}[verb])
		if strings.Contains(flags, "#") {
			text = map[byte]string{'x': "0x", 'o': "0"}[verb] + text
		}
		return text, ""
	case 'f', 'e':
		if !t.IsFloat() {
			return "", wrong
		}
		if digits < 0 {
			digits = 6
		}
		f := v.F[p.row]
		switch {
		case f != f:
			return "NaN", ""
		case f-f != 0:
			return signed(strings.Replace(strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "Inf", "Infinity", 1), "+", "", 1), flags), ""
		}
		return signed(strconv.FormatFloat(f, verb, digits, 64), flags), ""
	}
	return "", fmt.Sprintf("there is no directive %%%c", verb)
}

// signed applies the flags + blank ( and comma to a number.
func signed(n, flags string) string {
	neg := strings.HasPrefix(n, "-")
	n = strings.TrimPrefix(n, "-")
	if strings.Contains(flags, ",") {
		whole, frac, dot := strings.Cut(n, ".")
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
		n = whole
		if dot {
			n += "." + frac
		}
	}
	switch {
	case neg && strings.Contains(flags, "("):
		return "(" + n + ")"
	case neg:
		return "-" + n
	case strings.Contains(flags, "+"):
		return "+" + n
	case strings.Contains(flags, " "):
		return " " + n
	}
	return n
}
