package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed nexmark/*.sql
var queries embed.FS

func names(only string) []string {
	switch only {
	case "":
	case "none":
		return nil
	default:
		return strings.Split(only, ",")
	}
	list, _ := queries.ReadDir("nexmark")
	var out []string
	for _, f := range list {
		if n := strings.TrimSuffix(f.Name(), ".sql"); n != "ddl" {
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) && strings.HasPrefix(a, "q") && strings.HasPrefix(b, "q") {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return out
}

// pipeline writes the tables and a query into one file.
func pipeline(dir, q string) (string, error) {
	ddl, err := queries.ReadFile("nexmark/ddl.sql")
	if err != nil {
		return "", err
	}
	text, err := queries.ReadFile("nexmark/" + q + ".sql")
	if err != nil {
		return "", fmt.Errorf("no query %q", q)
	}
	file := filepath.Join(dir, q+".sql")
	return file, os.WriteFile(file, slices.Concat(ddl, []byte("\n"), text), 0o644)
}
