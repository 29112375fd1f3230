package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/source"
)

func (a *app) fmtCmd() *cobra.Command {
	var write, diff bool
	c := &cobra.Command{Use: "fmt FILE...", Short: "format pipelines and their tests",
		Long: `fmt writes a text anew: keywords in upper case, one clause a line, two columns further in for what belongs to it.
Words, comments and hints stay as they are. A file that is wrong is not touched.`,
		Args: nargs(1, math.MaxInt), RunE: func(_ *cobra.Command, args []string) error {
			changed := false
			for _, name := range args {
				text, err := readFile(name)
				if err != nil {
					return err
				}
				out, err := a.format(name, text)
				if err != nil {
					return err
				}
				switch {
				case !write && !diff:
					fmt.Fprint(a.stdout, out)
				case out == text:
				case diff:
					changed = true
					showDiff(a.stdout, name, text, out)
				}
				if write && out != text {
					if err := rewrite(name, out); err != nil {
						return exitf(exitFailed, "cannot write %s: %w", name, err)
					}
				}
			}
			if changed && !write {
				return &exit{code: exitUnhealthy}
			}
			return nil
		}}
	c.Flags().BoolVarP(&write, "write", "w", false, "write the files instead of printing them")
	c.Flags().BoolVarP(&diff, "diff", "d", false, "print what would change; exit 5 when something would")
	return c
}

// format formats one text; what is wrong with it is shown on stderr.
func (a *app) format(name, text string) (string, error) {
	f := dsl.Format
	if strings.HasSuffix(name, testSuffix) {
		f = dsl.FormatTest
	}
	out, ds := f(name, text)
	if len(ds) > 0 {
		render(a.stderr, map[string]*source.File{name: source.NewFile(name, text)}, ds)
		if ds[len(ds)-1].Code == codeBug {
			return "", &exit{code: exitFailed}
		}
		return "", &exit{code: exitUsage}
	}
	return out, nil
}

// rewrite replaces the text of a file that is there.
func rewrite(name, text string) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), st.Mode().Perm())
}

// showDiff prints the lines that differ, and three around them.
func showDiff(w io.Writer, name, old, text string) {
	a, b := strings.SplitAfter(old, "\n"), strings.SplitAfter(text, "\n")
	fmt.Fprintf(w, "--- %s\n+++ %s (formatted)\n", name, name)
	lines := lineDiff(a, b)
	const around = 3
	last := -1
	for i, l := range lines {
		near := false
		for k := max(0, i-around); k <= min(len(lines)-1, i+around); k++ {
			near = near || lines[k][0] != ' '
		}
		if !near || l == " " {
			continue
		}
		if last >= 0 && i > last+1 {
			fmt.Fprintln(w, "…")
		}
		last = i
		fmt.Fprintln(w, strings.TrimRight(l, "\r\n"))
	}
}

// lineDiff marks the lines of two texts with ' ' for both, '-' for a's and '+' for b's.
func lineDiff(a, b []string) (out []string) {
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		out = append(out, " "+a[from])
		from++
	}
	x, y := a[from:], b[from:]
	if len(x)*len(y) > 4_000_000 { // a table of that size takes longer than anybody reads
		for _, l := range x {
			out = append(out, "-"+l)
		}
		for _, l := range y {
			out = append(out, "+"+l)
		}
		return out
	}
	common := make([][]int, len(x)+1) // by where each begins: how many lines the rests share
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			out = append(out, " "+x[i])
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+x[i])
			i++
		default:
			out = append(out, "+"+y[j])
			j++
		}
	}
	return out
}
