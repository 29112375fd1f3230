// Package killtest holds the exactly-once test: the real binary under kill -9 at
// named points and random times, zombies, broker faults and broker kills, on an
// in-process broker and on a real Apache Kafka.
//
// The pipeline under attack reads records (k, n, kind, ts), where n counts the
// records of key k from 1 without a gap and ts rises, from a topic in which a
// fifth of the transactions abort, and beside it a topic with one record for every
// eighth of them. It writes all of these at once:
//
//	loud      kafka, append               the records of kind 0 as they are
//	both      kafka, append               even and odd n of kind 0 by two INSERTs; a second table onto the topic: kind 1
//	totals    upsert-kafka                COUNT(*) by key over kind 0
//	tallies   upsert-kafka                the same from GROUP BY k, kind: the sink materialises its key
//	changes   kafka, debezium-json        the changelog of the same count
//	joined    kafka, append               the join of both topics
//	windows   kafka, append               COUNT, MIN and MAX by key and window of event time
//	files     filesystem, debezium-json   the changelog of the count over kinds 0 and 1
//	shelf     filesystem, append          some rows by two INSERTs; a second table onto the directory
//	racks     filesystem, PARTITIONED BY  every fifth row of kinds 0 and 1
//	quotients blackhole                   100 / MOD(n, 7) of kinds 0 and 1, which fails for every seventh
//
// Some records of both topics are broken. Those of the first, and its rows that
// fail, are dead letters in a topic, those of the second in files.
//
// Records of kind 2 change state only (an aggregate that shows nothing), so that
// epochs with rows, with rows for followers only and with none alternate. Every
// start draws 1 to 3 workers and an epoch interval of 10 ms, 100 ms or 1 s.
//
// What must hold at the end: append sinks have every row once, those of one INSERT
// and key in order; totals and tallies rise strictly and end at the truth; the
// changes and files of each key form one unbroken chain (every -old is the +new
// before it) that ends at the truth; every pair and every window is there once, every
// dead letter as well.
// That finds a loss, a double, disorder, and any skew between state, offsets and
// output.
package killtest
