package dsl

import (
	"strings"
	"time"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/rules"
	"github.com/streamd/streamd/dsl/source"
	ops "github.com/streamd/streamd/operators"
	ex "github.com/streamd/streamd/operators/expr"
)

// KV is a setting: SET 'Key' = 'Value'.
type KV struct{ Key, Value string }

// Config is what a text is compiled with.
type Config struct {
	Connectors map[string]*connectors.Connector
	Env        func(string) (string, bool) // for ${NAME}; nil: nothing is set
	Set        []KV                        // settings that win over SET in the text
	Job        connectors.Job              // template of the job that the connectors see
	Funcs      map[string]*ex.Func         // scalar functions beside those of the language, by name in upper case
}

// Plan is a pipeline that is right: all INSERTs and bare SELECTs of a text, as one job.
type Plan struct {
	Sinks    []ops.Node // *operators.SinkNode, in the order of the statements
	Settings Settings
	Job      *connectors.Job // what the connectors of this plan were given
	File     *ast.File
}

// Settings are the values of SET that the engine looks at.
type Settings struct {
	EpochInterval  time.Duration
	StartTimeout   time.Duration
	OnError        string // fail, skip or dead-letter
	OutboxMaxBytes int64
	Instance       string
	Zone           *time.Location // table.local-time-zone
	ZoneName       string
	StateTTL       time.Duration
	StateTTLSet    bool // also by '0 ms': unbounded state is meant
	IdleTimeout    time.Duration
	NotNullDrop    bool
	Repeats        bool   // table.exec.source.cdc-events-duplicate
	LengthEnforcer string // "", trim-pad or error
	Retention      bool
}

// Compile parses, checks and plans the text of a pipeline. All statements are checked; the plan is nil when a diagnostic is an
// error. A text without INSERT and SELECT gives a plan without sinks.
func Compile(name, src string, cfg Config) (*Plan, []diag.Diagnostic) {
	file, found := ParseFile(name, src)
	return compile(file, found, cfg)
}

// compile binds the statements of a file in which the parser found those mistakes.
func compile(file *ast.File, found []*diag.Diagnostic, cfg Config) (*Plan, []diag.Diagnostic) {
	if cfg.Env == nil {
		cfg.Env = func(string) (string, bool) { return "", false }
	}
	job := cfg.Job
	if job.Notice == nil {
		job.Notice = func(string) {}
	}
	b := &binder{cfg: cfg, file: file, job: &job, cat: newCatalog(), in: newInterner()}
	b.diags = append(b.diags, found...)
	b.settings(cfg.Set)
	for _, st := range file.Stmts {
		if b.tooMany(st) {
			break
		}
		b.statement(st)
	}
	b.lettersApart()
	job.Instance, job.Interval = b.set.Instance, b.set.EpochInterval
	b.notes()
	failed := diag.HasErrors(b.diags)
	var p *Plan
	if !failed {
		p = &Plan{Settings: b.set, Job: &job, File: file}
		ops.SetIdent(b.sinks...) // of the plan as it was written: rules do not change what state means
		p.Sinks = rules.Apply(b.sinks, rules.Options{Retention: b.set.Retention})
		b.warnState(p.Sinks)
	}
	diag.Sort(b.diags)
	out := make([]diag.Diagnostic, len(b.diags))
	for i, d := range b.diags {
		out[i] = *d
	}
	return p, out
}

// binder turns the statements of one file into plans.
type binder struct {
	cfg     Config
	file    *ast.File
	job     *connectors.Job
	cat     *catalog
	in      *interner
	diags   []*diag.Diagnostic
	sinks   []ops.Node
	set     Settings
	pinned  map[string]bool // settings given from outside: SET in the text does not change them
	queried bool            // a query has been bound
	ignored []ignoredKey
	selects int // bare SELECTs so far
	columns int // of all tables and queries so far, see widen
	ttl     []stateTTL
	subs    []*subquery // being bound, innermost last
	letters map[string]*letterBox
	scans   int // with dead letters so far
}

// ignoredKey is an option or setting that is accepted without effect.
type ignoredKey struct {
	key string
	at  source.Span
}

// bail carries a diagnostic up to the statement. Binding has some hundred places that may refuse and no state to repair, so they
// throw; statement catches. Anything else that panics is our own fault and goes on up.
type bail struct{ d *diag.Diagnostic }

func throw(d *diag.Diagnostic) { panic(bail{d}) }

func fail(code string, at source.Span, format string, args ...any) {
	throw(diag.New(code, at, format, args...))
}

// notYet refuses what the language has and the engine does not run.
func notYet(at source.Span, what string, hints ...string) {
	d := diag.New(ops.CodeNotYet, at, "%s not supported yet", what)
	d.Hints = append(d.Hints, hints...)
	throw(d)
}

// statement binds one statement; an error ends it alone.
func (b *binder) statement(st ast.Statement) {
	sinks := len(b.sinks)
	b.catching(func() { b.bind(st) }, func() { b.sinks = b.sinks[:sinks] })
}

func (b *binder) catching(f, undo func()) {
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		x, ok := r.(bail)
		if !ok {
			panic(r)
		}
		undo()
		if x.d != nil { // nil: a consequence of an error that has been reported
			b.diags = append(b.diags, x.d)
		}
	}()
	f()
}

func (b *binder) report(d *diag.Diagnostic) { b.diags = append(b.diags, d) }

func (b *binder) bind(st ast.Statement) {
	switch st := st.(type) {
	case *ast.CreateTable:
		b.createTable(st)
	case *ast.CreateView:
		b.createView(st)
	case *ast.Drop:
		b.drop(st)
	case *ast.Use:
		b.use(st)
	case *ast.Set:
		b.setStmt(st)
	case *ast.Reset:
		b.resetStmt(st)
	case *ast.Insert:
		b.insert(st)
	case *ast.StatementSet:
		for _, x := range st.Inserts {
			if b.tooMany(x) {
				break
			}
			b.statement(x)
		}
	case *ast.QueryStmt:
		b.bareSelect(st)
	case *ast.Foreign:
		d := diag.New("SD4007", headSpan(b.file, st.Span), "%s is not a part of streamd", st.Verb)
		if h := foreignAdvice[st.Verb]; h != "" {
			d.WithHint("%s", h)
		}
		throw(d)
	case *ast.CreateMaterializedView:
		notYet(headSpan(b.file, st.Span), "CREATE MATERIALIZED VIEW is", "CREATE VIEW and a SELECT print the same rows")
	case *ast.CreateFunction:
		if st.Class != nil {
			throw(diag.New("SD4007", headSpan(b.file, st.Span), "functions written in Java are not a part of streamd"))
		}
		notYet(headSpan(b.file, st.Span), "CREATE FUNCTION is")
	case *ast.Explain:
		notYet(headSpan(b.file, st.Span), "EXPLAIN in a file is", "streamd explain FILE prints the plan")
	case *ast.Describe:
		notYet(headSpan(b.file, st.Span), "DESCRIBE in a file is", "streamd explain FILE prints the plan, with the columns of each step")
	case *ast.Show:
		notYet(headSpan(b.file, st.Span), "SHOW in a file is", "a file knows the tables that it creates; streamd connectors, functions and errors list the rest")
	default:
		panic("BUG: unknown statement")
	}
}

// headSpan is the first word of a statement.
func headSpan(f *ast.File, at source.Span) source.Span {
	text := f.Source.Slice(at)
	n := 0
	for n < len(text) && isWordByte(text[n]) {
		n++
	}
	if n == 0 {
		n = min(1, len(text))
	}
	return f.Source.Span(at.Pos.Offset, at.Pos.Offset+n)
}

// between finds the last keyword between two parts of a statement that the tree has no place for; the start of the second part when
// comments hide it.
func (b *binder) between(word string, after, before source.Span) source.Span {
	text := b.file.Source.Text[:before.Pos.Offset]
	if i := strings.LastIndex(strings.ToUpper(text), word); i >= after.EndPos.Offset {
		return b.file.Source.Span(i, i+len(word))
	}
	return headSpan(b.file, before)
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
