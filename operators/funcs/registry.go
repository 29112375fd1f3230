package funcs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamd/streamd/operators/expr"
)

var scalars = map[string]*expr.Func{}

// reg adds a function under its name and aliases.
func reg(f *expr.Func) {
	for _, n := range append([]string{f.Name}, f.Aliases...) {
		if scalars[n] != nil {
			panic("BUG: two functions are named " + n)
		}
		scalars[n] = f
	}
}

// Lookup finds a scalar function; case does not matter.
func Lookup(name string) (*expr.Func, bool) {
	f, ok := scalars[strings.ToUpper(name)]
	return f, ok
}

// All returns every scalar function once, by name.
func All() []*expr.Func {
	var all []*expr.Func
	for n, f := range scalars {
		if n == f.Name {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *expr.Func) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Names returns all names and aliases, sorted: candidates for a near name.
func Names() []string {
	var n []string
	for name := range scalars {
		n = append(n, name)
	}
	slices.Sort(n)
	return n
}

// ErrUnknown is returned by Call for a name that no function has.
type ErrUnknown struct{ Name string }

func (e *ErrUnknown) Error() string { return fmt.Sprintf("unknown function %q", e.Name) }

// Call binds a call of the named function. Errors are *ErrUnknown or
// *expr.TypeError.
func Call(name string, args []expr.Expr, at expr.Span) (expr.Expr, error) {
	f, ok := Lookup(name)
	if !ok {
		return nil, &ErrUnknown{name}
	}
	return expr.NewCall(f, args, at)
}
