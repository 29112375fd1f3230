// Package kafka connects streamd to Apache Kafka: the connectors kafka and
// upsert-kafka, and the Decider, by whose transactions a job's epochs are
// decided.
//
//	decider    Decider            one transaction an epoch: rows and marker, all or nothing
//	claim      Claim Look Newer   who owns the job, and what was decided last
//	control    control topic      its configuration, markers and claims
//	gate       gate               keeps rows of two epochs out of one transaction
//	source     source             partitions as splits, discovery, ends
//	start      startOf endOf      start-up and bounded modes
//	check      Check              topics that were replaced, records that are gone
//	fetch      fetcher            one client a source, bounded memory
//	buffer     buffer slab        what was fetched and not yet decoded
//	reader     reader rowReader   records into rows; rows metadata
//	sink       sink               rows into the epoch's transaction
//	writer     rowWriter          rows into records; partition murmur2
//	wire       wire               how much a fetch may bring, by how well records compress
//	group      groupOffsets       tells a consumer group how far the job has read
//	options    table              WITH options; properties the Java client's; security TLS and SASL
//	client     Cluster            settings that all clients share
//	access     access             why a cluster does not let a client in, and what to do
//	reach      reach              says which broker cannot be reached
//
// A decider by hand, as the engine drives it:
//
//	d := kafka.NewDecider(kafka.DeciderConfig{Cluster: c, Instance: "default", Job: "surge"})
//	claim, last, err := d.Claim(ctx, 0)   // older incarnations are fenced now
//	… sinks produce …
//	at, err := d.Decide(ctx, marker)      // committed, or the incarnation is over
package kafka
