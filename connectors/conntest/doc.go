// Package conntest checks that a connector keeps its contract. A connector's own
// test calls Source or Sink with a way to make one; both add portions, resumes,
// repeated deliveries and abandoned epochs themselves.
//
//	func TestConformance(t *testing.T) {
//		conntest.Source(t, conntest.SourceCase{Schema: schema, Open: open, Want: rows})
//	}
package conntest
