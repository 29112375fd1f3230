package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamd/streamd/batch"
)

// unitMicros is the length of the units of fixed length.
var unitMicros = map[string]int64{
	"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 1e6, "MINUTE": 60e6, "HOUR": 3600e6, "DAY": batch.Day, "WEEK": 7 * batch.Day,
}

// unitMonths is the length of the units of whole months.
var unitMonths = map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}

// Unit looks a time unit up: its length in microseconds or else in months. A
// trailing S is accepted, as is any case.
func Unit(word string) (micros, months int64, ok bool) {
	w := strings.ToUpper(word)
	if unitMicros[w] == 0 && unitMonths[w] == 0 {
		w = strings.TrimSuffix(w, "S")
	}
	micros, months = unitMicros[w], unitMonths[w]
	return micros, months, micros != 0 || months != 0
}

// Interval is the literal INTERVAL 'text' unit: INTERVAL '1' DAY, INTERVAL
// '1 02:03:04.5' DAY TO SECOND, INTERVAL '1-6' YEAR TO MONTH. A precision in
// brackets after a unit is ignored.
func Interval(text, unit string) (*Const, error) {
	bad := func() (*Const, error) {
		return nil, &TypeError{-1, fmt.Sprintf("'%s' is no INTERVAL %s", text, unit), "for example INTERVAL '10' SECOND or INTERVAL '1 12:00:00' DAY TO SECOND"}
	}
	from, to, ranged := strings.Cut(strings.ToUpper(unit), " TO ")
	from, to = bareUnit(from), bareUnit(to)
	s := strings.TrimSpace(text)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	micros, months, ok := Unit(from)
	if !ok {
		return nil, &TypeError{-1, fmt.Sprintf("no such interval unit: %s", unit), "units are SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR"}
	}
	var x int64
	t := batch.Type{SQL: batch.IntervalDay}
	switch {
	case months != 0:
		t.SQL = batch.IntervalMonth
		y, m, dash := strings.Cut(s, "-")
		if dash != (ranged && from == "YEAR" && to == "MONTH") {
			return bad()
		}
		a, err := strconv.ParseUint(y, 10, 31)
		if err != nil {
			return bad()
		}
		x = int64(a) * months
		if dash {
			b, err := strconv.ParseUint(m, 10, 31)
			if err != nil || b > 11 {
				return bad()
			}
			x += int64(b)
		}
	case !ranged:
		var ok bool
		if x, ok = parseUnits(s, micros, from == "SECOND"); !ok {
			return bad()
		}
	default:
		var ok bool
		if x, ok = parseDayTime(s, from, to); !ok {
			return bad()
		}
	}
	if neg {
		x = -x
	}
	return Int(x, t), nil
}

func bareUnit(u string) string {
	u, _, _ = strings.Cut(u, "(")
	u = strings.TrimSpace(u)
	if _, _, ok := Unit(u); ok && unitMicros[u] == 0 && unitMonths[u] == 0 {
		u = strings.TrimSuffix(u, "S")
	}
	return u
}

// parseUnits reads a whole number of units; seconds may have a fraction.
func parseUnits(s string, micros int64, frac bool) (int64, bool) {
	whole, rest, point := strings.Cut(s, ".")
	a, err := strconv.ParseUint(whole, 10, 62)
	if err != nil || point && !frac || a > uint64(1<<62)/uint64(micros) {
		return 0, false
	}
	x := int64(a) * micros
	if point {
		if len(rest) == 0 || len(rest) > 6 {
			return 0, false
		}
		f, err := strconv.ParseUint((rest + "000000")[:6], 10, 32)
		if err != nil {
			return 0, false
		}
		x += int64(f)
	}
	return x, true
}

// parseDayTime reads "d hh:mm:ss.f" from unit from down to unit to.
func parseDayTime(s, from, to string) (int64, bool) {
	units := []string{"DAY", "HOUR", "MINUTE", "SECOND"}
	var x int64
	on := false
	for _, u := range units {
		if u == from {
			on = true
		}
		if !on {
			continue
		}
		part := s
		if u != to {
			sep := ":"
			if u == "DAY" {
				sep = " "
			}
			var ok bool
			if part, s, ok = strings.Cut(s, sep); !ok {
				return 0, false
			}
		}
		v, ok := parseUnits(part, unitMicros[u], u == "SECOND")
		if !ok || u != from && v >= map[string]int64{"HOUR": batch.Day, "MINUTE": 3600e6, "SECOND": 60e6}[u] {
			return 0, false
		}
		x += v
		if u == to {
			return x, true
		}
	}
	return 0, false
}

// appendDayInterval writes microseconds as Flink prints an interval: +1 02:03:04.500
func appendDayInterval(dst []byte, us int64) []byte {
	sign := byte('+')
	u := uint64(us)
	if us < 0 {
		sign, u = '-', -u
	}
	ms := u / 1000
	return fmt.Appendf(dst, "%c%d %02d:%02d:%02d.%03d", sign, ms/86400000, ms/3600000%24, ms/60000%60, ms/1000%60, ms%1000)
}

// appendMonthInterval writes months: +1-06
func appendMonthInterval(dst []byte, m int64) []byte {
	sign := byte('+')
	if m < 0 {
		sign, m = '-', -m
	}
	return fmt.Appendf(dst, "%c%d-%02d", sign, m/12, m%12)
}

// Zone returns the time zone of a name (Europe/Paris), an offset (+02:00,
// GMT+2, UTC-03:30) or UTC.
func Zone(name string) (*time.Location, error) {
	off := name
	for _, p := range []string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(name, p); ok {
			off = rest
			break
		}
	}
	if off == "" || off == "Z" {
		if name == "" {
			return nil, noZone(name)
		}
		return time.UTC, nil
	}
	if off[0] == '+' || off[0] == '-' {
		h, m, _ := strings.Cut(off[1:], ":")
		hh, e1 := strconv.Atoi(h)
		mm, e2 := 0, error(nil)
		if m != "" {
			mm, e2 = strconv.Atoi(m)
		}
		if e1 == nil && e2 == nil && hh <= 18 && mm < 60 && hh >= 0 && mm >= 0 {
			s := hh*3600 + mm*60
			if off[0] == '-' {
				s = -s
			}
			return time.FixedZone(name, s), nil
		}
		return nil, noZone(name)
	}
	if strings.EqualFold(name, "local") {
		return nil, noZone(name)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, noZone(name)
	}
	return z, nil
}

func noZone(name string) error {
	return fmt.Errorf("'%s' is no time zone; write for instance 'UTC', 'Europe/Berlin' or 'GMT+08:00'", name)
}
