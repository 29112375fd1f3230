package batch

import (
	"math"
	"strconv"
	"unsafe"
)

// The parsers of this file turn the text of one SQL value into the value: for
// CAST, for the formats and for literals. None of them trims blanks, none
// allocates. ok is false for what is not a value of the type.

// IntRange returns the least and the largest value of an integer type.
func IntRange(t SQLType) (lo, hi int64) {
	switch t {
	case TinyInt:
		return math.MinInt8, math.MaxInt8
	case SmallInt:
		return math.MinInt16, math.MaxInt16
	case Integer:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// ParseInt reads an optional sign and digits into the range of t, an integer type.
func ParseInt(b []byte, t SQLType) (x int64, ok bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	if i == len(b) {
		return 0, false
	}
	var u uint64
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d > 9 || u > (math.MaxUint64-9)/10 {
			return 0, false
		}
		u = u*10 + uint64(d)
	}
	x = int64(u)
	if neg {
		x = -x
	}
	if u > math.MaxInt64 && !(neg && u == 1<<63) {
		return 0, false
	}
	lo, hi := IntRange(t)
	return x, x >= lo && x <= hi
}

// ParseIntTrunc is ParseInt that also takes a fraction and an exponent; what is
// behind the point is cut: 1.9 is 1, -2.5 is -2, 1e3 is 1000.
func ParseIntTrunc(b []byte, t SQLType) (x int64, ok bool) {
	if x, ok = ParseInt(b, t); ok {
		return x, true
	}
	n, ok := scanNumber(b)
	if !ok {
		return 0, false
	}
	w, ok := n.scaled(0, false)
	if !ok {
		return 0, false
	}
	if x, ok = w.Int64(); !ok {
		return 0, false
	}
	lo, hi := IntRange(t)
	return x, x >= lo && x <= hi
}

// IsNumber tells whether b is a decimal number of any size: [sign] digits with
// an optional point and an optional exponent.
func IsNumber(b []byte) bool { _, ok := scanNumber(b); return ok }

// ParseFloat reads a number, NaN, Infinity or -Infinity. A number beyond the
// range of t (FLOAT or DOUBLE) is an infinity.
func ParseFloat(b []byte, t SQLType) (f float64, ok bool) {
	if !IsNumber(b) {
		switch string(b) {
		case "NaN":
			return math.NaN(), true
		case "Infinity", "+Infinity":
			return math.Inf(1), true
		case "-Infinity":
			return math.Inf(-1), true
		}
		return 0, false
	}
	size := 64
	if t == Float32 {
		size = 32
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), size)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// ParseDecimal reads a number into DECIMAL(p, s), scaled, rounding half away
// from zero. ok is false for what is no number and for what has more than p
// digits; IsNumber tells the two apart.
func ParseDecimal(b []byte, p, s int) (x Int128, ok bool) {
	// Fast path: few digits, no exponent, no rounding.
	if len(b) <= 18 {
		if x, ok := parseShort(b, p, s); ok {
			return x, true
		}
	}
	n, ok := scanNumber(b)
	if !ok {
		return Int128{}, false
	}
	x, ok = n.scaled(s, true)
	return x, ok && fits(x, p)
}

func fits(x Int128, p int) bool {
	return x.Cmp(Pow10[p]) < 0 && x.Cmp(Pow10[p].Neg()) > 0
}

func parseShort(b []byte, p, s int) (Int128, bool) {
	i, neg := 0, false
	if len(b) > 0 && b[0] == '-' {
		neg, i = true, 1
	}
	var u int64
	point := -1
	start := i
	for ; i < len(b); i++ {
		d := b[i] - '0'
		if d <= 9 {
			u = u*10 + int64(d)
			continue
		}
		if b[i] != '.' || point >= 0 || i == start {
			return Int128{}, false
		}
		point = i
	}
	frac := 0
	if point >= 0 {
		frac = len(b) - point - 1
	}
	if i == start || frac > s || point >= 0 && frac == 0 {
		return Int128{}, false
	}
	if neg {
		u = -u
	}
	x := Int128From(u)
	if frac < s {
		var ok bool
		if x, ok = x.Mul(Pow10[s-frac]); !ok {
			return Int128{}, false
		}
	}
	return x, fits(x, p)
}

// number is a scanned decimal number: (-1)^neg * 0.whole frac * 10^exp, the
// point standing between whole and frac.
type number struct {
	neg         bool
	whole, frac []byte
	exp         int
}

func scanNumber(b []byte) (n number, ok bool) {
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		n.neg, i = b[0] == '-', 1
	}
	digits := func() []byte {
		from := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		return b[from:i]
	}
	n.whole = digits()
	if i < len(b) && b[i] == '.' {
		i++
		n.frac = digits()
	}
	if len(n.whole)+len(n.frac) == 0 {
		return n, false
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		neg := false
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			neg = b[i] == '-'
			i++
		}
		e := digits()
		if len(e) == 0 {
			return n, false
		}
		for _, c := range e {
			// An exponent beyond any length of a text stays beyond it.
			n.exp = min(n.exp*10+int(c-'0'), 1<<40)
		}
		if neg {
			n.exp = -n.exp
		}
	}
	return n, i == len(b)
}

// digit returns the i-th digit of whole and frac together.
func (n *number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i] - '0'
	}
	return n.frac[i-len(n.whole)] - '0'
}

// scaled returns the number times 10^s as an integer, cut or rounded half away
// from zero; ok is false beyond 38 digits.
func (n *number) scaled(s int, round bool) (x Int128, ok bool) {
	all := len(n.whole) + len(n.frac)
	keep := len(n.whole) + n.exp + s // digits before the point of the scaled number
	first := 0
	for first < all && n.digit(first) == 0 {
		first++
	}
	if first == all || keep < 0 {
		return Int128{}, true
	}
	if keep-first > 38 {
		return Int128{}, false
	}
	for i := first; i < keep; i++ {
		var d byte
		if i < all {
			d = n.digit(i)
		}
		x, _ = x.Mul(Int128{0, 10})
		x = x.Add(Int128{0, uint64(d)})
	}
	if round && keep < all && n.digit(keep) >= 5 {
		x = x.Add(Int128{0, 1})
	}
	if n.neg {
		x = x.Neg()
	}
	return x, true
}

// ParseBool reads true, t, yes, y, 1 and false, f, no, n, 0 in any case.
func ParseBool(b []byte) (x, ok bool) {
	var low [5]byte
	if len(b) > len(low) {
		return false, false
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		low[i] = c
	}
	switch string(low[:len(b)]) {
	case "true", "t", "yes", "y", "1":
		return true, true
	case "false", "f", "no", "n", "0":
		return false, true
	}
	return false, false
}

// ParseDate reads 2026-01-31 as days since 1970; month and day may have one digit.
func ParseDate(b []byte) (days int64, ok bool) {
	days, n := date(b)
	return days, n > 0 && n == len(b)
}

// ParseTime reads 10:00, 10:00:00 or 10:00:00.5 as microseconds of the day.
// Digits beyond the sixth of the fraction are cut.
func ParseTime(b []byte) (us int64, ok bool) {
	us, n := clock(b)
	return us, n > 0 && n == len(b)
}

// ParseTimestamp reads a date, or a date and a time with a blank or T between
// them, as microseconds since 1970. A trailing Z is accepted.
func ParseTimestamp(b []byte) (us int64, ok bool) {
	us, off, _, ok := ParseTimestampZone(b)
	return us, ok && off == 0
}

// ParseTimestampZone reads a timestamp that may end in Z or in an offset such
// as +08:00. us is the time as written, offset what is to be subtracted for UTC.
func ParseTimestampZone(b []byte) (us, offset int64, zoned, ok bool) {
	days, n := date(b)
	if n == 0 {
		return 0, 0, false, false
	}
	us = days * Day
	b = b[n:]
	if len(b) == 0 {
		return us, 0, false, true
	}
	if b[0] == ' ' || b[0] == 'T' {
		t, n := clock(b[1:])
		if n == 0 {
			return 0, 0, false, false
		}
		us += t
		b = b[1+n:]
	}
	switch {
	case len(b) == 0:
		return us, 0, false, true
	case len(b) == 1 && b[0] == 'Z':
		return us, 0, true, true
	case b[0] == '+' || b[0] == '-':
		t, n := clock(b[1:])
		if n != len(b)-1 || n != 5 || t > 18*3600_000_000 {
			return 0, 0, false, false
		}
		if b[0] == '-' {
			t = -t
		}
		return us, t, true, true
	}
	return 0, 0, false, false
}

// date reads a date at the start of b and returns its length, 0 if there is none.
func date(b []byte) (days int64, n int) {
	if len(b) < 8 || b[4] != '-' {
		return 0, 0
	}
	y, ok := digits2(b, 0)
	c, ok2 := digits2(b, 2)
	if !ok || !ok2 {
		return 0, 0
	}
	y = y*100 + c
	m, n := oneOrTwo(b, 5)
	if n == 0 || n >= len(b) || b[n] != '-' {
		return 0, 0
	}
	d, n := oneOrTwo(b, n+1)
	if n == 0 || m < 1 || m > 12 || d < 1 || d > DaysIn(y, m) {
		return 0, 0
	}
	return Days(y, m, d), n
}

// DaysIn returns the number of days of a month.
func DaysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// clock reads HH:MM[:SS[.f]] at the start of b and returns its length, 0 if
// there is none.
func clock(b []byte) (us int64, n int) {
	if len(b) < 5 || b[2] != ':' {
		return 0, 0
	}
	h, ok := digits2(b, 0)
	m, ok2 := digits2(b, 3)
	if !ok || !ok2 || h > 23 || m > 59 {
		return 0, 0
	}
	us = int64(h*3600+m*60) * 1e6
	if len(b) < 6 || b[5] != ':' {
		return us, 5
	}
	if len(b) < 8 {
		return 0, 0
	}
	s, ok := digits2(b, 6)
	if !ok || s > 59 {
		return 0, 0
	}
	us += int64(s) * 1e6
	if len(b) < 9 || b[8] != '.' {
		return us, 8
	}
	n = 9
	for f := int64(100_000); n < len(b) && b[n]-'0' <= 9; n++ {
		us += f * int64(b[n]-'0')
		f /= 10
	}
	if n == 9 || n > 18 {
		return 0, 0
	}
	return us, n
}

// digits2 reads exactly two digits at i.
func digits2(b []byte, i int) (int, bool) {
	x, y := b[i]-'0', b[i+1]-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}

// oneOrTwo reads one or two digits at i and returns where they end, or 0.
func oneOrTwo(b []byte, i int) (x, end int) {
	for end = i; end < len(b) && end < i+2 && b[end]-'0' <= 9; end++ {
		x = x*10 + int(b[end]-'0')
	}
	if end == i {
		return 0, 0
	}
	return x, end
}

// TruncTime cuts a time or timestamp in microseconds to p digits of a second.
func TruncTime(us int64, p int32) int64 {
	if p >= 6 {
		return us
	}
	unit := [...]int64{1_000_000, 100_000, 10_000, 1000, 100, 10}[p]
	return FloorDiv(us, unit) * unit
}
