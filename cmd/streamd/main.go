package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamd/streamd/dsl"
	"github.com/streamd/streamd/dsl/diag"
)

// Exit codes. Programs rely on them.
const (
	exitOK        = 0
	exitFailed    = 1   // failed while running
	exitUsage     = 2   // wrong usage, or a text that is refused
	exitNotFound  = 3   // no such file, code or demo
	exitConflict  = 4   // state in use, of another pipeline, drained, corrupt, lost or newer elsewhere
	exitUnhealthy = 5   // a test failed; check --strict with warnings
	exitKilled    = 130 // ended by a second signal
)

// exit is an error that decides the exit code. A nil err was reported already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func exitf(code int, format string, args ...any) error {
	return &exit{code, fmt.Errorf(format, args...)}
}

// app is what commands share: where they write.
type app struct {
	stdout io.Writer
	stderr io.Writer
}

func main() { os.Exit((&app{stdout: os.Stdout, stderr: os.Stderr}).main(os.Args[1:])) }

// main runs one command and returns the exit code.
func (a *app) main(args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.Execute()
	var x *exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &x):
		if x.err != nil {
			fmt.Fprintln(a.stderr, "error: "+x.Error())
		}
		return x.code
	}
	fmt.Fprintln(a.stderr, "error: "+err.Error())
	fmt.Fprintln(a.stderr, "streamd --help lists the commands, streamd COMMAND --help the flags of one")
	return exitUsage
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "streamd",
		Short:         "streamd runs streaming SQL pipelines",
		Long:          "streamd runs pipelines in the dialect of Apache Flink SQL: Kafka, files and generators in,\nwindows, joins and aggregates, Kafka, files and the terminal out, exactly once.",
		SilenceErrors: true, SilenceUsage: true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var names []string
			for _, sub := range c.Commands() {
				names = append(names, sub.Name())
			}
			return fmt.Errorf("unknown command %q%s", args[0], meant(args[0], names))
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(nearFlag)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(a.demoCmd(), a.runCmd(), a.devCmd(), a.checkCmd(), a.explainCmd(), a.testCmd(), a.fmtCmd(), a.errorsCmd(), a.connectorsCmd(), a.functionsCmd(), a.versionCmd())
	return root
}

// nearFlag adds the flag that was likely meant to the complaint about one that
// there is not.
func nearFlag(c *cobra.Command, err error) error {
	var no *pflag.NotExistError
	if !errors.As(err, &no) {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, meant("--"+no.GetSpecifiedName(), names))
}

// meant is a half sentence that names the word most like the one that was
// typed, or "".
func meant(typed string, words []string) string {
	if near := diag.Near(typed, words); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	if len(typed) > 2 { // a beginning is far from a long word
		for _, w := range words {
			if strings.HasPrefix(strings.ToLower(w), strings.ToLower(typed)) {
				return fmt.Sprintf("; did you mean %s?", w)
			}
		}
	}
	return ""
}

// nargs wants least to most arguments.
func nargs(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s: %s is missing; write: %s", c.CommandPath(), strings.TrimSuffix(strings.Fields(c.Use)[1], "..."), c.UseLine())
		case len(args) > most:
			return fmt.Errorf("%s does not take %q; write: %s", c.CommandPath(), args[most], c.UseLine())
		}
		return nil
	}
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, value string, words ...string) error {
	for _, w := range words {
		if value == w {
			return nil
		}
	}
	return exitf(exitUsage, "--%s cannot be %q; it is one of %s", flag, value, strings.Join(words, ", "))
}

// readMost reads a file, of a large one the first n bytes.
func readMost(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// readFile reads a pipeline; what is missing is exit 3.
func readFile(path string) (string, error) {
	b, err := readMost(path, dsl.MaxFileBytes+1) // one byte more: the text is refused as too large
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", exitf(exitNotFound, "there is no file %s", path)
	case err != nil:
		return "", exitf(exitNotFound, "cannot read %s: %w", path, err)
	}
	return string(b), nil
}
