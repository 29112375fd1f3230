package diag

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/streamd/streamd/dsl/source"
)

// Render writes d for people:
//
//	error[SD2003]: unknown column "pric"
//	  --> surge.sql:12:14
//	   |
//	12 | SELECT cell, pric * 2 FROM rides
//	   |              ^^^^ rides has no such column; did you mean "price"?
//	   = columns: ride_id, cell, price, ts
//
// f may be nil: then the lines of the text are left out. A span of several lines is marked on its first.
func Render(w io.Writer, f *source.File, d *Diagnostic) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s[%s]: %s\n", d.Severity, d.Code, clip(d.Message))
	gutter := "  "
	if d.Span.IsValid() {
		number := fmt.Sprint(d.Span.Pos.Line)
		gutter = strings.Repeat(" ", max(len(number), 2))
		fmt.Fprintf(&b, "%s--> %s:%d:%d\n", gutter, d.File, d.Span.Pos.Line, d.Span.Pos.Column)
		if f != nil {
			line := f.Line(d.Span.Pos.Line)
			fmt.Fprintf(&b, "%s |\n", gutter)
			text, marks := excerpt(masked(line), d.Span)
			fmt.Fprintf(&b, "%*s | %s\n", len(gutter), number, text)
			fmt.Fprintf(&b, "%s | %s", gutter, marks)
			if d.Label != "" {
				b.WriteString(" " + clip(d.Label))
			}
			b.WriteByte('\n')
		}
	}
	if len(d.Expected) > 0 {
		fmt.Fprintf(&b, "%s = expected: %s\n", gutter, strings.Join(d.Expected, ", "))
	}
	for _, h := range d.Hints {
		fmt.Fprintf(&b, "%s = %s\n", gutter, clip(h))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// clip bounds a message: it may hold a literal, a pattern or a row of the user's, which may be a megabyte long.
func clip(s string) string {
	const limit = 2000
	if len(s) <= limit {
		return s
	}
	at := limit
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s… (%d bytes more)", s[:at], len(s)-at)
}

// maxExcerpt bounds the code points of a line that are shown, so that a file without line ends does not flood a terminal.
const maxExcerpt = 160

// excerpt returns the line and the marker line below it. Characters that would move the cursor are shown as blanks; tabs stay in
// both lines, so that the carets stand right whatever the tab width is. A long line is cut around the span.
func excerpt(line string, span source.Span) (text, marks string) {
	runes := []rune(line)
	from := min(max(span.Pos.Column-1, 0), len(runes))
	to := len(runes)
	if span.EndPos.Line == span.Pos.Line {
		to = min(max(span.EndPos.Column-1, from), len(runes))
	}
	prefix := ""
	if len(runes) > maxExcerpt {
		lo := max(0, min(from-maxExcerpt/2, len(runes)-maxExcerpt))
		hi := min(len(runes), lo+maxExcerpt)
		if lo > 0 {
			prefix = "…"
		}
		runes, from, to = runes[lo:hi], from-lo, min(to, hi)-lo
	}
	var t, m strings.Builder
	t.WriteString(prefix)
	m.WriteString(strings.Repeat(" ", utf8.RuneCountInString(prefix)))
	for i, r := range runes {
		if r != '\t' && (unicode.IsControl(r) || r == utf8.RuneError) {
			r = ' '
		}
		t.WriteRune(r)
		switch {
		case i < from && r == '\t':
			m.WriteByte('\t')
		case i < from:
			m.WriteString(blank(r))
		case i < to:
			m.WriteString(strings.Repeat("^", len(blank(r))))
		}
	}
	if to <= from {
		m.WriteByte('^') // the end of the text, or an empty span
	}
	return strings.TrimRight(t.String(), " \t"), m.String()
}

// blank is as many spaces as a terminal gives to r: two for wide East Asian characters, none for combining ones.
func blank(r rune) string {
	switch {
	case unicode.Is(unicode.Mn, r):
		return ""
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0x1F300 && r <= 0x1FAFF || r >= 0xFF01 && r <= 0xFF60:
		return "  "
	}
	return " "
}

type jsonPos struct {
	Offset int `json:"offset"`
	Line   int `json:"line"`
	Column int `json:"column"`
}

type jsonSpan struct {
	Start jsonPos `json:"start"`
	End   jsonPos `json:"end"`
}

type jsonDiagnostic struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	File     string   `json:"file"`
	Span     jsonSpan `json:"span"`
	Label    string   `json:"label"`
	Hints    []string `json:"hints"`
	Expected []string `json:"expected"`
}

func (d *Diagnostic) json() jsonDiagnostic {
	pos := func(p source.Pos) jsonPos { return jsonPos{p.Offset, p.Line, p.Column} }
	return jsonDiagnostic{d.Code, d.Severity, clip(d.Message), d.File, jsonSpan{pos(d.Span.Pos), pos(d.Span.EndPos)}, clip(d.Label),
		append([]string{}, d.Hints...), append([]string{}, d.Expected...)}
}

// MarshalJSON writes d in the form of `check --format json`.
func (d *Diagnostic) MarshalJSON() ([]byte, error) { return json.Marshal(d.json()) }

// JSON writes the document of `check --format json`: all diagnostics of all files, sorted by file and offset.
func JSON(w io.Writer, ds []*Diagnostic) error {
	sorted := append([]*Diagnostic{}, ds...)
	Sort(sorted)
	doc := struct {
		Diagnostics []jsonDiagnostic `json:"diagnostics"`
	}{make([]jsonDiagnostic, 0, len(ds))}
	for _, d := range sorted {
		doc.Diagnostics = append(doc.Diagnostics, d.json())
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}
