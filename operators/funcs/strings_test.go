package funcs

import (
	"math/rand/v2"
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestCaseEqualsMapping holds the short way of UPPER and LOWER for ASCII to the
// mapping of characters, for every byte and beyond.
func TestCaseEqualsMapping(t *testing.T) {
	texts := []string{"", "aZ09@[`{", "Straße ÄÖ ÿ", "é", "x\xffY\xc3", "İı"}
	for b := range 256 {
		texts = append(texts, string([]byte{byte(b)}), string([]byte{'q', byte(b), 'Q'}), "aZ09@[`{"+string([]byte{byte(b), 'z', '`', 'A', byte(b), '{', 'Z', '@', 'm'}))
	}
	for _, s := range texts {
		if got, want := appendCase(nil, []byte(s), 'a', unicode.ToUpper), appendMapped(nil, []byte(s), unicode.ToUpper); string(got) != string(want) {
			t.Errorf("upper of %q is %q, want %q", s, got, want)
		}
		if got, want := appendCase(nil, []byte(s), 'A', unicode.ToLower), appendMapped(nil, []byte(s), unicode.ToLower); string(got) != string(want) {
			t.Errorf("lower of %q is %q, want %q", s, got, want)
		}
	}
}

// TestCharsEqualRunes holds the quick ways through ASCII to counting runes.
func TestCharsEqualRunes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		var s []byte
		for range r.IntN(30) {
			if r.IntN(12) == 0 {
				s = append(s, []string{"é", "日", "😀", "\xff", "\xc3"}[r.IntN(5)]...)
			} else {
				s = append(s, byte(r.IntN(128)))
			}
		}
		if got, want := runeCount(s), utf8.RuneCount(s); got != want {
			t.Fatalf("%q has %d runes, want %d", s, got, want)
		}
		from, to := r.IntN(35), r.IntN(35)
		var want []byte
		for n, rest := 0, s; len(rest) > 0 && n < to; n++ {
			_, w := utf8.DecodeRune(rest)
			if n >= from {
				want = append(want, rest[:w]...)
			}
			rest = rest[w:]
		}
		if got := chars(s, from, to); string(got) != string(want) {
			t.Fatalf("characters %d to %d of %q: %q, want %q", from, to, s, got, want)
		}
	}
}

func BenchmarkLower(b *testing.B) {
	s, dst := []byte("channel-9871 Facebook"), []byte(nil)
	for b.Loop() {
		dst = appendCase(dst[:0], s, 'A', unicode.ToLower)
	}
}
