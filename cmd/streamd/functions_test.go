package main

import (
	"bytes"
	"os"
	"testing"
)

const functionsPage = "../../docs/functions.md"

func TestFunctionsPage(t *testing.T) {
	var b bytes.Buffer
	writeFunctions(&b, functions())
	want := b.Bytes()
	if *update {
		if err := os.WriteFile(functionsPage, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(functionsPage); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("docs/functions.md is not what the functions say (%v); run make goldens", err)
	}
}

// Every function shows an example, but those that cannot have one.
func TestFunctionsHaveExamples(t *testing.T) {
	for _, f := range functions() {
		if f.Example == "" && f.Name != "CURRENT_WATERMARK" || f.Syntax == "" || f.Doc == "" {
			t.Errorf("%s: syntax %q, doc %q, example %q", f.Name, f.Syntax, f.Doc, f.Example)
		}
	}
}
