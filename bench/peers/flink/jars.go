package flink

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed pom.xml src
var sources embed.FS

// Version is the Apache Flink that pom.xml names.
const Version = "2.3.0"

// ErrMissing says that a tool that Flink needs is not installed.
var ErrMissing = errors.New("not installed")

// Heap is the JVM option that bounds Flink's heap.
const Heap = "-Xmx3g"

// Command returns the command of a Flink that reads pipelines from stdin.
func Command(jvm ...string) (*exec.Cmd, error) {
	for _, tool := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s: %w", tool, ErrMissing)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no cache directory: %w", err)
	}
	root := filepath.Join(cache, "streamd-flink")
	jars, err := once(root, "jars-", []string{"pom.xml"}, fetch)
	if err != nil {
		return nil, err
	}
	libs := filepath.Join(jars, "*")
	classes, err := once(root, "classes-", []string{"pom.xml", "src"}, func(dir string) error { return compile(dir, libs) })
	if err != nil {
		return nil, err
	}
	return exec.Command("java", append(jvm, Heap, "--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", classes+string(os.PathListSeparator)+libs, "streamd.flink.Main")...), nil
}

// once returns the directory that do fills from the embedded files, filled once for each text of them. It takes its name
// when it is complete, so several processes may fill it at the same time.
func once(root, prefix string, of []string, do func(dir string) error) (string, error) {
	sum := sha256.New()
	for _, name := range of {
		if err := fs.WalkDir(sources, name, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := sources.ReadFile(path)
			fmt.Fprintf(sum, "%s %d\n%s", path, len(b), b)
			return err
		}); err != nil {
			return "", err
		}
	}
	final := filepath.Join(root, prefix+hex.EncodeToString(sum.Sum(nil))[:16])
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(root, "make-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := os.CopyFS(filepath.Join(tmp, "from"), sources); err != nil {
		return "", err
	}
	if err := do(tmp); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(tmp, "made"), final); err != nil {
		if _, statErr := os.Stat(final); statErr != nil {
			return "", err
		}
	}
	return final, nil
}

func fetch(dir string) error {
	return tool("mvn", "-q", "-B", "-f", filepath.Join(dir, "from", "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "made"))
}

func compile(dir, libs string) error {
	main := filepath.Join(dir, "from", "src", "main")
	files, err := filepath.Glob(filepath.Join(main, "java", "streamd", "flink", "*.java"))
	if err != nil {
		return err
	}
	made := filepath.Join(dir, "made")
	if err := tool("javac", append([]string{"-nowarn", "--release", "17", "-cp", libs, "-d", made}, files...)...); err != nil {
		return err
	}
	return os.CopyFS(made, os.DirFS(filepath.Join(main, "resources")))
}

func tool(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
