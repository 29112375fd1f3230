// Package nexmark is the source of the NEXMark benchmark: an auction site's
// persons, auctions and bids, as Flink's connector 'nexmark' makes them.
//
//	CREATE TABLE nexmark (event_type INT, person ROW<…>, auction ROW<…>, bid ROW<…>)
//	WITH ('connector' = 'nexmark', 'events.num' = '1000000');
//
// Event number n decides everything about its event: its type, its time
// (base-time + n / first-event.rate) and, through a hash of n, every random
// draw. So any split of the numbers over workers gives the same events, a
// position is one number, and only the columns that are read are computed.
//
//	options    the connector's WITH options
//	nexmark    Connector, source and reader
//	layout     the table's columns, matched by name
//	events     columns from event numbers
//	draws      random numbers as functions of event numbers
//	strings    the strings of an event, as views
//	text       arenas of strings into which views point
package nexmark
