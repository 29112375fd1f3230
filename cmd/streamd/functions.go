package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/operators/funcs"
)

// function is one line of `streamd functions`.
type function struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases"`
	Kind     string   `json:"kind"` // scalar or aggregate
	Category string   `json:"category"`
	Syntax   string   `json:"syntax"`
	Doc      string   `json:"doc"`
	Example  string   `json:"example"`
	Result   string   `json:"result"`
}

func functions() (out []function) {
	for _, f := range funcs.All() {
		out = append(out, function{f.Name, append([]string{}, f.Aliases...), "scalar", f.Category, f.Syntax, f.Doc, f.Example, f.Result})
	}
	for _, f := range funcs.AllAggs() {
		out = append(out, function{f.Name, append([]string{}, f.Aliases...), "aggregate", "aggregates", f.Syntax, f.Doc, f.Example, f.Result})
	}
	return out
}

func (a *app) functionsCmd() *cobra.Command {
	var format string
	c := &cobra.Command{Use: "functions [NAME]", Short: "list functions, or explain one", Args: nargs(0, 1), RunE: func(_ *cobra.Command, args []string) error {
		if err := oneOf("format", format, "text", "json", "markdown"); err != nil {
			return err
		}
		list := functions()
		if len(args) == 1 {
			list = named(list, strings.ToUpper(args[0]))
			if list == nil {
				var names []string
				for _, f := range functions() {
					names = append(names, f.Name)
				}
				return exitf(exitNotFound, "there is no function %q%s; `streamd functions` lists them", args[0], meant(args[0], names))
			}
		}
		switch format {
		case "markdown":
			writeFunctions(a.stdout, list)
			return nil
		case "json":
			enc := json.NewEncoder(a.stdout)
			enc.SetEscapeHTML(false)
			return enc.Encode(map[string]any{"functions": list})
		}
		for _, f := range list {
			fmt.Fprintf(a.stdout, "%-18s %-12s %s\n", f.Name, f.Category, f.Doc)
			if len(args) == 1 {
				fmt.Fprintf(a.stdout, "\n  %s\n", f.Syntax)
				if f.Example != "" {
					fmt.Fprintf(a.stdout, "  %s is %s\n", f.Example, f.Result)
				}
			}
		}
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text, json or markdown")
	return c
}

func named(list []function, name string) (out []function) {
	for _, f := range list {
		for _, n := range append([]string{f.Name}, f.Aliases...) {
			if n == name {
				out = append(out, f)
			}
		}
	}
	return out
}

// writeFunctions writes functions as docs/functions.md has them.
func writeFunctions(w io.Writer, list []function) {
	fmt.Fprint(w, "# Functions\n\nWritten by `make goldens` from the table that `streamd functions` prints. The names, types and results are those of Flink SQL.\n")
	byCategory := map[string][]function{}
	for _, f := range list {
		byCategory[f.Category] = append(byCategory[f.Category], f)
	}
	for _, c := range slices.Sorted(maps.Keys(byCategory)) {
		fmt.Fprintf(w, "\n## %s\n", strings.ToUpper(c[:1])+c[1:])
		for _, f := range byCategory[c] {
			fmt.Fprintf(w, "\n### %s\n\n`%s`", f.Name, f.Syntax)
			if len(f.Aliases) > 0 {
				fmt.Fprintf(w, ", also named `%s`", strings.Join(f.Aliases, "`, `"))
			}
			fmt.Fprintf(w, "\n\n%s\n", f.Doc)
			if f.Example != "" {
				fmt.Fprintf(w, "\n```\n%s is %s\n```\n", f.Example, f.Result)
			}
		}
	}
}
