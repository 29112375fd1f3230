package diag

import (
	"sort"
	"strings"
)

// Near returns the candidate a user most likely meant by word, "" when none is close. Case does not count; ties go to the
// first in alphabetical order.
//
// Example: Near("pric", ["cell", "price", "ts"]) is "price": one letter is missing. "prc" for "ts" is refused: of two or three
// letters at most one may differ.
func Near(word string, candidates []string) string {
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	limit := (len([]rune(word)) + 2) / 3
	if len([]rune(word)) < 2 {
		limit = 0
	}
	best, bestDist := "", limit+1
	for _, c := range sorted {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); c != word && d < bestDist {
			best, bestDist = c, d
		}
	}
	return best
}

// distance is the number of letters to add, drop, change or swap with the neighbour to get from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return 64
	}
	before, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(y)]
}
