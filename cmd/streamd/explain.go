package main

import (
	"github.com/spf13/cobra"

	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/internal/treeprint"
)

func (a *app) explainCmd() *cobra.Command {
	var format, kafka string
	var set []string
	c := &cobra.Command{Use: "explain FILE", Short: "show the plan of a pipeline", Args: nargs(1, 1), RunE: func(_ *cobra.Command, args []string) error {
		if err := oneOf("format", format, "text", "json", "dot"); err != nil {
			return err
		}
		kv, err := settings(set)
		if err != nil {
			return err
		}
		text, err := readFile(args[0])
		if err != nil {
			return err
		}
		p, ds, err := compileOnly(args[0], text, kafka, kv)
		if err != nil {
			return err
		}
		render(a.stderr, map[string]*source.File{args[0]: source.NewFile(args[0], text)}, ds)
		if p == nil || diag.HasErrors(ds) {
			return &exit{code: exitUsage}
		}
		show := treeprint.Text
		switch format {
		case "json":
			show = treeprint.JSON
		case "dot":
			show = treeprint.Dot
		}
		if err := show(a.stdout, p.Sinks); err != nil {
			return &exit{exitFailed, err}
		}
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text, json or dot")
	c.Flags().StringArrayVar(&set, "set", nil, "`KEY=VALUE`, a setting that wins over SET in the file")
	c.Flags().StringVar(&kafka, "kafka", "", "`HOST:PORT[,...]` of Kafka, where the file names no bootstrap servers")
	return c
}
