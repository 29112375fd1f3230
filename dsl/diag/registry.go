package diag

import "sort"

// Entry explains a code to a user: `streamd errors CODE` and docs/errors.md print it.
type Entry struct {
	Code        string
	Title       string // a few words
	Explanation string // why it is an error, in sentences
	Example     string // a text that gives it; may have several lines
	WayOut      string // what to do
}

var registry = map[string]Entry{}

// Register adds a code. Each class SD1…SD9 has its file; the code of a finding never changes its meaning and is never used again.
// It is called at start-up only and panics on a malformed or second registration.
func Register(code, title, explanation, example, wayOut string) {
	if len(code) != 6 || code[:2] != "SD" || code[2] < '1' || code[2] > '9' {
		panic("BUG: malformed diagnostic code " + code)
	}
	if _, dup := registry[code]; dup {
		panic("BUG: diagnostic code " + code + " registered twice")
	}
	registry[code] = Entry{Code: code, Title: title, Explanation: explanation, Example: example, WayOut: wayOut}
}

// Lookup finds a code's explanation.
func Lookup(code string) (Entry, bool) {
	e, ok := registry[code]
	return e, ok
}

// All returns every entry in order of codes.
func All() []Entry {
	out := make([]Entry, 0, len(registry))
	for _, e := range registry {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Code < out[j].Code })
	return out
}

// Class says what the first digit of a code means, "" for no code.
func Class(code string) string {
	if len(code) < 3 {
		return ""
	}
	return map[byte]string{
		'1': "syntax and limits", '2': "names and catalogue", '3': "types and functions", '4': "streaming",
		'5': "options, connectors and formats", '6': "rows at run time", '7': "state, checkpoints and recovery",
		'8': "server and access", '9': "streamd's own fault",
	}[code[2]]
}
