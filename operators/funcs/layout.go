package funcs

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
)

// layout is a pattern of Java's SimpleDateFormat taken apart: runs of one letter,
// or literal text (letter 0).
type layout struct {
	text  string
	items []layoutItem
	unit  int64 // µs for which one text stands: a day for 'yyyy-MM-dd'
	err   error
}

type layoutItem struct {
	letter byte
	n      int
	lit    string
}

// of parses the pattern unless it is the last one.
func (l *layout) of(p []byte) *layout {
	if l.items != nil && l.text == string(p) || l.err != nil && l.text == string(p) {
		return l
	}
	*l = layout{text: string(p), items: []layoutItem{}, unit: batch.Day}
	s := l.text
	for len(s) > 0 {
		c := s[0]
		switch {
		case c == '\'':
			end := 1
			var lit strings.Builder
			for ; end < len(s); end++ {
				if s[end] == '\'' {
					if end+1 < len(s) && s[end+1] == '\'' && end > 1 {
						end++
					} else {
						break
					}
				}
				lit.WriteByte(s[end])
			}
			if end == 1 {
				lit.WriteByte('\'')
			}
			l.items = append(l.items, layoutItem{lit: lit.String()})
			s = s[min(end+1, len(s)):]
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for n < len(s) && s[n] == c {
				n++
			}
			if !strings.ContainsRune("yuMdHhmsSaEDkKL", rune(c)) {
				l.err = fmt.Errorf("the pattern letter '%c' is not known; there are y M d H h m s S a E D", c)
				return l
			}
			l.items = append(l.items, layoutItem{letter: c, n: n})
			l.unit = min(l.unit, unitOf(c))
			s = s[n:]
		default:
			l.items = append(l.items, layoutItem{lit: s[:1]})
			s = s[1:]
		}
	}
	return l
}

// unitOf is how many microseconds the field of a letter stays the same, at least.
func unitOf(letter byte) int64 {
	switch letter {
	case 'a', 'H', 'h', 'k', 'K':
		return 3600e6
	case 'm':
		return 60e6
	case 's':
		return 1e6
	case 'S':
		return 1
	}
	return batch.Day
}

func (l *layout) format(dst []byte, us int64) []byte {
	days := batch.FloorDiv(us, batch.Day)
	y, mo, d := batch.Civil(days)
	in := us - days*batch.Day
	h := int(in / 3600e6)
	for _, it := range l.items {
		x := 0
		switch it.letter {
		case 0:
			dst = append(dst, it.lit...)
			continue
		case 'y', 'u':
			if x = y; it.n == 2 {
				x = y % 100
			}
		case 'M', 'L':
			if x = mo; it.n >= 3 {
				dst = append(dst, name(time.Month(mo).String(), it.n)...)
				continue
			}
		case 'E':
			w := time.Weekday(((days+4)%7 + 7) % 7).String()
			dst = append(dst, name(w, it.n)...)
			continue
		case 'a':
			dst = append(dst, [...]string{"AM", "PM"}[h/12]...)
			continue
		case 'd':
			x = d
		case 'D':
			x = int(days-batch.Days(y, 1, 1)) + 1
		case 'H':
			x = h
		case 'k':
			x = (h+23)%24 + 1
		case 'K':
			x = h % 12
		case 'h':
			x = (h+11)%12 + 1
		case 'm':
			x = int(in / 60e6 % 60)
		case 's':
			x = int(in / 1e6 % 60)
		case 'S':
			at := len(dst)
			dst = append(appendPadded(dst, int(in%1e6), 6), "000"...)
			dst = dst[:at+min(it.n, 9)]
			continue
		}
		dst = appendPadded(dst, x, it.n)
	}
	return dst
}

// appendPadded appends x with zeros in front, n characters at least.
func appendPadded(dst []byte, x, n int) []byte {
	if x < 0 {
		return fmt.Appendf(dst, "%0*d", n, x)
	}
	digits := 1
	for p := 10; p <= x; p *= 10 {
		digits++
	}
	for ; n > digits; n-- {
		dst = append(dst, '0')
	}
	return strconv.AppendInt(dst, int64(x), 10)
}

func name(s string, n int) string {
	if n < 4 {
		return s[:3]
	}
	return s
}

// parse reads a local time; what the pattern leaves out is that of 1970-01-01 00:00.
func (l *layout) parse(s string) (us int64, ok bool) {
	c := clockParts{y: 1970, mo: 1, d: 1}
	for k, it := range l.items {
		switch it.letter {
		case 0:
			if s, ok = strings.CutPrefix(s, it.lit); !ok {
				return 0, false
			}
			continue
		case 'a':
			if len(s) < 2 {
				return 0, false
			}
			switch strings.ToUpper(s[:2]) {
			case "PM":
				c.pm = true
			case "AM":
			default:
				return 0, false
			}
			c.twelve, s = true, s[2:]
			continue
		case 'E':
			if s, ok = cutName(s, 7, func(i int) string { return time.Weekday(i).String() }, nil); !ok {
				return 0, false
			}
			continue
		case 'M', 'L':
			if it.n >= 3 {
				if s, ok = cutName(s, 12, func(i int) string { return time.Month(i + 1).String() }, &c.mo); !ok {
					return 0, false
				}
				c.mo++
				continue
			}
		}
		// A number is as long as its letters where another number follows at
		// once, else as long as its digits.
		most := len(s)
		if k+1 < len(l.items) && l.items[k+1].letter != 0 || it.letter == 'S' {
			most = it.n
		}
		x, n := 0, 0
		for n < len(s) && n < most && n < 9 && s[n] >= '0' && s[n] <= '9' {
			x = x*10 + int(s[n]-'0')
			n++
		}
		if n == 0 {
			return 0, false
		}
		s = s[n:]
		c.set(it, x, n)
	}
	return c.micros(s)
}

// clockParts are the fields of a time that is being read.
type clockParts struct {
	y, mo, d, h, mi, sec, frac int
	pm, twelve                 bool
}

// set stores number x, which had n digits, as the item's field.
func (c *clockParts) set(it layoutItem, x, n int) {
	switch it.letter {
	case 'y', 'u':
		if c.y = x; it.n == 2 && n <= 2 {
			c.y = 2000 + x
		}
	case 'M', 'L':
		c.mo = x
	case 'd':
		c.d = x
	case 'H':
		c.h = x
	case 'k':
		c.h = x % 24
	case 'h', 'K':
		c.h, c.twelve = x%12, true
	case 'm':
		c.mi = x
	case 's':
		c.sec = x
	case 'S':
		for ; n < 6; n++ {
			x *= 10
		}
		for ; n > 6; n-- {
			x /= 10
		}
		c.frac = x
	}
}

// micros is the time in microseconds; rest is the text that was not read.
func (c *clockParts) micros(rest string) (us int64, ok bool) {
	if c.twelve && c.pm && c.h < 12 {
		c.h += 12
	}
	if rest != "" || c.mo < 1 || c.mo > 12 || c.d < 1 || c.h > 23 || c.mi > 59 || c.sec > 59 || c.y > 9999 {
		return 0, false
	}
	days := batch.Days(c.y, c.mo, c.d)
	if _, m, _ := batch.Civil(days); m != c.mo {
		return 0, false
	}
	return days*batch.Day + int64(c.h*3600+c.mi*60+c.sec)*1e6 + int64(c.frac), true
}

// cutName takes one of n names, whole or its first three letters, from s.
func cutName(s string, n int, name func(int) string, at *int) (string, bool) {
	for i := range n {
		for _, w := range []string{name(i), name(i)[:3]} {
			if len(s) >= len(w) && strings.EqualFold(s[:len(w)], w) {
				if at != nil {
					*at = i
				}
				return s[len(w):], true
			}
		}
	}
	return s, false
}
