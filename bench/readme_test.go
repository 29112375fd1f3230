package main

import (
	"os"
	"path/filepath"
	"testing"
)

// README shows what was measured, and nothing else.
func TestReadme(t *testing.T) {
	r, err := load(filepath.Base(filepath.Dir(published)) + "/" + filepath.Base(published))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := replace(string(text), r.markdown())
	if err != nil {
		t.Fatal(err)
	}
	if want != string(text) {
		t.Errorf("README.md does not show %s: run go run ./bench -readme", published)
	}
}

func TestNewest(t *testing.T) {
	dir := t.TempDir()
	if _, err := newest(dir); err == nil {
		t.Error("no error where there is nothing")
	}
	for _, f := range []string{"b.json", "a.json"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old := filepath.Join(dir, "b.json")
	i, err := os.Stat(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(old, i.ModTime().Add(-1e9), i.ModTime().Add(-1e9)); err != nil {
		t.Fatal(err)
	}
	if f, err := newest(dir); err != nil || filepath.Base(f) != "a.json" {
		t.Errorf("%s, %v", f, err)
	}
}
