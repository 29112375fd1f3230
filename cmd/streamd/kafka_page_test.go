package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/kafka"
)

const kafkaPage = "../../docs/connectors/kafka.md"

// optionTable writes options as a page shows them; those of formats are left out, for they have their own place.
func optionTable(keys []connectors.OptionKey) string {
	var b, ignored strings.Builder
	b.WriteString("| option | default | meaning |\n|---|---|---|\n")
	for _, k := range keys {
		if f := strings.TrimPrefix(strings.TrimPrefix(k.Key, "key."), "value."); strings.HasPrefix(f, "json.") || strings.HasPrefix(f, "csv.") || strings.HasPrefix(f, "raw.") || strings.HasPrefix(f, "debezium-json.") {
			continue
		}
		if k.Ignored {
			fmt.Fprintf(&ignored, ", `%s`", k.Key)
			continue
		}
		def := "–"
		if k.Default != "" {
			def = "`" + k.Default + "`"
			if strings.Contains(k.Default, " of ") || strings.HasPrefix(k.Default, "of ") || strings.Contains(k.Default, "'") {
				def = k.Default
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Key, def, strings.ReplaceAll(k.Doc, "|", "\\|"))
	}
	if ignored.Len() > 0 {
		fmt.Fprintf(&b, "\nAccepted without effect: %s.\n", ignored.String()[2:])
	}
	return b.String()
}

// The tables of the page are what the code says.
func TestKafkaPage(t *testing.T) {
	page, err := os.ReadFile(kafkaPage)
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, table := range map[string]string{"options": optionTable(kafka.Kafka().Keys), "properties": optionTable(kafka.PropertyKeys)} {
		begin, end := "<!-- "+name+": written by make goldens -->\n", "<!-- end of "+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("the page has no place for %s", name)
		}
		text = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(kafkaPage, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(page) {
		t.Fatal("docs/connectors/kafka.md is not what the code says; run make goldens")
	}
}
