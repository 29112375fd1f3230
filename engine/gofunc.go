package engine

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/streamd/streamd/batch"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/engine/internal/govalue"
	"github.com/streamd/streamd/operators/expr"
)

// RegisterFunc makes the Go function f a scalar function of the pipelines that e
// compiles from now on, under a name whose case does not matter:
//
//	engine.RegisterFunc(e, "fare", func(km float64, night bool) (float64, error) { … })
//	SELECT fare(km, HOUR(ts) >= 22) FROM rides
//
// f takes any number of operands, also variadic, and returns one value, or a value
// and an error. Their SQL types follow from the Go types:
//
//	bool                          BOOLEAN
//	int8 int16 int32 int64, int   TINYINT SMALLINT INT BIGINT
//	float32 float64               FLOAT DOUBLE
//	string, or with MarshalText   STRING
//	[]byte                        BYTES
//	time.Time                     any DATE, TIMESTAMP, TIMESTAMP_LTZ; as a result TIMESTAMP_LTZ(6)
//	time.Duration                 INTERVAL DAY TO SECOND
//	struct, []T, map[K]V          ROW, ARRAY, MAP
//
// Types says others, such as DECIMAL(10, 2) for a string. An operand that is NULL
// makes the result NULL without a call, unless the parameter is a pointer, slice
// or map, which is nil then; a nil result is NULL.
//
// f is called by all workers at once, and must give the same result for the same
// operands, or be Volatile: streamd calls it as often as it likes, also while it
// compiles. It must not wait for anything. An error, or a panic, is a row error
// (SD6011) with the function's name: it ends the job with a *RowError that has the
// row, or counts the row under 'on-error' = 'skip'.
//
// RegisterFunc fails when the name is taken or none, and when a type has no SQL
// type.
func RegisterFunc(e *Engine, name string, f any, o ...FuncOption) error {
	g := &goFunc{name: strings.ToUpper(name), fn: reflect.ValueOf(f)}
	for _, set := range o {
		set(g)
	}
	err := dsl.FreeFunctionName(name)
	if err == nil {
		err = g.check()
	}
	if err != nil {
		return fmt.Errorf("register function %q: %w", name, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.funcs[g.name] != nil {
		return fmt.Errorf("register function %q: there is one of that name", name)
	}
	e.funcs[g.name] = &expr.Func{Name: g.name, Category: "of the program", Syntax: g.syntax(), Volatile: g.volatile, Bind: g.bind}
	return nil
}

// FuncOption says more of a function that is registered.
type FuncOption func(*goFunc)

// Types gives the SQL types of the operands and, last, of the result, as they are
// written for columns. A DECIMAL is a string in Go, or a type with MarshalText and
// UnmarshalText.
func Types(sql ...string) FuncOption { return func(g *goFunc) { g.declared = sql } }

// Volatile says that the result depends on more than the operands: on time, on
// chance. Such a function is not called while a pipeline is compiled, and where
// rows are taken back its results are kept in the state.
func Volatile() FuncOption { return func(g *goFunc) { g.volatile = true } }

// goFunc is a registered function. It does not change once it is checked.
type goFunc struct {
	name     string
	fn       reflect.Value
	declared []string // by Types
	volatile bool
	in       []batch.Type // by parameter; of a variadic one: of each operand
	out      batch.Type
	outType  reflect.Type
	fails    bool // returns an error too
}

// check finds the types of parameters and result.
func (g *goFunc) check() error {
	if g.fn.Kind() != reflect.Func || g.fn.IsNil() {
		return errors.New("it is no function")
	}
	t := g.fn.Type()
	g.fails = t.NumOut() == 2 && t.Out(1) == reflect.TypeFor[error]()
	if t.NumOut() != 1 && !g.fails {
		return fmt.Errorf("%s does not return one value, or a value and an error", t)
	}
	if n := t.NumIn() + 1; g.declared != nil && len(g.declared) != n {
		return fmt.Errorf("Types has %d types, not %d: one for each parameter and the result's", len(g.declared), n)
	}
	for i := range t.NumIn() {
		c, err := g.typeOf(i, g.param(i))
		if err == nil {
			_, err = govalue.Get(g.param(i), c)
		}
		if err != nil {
			return fmt.Errorf("parameter %d: %w", i+1, err)
		}
		g.in = append(g.in, c)
	}
	var err error
	g.outType = t.Out(0)
	if g.out, err = g.typeOf(t.NumIn(), g.outType); err == nil {
		_, err = govalue.Put(g.outType, g.out)
	}
	if err != nil {
		return fmt.Errorf("the result: %w", err)
	}
	return nil
}

// typeOf is the SQL type of parameter i, or behind the last one of the result.
func (g *goFunc) typeOf(i int, t reflect.Type) (batch.Type, error) {
	if g.declared != nil {
		return dsl.ParseType(g.declared[i])
	}
	return govalue.TypeOf(t)
}

// param is the Go type of operand i.
func (g *goFunc) param(i int) reflect.Type {
	t := g.fn.Type()
	if last := t.NumIn() - 1; t.IsVariadic() && i >= last {
		return t.In(last).Elem()
	}
	return t.In(i)
}

// syntax shows how the function is called.
func (g *goFunc) syntax() string {
	var s []string
	for _, t := range g.in {
		s = append(s, t.With(false).String())
	}
	if g.fn.Type().IsVariadic() {
		s[len(s)-1] += ", …"
	}
	return g.name + "(" + strings.Join(s, ", ") + ")"
}

// bind checks the operands of a call.
func (g *goFunc) bind(args []expr.Expr) (*expr.Bound, error) {
	least, variadic := len(g.in), g.fn.Type().IsVariadic()
	if variadic {
		least--
	}
	if len(args) < least || len(args) > least && !variadic {
		return nil, &expr.TypeError{Arg: -1, Msg: fmt.Sprintf("%s does not take %d operands", g.name, len(args)), Hint: "write " + g.syntax()}
	}
	b := &expr.Bound{Args: make([]expr.Expr, len(args)), Fails: true}
	gets := make([]govalue.Getter, len(args))
	notNull := !nilable(g.outType)
	for i, a := range args {
		x, err := g.operand(i, a)
		if err != nil {
			return nil, err
		}
		if gets[i], err = govalue.Get(g.param(i), x.Type()); err != nil {
			return nil, &expr.TypeError{Arg: i, Msg: fmt.Sprintf("%s: %v", g.name, err)}
		}
		b.Args[i] = x
		b.Lax = b.Lax || nilable(g.param(i))
		notNull = notNull && (x.Type().NotNull || nilable(g.param(i)))
	}
	b.Type = g.out.With(notNull)
	b.New = func() expr.Kernel { return g.kernel(gets) }
	return b, nil
}

// operand converts an operand to what its parameter takes, where that needs no CAST.
func (g *goFunc) operand(i int, a expr.Expr) (expr.Expr, error) {
	want, t := g.in[min(i, len(g.in)-1)], a.Type()
	if _, word := a.(*expr.Sym); !word {
		if t.SQL == batch.Null {
			return expr.NullOf(want.With(false)), nil
		}
		_, err := govalue.Get(g.param(i), t)
		if err == nil && g.declared == nil && (t.SQL != batch.Decimal || want.SQL == batch.Decimal) {
			return a, nil
		}
		if c, err := expr.Common(t, want); err == nil && c.Equal(want) {
			return expr.Cast(a, want.With(t.NotNull), false)
		}
	}
	return nil, &expr.TypeError{Arg: i, Msg: fmt.Sprintf("%s needs %s, not %s", g.name, want.With(false), t.With(false)),
		Hint: "write " + g.syntax() + ", with a CAST where the type is another one"}
}

// nilable tells the Go types that have a place for NULL.
func nilable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map
}

// kernel makes one worker's calls.
func (g *goFunc) kernel(gets []govalue.Getter) expr.Kernel {
	args := make([]reflect.Value, len(gets))
	for i := range args {
		args[i] = reflect.New(g.param(i)).Elem()
	}
	put, _ := govalue.Put(g.outType, g.out.With(false)) // checked
	out := batch.NewVec(g.out, 1)
	row := func(c *expr.Call, i int32) {
		defer func() {
			if r := recover(); r != nil {
				c.Fail(i, expr.ErrFunction, panicked(g.name, r).Error())
			}
		}()
		for k, get := range gets {
			switch err := get(c.Args[k], int(i), args[k]); {
			case errors.Is(err, govalue.ErrNull) && c.Args[k].IsNull(int(i)):
				c.Null(i)
				return
			case err != nil:
				c.Fail(i, expr.ErrFunction, fmt.Sprintf("operand %d of %s: %v", k+1, g.name, err))
				return
			}
		}
		res := g.fn.Call(args)
		if g.fails && !res[1].IsNil() {
			c.Fail(i, expr.ErrFunction, fmt.Sprintf("%s: %v", g.name, res[1].Interface()))
			return
		}
		out.Reset()
		if err := put(&out, res[0]); err != nil {
			c.Fail(i, expr.ErrFunction, fmt.Sprintf("the result of %s: %v", g.name, err))
			return
		}
		c.CopyFrom(i, &out, 0)
	}
	return func(c *expr.Call) {
		for _, i := range c.Sel {
			row(c, i)
		}
	}
}
