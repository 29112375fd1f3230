package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// errorTables are the tables that the examples of docs/errors.md speak of.
const errorTables = `
CREATE TABLE t (a INT, b INT, k STRING, v INT, name STRING, price INT, int_column INT, plain TIMESTAMP(3), ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
  WITH ('connector' = 'filesystem', 'path' = 't', 'format' = 'json');
CREATE TABLE a (id INT, x INT) WITH ('connector' = 'filesystem', 'path' = 'a', 'format' = 'json');
CREATE TABLE b (id INT, y INT) WITH ('connector' = 'datagen');
CREATE TABLE rides (cell STRING, city STRING, price INT) WITH ('connector' = 'filesystem', 'path' = 'r', 'format' = 'json');
CREATE TABLE people (id INT, name STRING, city STRING) WITH ('connector' = 'filesystem', 'path' = 'p', 'format' = 'json');
CREATE TABLE clicks (user_id INT) WITH ('connector' = 'datagen');
CREATE TABLE nexmark_table (event_type INT) WITH ('connector' = 'nexmark');
CREATE TABLE json_files (k STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'j', 'format' = 'json');
CREATE TABLE by_city (city STRING, id INT, PRIMARY KEY (city) NOT ENFORCED)
  WITH ('connector' = 'upsert-kafka', 'topic' = 'c', 'key.format' = 'json', 'value.format' = 'json', 'properties.bootstrap.servers' = 'localhost:9092');
`

// noCheck are codes whose examples a text alone cannot show.
var noCheck = map[string]string{
	"SD1008": "a megabyte of text", "SD1009": "a hundred thousand words", "SD1010": "a sketch", "SD1011": "a sketch", "SD1016": "a hundred mistakes",
	"SD1017": "a sketch",
	"SD2011": "a statement of tests", "SD4010": "a sketch", "SD4013": "a sketch", "SD5010": "--until-idle",
}

// What docs/errors.md shows for a code is told with that code.
func TestErrorExamples(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile("(?ms)^### (SD[1-5]\\d{3}): [^\\n]*\\n(.*?)\\n```\\n(.*?)```")
	created := regexp.MustCompile(`(?i)^\s*CREATE TABLE (\w+) .*;\s*$`)
	dir, n := t.TempDir(), 0
	for _, m := range entry.FindAllStringSubmatch(string(b), -1) {
		code, text := m[1], m[3]
		if noCheck[code] != "" || strings.Contains(m[2], "\n### ") {
			continue
		}
		n++
		if !strings.Contains(strings.ToUpper(text), "CREATE TABLE") {
			text = errorTables + text
		} else if c := created.FindStringSubmatch(text); c != nil {
			text += fmt.Sprintf("SELECT * FROM %s;\n", c[1]) // tables are looked at when they are used
		}
		write(t, dir, code+".sql", text)
		if p := streamd(t, dir, nil, "check", code+".sql"); !strings.Contains(p.stdout.String(), "["+code+"]") {
			t.Errorf("the example of %s is told\n%s", code, p.stdout.String())
		}
	}
	if n < 45 {
		t.Errorf("only %d examples", n)
	}
}
