package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/dsl/diag"
)

func (a *app) errorsCmd() *cobra.Command {
	var format string
	c := &cobra.Command{Use: "errors [CODE]", Short: "explain a diagnostic's code, or list all codes", Args: nargs(0, 1), RunE: func(_ *cobra.Command, args []string) error {
		if err := oneOf("format", format, "text", "json", "markdown"); err != nil {
			return err
		}
		entries := diag.All()
		if len(args) == 1 {
			e, ok := diag.Lookup(strings.ToUpper(args[0]))
			if !ok {
				return exitf(exitNotFound, "there is no code %s%s; `streamd errors` lists them", args[0], meantCode(args[0]))
			}
			entries = []diag.Entry{e}
		}
		switch {
		case format == "json":
			return writeEntries(a.stdout, entries)
		case format == "markdown":
			writePage(a.stdout, entries)
		case len(args) == 1:
			explainCode(a.stdout, entries[0])
		default:
			class := ""
			for _, e := range entries {
				if c := diag.Class(e.Code); c != class {
					if class != "" {
						fmt.Fprintln(a.stdout)
					}
					class = c
					fmt.Fprintf(a.stdout, "%s: %s\n", e.Code[:3], class)
				}
				fmt.Fprintf(a.stdout, "  %s  %s\n", e.Code, e.Title)
			}
		}
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text, json or markdown")
	return c
}

// meantCode is a code typed without its letters, or the one that is nearly so.
func meantCode(typed string) string {
	var codes []string
	for _, e := range diag.All() {
		if e.Code == "SD"+typed {
			return "; did you mean " + e.Code + "?"
		}
		codes = append(codes, e.Code)
	}
	return meant(typed, codes)
}

func explainCode(w io.Writer, e diag.Entry) {
	fmt.Fprintf(w, "%s: %s (%s)\n\n%s\n", e.Code, e.Title, diag.Class(e.Code), e.Explanation)
	if e.Example != "" {
		fmt.Fprintf(w, "\nExample:\n  %s\n", strings.ReplaceAll(e.Example, "\n", "\n  "))
	}
	if e.WayOut != "" {
		fmt.Fprintf(w, "\nWhat to do:\n  %s\n", strings.ReplaceAll(e.WayOut, "\n", "\n  "))
	}
}

// writePage writes entries as docs/errors.md has them.
func writePage(w io.Writer, entries []diag.Entry) {
	fmt.Fprint(w, "# Error codes\n\nWritten by `make goldens` from the table that `streamd errors` prints. A code never changes its meaning.\n")
	class := ""
	for _, e := range entries {
		if c := diag.Class(e.Code); c != class {
			class = c
			fmt.Fprintf(w, "\n## %s: %s\n", e.Code[:3], class)
		}
		fmt.Fprintf(w, "\n### %s: %s\n\n%s\n", e.Code, e.Title, e.Explanation)
		if e.Example != "" {
			fmt.Fprintf(w, "\n```\n%s\n```\n", e.Example)
		}
		if e.WayOut != "" {
			fmt.Fprintf(w, "\n%s\n", e.WayOut)
		}
	}
}

func writeEntries(w io.Writer, entries []diag.Entry) error {
	type entry struct {
		Code        string `json:"code"`
		Class       string `json:"class"`
		Title       string `json:"title"`
		Explanation string `json:"explanation"`
		Example     string `json:"example"`
		WayOut      string `json:"wayOut"`
	}
	out := make([]entry, 0, len(entries))
	for _, e := range entries {
		out = append(out, entry{e.Code, diag.Class(e.Code), e.Title, e.Explanation, e.Example, e.WayOut})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(map[string]any{"errors": out})
}
