package connectors

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Option is one key = value of a WITH clause, ${X} already replaced.
type Option struct{ Key, Value string }

// Options are the WITH options of one table.
type Options struct{ List []Option }

// Get returns the value of key.
func (o *Options) Get(key string) (string, bool) {
	for _, x := range o.List {
		if x.Key == key {
			return x.Value, true
		}
	}
	return "", false
}

// Family returns the options under prefix, without it, sorted by key.
func (o *Options) Family(prefix string) []Option {
	var out []Option
	for _, x := range o.List {
		if k, ok := strings.CutPrefix(x.Key, prefix); ok {
			out = append(out, Option{k, x.Value})
		}
	}
	slices.SortFunc(out, func(a, b Option) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// OptionError is a mistake in a table's definition. Where decides the place
// of the diagnostic: at the option's key, at its value, or at the table's name.
type OptionError struct {
	Where Where
	Key   string
	Msg   string
	Hint  string
}

// Where is a place in CREATE TABLE.
type Where uint8

const (
	AtKey Where = iota
	AtValue
	AtTable
	AtUnknown // at the key: its value names what does not exist, as an unknown format
)

func (e *OptionError) Error() string { return e.Msg }

// OptionErrors are several mistakes of one table.
type OptionErrors []*OptionError

func (e OptionErrors) Error() string {
	s := make([]string, len(e))
	for i, x := range e {
		s[i] = x.Msg
	}
	return strings.Join(s, "; ")
}

// Decode fills the struct that into points to. A field tagged `opt:"key"` takes
// that option; `default:"…"` is used where it is absent; `required:"true"`
// makes absence an error; `oneof:"a,b"` bounds the value. Field types: string,
// bool, int64, float64, time.Duration ("5 s", "5 min", "500 ms", Go durations),
// Size ("4mb"), []string (separated by ';'), *string (nil = absent).
// Keys that no field, no entry of known and no family covers are not reported
// here: see Unknown.
func (o *Options) Decode(into any) error {
	var errs OptionErrors
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("opt")
		if key == "" {
			continue
		}
		s, ok := o.Get(key)
		if !ok {
			if f.Tag.Get("required") == "true" {
				errs = append(errs, &OptionError{Where: AtTable, Key: key, Msg: fmt.Sprintf("option %q is missing", key)})
				continue
			}
			if s, ok = f.Tag.Lookup("default"); !ok {
				continue
			}
		}
		if of := f.Tag.Get("oneof"); of != "" && !slices.Contains(strings.Split(of, ","), s) {
			errs = append(errs, &OptionError{Where: AtValue, Key: key, Msg: fmt.Sprintf("option %q cannot be %q", key, s),
				Hint: "one of: " + strings.Join(strings.Split(of, ","), ", ")})
			continue
		}
		if err := set(v.Field(i), s); err != nil {
			errs = append(errs, &OptionError{Where: AtValue, Key: key, Msg: fmt.Sprintf("option %q: %v", key, err)})
		}
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// Size is a number of bytes.
type Size int64

func set(f reflect.Value, s string) error {
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = s
	case **string:
		*p = &s
	case *[]string:
		for _, x := range strings.Split(s, ";") {
			if x = strings.TrimSpace(x); x != "" {
				*p = append(*p, x)
			}
		}
	case *bool:
		b, err := strconv.ParseBool(strings.ToLower(s))
		if err != nil {
			return fmt.Errorf("%q is not true or false", s)
		}
		*p = b
	case *int64:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", s)
		}
		*p = n
	case *float64:
		n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		*p = n
	case *time.Duration:
		d, err := ParseDuration(s)
		if err != nil {
			return err
		}
		*p = d
	case *Size:
		n, err := ParseSize(s)
		if err != nil {
			return err
		}
		*p = Size(n)
	default:
		panic(fmt.Sprintf("BUG: option field of type %s", f.Type()))
	}
	return nil
}

var durationUnits = map[string]time.Duration{
	"": time.Millisecond, "ns": 1, "nano": 1, "nanosecond": 1, "us": time.Microsecond, "µs": time.Microsecond, "micro": time.Microsecond, "microsecond": time.Microsecond,
	"ms": time.Millisecond, "milli": time.Millisecond, "millisecond": time.Millisecond, "s": time.Second, "sec": time.Second, "second": time.Second,
	"m": time.Minute, "min": time.Minute, "minute": time.Minute, "h": time.Hour, "hour": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour,
}

// ParseDuration reads Flink's durations ("5 s", "10min", "500 ms", "1 d"; a bare
// number is milliseconds) and Go's ("1m30s"). Negative durations are refused.
func ParseDuration(s string) (time.Duration, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	i := 0
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		i++
	}
	if n, err := strconv.ParseInt(t[:i], 10, 64); err == nil {
		u := strings.TrimSpace(t[i:])
		d, ok := durationUnits[u]
		if !ok {
			d, ok = durationUnits[strings.TrimSuffix(u, "s")]
		}
		if ok {
			if n > int64(1<<63-1)/int64(d) {
				return 0, fmt.Errorf("%q is too long", s)
			}
			return time.Duration(n) * d, nil
		}
	}
	if d, err := time.ParseDuration(strings.ReplaceAll(t, " ", "")); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is not a duration; write for instance '5 s', '500 ms' or '1 h'", s)
}

// ParseSize reads memory sizes: "1048576", "64kb", "4 mb".
func ParseSize(s string) (int64, error) {
	t := strings.ToLower(strings.TrimSpace(s))
	i := 0
	for i < len(t) && t[i] >= '0' && t[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(t[:i], 10, 64)
	shift, ok := map[string]uint{"": 0, "b": 0, "bytes": 0, "k": 10, "kb": 10, "m": 20, "mb": 20, "g": 30, "gb": 30, "t": 40, "tb": 40}[strings.TrimSpace(t[i:])]
	if err != nil || !ok || n > (1<<62)>>shift {
		return 0, fmt.Errorf("%q is not a size; write for instance '64 kb' or '4 mb'", s)
	}
	return n << shift, nil
}

// IsOptionError returns the option errors inside err.
func IsOptionError(err error) (OptionErrors, bool) {
	var one *OptionError
	var many OptionErrors
	switch {
	case errors.As(err, &many):
		return many, true
	case errors.As(err, &one):
		return OptionErrors{one}, true
	}
	return nil, false
}

// Match tells whether key is covered by the pattern of an OptionKey: "*"
// stands for the rest, "#" for one part between dots.
func Match(pattern, key string) bool {
	for {
		i := strings.IndexAny(pattern, "*#")
		if i < 0 {
			return pattern == key
		}
		if !strings.HasPrefix(key, pattern[:i]) {
			return false
		}
		if pattern[i] == '*' {
			return len(key) > i
		}
		key, pattern = key[i:], pattern[i+1:]
		j := strings.IndexByte(key, '.')
		if j <= 0 {
			return pattern == "" && key != ""
		}
		key = key[j:]
	}
}
