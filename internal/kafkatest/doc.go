// Package kafkatest gives tests a Kafka broker: kfake inside the test's own process, or a real Apache Kafka started as
// a child process from jars that Maven Central serves.
//
// The two differ where exactly-once lives: kfake makes a transaction visible before it answers EndTxn, a real broker
// does so some time later. A test about transactions therefore runs on both:
//
//	func TestMain(m *testing.M) { os.Exit(kafkatest.Main(m)) }
//
//	func TestSomething(t *testing.T) {
//		kafkatest.Each(t, func(t *testing.T, b *kafkatest.Broker) {
//			topic := kafkatest.CreateTopic(t, b, "in", 4, nil)
//			…
//		})
//	}
//
// A real broker needs java and mvn. Where they are missing the test is skipped with the reason; with
// STREAMD_TEST_REQUIRE=all in the environment it fails instead. STREAMD_TEST_KAFKA chooses the version.
package kafkatest
