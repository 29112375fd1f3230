package main

import (
	"github.com/streamd/streamd/connectors"
	"github.com/streamd/streamd/connectors/blackhole"
	"github.com/streamd/streamd/connectors/datagen"
	"github.com/streamd/streamd/connectors/file"
	"github.com/streamd/streamd/connectors/kafka"
	"github.com/streamd/streamd/connectors/nexmark"
	"github.com/streamd/streamd/connectors/print"
)

// catalog lists the connectors of this binary, by name.
func catalog() []*connectors.Connector {
	return []*connectors.Connector{
		blackhole.Connector(),
		datagen.Connector(),
		file.Connector(),
		kafka.Kafka(),
		nexmark.Connector(),
		print.Connector(),
		kafka.UpsertKafka(),
	}
}
