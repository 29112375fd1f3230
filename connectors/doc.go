// Package connectors defines how rows enter and leave: Connector, Source and
// Reader, Sink and Writer, Follower, Decider. Each implementation is a folder
// of its own and is passed to the engine as a value; the engine imports none.
//
//	connector  Connector TableDef          what CREATE TABLE ... WITH names
//	options    Options OptionError         WITH options, decoded into tagged structs
//	source     Source Split Reader         rows that enter
//	sink       Sink Writer Sealed Follower rows that leave
//	decider    Decider Claim Marker        the Kafka cluster whose word is the truth
//	job        Job                         what all connectors of one job share
//	hidden     Hidden Origin               the columns $pos and $raw
//	letter     Letter                      dead letters, in a topic and in files
//	pad        Pad                         zeros for the columns that nobody reads
package connectors
