package dsl_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamd/streamd/dsl"
)

// TestMutations compiles texts whose last statement has words left out, changed or put in, whole queries among them: whatever
// comes of it, the compiler says so and lives.
func TestMutations(t *testing.T) {
	n := 600
	if testing.Short() {
		n = 100
	}
	ddl, queries := lastStatements(t)
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ", ",", " , ", ";", "")
	var words []string
	for i, q := range queries {
		queries[i] = spaced.Replace(q)
		words = append(words, strings.Fields(queries[i])...)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		at := r.IntN(len(queries))
		w := strings.Fields(queries[at])
		for range 1 + r.IntN(3) {
			i := r.IntN(len(w))
			switch r.IntN(4) {
			case 0:
				w[i] = ""
			case 1:
				w[i] = words[r.IntN(len(words))]
			case 2:
				w[i] += " " + words[r.IntN(len(words))]
			default:
				w[i] = "( " + queries[r.IntN(len(queries))] + " )"
			}
		}
		text := ddl[at] + strings.Join(w, " ") + ";"
		func() {
			defer func() {
				if e := recover(); e != nil {
					t.Errorf("%v\n%s", e, text)
				}
			}()
			if p, _ := dsl.Compile("mutated.sql", text, testConfig()); p != nil {
				p.Explain()
			}
		}()
	}
}

// lastStatements are the last statements of plans and refused texts, and what stands before them.
func lastStatements(t *testing.T) (ddl, last []string) {
	for _, dir := range []string{"plans", "refused"} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.sql"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.TrimRight(string(b), "; \n")
			if i := strings.LastIndexByte(text, ';'); i >= 0 {
				ddl, last = append(ddl, text[:i+1]+"\n"), append(last, text[i+1:])
			}
		}
	}
	return ddl, last
}
