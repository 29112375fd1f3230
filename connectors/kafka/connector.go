package kafka

import (
	"time"

	"github.com/streamd/streamd/connectors"
)

// Kafka returns the connector 'kafka'.
func Kafka() *connectors.Connector {
	return &connectors.Connector{
		Name: "kafka", Doc: "reads and writes Kafka topics, exactly once", Keys: keys(false),
		Source: func(def *connectors.TableDef) (connectors.Source, error) { return newSource(def, false) },
		Sink:   func(def *connectors.TableDef) (connectors.Sink, error) { return newSink(def, false) },
	}
}

// UpsertKafka returns the connector 'upsert-kafka'.
func UpsertKafka() *connectors.Connector {
	return &connectors.Connector{
		Name: "upsert-kafka", Doc: "reads and writes a Kafka topic as a table by key: a record sets its key's row, one without a value deletes it", Keys: keys(true),
		Source: func(def *connectors.TableDef) (connectors.Source, error) { return newSource(def, true) },
		Sink:   func(def *connectors.TableDef) (connectors.Sink, error) { return newSink(def, true) },
	}
}

// sharedDecider returns the job's decider on a cluster. All tables of the cluster share it, so that their rows are
// committed together. A SET behind the CREATE TABLE still counts: the job is read at the decider's first use. It logs in
// as a sink does where there is one: a source's user may have no right to write.
func sharedDecider(def *connectors.TableDef, c Cluster, sink bool) *Decider {
	j := def.Job
	d := j.Shared("kafka/decider/"+c.key(), func() any {
		d := NewDecider(DeciderConfig{Cluster: c, Notice: j.Notice, Interval: func() time.Duration { return j.Interval }})
		d.settle = func(cfg *DeciderConfig) { cfg.Instance, cfg.Job, cfg.Ephemeral = j.Instance, j.Name, j.Ephemeral }
		return d
	}).(*Decider)
	if sink {
		d.cfg.Cluster = c
	}
	return d
}
