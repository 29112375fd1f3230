package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker; without it the build's own information counts.
var version = ""

func (a *app) versionCmd() *cobra.Command {
	var format string
	c := &cobra.Command{Use: "version", Short: "print the version", Args: nargs(0, 0), RunE: func(*cobra.Command, []string) error {
		if err := oneOf("format", format, "text", "json"); err != nil {
			return err
		}
		v := buildVersion()
		if format == "json" {
			return json.NewEncoder(a.stdout).Encode(map[string]string{"version": v, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
		}
		fmt.Fprintf(a.stdout, "streamd %s (%s, %s/%s)\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}}
	c.Flags().StringVar(&format, "format", "text", "`FORM` of the output: text or json")
	return c
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return "dev"
}
