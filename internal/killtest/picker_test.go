package killtest

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// picker takes part files away as soon as they appear, as a consumer would, and
// notes a name that appears twice.
type picker struct {
	dir   string
	lines map[string][][]byte // by path below dir
	twice []string
}

func (p *picker) pick() error {
	return filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == ".staged":
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		name, err := filepath.Rel(p.dir, path)
		if err != nil {
			return err
		}
		if p.lines[name] != nil {
			p.twice = append(p.twice, name)
		}
		p.lines[name] = splitLines(b)
		return nil
	})
}

// all calls f with the lines of all parts below one directory, in the order of
// their epochs: names hold lineage, number and incarnation, and numbers only rise.
func (p *picker) all(sink string, f func(dir string, line []byte)) {
	names := slices.DeleteFunc(slices.Collect(maps.Keys(p.lines)), func(n string) bool { return !strings.HasPrefix(n, sink+"/") })
	slices.SortFunc(names, func(a, b string) int {
		x, y := strings.Split(filepath.Base(a), "-"), strings.Split(filepath.Base(b), "-")
		for i := 2; i < min(len(x), len(y)); i++ {
			if len(x[i]) != len(y[i]) {
				return len(x[i]) - len(y[i])
			}
			if c := strings.Compare(x[i], y[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	for _, n := range names {
		for _, l := range p.lines[n] {
			f(filepath.Base(filepath.Dir(n)), l)
		}
	}
}

func splitLines(b []byte) (out [][]byte) {
	for _, l := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		if l != "" {
			out = append(out, []byte(l))
		}
	}
	return out
}
