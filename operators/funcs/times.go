package funcs

import (
	"fmt"
	"math"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

const times = "times"

// local gives the wall clock of row i of operand arg in microseconds: TIMESTAMP
// as it is, TIMESTAMP_LTZ in the session's zone, DATE at midnight, TIME on 1970-01-01.
func local(c *expr.Call, arg, i int, t batch.Type) int64 {
	x := c.Args[arg].I[i]
	switch t.SQL {
	case batch.Date:
		return x * batch.Day
	case batch.TimestampLTZ:
		return c.Ctx.ToLocal(x)
	}
	return x
}

func init() {
	clocks()
	extracts()
	timeArith()
}

// clocks are the functions of the step's time.
func clocks() {
	clock := func(name, alias, doc, example, result string, t batch.Type, zoned bool, f func(c *expr.Ctx) int64) {
		ints(meta{name: name, alias: alias, cat: times, syntax: name, doc: doc, example: example, result: result, volatile: true, zoned: zoned}, "", t,
			plain(func(c *expr.Call, i int) (int64, bool) { return f(c.Ctx), true }))
	}
	now := func(c *expr.Ctx) int64 { return batch.FloorDiv(c.Now(), 1000) * 1000 }
	day := func(us int64) int64 { return batch.FloorDiv(us, batch.Day) }
	clock("CURRENT_TIMESTAMP", "NOW CURRENT_ROW_TIMESTAMP", "The processing time; the same for all rows of a step.", "CURRENT_TIMESTAMP", "2026-01-02T03:04:05.678Z", batch.TypeLTZ3, false, now)
	clock("PROCTIME", "", "The processing time, as a time attribute.", "PROCTIME()", "2026-01-02T03:04:05.678Z", batch.TypeLTZ3, false, now)
	clock("LOCALTIMESTAMP", "", "The processing time in the session's zone.", "LOCALTIMESTAMP", "2026-01-02T03:04:05.678", batch.TypeTS3, true, func(c *expr.Ctx) int64 { return c.ToLocal(now(c)) })
	clock("CURRENT_DATE", "", "The date in the session's zone.", "CURRENT_DATE", "2026-01-02", batch.TypeDate, true, func(c *expr.Ctx) int64 { return day(c.ToLocal(c.Now())) })
	clock("CURRENT_TIME", "LOCALTIME", "The time of day in the session's zone, whole seconds.", "CURRENT_TIME", "03:04:05", batch.Type{SQL: batch.Time}, true, func(c *expr.Ctx) int64 {
		us := c.ToLocal(c.Now())
		us -= day(us) * batch.Day
		return us - us%1e6
	})
	m := meta{name: "CURRENT_WATERMARK", cat: times, syntax: "CURRENT_WATERMARK(rowtime)", doc: "The watermark of a row time. Not supported yet.", volatile: true}
	fn(m, func([]expr.Expr) (*expr.Bound, error) {
		return nil, &expr.TypeError{Arg: -1, Msg: "CURRENT_WATERMARK is not supported yet", Hint: "late rows are counted, and kept with the table option 'late' = 'dead-letter'"}
	})
}

// part takes a field out of a local time; false for a unit that is none.
func part(unit string) (f func(us int64) int64, dateOnly, ok bool) {
	civil := func(us int64) (y, m, d int) { return batch.Civil(batch.FloorDiv(us, batch.Day)) }
	inDay := func(us int64) int64 { return us - batch.FloorDiv(us, batch.Day)*batch.Day }
	dow := func(us int64) int64 { // Monday is 0
		d := batch.FloorDiv(us, batch.Day) + 3
		return d - batch.FloorDiv(d, 7)*7
	}
	thursday := func(us int64) (y int64, yday int64) { // of the row's ISO week
		d := batch.FloorDiv(us, batch.Day) - dow(us) + 3
		yy, _, _ := batch.Civil(d)
		return int64(yy), d - batch.Days(yy, 1, 1)
	}
	switch unit {
	case "YEAR":
		return func(us int64) int64 { y, _, _ := civil(us); return int64(y) }, true, true
	case "ISOYEAR":
		return func(us int64) int64 { y, _ := thursday(us); return y }, true, true
	case "QUARTER":
		return func(us int64) int64 { _, m, _ := civil(us); return int64(m+2) / 3 }, true, true
	case "MONTH":
		return func(us int64) int64 { _, m, _ := civil(us); return int64(m) }, true, true
	case "WEEK":
		return func(us int64) int64 { _, d := thursday(us); return d/7 + 1 }, true, true
	case "DAY":
		return func(us int64) int64 { _, _, d := civil(us); return int64(d) }, true, true
	case "DOY":
		return func(us int64) int64 {
			y, _, _ := civil(us)
			return batch.FloorDiv(us, batch.Day) - batch.Days(y, 1, 1) + 1
		}, true, true
	case "DOW": // Sunday is 1
		return func(us int64) int64 { return (dow(us)+1)%7 + 1 }, true, true
	case "ISODOW":
		return func(us int64) int64 { return dow(us) + 1 }, true, true
	case "DECADE":
		return func(us int64) int64 { y, _, _ := civil(us); return int64(y / 10) }, true, true
	case "CENTURY":
		return func(us int64) int64 { y, _, _ := civil(us); return int64(y+99) / 100 }, true, true
	case "MILLENNIUM":
		return func(us int64) int64 { y, _, _ := civil(us); return int64(y+999) / 1000 }, true, true
	case "HOUR":
		return func(us int64) int64 { return inDay(us) / 3600e6 }, false, true
	case "MINUTE":
		return func(us int64) int64 { return inDay(us) / 60e6 % 60 }, false, true
	case "SECOND":
		return func(us int64) int64 { return inDay(us) / 1e6 % 60 }, false, true
	case "MILLISECOND":
		return func(us int64) int64 { return inDay(us) / 1000 % 1000 }, false, true
	case "MICROSECOND":
		return func(us int64) int64 { return inDay(us) % 1e6 }, false, true
	case "NANOSECOND":
		return func(us int64) int64 { return inDay(us) % 1e6 * 1000 }, false, true
	}
	return nil, false, false
}

func extract(m meta, unit string, x expr.Expr) (*expr.Bound, error) {
	t := x.Type()
	var f func(us int64) int64
	ok, date := false, false
	zoned := t.SQL == batch.TimestampLTZ
	switch {
	case t.SQL == batch.IntervalMonth && unit == "YEAR":
		f, ok = func(m int64) int64 { return m / 12 }, true
	case t.SQL == batch.IntervalMonth && unit == "MONTH":
		f, ok = func(m int64) int64 { return m % 12 }, true
	case t.SQL == batch.IntervalDay && unit == "DAY":
		f, ok = func(us int64) int64 { return us / batch.Day }, true
	case t.SQL == batch.IntervalDay:
		if _, date, ok = part(unit); ok && !date {
			g, _, _ := part(unit)
			f = func(us int64) int64 {
				if us < 0 {
					return -g(-us)
				}
				return g(us)
			}
		}
		ok = ok && !date
	case t.IsTimestamp() || t.SQL == batch.Date || t.SQL == batch.Time:
		if unit == "EPOCH" {
			f, ok = func(us int64) int64 { return batch.FloorDiv(us, 1e6) }, true
			if zoned {
				t.SQL, zoned = batch.Timestamp, false // seconds of UTC
			}
		} else {
			f, date, ok = part(unit)
		}
		ok = ok && !(date && t.SQL == batch.Time) && !(unit == "NANOSECOND" && t.SQL == batch.Date)
	case t.SQL == batch.Null:
		x, f, ok = expr.NullOf(batch.TypeTS3), func(us int64) int64 { return 0 }, true
	}
	if !ok {
		return nil, bad(0, "%s: there is no %s in %s", m.name, unit, t.With(false))
	}
	return &expr.Bound{Args: []expr.Expr{x}, Type: batch.TypeBigInt.With(t.NotNull), Zoned: zoned,
		Show: func(s []string) string { return "EXTRACT(" + unit + " FROM " + s[0] + ")" },
		New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					c.Out.I[i] = f(local(c, 0, int(i), t))
				}
			}
		}}, nil
}

func extracts() {
	m := meta{name: "EXTRACT", cat: times, syntax: "EXTRACT(unit FROM time)", doc: "A field of a time or interval: YEAR QUARTER MONTH WEEK DAY DOY DOW HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND EPOCH …",
		example: "EXTRACT(DAY FROM DATE '2006-06-05')", result: "5"}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		unit, ok := word(args, 0)
		if !ok || len(args) != 2 {
			return nil, &expr.TypeError{Arg: -1, Msg: "EXTRACT needs a unit and a time", Hint: "write " + m.syntax}
		}
		return extract(m, unit, args[1])
	})
	for _, x := range [][4]string{
		{"YEAR", "YEAR", "The year.", "2024"}, {"QUARTER", "QUARTER", "The quarter, 1 to 4.", "1"}, {"MONTH", "MONTH", "The month, 1 to 12.", "2"},
		{"WEEK", "WEEK", "The ISO week, 1 to 53.", "6"}, {"DAYOFYEAR", "DOY", "The day of the year, 1 to 366.", "36"}, {"DAYOFMONTH", "DAY", "The day of the month, 1 to 31.", "5"},
		{"DAYOFWEEK", "DOW", "The day of the week; Sunday is 1.", "2"}, {"HOUR", "HOUR", "The hour, 0 to 23.", "6"}, {"MINUTE", "MINUTE", "The minute, 0 to 59.", "7"}, {"SECOND", "SECOND", "The second, 0 to 59.", "8"},
	} {
		m := meta{name: x[0], cat: times, syntax: x[0] + "(time)", doc: x[2], example: x[0] + "(TIMESTAMP '2024-02-05 06:07:08')", result: x[3]}
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			if len(args) != 1 {
				return nil, &expr.TypeError{Arg: -1, Msg: m.name + " takes one operand", Hint: "write " + m.syntax}
			}
			return extract(m, x[1], args[0])
		})
	}
}

// spanOf returns how long a unit is. Units of months begin at month first of the
// year 0: centuries and millennia with the year 1.
func spanOf(unit string) (micros, months, first int64, ok bool) {
	switch unit {
	case "DECADE":
		return 0, 120, 0, true
	case "CENTURY":
		return 0, 1200, 12, true
	case "MILLENNIUM":
		return 0, 12000, 12, true
	}
	micros, months, ok = expr.Unit(unit)
	return micros, months, 0, ok
}

// floorTo cuts a local time to a unit.
func floorTo(unit string) (func(us int64) int64, bool) {
	micros, months, first, ok := spanOf(unit)
	switch {
	case months > 0:
		return func(us int64) int64 {
			y, m, _ := batch.Civil(batch.FloorDiv(us, batch.Day))
			n := int64(y)*12 + int64(m) - 1 - first
			n = batch.FloorDiv(n, months)*months + first
			y = int(batch.FloorDiv(n, 12))
			return batch.Days(y, int(n-int64(y)*12)+1, 1) * batch.Day
		}, true
	case unit == "WEEK": // weeks begin on Sunday; 1970-01-04 was one
		return func(us int64) int64 {
			return batch.FloorDiv(us-3*batch.Day, micros)*micros + 3*batch.Day
		}, true
	case ok:
		return func(us int64) int64 { return batch.FloorDiv(us, micros) * micros }, true
	}
	return nil, false
}

// timeFloor is FLOOR(time TO unit) and CEIL.
func timeFloor(m meta, args []expr.Expr) (*expr.Bound, error) {
	unit, isWord := word(args, 1)
	f, ok := floorTo(unit)
	if !isWord || !ok {
		return nil, &expr.TypeError{Arg: 1, Msg: m.name + " needs a unit of time", Hint: "write " + m.syntax}
	}
	t := args[0].Type()
	if !t.IsTimestamp() && t.SQL != batch.Date && t.SQL != batch.Time {
		return nil, bad(0, "%s(… TO %s) needs a time, not %s", m.name, unit, t.With(false))
	}
	micros, months, _, _ := spanOf(unit)
	up := m.name == "CEIL"
	next := func(us int64) int64 {
		g := f(us)
		if !up || g == us {
			return g
		}
		if months > 0 {
			return expr.AddMonths(g, months)
		}
		return g + micros
	}
	return &expr.Bound{Args: args[:1], Type: t, Zoned: t.SQL == batch.TimestampLTZ,
		Show: func(s []string) string { return m.name + "(" + s[0] + " TO " + unit + ")" },
		New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					us := next(local(c, 0, int(i), t))
					switch t.SQL {
					case batch.Date:
						us = batch.FloorDiv(us, batch.Day)
					case batch.Time:
						us %= batch.Day // the next unit after the last one is the first of the next day
					case batch.TimestampLTZ:
						us = c.Ctx.ToUTC(us)
					}
					c.Out.I[i] = us
				}
			}
		}}, nil
}

func timeArith() {
	add := meta{name: "TIMESTAMPADD", cat: times, syntax: "TIMESTAMPADD(unit, n, time)", doc: "The time n units later.", example: "TIMESTAMPADD(WEEK, 1, DATE '2003-01-02')", result: "2003-01-09", fails: true}
	fn(add, func(args []expr.Expr) (*expr.Bound, error) {
		unit, ok := word(args, 0)
		if !ok || len(args) != 3 {
			return nil, &expr.TypeError{Arg: -1, Msg: "TIMESTAMPADD needs a unit, a number and a time", Hint: "write " + add.syntax}
		}
		micros, months, ok := expr.Unit(unit)
		n := args[1].Type()
		if !ok || !n.IsInteger() && n.SQL != batch.Null {
			return nil, bad(1, "TIMESTAMPADD needs a unit of time and an integer; write %s", add.syntax)
		}
		one := expr.Int(micros, batch.Type{SQL: batch.IntervalDay})
		if months > 0 {
			one = expr.Int(months, batch.Type{SQL: batch.IntervalMonth})
		}
		x := args[2]
		if x.Type().SQL == batch.Date && months == 0 && micros < batch.Day {
			c, err := expr.Cast(x, batch.Type{SQL: batch.Timestamp}, false)
			if err != nil {
				return nil, err
			}
			x = c
		}
		k := args[1]
		if n.SQL == batch.Null {
			k = expr.NullOf(batch.TypeInt)
		}
		iv, err := expr.Arith("*", one, k)
		if err != nil {
			return nil, err
		}
		e, err := expr.Arith("+", x, iv)
		return &expr.Bound{Expr: e}, err
	})
	diff := meta{name: "TIMESTAMPDIFF", cat: times, syntax: "TIMESTAMPDIFF(unit, from, to)", doc: "The whole units from one time to another; negative when to is earlier.",
		example: "TIMESTAMPDIFF(DAY, TIMESTAMP '2003-01-02 10:00:00', TIMESTAMP '2003-01-03 10:00:00')", result: "1", fails: true}
	fn(diff, func(args []expr.Expr) (*expr.Bound, error) {
		unit, ok := word(args, 0)
		if !ok || len(args) != 3 {
			return nil, &expr.TypeError{Arg: -1, Msg: "TIMESTAMPDIFF needs a unit and two times", Hint: "write " + diff.syntax}
		}
		micros, months, ok := expr.Unit(unit)
		if !ok {
			return nil, bad(0, "TIMESTAMPDIFF: no such unit: %s", unit)
		}
		args, nn, err := take(diff, "tt", args[1:])
		if err != nil {
			return nil, err
		}
		ta, tb := args[0].Type(), args[1].Type()
		return &expr.Bound{Args: args, Type: batch.TypeInt.With(nn), Zoned: true,
			Show: func(s []string) string { return "TIMESTAMPDIFF(" + unit + ", " + s[0] + ", " + s[1] + ")" },
			New: func() expr.Kernel {
				return func(c *expr.Call) {
					for _, i := range c.Sel {
						from, to := local(c, 0, int(i), ta), local(c, 1, int(i), tb)
						var d int64
						if months > 0 {
							d = monthsBetween(from, to) / months
						} else {
							d = (to - from) / micros
						}
						if d > math.MaxInt32 || d < math.MinInt32 {
							c.Fail(i, expr.ErrOverflow, fmt.Sprintf("TIMESTAMPDIFF: %d is out of range of INT", d))
						}
						c.Out.I[i] = d
					}
				}
			}}, nil
	})
}

// monthsBetween counts the whole months from one local time to another.
func monthsBetween(from, to int64) int64 {
	if to < from {
		return -monthsBetween(to, from)
	}
	y1, m1, _ := batch.Civil(batch.FloorDiv(from, batch.Day))
	y2, m2, _ := batch.Civil(batch.FloorDiv(to, batch.Day))
	n := int64(y2-y1)*12 + int64(m2-m1)
	if n > 0 && expr.AddMonths(from, n) > to {
		n--
	}
	return n
}
