// Package flink runs pipelines on a real Apache Flink beside streamd: to measure both on the same machine, and to compare
// their answers.
//
// Flink and what it needs come from Maven Central (pom.xml); our own part of it is in src: the generator of NEXMark events,
// which makes the same events as streamd's connector, a source that plays a script of rows and watermarks, and a sink that
// keeps a table's final rows. It takes java, javac and mvn:
//
//	cmd, err := flink.Command()            // errors.Is(err, flink.ErrMissing): skip
//	p := flink.Translate(file, options)    // the same text, other connectors
//	c, err := flink.Start()
//	tables, err := c.Run(p)
//
//	jars.go      fetches the jars, compiles the sources, both once
//	pipeline.go  a text of streamd for Flink
//	cluster.go   a Flink that runs pipelines one after the other
package flink
