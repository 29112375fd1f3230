package fault

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
)

func TestHookSeesPoints(t *testing.T) {
	var seen []string
	Hook(func(name string) { seen = append(seen, name) })
	Point("C8")
	Hook(nil)
	Point("C9")
	if !slices.Equal(seen, []string{"C8"}) {
		t.Fatalf("saw %v", seen)
	}
}

func TestKillsAtTheNthPassage(t *testing.T) {
	if os.Getenv("FAULT_CHILD") != "" {
		Point("C9")
		Point("C8")
		os.Stdout.WriteString("once\n")
		Point("C8")
		os.Stdout.WriteString("twice\n")
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestKillsAtTheNthPassage")
	cmd.Env = append(os.Environ(), "FAULT_CHILD=1", "STREAMD_FAULT=C8:2")
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ws.Signal() != syscall.SIGKILL {
		t.Fatalf("ended by %v, printed %q", cmd.ProcessState, out)
	}
	if string(out) != "once\n" {
		t.Fatalf("printed %q", out)
	}
}
