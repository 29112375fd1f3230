package dsl

import (
	"github.com/streamd/streamd/dsl/ast"
	"github.com/streamd/streamd/dsl/diag"
)

// What is expected at a wrong word is found by parsing the statement again and again, nearly all of the time that a broken
// text takes. These forms leave that out where a text's bytes say so, so that loops see many more texts.

func ParseOften(text string) (*ast.File, []*diag.Diagnostic) {
	return parseFile("f.sql", text, parseOne, someTrials(text))
}

func ParseTestOften(text string) (*ast.File, []*diag.Diagnostic) {
	return parseFile("f_test.sql", text, parseTestOne, someTrials(text))
}

func CompileOften(text string, cfg Config) (*Plan, []diag.Diagnostic) {
	file, found := ParseOften(text)
	return compile(file, found, cfg)
}

// someTrials allows trials for one text in sixteen.
func someTrials(text string) int {
	sum := byte(0)
	for i := range len(text) {
		sum = sum*31 + text[i]
	}
	if sum%16 == 0 {
		return maxTrials
	}
	return 0
}
