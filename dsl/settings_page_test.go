package dsl

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/sql/settings.md has every setting, with its default and values that are accepted.
func TestSettingsPage(t *testing.T) {
	b, err := os.ReadFile("../docs/sql/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\| `([^`]+)` \\| ([^|]+) \\|$").FindAllStringSubmatch(string(b), -1) {
		key, kind, dflt, example := m[1], m[2], strings.Trim(m[3], "`"), m[4]
		seen[key] = true
		s := findSetting(key)
		if s == nil {
			t.Errorf("there is no setting %q", key)
			continue
		}
		if dflt == "–" {
			dflt = ""
		}
		if dflt != s.dflt {
			t.Errorf("%s: the default is %q, the page says %q", key, s.dflt, dflt)
		}
		values := []string{example}
		for _, w := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(kind, -1) {
			values = append(values, w[1])
		}
		for _, v := range values {
			if err := s.put(&Settings{}, v); err != nil {
				t.Errorf("%s does not take %q: %v", key, v, err)
			}
		}
	}
	for _, s := range settingKeys {
		if !seen[s.key] {
			t.Errorf("docs/sql/settings.md lacks a line for %q", s.key)
		}
	}
	_, list, _ := strings.Cut(string(b), "<!-- tuning -->")
	list, _, _ = strings.Cut(list, "<!-- end -->")
	var keys []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1) {
		keys = append(keys, m[1])
	}
	if want := slices.Sorted(slices.Values(tuning)); !slices.Equal(keys, want) {
		t.Errorf("the keys without effect are\n`%s`", strings.Join(want, "`, `"))
	}
}
