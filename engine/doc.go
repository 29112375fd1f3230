// Package engine runs pipelines. It is also the embedding API: Open, RegisterFunc,
// RegisterSource, RegisterSink, Compile, Start, Wait, Stop. There is no state
// outside of an Engine, no listener, no os.Exit, no signal handler, nothing on
// stdout or stderr that was not asked for, and no goroutine after Close. A panic of
// a program's function is an error of its job.
//
// A job runs in incarnations: one from start or recovery to an end or a fault.
// In an incarnation W workers, each a goroutine with its own copy of the whole
// operator DAG, run in steps: all take a bounded amount of input, push it
// through by plain calls, meet to exchange rows by key and to agree on
// watermarks, and are quiet between steps. Epochs (checkpoints) are taken
// between steps, when nothing is in flight.
//
//	engine     Engine Options          open, compile, start
//	job        Job                     life of a job: incarnations, back-off, stop
//	gofunc     RegisterFunc            a Go function in SQL
//	gosource   RegisterSource Source   rows that a Go function gives
//	gosink     RegisterSink Delivery   rows that a Go function takes
//	panics     PanicError              what a program's function does wrong
//	graph      graph                   a plan laid out: stages, edges, exchanges
//	incarn     incarnation             one run: the driver's loop between steps
//	worker     worker                  one step on one worker
//	meeting    meeting                 where workers swap outboxes and agree
//	exchange   route                   rows to the worker that owns their key
//	source     tableSource split       reading, watermarks of splits
//	epoch      committer               prepare, decide, deliver, apply
//	journal    journal                 epochs in a state directory, or nowhere
//	live       restored                one incarnation from recovery to its close
//	recover    recovery                what a start finds and where it goes on
//	reject     RowError counts         rows that cannot go on, and the policies
//	letters    policy letterWriter     what becomes of them: dead letters
//	plan       Plan                    a compiled pipeline, and what is refused
//	stats      Stats                   what metrics, status line and logs show
//	pace       Pace                    how a test drives a job (package enginetest)
//	events     Events                  callbacks; metrics is a listener
package engine
