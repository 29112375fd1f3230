package funcs

import (
	"fmt"
	"math"
	"time"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/operators/expr"
)

// run is DATE_FORMAT of a time of type t. Times that follow each other are often of
// one day: a text is made once for a run of times within the layout's unit, and
// their views share it.
func (l *layout) run(c *expr.Call, t batch.Type) {
	v, patterns := c.Out, c.Args[1].View
	var pattern, view uint64
	var from, to int64 // the times that view stands for, in the pattern; none yet
	for _, i := range c.Sel {
		us := local(c, 0, int(i), t)
		if us >= from && us < to && patterns[i] == pattern {
			v.View[i] = view
			continue
		}
		pattern, from, to = patterns[i], 0, 0
		if l.of(str(c, 1, int(i))); l.err != nil {
			c.Fail(i, expr.ErrPattern, l.err.Error())
			continue
		}
		at := len(v.Data)
		dst := l.format(v.Data, us)
		if len(dst)-at > maxText {
			c.Fail(i, expr.ErrOutOfScope, "the text is larger than 16 MiB")
			continue
		}
		view = uint64(at)<<32 | uint64(len(dst)-at)
		v.Data, v.View[i] = dst, view
		from = batch.FloorDiv(us, l.unit) * l.unit
		to = from + l.unit
	}
}

// checkLayout refuses a constant pattern that is malformed.
func checkLayout(m meta, args []expr.Expr, k int) error {
	if k >= len(args) {
		return nil
	}
	if c, ok := args[k].(*expr.Const); ok && !c.IsNull() && c.T.IsString() {
		if err := new(layout).of(c.V.Bytes(0)).err; err != nil {
			return &expr.TypeError{Arg: k, Msg: m.name + ": " + err.Error(), Hint: "for example 'yyyy-MM-dd HH:mm:ss'"}
		}
	}
	return nil
}

func init() {
	format := meta{name: "DATE_FORMAT", cat: times, syntax: "DATE_FORMAT(time, pattern)", doc: "The time (or a string that is one) as text by a pattern of letters y M d H h m s S a E D.",
		example: "DATE_FORMAT(TIMESTAMP '2024-01-02 15:04:05', 'yyyy/MM/dd hh:mm a')", result: "2024/01/02 03:04 PM", fails: true}
	fn(format, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) == 2 && args[0].Type().IsString() {
			x, err := expr.Cast(args[0], batch.TypeTS3, true)
			if err != nil {
				return nil, err
			}
			args = []expr.Expr{x, args[1]}
		}
		args, nn, err := take(format, "ts", args)
		if err == nil {
			err = checkLayout(format, args, 1)
		}
		if err != nil {
			return nil, err
		}
		t := args[0].Type()
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), Zoned: t.SQL == batch.TimestampLTZ, New: func() expr.Kernel {
			var l layout
			return func(c *expr.Call) { l.run(c, t) }
		}}, nil
	})
	const standard = "yyyy-MM-dd HH:mm:ss"
	parsed := func(m meta, spec string, out batch.Type, std func(b []byte) (int64, bool), fin func(c *expr.Ctx, us int64) int64) {
		fn(m, func(args []expr.Expr) (*expr.Bound, error) {
			args, nn, err := take(m, spec, args)
			if err == nil {
				err = checkLayout(m, args, 1)
			}
			return &expr.Bound{Args: args, Type: out.With(nn), New: func() expr.Kernel {
				var l layout
				return intKernel(func(c *expr.Call, i int) (int64, bool) {
					if len(c.Args) < 2 {
						us, ok := std(str(c, 0, i))
						return fin(c.Ctx, us), ok
					}
					p := l.of(str(c, 1, i))
					us, ok := p.parse(string(str(c, 0, i)))
					return fin(c.Ctx, us), ok && p.err == nil
				})
			}}, err
		})
	}
	parsed(meta{name: "TO_DATE", cat: times, syntax: "TO_DATE(s[, pattern])", doc: "The date that s is; NULL for what is none. The pattern is 'yyyy-MM-dd' unless given.", example: "TO_DATE('05.02.2024', 'dd.MM.yyyy')", result: "2024-02-05", nullable: true},
		"s?s", batch.TypeDate, func(b []byte) (int64, bool) { d, ok := expr.ParseDate(b); return d * batch.Day, ok }, func(_ *expr.Ctx, us int64) int64 { return batch.FloorDiv(us, batch.Day) })
	parsed(meta{name: "TO_TIMESTAMP", cat: times, syntax: "TO_TIMESTAMP(s[, pattern])", doc: "The TIMESTAMP(3) that s is; NULL for what is none. The pattern is 'yyyy-MM-dd HH:mm:ss' unless given.", example: "TO_TIMESTAMP('2024-02-05 06:07:08')", result: "2024-02-05T06:07:08", nullable: true},
		"s?s", batch.TypeTS3, expr.ParseTimestamp, func(_ *expr.Ctx, us int64) int64 { return batch.FloorDiv(us, 1000) * 1000 })
	unixTimes(parsed, standard)
	convertTZ()
	toLTZ()
}

func unixTimes(parsed func(meta, string, batch.Type, func([]byte) (int64, bool), func(*expr.Ctx, int64) int64), standard string) {
	from := meta{name: "FROM_UNIXTIME", cat: times, syntax: "FROM_UNIXTIME(seconds[, pattern])", doc: "Seconds since 1970 as text in the session's zone, by 'yyyy-MM-dd HH:mm:ss' unless a pattern is given.", example: "FROM_UNIXTIME(44)", result: "1970-01-01 00:00:44", zoned: true, fails: true}
	fn(from, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(from, "i?s", args)
		if err == nil {
			err = checkLayout(from, args, 1)
		}
		return &expr.Bound{Args: args, Type: batch.TypeString.With(nn), New: func() expr.Kernel {
			var l layout
			return textKernel(func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				p := []byte(standard)
				if len(c.Args) > 1 {
					p = str(c, 1, i)
				}
				s := num(c, 0, i)
				switch l.of(p); {
				case l.err != nil:
					c.Fail(int32(i), expr.ErrPattern, l.err.Error())
				case s > maxSeconds || s < -maxSeconds:
					c.Fail(int32(i), expr.ErrTimeRange, fmt.Sprintf("%d seconds since 1970 is out of range", s))
				default:
					return l.format(dst, c.Ctx.ToLocal(s*1e6)), true
				}
				return dst, true
			})
		}}, err
	})
	m := meta{name: "UNIX_TIMESTAMP", cat: times, syntax: "UNIX_TIMESTAMP([s[, pattern]])", doc: "Seconds since 1970: of the processing time, or of a local time as text.", example: "UNIX_TIMESTAMP('1970-01-01 00:01:00')", result: "60", zoned: true, volatile: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		args, nn, err := take(m, "?ss", args)
		if err == nil {
			err = checkLayout(m, args, 1)
		}
		return &expr.Bound{Args: args, Type: batch.TypeBigInt.With(nn), Fixed: len(args) > 0, New: func() expr.Kernel {
			var l layout
			return intKernel(func(c *expr.Call, i int) (int64, bool) {
				if len(c.Args) == 0 {
					return batch.FloorDiv(c.Ctx.Now(), 1e6), true
				}
				p := []byte(standard)
				if len(c.Args) > 1 {
					p = str(c, 1, i)
				}
				us, ok := l.of(p).parse(string(str(c, 0, i)))
				if !ok || l.err != nil {
					return math.MinInt64, true // as Flink: a text that is no time
				}
				return batch.FloorDiv(c.Ctx.ToUTC(us), 1e6), true
			})
		}}, err
	})
}

// maxSeconds keeps times within what microseconds hold.
const maxSeconds = 9_000_000_000_000

func convertTZ() {
	text(meta{name: "CONVERT_TZ", cat: times, syntax: "CONVERT_TZ(s, from, to)", doc: "The local time s, 'yyyy-MM-dd HH:mm:ss', of one zone in another; NULL for what is no time or zone.",
		example: "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')", result: "1969-12-31 16:00:00", nullable: true},
		"sss", batch.TypeString, func() func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
			zones := map[string]*time.Location{}
			zone := func(b []byte) *time.Location {
				z, ok := zones[string(b)]
				if !ok && len(zones) < 1000 {
					z, _ = expr.Zone(string(b))
					zones[string(b)] = z
				}
				return z
			}
			return func(c *expr.Call, dst []byte, i int) ([]byte, bool) {
				us, ok := batch.ParseTimestamp(str(c, 0, i))
				from, to := zone(str(c, 1, i)), zone(str(c, 2, i))
				if !ok || from == nil || to == nil {
					return dst, false
				}
				a, b := expr.Ctx{Zone: from}, expr.Ctx{Zone: to}
				return expr.AppendTimestamp(dst, b.ToLocal(a.ToUTC(us))/1e6*1e6, 0), true
			}
		})
}

func toLTZ() {
	m := meta{name: "TO_TIMESTAMP_LTZ", cat: times, syntax: "TO_TIMESTAMP_LTZ(number[, precision]) or TO_TIMESTAMP_LTZ(s[, pattern[, zone]])",
		doc:     "The TIMESTAMP_LTZ(3) of a number since 1970, in milliseconds (precision 3, the default) or seconds (0), or of a text; NULL for what is none.",
		example: "TO_TIMESTAMP_LTZ(1000, 3)", result: "1970-01-01T00:00:01Z", nullable: true, fails: true}
	fn(m, func(args []expr.Expr) (*expr.Bound, error) {
		if len(args) > 0 && args[0].Type().IsString() {
			return ltzOfText(m, args)
		}
		args, _, err := take(m, "n?i", args)
		if err != nil {
			return nil, err
		}
		if !args[0].Type().IsInteger() {
			c, err := expr.Cast(args[0], batch.DecimalOf(18, 3), false)
			if err != nil {
				return nil, err
			}
			args[0] = c
		}
		scaled := args[0].Type().SQL == batch.Decimal
		return &expr.Bound{Args: args, Type: batch.TypeLTZ3, New: func() expr.Kernel {
			return func(c *expr.Call) {
				for _, i := range c.Sel {
					p, x := int64(3), num(c, 0, int(i))
					if len(c.Args) > 1 {
						p = num(c, 1, int(i))
					}
					unit := int64(1000)
					switch p {
					case 0:
						unit = 1e6
					case 3:
					default:
						c.Fail(i, expr.ErrArgument, fmt.Sprintf("TO_TIMESTAMP_LTZ: the precision is 0 or 3, not %d", p))
						continue
					}
					if scaled {
						if unit /= 1000; p == 3 {
							x, unit = batch.FloorDiv(x, 1000), 1000
						}
					}
					if x > math.MaxInt64/unit || x < math.MinInt64/unit {
						c.Null(i)
						continue
					}
					c.Out.I[i] = batch.FloorDiv(x*unit, 1000) * 1000
				}
			}
		}}, nil
	})
}

func ltzOfText(m meta, args []expr.Expr) (*expr.Bound, error) {
	args, _, err := take(m, "s?ss", args)
	if err == nil {
		err = checkLayout(m, args, 1)
	}
	return &expr.Bound{Args: args, Type: batch.TypeLTZ3, New: func() expr.Kernel {
		var l layout
		return intKernel(func(c *expr.Call, i int) (int64, bool) {
			var us, off int64
			var ok, zoned bool
			if len(c.Args) > 1 {
				us, ok = l.of(str(c, 1, i)).parse(string(str(c, 0, i)))
				ok = ok && l.err == nil
			} else {
				us, off, zoned, ok = batch.ParseTimestampZone(str(c, 0, i))
			}
			z := expr.Ctx{}
			if len(c.Args) > 2 {
				var err error
				if z.Zone, err = expr.Zone(string(str(c, 2, i))); err != nil {
					return 0, false
				}
			}
			if us -= off; !zoned {
				us = z.ToUTC(us)
			}
			return batch.FloorDiv(us, 1000) * 1000, ok
		})
	}}, err
}
