package kafkatest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// DefaultVersion is the Apache Kafka that tests run on.
const DefaultVersion = "4.4.0"

//go:embed pom.xml
var pom []byte

// jars returns the directory with the broker's jars, fetched from Maven Central once per version and user.
func jars() (string, error) {
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("%s is not installed", tool)
		}
	}
	version := os.Getenv("STREAMD_TEST_KAFKA")
	if version == "" {
		version = DefaultVersion
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w", err)
	}
	root := filepath.Join(cache, "streamd-kafka")
	final := filepath.Join(root, version)
	if _, err := os.Stat(final); err == nil {
		return final, nil
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	// The directory takes its name when it is complete, so tests of several packages may fetch at the same time.
	tmp, err := os.MkdirTemp(root, "fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(tmp+"/pom.xml", pom, 0o644); err != nil {
		return "", err
	}
	mvn := exec.Command("mvn", "-q", "-B", "-f", tmp+"/pom.xml", "-Dkafka.version="+version,
		"dependency:copy-dependencies", "-DoutputDirectory="+tmp+"/libs")
	if out, err := mvn.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mvn cannot fetch Apache Kafka %s: %w: %s", version, err, out)
	}
	if err := os.Rename(tmp+"/libs", final); err != nil {
		if _, statErr := os.Stat(final); statErr != nil {
			return "", err
		}
	}
	return final, nil
}
