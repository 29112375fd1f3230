package kafka

import (
	"fmt"
	"strings"
	"testing"
)

func TestGate(t *testing.T) {
	var g gate
	say := func() string {
		var out []string
		for e := range uint64(4) {
			ok, _ := g.may(e)
			out = append(out, fmt.Sprint(ok)[:1])
		}
		return strings.Join(out, "")
	}
	check := func(after, want string) {
		t.Helper()
		if got := say(); got != want {
			t.Errorf("after %s: rows of epochs 0-3 may go: %s, want %s", after, got, want)
		}
	}
	check("start", "tfff")
	g.seal(0)
	g.seal(0) // a second sink
	g.prepare()
	check("seal 0", "tfff")
	g.decided()
	check("decided 0", "ttff")
	g.seal(1) // a silent epoch: nobody reports its end
	check("seal 1", "ttff")
	g.seal(2)
	check("seal 2", "tttf")
	defer func() {
		if recover() == nil {
			t.Error("sealed over an undecided epoch")
		}
	}()
	g.prepare()
	g.seal(3)
}
