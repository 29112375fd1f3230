package deps

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/streamd/streamd"

// layers orders the packages: a package imports only packages of lower layers
// and, within its own layer, of its own tree. The longest prefix counts.
var layers = []struct {
	rank  int
	trees []string
}{
	{0, []string{"batch", "internal/invariants", "internal/fault", "internal/fuzz", "internal/inprocess"}},
	{1, []string{"operators/expr", "operators/windows", "connectors"}},
	{2, []string{"operators/funcs", "state"}}, // state speaks of epochs in the connectors' words
	{3, []string{"operators"}},
	{4, []string{"internal/treeprint"}},
	{5, []string{"dsl"}},
	{6, []string{"engine"}},
	{7, []string{"server"}},
	{8, []string{"cmd/streamd"}},
	{9, []string{"internal/e2e", "internal/outside", "internal/deps", "internal/kafkatest", "internal/killtest", "bench", "examples"}},
}

// exceptions are imports that the order of layers does not allow, with the reason.
var exceptions = map[string]string{
	"cmd/streamd examples/pipelines": "the demo runs the pipeline of the examples, embedded as text",
	"dsl/diag dsl/source":            "spans belong to a text",
}

// owners says which trees may import a library; libraries of tests alone have none.
var owners = map[string][]string{
	"github.com/alecthomas/participle":    {"dsl"},
	"github.com/dgraph-io/badger":         {"state"},
	"github.com/dgraph-io/ristretto":      {"state"}, // Badger's, for the types of its options
	"github.com/prometheus/client_golang": {"engine", "server"},
	"github.com/spf13/cobra":              {"cmd/streamd"},
	"github.com/spf13/pflag":              {"cmd/streamd"}, // cobra's, for the type of its flags
	"github.com/twmb/franz-go":            {"connectors/kafka", "cmd/streamd", "internal/kafkatest", "internal/killtest", "internal/inprocess", "bench"},
	"github.com/twmb/franz-go/pkg/kfake":  {"internal/inprocess", "cmd/streamd", "internal/kafkatest", "bench"},
	"golang.org/x/sys":                    {"cmd/streamd", "connectors/file"},
	"golang.org/x/term":                   {"cmd/streamd"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) (pkgs []pkg) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		var x *exec.ExitError
		if errors.As(err, &x) {
			t.Fatalf("go list: %v\n%s", err, x.Stderr)
		}
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func under(path, tree string) bool { return path == tree || strings.HasPrefix(path, tree+"/") }

// layer returns the layer and tree of a package of this module.
func layer(path string) (rank int, tree string) {
	rank = -1
	for _, l := range layers {
		for _, t := range l.trees {
			if under(path, t) && len(t) > len(tree) {
				rank, tree = l.rank, t
			}
		}
	}
	return rank, tree
}

// TestLayering holds the order batch < expr, state, connectors < operators <
// dsl < engine < server < cmd/streamd, and each library behind its packages.
func TestLayering(t *testing.T) {
	for _, p := range list(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		rank, tree := layer(path)
		if rank < 0 {
			t.Errorf("%s belongs to no layer: add it to layers", path)
			continue
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok {
				r, t2 := layer(own)
				if (r < rank || t2 == tree) || exceptions[path+" "+own] != "" {
					continue
				}
				t.Errorf("%s imports %s: layer %d may not see layer %d", path, own, rank, r)
				continue
			}
			if !strings.Contains(strings.Split(imp, "/")[0], ".") {
				continue // standard library
			}
			if !allowed(path, imp) {
				t.Errorf("%s imports %s: not its library (owners in this test)", path, imp)
			}
		}
	}
}

func allowed(path, imp string) bool {
	lib, trees := "", []string(nil)
	for l, ts := range owners {
		if under(imp, l) || strings.HasPrefix(imp, l+"/v") {
			if len(l) > len(lib) {
				lib, trees = l, ts
			}
		}
	}
	return lib != "" && slices.ContainsFunc(trees, func(t string) bool { return under(path, t) })
}

// TestBatchImportsStandardLibraryOnly holds the vocabulary free of everything.
func TestBatchImportsStandardLibraryOnly(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath != module+"/batch" {
			continue
		}
		for _, imp := range p.Imports {
			if strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("batch imports %s", imp)
			}
		}
	}
}
