package dsl

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/source"
)

// dump writes a tree with every field but the places, one node in parentheses: equal dumps are equal trees. (go-cmp tries so many
// ways to line slices up that a deep tree takes minutes.)
func dump(n any) string {
	var b strings.Builder
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if v.IsNil() {
				b.WriteString("nil")
				return
			}
			walk(v.Elem())
		case reflect.Slice:
			b.WriteByte('[')
			for i := range v.Len() {
				walk(v.Index(i))
				b.WriteByte(' ')
			}
			b.WriteByte(']')
		case reflect.Struct:
			fmt.Fprintf(&b, "(%s", v.Type().Name())
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.Type != reflect.TypeFor[source.Span]() && !v.Field(i).IsZero() {
					b.WriteString(" " + f.Name + "=")
					walk(v.Field(i))
				}
			}
			b.WriteByte(')')
		default:
			fmt.Fprintf(&b, "%#v", v.Interface())
		}
	}
	walk(reflect.ValueOf(n))
	return b.String()
}

// checkRoundTrip prints every statement, parses the print and compares both the trees and the second print.
func checkRoundTrip(t testing.TB, f *ast.File) {
	t.Helper()
	for _, s := range f.Stmts {
		if _, ok := s.(*ast.Foreign); ok {
			continue
		}
		printed := ast.Print(s)
		g, diags := ParseFile("printed", printed)
		if _, set := s.(*ast.StatementSet); set && len(diags) == 0 && len(g.Stmts) == 0 {
			g, diags = ParseFile("printed", printed+";")
		}
		if len(diags) > 0 {
			t.Errorf("the print does not parse: %v\n%s", diags[0], printed)
			continue
		}
		if len(g.Stmts) != 1 {
			t.Errorf("%d statements in the print\n%s", len(g.Stmts), printed)
			continue
		}
		if first, second := dump(normal(s)), dump(normal(g.Stmts[0])); first != second {
			t.Errorf("the print means something else: %s\nfirst  %s\nsecond %s", printed, first, second)
		}
		if again := ast.Print(g.Stmts[0]); again != printed {
			t.Errorf("the print is no fixed point\n%s\n%s", printed, again)
		}
	}
}

// normal upper-cases the keywords that are kept as written and drops parentheses that set operations no longer need.
func normal(s ast.Statement) ast.Statement {
	ast.Walk(s, func(n ast.Node) bool {
		up := strings.ToUpper
		switch n := n.(type) {
		case *ast.Explain:
			for i := range n.Details {
				n.Details[i] = up(n.Details[i])
			}
		case *ast.Show:
			for i := range n.Create {
				n.Create[i] = up(n.Create[i])
			}
			for i := range n.What {
				n.What[i] = up(n.What[i])
			}
		case *ast.Drop:
			n.Kind = up(n.Kind)
		case *ast.Describe:
			n.Kind = up(n.Kind)
		case *ast.OnConflict:
			n.Action = up(n.Action)
		case *ast.LikeOption:
			n.Action, n.Feature = up(n.Action), up(n.Feature)
		case *ast.Distribution:
			n.Kind = up(n.Kind)
		case *ast.OrderItem:
			n.Nulls = up(n.Nulls)
		case *ast.Frame:
			n.Unit = up(n.Unit)
		case *ast.CreateFunction:
			n.Language = up(n.Language)
		case *ast.Call:
			if n.NoParens {
				n.Name.Parts[0].Text = ast.Text(up(n.Name.String()))
			} else if len(n.Name.Parts) == 1 && (up(n.Name.String()) == "LEFT" || up(n.Name.String()) == "RIGHT") {
				n.Name.Parts[0].Text = ast.Text(up(n.Name.String()))
			}
		}
		return true
	})
	return s
}

// TestGrammar parses every statement of testdata/good and compares its canonical print with the golden file.
func TestGrammar(t *testing.T) {
	files, _ := filepath.Glob("testdata/good/*.sql")
	if len(files) == 0 {
		t.Fatal("no texts")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			f, diags := ParseFile(filepath.Base(file), string(b))
			for _, d := range diags {
				t.Error(d)
			}
			golden(t, strings.TrimSuffix(file, ".sql")+".golden", ast.Print(f))
			checkSpans(t, f, string(b))
			checkRoundTrip(t, f)
		})
	}
}

// checkSpans verifies that every node has both ends, inside its parent's statement, and starts and ends at a token.
func checkSpans(t testing.TB, f *ast.File, text string) {
	t.Helper()
	for _, s := range f.Stmts {
		outer := s.At()
		ast.Walk(s, func(n ast.Node) bool {
			at := n.At()
			in := at.Pos.Offset >= outer.Pos.Offset && at.EndPos.Offset <= outer.EndPos.Offset
			if !in || at.Pos.Offset > at.EndPos.Offset || !at.IsValid() {
				t.Errorf("%T has the span %+v, its statement %+v", n, at, outer)
				return false
			}
			if cut := text[at.Pos.Offset:at.EndPos.Offset]; strings.TrimSpace(cut) != cut {
				t.Errorf("%T has blanks at its ends: %q", n, cut)
			}
			if want := f.Source.Span(at.Pos.Offset, at.EndPos.Offset); want != at {
				t.Errorf("%T: lines and columns of %+v do not fit its offsets (%+v)", n, at, want)
			}
			return true
		})
	}
}
