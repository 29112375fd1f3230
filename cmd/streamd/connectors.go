package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
)

func (a *app) connectorsCmd() *cobra.Command {
	var format string
	c := &cobra.Command{Use: "connectors [NAME]", Short: "list connectors, or the options of one", Args: nargs(0, 1), RunE: func(_ *cobra.Command, args []string) error {
		if err := oneOf("format", format, "text", "json"); err != nil {
			return err
		}
		list := catalog()
		if len(args) == 1 {
			var found []*connectors.Connector
			for _, c := range list {
				if c.Name == args[0] {
					found = append(found, c)
				}
			}
			if found == nil {
				var names []string
				for _, c := range list {
					names = append(names, c.Name)
				}
				return exitf(exitNotFound, "there is no connector %q%s; `streamd connectors` lists them", args[0], meant(args[0], names))
			}
			list = found
		}
		if format == "json" {
			return connectorsJSON(a.stdout, list)
		}
		for _, c := range list {
			fmt.Fprintf(a.stdout, "%-14s %-12s %s\n", c.Name, directions(c), c.Doc)
		}
		if len(args) == 1 {
			printKeys(a.stdout, list[0].Keys)
			fmt.Fprint(a.stdout, "\nOptions of every table:\n")
			printKeys(a.stdout, dsl.TableOptions())
		}
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text or json")
	return c
}

// printKeys lists options. What a format takes is listed once, not again for key
// and value.
func printKeys(w io.Writer, keys []connectors.OptionKey) {
	has := map[string]bool{}
	for _, k := range keys {
		has[k.Key] = true
	}
	var list []connectors.OptionKey
	again, wide := "", 0
	for _, k := range keys {
		if rest, ok := strings.CutPrefix(k.Key, "value."); ok && has[rest] && strings.Contains(rest, ".") {
			again = k.Key
			continue
		}
		if rest, ok := strings.CutPrefix(k.Key, "key."); k.Ignored || ok && has[rest] && strings.Contains(rest, ".") {
			continue
		}
		list, wide = append(list, k), max(wide, len(k.Key))
	}
	fmt.Fprintln(w)
	for _, k := range list {
		fmt.Fprintf(w, "  %-*s  %s%s\n", wide, k.Key, k.Doc, ifSet(" (default ", k.Default, ")"))
	}
	if again != "" {
		fmt.Fprintf(w, "\nOptions of a format may have key. or value. in front, as in '%s'.\n", again)
	}
}

func directions(c *connectors.Connector) string {
	switch {
	case c.Source != nil && c.Sink != nil:
		return "source, sink"
	case c.Source != nil:
		return "source"
	}
	return "sink"
}

func ifSet(before, s, after string) string {
	if s == "" {
		return ""
	}
	return before + s + after
}

func connectorsJSON(w io.Writer, list []*connectors.Connector) error {
	type option struct {
		Key     string `json:"key"`
		Default string `json:"default"`
		Doc     string `json:"doc"`
		Ignored bool   `json:"ignored"`
	}
	type conn struct {
		Name    string   `json:"name"`
		Doc     string   `json:"doc"`
		Source  bool     `json:"source"`
		Sink    bool     `json:"sink"`
		Options []option `json:"options"`
	}
	out := make([]conn, 0, len(list))
	for _, c := range list {
		x := conn{c.Name, c.Doc, c.Source != nil, c.Sink != nil, []option{}}
		for _, k := range c.Keys {
			x.Options = append(x.Options, option{k.Key, k.Default, k.Doc, k.Ignored})
		}
		out = append(out, x)
	}
	return json.NewEncoder(w).Encode(map[string]any{"connectors": out})
}
