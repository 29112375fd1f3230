package dsl_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/nexmark"
	"github.com/streamd/streamd/connectors/print"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
)

// updating tells whether the golden files are to be written anew; the flag is declared by the tests of the parser.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// fake is a connector for plans: it reads and writes nothing.
type fakeSource struct {
	connectors.Source
	info connectors.SourceInfo
}

func (s *fakeSource) Info() connectors.SourceInfo { return s.info }

type fakeSink struct {
	connectors.Sink
	info connectors.SinkInfo
}

func (s *fakeSink) Info() connectors.SinkInfo { return s.info }

type fakeOptions struct {
	Topic   string `opt:"topic" required:"true"`
	Format  string `opt:"format" default:"json" oneof:"json,csv,debezium-json"`
	Bounded bool   `opt:"bounded" default:"false"`
	Rows    int64  `opt:"rows" default:"0"`
}

// target is a connector that dead letters are written to; a table reads it, too.
func target(name string, keys ...string) *connectors.Connector {
	c := &connectors.Connector{Name: name}
	for _, k := range append(keys, "properties.*") {
		c.Keys = append(c.Keys, connectors.OptionKey{Key: k})
	}
	named := func(d *connectors.TableDef) string {
		s, _ := d.Options.Get(keys[0])
		return name + " " + keys[0] + "=" + s
	}
	c.Source = func(d *connectors.TableDef) (connectors.Source, error) {
		return &fakeSource{info: connectors.SourceInfo{Identity: named(d), Live: true}}, nil
	}
	c.Sink = func(d *connectors.TableDef) (connectors.Sink, error) {
		if s, _ := d.Options.Get(keys[0]); s == "" || s == "a;b" {
			return nil, &connectors.OptionError{Where: connectors.AtValue, Key: keys[0], Msg: fmt.Sprintf("%q cannot be %q", keys[0], s)}
		}
		return &fakeSink{info: connectors.SinkInfo{Identity: named(d)}}, nil
	}
	return c
}

// fake makes connector "mq": a topic is an unbounded, live source and a sink that appends, or takes changes with debezium-json.
// Connector "mq-upsert" reads and writes by primary key.
func fake(name string, upsert bool) *connectors.Connector {
	keys := []connectors.OptionKey{{Key: "topic"}, {Key: "format"}, {Key: "bounded"}, {Key: "rows"}, {Key: "properties.*"}, {Key: "buffer", Ignored: true}}
	read := func(d *connectors.TableDef) (*fakeOptions, error) {
		var o fakeOptions
		if err := d.Options.Decode(&o); err != nil {
			return nil, err
		}
		if upsert && len(d.PrimaryKey) == 0 {
			return nil, &connectors.OptionError{Where: connectors.AtTable, Msg: name + " needs a PRIMARY KEY", Hint: "add PRIMARY KEY (…) NOT ENFORCED"}
		}
		return &o, nil
	}
	change := func(o *fakeOptions) connectors.Changelog {
		switch {
		case upsert:
			return connectors.Upserts
		case o.Format == "debezium-json":
			return connectors.Retracts
		}
		return connectors.AppendOnly
	}
	return &connectors.Connector{Name: name, Keys: keys,
		Source: func(d *connectors.TableDef) (connectors.Source, error) {
			o, err := read(d)
			if err != nil {
				return nil, err
			}
			return &fakeSource{info: connectors.SourceInfo{Identity: name + "/" + o.Topic, Changes: change(o), Bounded: o.Bounded, Live: true}}, nil
		},
		Sink: func(d *connectors.TableDef) (connectors.Sink, error) {
			o, err := read(d)
			if err != nil {
				return nil, err
			}
			return &fakeSink{info: connectors.SinkInfo{Identity: name + "/" + o.Topic, Accepts: change(o)}}, nil
		},
	}
}

func testConfig() dsl.Config {
	c := dsl.Config{Connectors: map[string]*connectors.Connector{}, Env: func(k string) (string, bool) {
		v, ok := map[string]string{"TOPIC": "from-env", "EMPTY": ""}[k]
		return v, ok
	}}
	for _, x := range []*connectors.Connector{fake("mq", false), fake("mq-upsert", true), nexmark.Connector(), blackhole.Connector(), print.Connector(),
		target("kafka", "topic", "topic-pattern", "format"), target("filesystem", "path", "format")} {
		c.Connectors[x.Name] = x
	}
	return c
}

func render(name, text string, ds []diag.Diagnostic) string {
	var out bytes.Buffer
	f := source.NewFile(name, text)
	for i := range ds {
		diag.Render(&out, f, &ds[i])
	}
	return out.String()
}

// golden compares got with the file, or writes it under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n--- got\n%s--- want\n%s", file, got, want)
	}
}

func texts(t *testing.T, dir string, least int, f func(t *testing.T, name, text string)) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
	if err != nil || len(files) < least {
		t.Fatalf("%d texts in %s, %v", len(files), dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) { f(t, file, string(text)) })
	}
}

// TestRefused checks class, place and words of the refusals. The first line of a text says what stands where outside tests look:
// code class, line and column.
func TestRefused(t *testing.T) {
	texts(t, "refused", 70, func(t *testing.T, file, text string) {
		base := filepath.Base(file)
		p, ds := dsl.Compile(base, text, testConfig())
		golden(t, strings.TrimSuffix(file, ".sql")+".golden", render(base, text, ds))
		first, _, _ := strings.Cut(text, "\n")
		if want, ok := strings.CutPrefix(first, "-- want: "); ok {
			var got []string
			for _, d := range ds {
				if d.Severity == diag.Error {
					got = append(got, d.Code[:3]+" "+place(d))
				}
			}
			if p != nil || strings.Join(got, ", ") != want {
				t.Errorf("refused at %q, want %q", strings.Join(got, ", "), want)
			}
		} else {
			t.Error("the first line does not say what is wanted")
		}
	})
}

func place(d diag.Diagnostic) string { return fmt.Sprintf("%d:%d", d.Span.Pos.Line, d.Span.Pos.Column) }

func TestPlans(t *testing.T) {
	texts(t, "plans", 30, func(t *testing.T, file, text string) {
		base := filepath.Base(file)
		if base[0] == 'q' && base[1] <= '9' {
			ddl, err := os.ReadFile("testdata/plans/nexmark.ddl")
			if err != nil {
				t.Fatal(err)
			}
			text = string(ddl) + text
		}
		p, ds := dsl.Compile(base, text, testConfig())
		out := render(base, text, ds)
		if p == nil {
			t.Fatalf("refused:\n%s", out)
		}
		golden(t, strings.TrimSuffix(file, ".sql")+".golden", p.Explain()+out)
	})
}
