package main

import (
	"testing"

	"github.com/streamd/streamd/dsl"
)

func TestMeant(t *testing.T) {
	for typed, want := range map[string]string{"2003": "; did you mean SD2003?", "9": ""} {
		if got := meantCode(typed); got != want {
			t.Errorf("code %s: %q, want %q", typed, got, want)
		}
	}
	for typed, want := range map[string]string{"upp": "; did you mean UPPER?", "uper": "; did you mean UPPER?", "zzz": ""} {
		if got := meant(typed, []string{"ABS", "UPPER"}); got != want {
			t.Errorf("name %s: %q, want %q", typed, got, want)
		}
	}
}

func TestChecksNothing(t *testing.T) {
	for text, want := range map[string]bool{
		"INPUT t VALUES (1);":                      false,
		"INPUT t VALUES (1); EXPECT o EMPTY;":      true,
		"INPUT t VALUES (1); EXPECT ERROR SD6001;": true,
	} {
		f, ds := dsl.ParseTest("a_test.sql", text)
		if len(ds) > 0 {
			t.Fatal(ds)
		}
		if got := checks(f.Stmts); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestCounted(t *testing.T) {
	if one, two := counted(1, "run"), counted(2, "run"); one != "1 run" || two != "2 runs" {
		t.Error(one, two)
	}
}
