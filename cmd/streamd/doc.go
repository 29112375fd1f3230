// Command streamd runs streaming SQL pipelines.
//
//	main        the command tree and exit codes
//	catalog     which connectors this binary has
//	run         streamd run: one pipeline in the foreground
//	signals     interrupts, and a stdout that its reader closed
//	listen      --listen: metrics, health, profiles
//	status      the status line of a terminal
//	report      diagnostics and failures as users see them
//	codes       which code a refusal of recovery has
//	memory      limits of the garbage collector
//	check       streamd check
//	explain     streamd explain
//	dev         streamd dev: run again at every save
//	dev_views   what it shows
//	test        streamd test
//	fmt         streamd fmt
//	errors      streamd errors
//	connectors  streamd connectors, streamd functions
//	version     streamd version
//	demo        streamd demo: broker, riders, table
package main
