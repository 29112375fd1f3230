package funcs

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
)

const channel = `(&|^)channel_id=([^&]*)`

func TestSearchTakesShapes(t *testing.T) {
	for _, p := range []string{channel, `(&|;|^)a=([^&;]*)`, `id=([0-9]+)&`, `^/api/([^/]+)/v$`, `abc`, `k: (.*)$`, `[,;]x=([a-f]+)`, `(x=([^&]*))`, `ä=([^ö&]*)b`, `a(b(c))`, `(?s)a=(.*)`} {
		want := p != `ä=([^ö&]*)b` // a class that splits the characters beyond ASCII
		if got := newSearch(p) != nil; got != want {
			t.Errorf("%s: taken %v, want %v", p, got, want)
		}
	}
	for _, p := range []string{`(?i)a=([^&]*)`, `a=([^&]*?)`, `[0-9]+`, `a=([^&]*)b`, `(a|&)a=x`, `a|b`, `a(b)?`, `a$b`, `a^`, `a*b`, `a([0-9]*)([a-z]*)`, `a{2}`, `\ba`, `(a`, ``, `é|a=x`, `a[bc]`} {
		if newSearch(p) != nil {
			t.Errorf("%s is taken", p)
		}
	}
}

// TestSearchEqualsRegexp lets random patterns of the shape, and near it, meet
// random texts, malformed UTF-8 among them.
func TestSearchEqualsRegexp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	taken, matched := 0, 0
	for range 4000 {
		p := pick("", "", "^", "(&|^)", "(^|b)", "[ab;]", "(a|;|^)", "((&)|^)") + pick("a", "ab", "aab", "é", "(ab)", "b&", "(a)(b)") +
			pick("", "([^&]*)", "([^&;]+)", "(.*)", "[ab]+", "([^b]*)", "(?s:(.*))") + pick("", "", "&", "(;b)", "é", "b") + pick("", "", "$", "([a-b]*)")
		m := newSearch(p)
		if m == nil {
			continue
		}
		taken++
		re := regexp.MustCompile(p)
		for range 100 {
			var s []byte
			for range r.IntN(14) {
				s = append(s, pick("a", "a", "b", "&", ";", "é", "\xc3", "\n", "ab")...)
			}
			got, want := slices.Clone(m.find(s)), re.FindSubmatchIndex(s)
			if want != nil {
				matched++
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s in %q: %v, want %v", p, s, got, want)
			}
		}
	}
	if taken < 1000 || matched < 10000 {
		t.Fatalf("only %d patterns taken, %d matches", taken, matched)
	}
}

func BenchmarkExtract(b *testing.B) {
	s := []byte("https://www.nexmark.com/abcd/efgh/ijkl/item.htm?query=1&channel_id=1090519040")
	b.Run("search", func(b *testing.B) {
		m := newSearch(channel)
		for b.Loop() {
			if m.find(s) == nil {
				b.Fatal("no match")
			}
		}
	})
	b.Run("regexp", func(b *testing.B) {
		re := regexp.MustCompile(channel)
		for b.Loop() {
			if re.FindSubmatchIndex(s) == nil {
				b.Fatal("no match")
			}
		}
	})
}
