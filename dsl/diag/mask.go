package diag

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Secrets in a text, as they are written in WITH options. An error may stand on their line, and what is shown of it goes
// to terminals and logs. Both forms also take a text that was not closed on the line.
var secrets = []*regexp.Regexp{
	// the value of an option that is a secret as a whole: 'properties.ssl.keystore.key' = '…'
	regexp.MustCompile(`(?i)'[^']*(?:keystore\.key|password|passwd|secret|token|credentials)[^']*'\s*=\s*'((?:[^']|'')*)`),
	// a password within a value: '… required username="u" password="…";'
	regexp.MustCompile(`(?i)(?:password|passwd|secret|token)\w*\s*=\s*"((?:[^"\\]|\\.)*)`),
	regexp.MustCompile(`(?i)(?:password|passwd|secret|token)\w*=''((?:[^'\\]|\\.)*)`), // no blanks: col = '' is an expression
	regexp.MustCompile(`(?i)LoginModule.*?password\w*\s*=\s*([^\s'";,)]+)`),
}

// reference is a value that stands elsewhere, and says only where.
var reference = regexp.MustCompile(`^\$\{\w+\}$`)

// masked shows the secrets of a line as stars, as many as they have characters, so that carets below it stand right.
func masked(line string) string {
	for _, re := range secrets {
		// From the last to the first: stars may be fewer bytes, and move what stands behind.
		for _, m := range slices.Backward(re.FindAllStringSubmatchIndex(line, -1)) {
			if s := line[m[2]:m[3]]; !reference.MatchString(s) {
				line = line[:m[2]] + strings.Repeat("*", utf8.RuneCountInString(s)) + line[m[3]:]
			}
		}
	}
	return line
}
