package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/streamd/streamd/internal/kafkatest"
)

// output runs the binary on a sql block and compares what it prints.
func (p *docPage) output(b *block, same func(got, want string) error, args ...string) {
	if b.output == nil {
		p.t.Errorf("%s: what comes out is missing", b)
		return
	}
	write(p.t, p.dir, "example.sql", p.setup+b.text)
	x := streamd(p.t, p.dir, nil, args...)
	got, want := x.stdout.String(), b.output.text
	err := same(got, want)
	if code, _ := strconv.Atoi(b.attr["code"]); err == nil && x.code != code {
		err = fmt.Errorf("exit code %d", x.code)
	}
	if err != nil {
		p.t.Errorf("%s: %v\nstderr:\n%s", b, err, x.stderr.String())
	}
}

func sameText(got, want string) error {
	if strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
		return fmt.Errorf("got\n%s\nwant\n%s", got, want)
	}
	return nil
}

// sameAnyOrder compares lines; a line "…" of want stands for any lines, an
// ellipsis in a line for anything.
func sameAnyOrder(got, want string) error {
	w := strings.Split(strings.TrimRight(want, "\n"), "\n")
	if !strings.Contains(want, "…") {
		return sameLines(strings.TrimRight(got, "\n"), strings.TrimRight(want, "\n"))
	}
	g := strings.Split(strings.TrimRight(got, "\n"), "\n")
	if !slices.Contains(w, "…") && len(g) != len(w) {
		return fmt.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, l := range w {
		if l != "…" && !slices.ContainsFunc(g, func(s string) bool { return like(s, l) }) {
			return fmt.Errorf("no line\n  %s\nin\n%s", l, got)
		}
	}
	return nil
}

// sameTable compares what the printed changes sum up to with rows.
func sameTable(got, want string) error {
	rows := map[string]int{}
	for l := range strings.Lines(got) {
		kind, row, ok := strings.Cut(strings.TrimSpace(l), "[")
		if !ok {
			return fmt.Errorf("no row: %s", l)
		}
		if strings.Contains(kind, "+") {
			rows["["+row]++
		} else {
			rows["["+row]--
		}
	}
	var all []string
	for row, n := range rows {
		for range n {
			all = append(all, row)
		}
	}
	return sameLines(strings.Join(all, "\n"), strings.TrimRight(want, "\n"))
}

// like compares a line with one in which an ellipsis stands for anything.
func like(got, want string) bool {
	if !strings.Contains(want, "…") {
		return strings.TrimRight(got, " ") == strings.TrimRight(want, " ")
	}
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$").MatchString(got)
}

// values runs all expressions that have a value in one pipeline, the others alone.
func (p *docPage) values(b *block) {
	var sql strings.Builder
	var want []string
	for i, l := range strings.Split(strings.TrimSpace(b.text), "\n") {
		at := strings.LastIndex(l, " -- ")
		if at < 0 {
			if strings.TrimSpace(l) != "" {
				p.t.Errorf("%s: no result in %q", b, l)
			}
			continue
		}
		expr, result := strings.TrimSpace(l[:at]), strings.TrimSpace(l[at+4:])
		if code, fails := strings.CutPrefix(result, "error "); fails {
			p.fails(b, expr, code)
			continue
		}
		fmt.Fprintf(&sql, "SELECT %d, %s;\n", i, expr)
		want = append(want, fmt.Sprintf("+I[%d, %s]", i, result))
	}
	write(p.t, p.dir, "example.sql", p.setup+sql.String())
	x := streamd(p.t, p.dir, nil, "run", "example.sql", "-q")
	if err := sameLines(x.stdout.String(), strings.Join(want, "\n")); err != nil || x.code != 0 {
		p.t.Errorf("%s: exit code %d: %v\n%s", b, x.code, err, x.stderr.String())
	}
}

// fails wants an expression to be refused, or to fail when it is evaluated.
func (p *docPage) fails(b *block, expr, code string) {
	write(p.t, p.dir, "example.sql", p.setup+"SELECT "+expr+";\n")
	x := streamd(p.t, p.dir, nil, "run", "example.sql", "-q")
	if x.code == 0 || !strings.Contains(x.stderr.String(), "["+code+"]") {
		p.t.Errorf("%s: %s: exit code %d, not %s\n%s%s", b, expr, x.code, code, x.stdout.String(), x.stderr.String())
	}
}

// console runs the commands of a block, each with the lines behind it as what it shows.
func (p *docPage) console(b *block) {
	var cmds, wants []string
	for _, l := range strings.Split(strings.TrimRight(b.text, "\n"), "\n") {
		cmd, is := strings.CutPrefix(l, "$ ")
		switch {
		case is:
			cmds, wants = append(cmds, cmd), append(wants, "")
		case len(cmds) == 0:
			p.t.Errorf("%s: no command before %q", b, l)
			return
		case strings.HasSuffix(cmds[len(cmds)-1], "\\"):
			cmds[len(cmds)-1] += "\n" + l
		default:
			wants[len(wants)-1] += l + "\n"
		}
	}
	for i, cmd := range cmds {
		last := i == len(cmds)-1
		until, code := "", 0
		if last {
			until = b.attr["until"]
			code, _ = strconv.Atoi(b.attr["code"])
		}
		out, got := p.shell(b, cmd, until)
		if got != code {
			p.t.Errorf("%s: %s\nexit code %d, not %d\n%s", b, cmd, got, code, out)
			return
		}
		if err := sameAnyOrder(out, p.fill(wants[i])); wants[i] != "" && err != nil {
			p.t.Errorf("%s: %s\n%v", b, cmd, err)
			return
		}
	}
}

// fill puts a broker's address in the place of the one that pages show.
func (p *docPage) fill(s string) string {
	if !strings.Contains(s, "localhost:9092") {
		return s
	}
	if p.broke == "" {
		p.broke = kafkatest.Fake(p.t).Addr
	}
	return strings.ReplaceAll(s, "localhost:9092", p.broke)
}

// shell runs one command; with until it is interrupted once it has shown that.
func (p *docPage) shell(b *block, command, until string) (string, int) {
	var out buffer
	if until != "" {
		command = "exec " + command // or the shell would die of the signal
	}
	cmd := exec.Command("sh", "-c", p.fill(command))
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, &out, &out
	if b.what == "repo" {
		cmd.Dir = "../.."
	}
	path := os.Getenv("PATH")
	if bin, err := filepath.Abs(filepath.Dir(binary(p.t))); err == nil {
		path = bin + string(os.PathListSeparator) + path
	}
	cmd.Env = append(os.Environ(), "PATH="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	end := func(s syscall.Signal) { _ = syscall.Kill(-cmd.Process.Pid, s) } // the group that Setpgid made
	stop := time.After(2 * patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for asked := until == ""; ; {
		select {
		case <-done:
			return out.String(), cmd.ProcessState.ExitCode()
		case <-stop:
			end(syscall.SIGKILL)
			<-done
			p.t.Errorf("%s: %s does not end\n%s", b, command, out.String())
			return out.String(), -1
		case <-tick.C:
			if !asked && bytes.Contains([]byte(out.String()), []byte(until)) {
				asked = true
				end(syscall.SIGINT)
			}
		}
	}
}
