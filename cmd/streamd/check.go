package main

import (
	"context"
	"io"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
	"github.com/streamd/streamd/dsl/source"
	"github.com/streamd/streamd/engine"
)

func (a *app) checkCmd() *cobra.Command {
	var format, kafka string
	var set []string
	var strict bool
	c := &cobra.Command{Use: "check FILE...", Short: "say what is wrong in pipelines, without running them", Args: nargs(1, math.MaxInt), RunE: func(_ *cobra.Command, args []string) error {
		if format == "sarif" {
			return exitf(exitUsage, "--format sarif is not supported yet")
		}
		if err := oneOf("format", format, "text", "json"); err != nil {
			return err
		}
		kv, err := settings(set)
		if err != nil {
			return err
		}
		files := map[string]*source.File{}
		var all []*diag.Diagnostic
		for _, name := range args {
			text, err := readFile(name)
			if err != nil {
				return err
			}
			files[name] = source.NewFile(name, text)
			if strings.HasSuffix(name, testSuffix) {
				_, ds := dsl.ParseTest(name, text)
				all = append(all, ds...)
				continue
			}
			_, ds, err := compileOnly(name, text, kafka, kv)
			if err != nil {
				return err
			}
			all = append(all, ds...)
		}
		if format == "json" {
			if err := diag.JSON(a.stdout, all); err != nil {
				return err
			}
		} else {
			render(a.stdout, files, all)
		}
		switch {
		case diag.HasErrors(all):
			return &exit{code: exitUsage}
		case strict && hasWarnings(all):
			return &exit{code: exitUnhealthy}
		}
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text or json")
	c.Flags().StringArrayVar(&set, "set", nil, "`KEY=VALUE`, a setting that wins over SET in the file")
	c.Flags().StringVar(&kafka, "kafka", "", "`HOST:PORT[,...]` of Kafka, where the file names no bootstrap servers")
	c.Flags().BoolVar(&strict, "strict", false, "exit 5 when there are warnings")
	return c
}

func hasWarnings(ds []*diag.Diagnostic) bool {
	for _, d := range ds {
		if d.Severity == diag.Warning {
			return true
		}
	}
	return false
}

// compileOnly plans a text that will not be run. No broker is asked, no file is opened.
func compileOnly(name, text, kafka string, set []dsl.KV) (*engine.Plan, []*diag.Diagnostic, error) {
	e, err := engine.Open(context.Background(), engine.Options{Connectors: catalog()})
	if err != nil {
		return nil, nil, err
	}
	defer e.Close()
	p, ds := e.Compile(name, text, engine.CompileOptions{Set: set, Job: connectors.Job{Name: jobName(name), Ephemeral: true, Kafka: kafka,
		Stdout: io.Discard, Stderr: io.Discard, Format: "text"}})
	return p, pointers(ds), nil
}
