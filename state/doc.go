// Package state keeps what operators remember: keyed tables in memory, a redo
// log of what each epoch changed, and a base under it.
//
// An operator keeps state only here and has no code to save or restore it. While
// a worker builds its operators each asks for its tables; between two steps the
// rows changed since the last epoch are packed and written elsewhere.
//
//	w := state.NewMem(0, 1)
//	t := w.Table(state.Spec{Op: "agg", Layout: "count(k)", Version: 1,
//		Key: []batch.Type{batch.TypeBigInt}, Val: []batch.Type{batch.TypeBigInt}})
//	ids := make([]batch.RowID, n)
//	batch.HashRows(key, nil, n, hash)
//	t.Rows(key, hash, hash, nil, n, ids)  // find or insert; new rows have zero values
//	for _, id := range ids {
//		p, slot := t.At(id)
//		p.Cols[1].I[slot]++           // columns: the keys, then the values
//		p.Touch(batch.RowID(slot))    // or t.Touch(id)
//	}
//	w.Pack()                              // between steps
//
// In memory:
//
//	worker   Worker Spec     one worker's tables
//	table    Table           rows in pages, found by key
//	probe    Rows Find       the batch loops
//	index                    open addressing, one small index a shard
//	cell     SetFrom         cells of pages, arenas of strings and lists
//	group                    the rows with equal first key columns, for Multi and Ordered
//	multi    Multi           rows grouped by a prefix of the key
//	ordered  Ordered         rows grouped and ordered: rank, select, neighbours
//	buckets  Buckets         rows by a time column, for firing and dropping
//	ages     Ages            rows by a time column, for dropping alone: coarse and cheap
//
// Multi, Ordered, Buckets and Ages are derived: never stored, rebuilt when made over a
// table that was loaded. The operator tells them of each row: Insert after Rows
// reported it fresh (and its columns are set), Remove before Delete.
//
// On disk:
//
//	dir      Meta            LOCK, meta.json, leftovers, room on the disk
//	decide   Facts Verdict   which epoch is the last decided one: a pure function
//	refused  Refused Codes   findings at which a job must not go on
//	store    Store           a state directory: open, recover, load, apply, close
//	epoch    Epoch           one epoch on its way: Begin … Prepare, Decided
//	pack     Pack Chunk      changed rows, copied between steps, and back into tables
//	record   Def             chunks as bytes
//	delta    Delta           the redo log's files
//	applier                  the goroutine that applies, trims, and waits for room
//	seek                     single records of a delta, by place
//	apply merge              decided deltas merged into the base, page by page
//	base tables              the base: Badger, and its tables checked before Badger opens them
//	pagefile                 the files with the base's pages
//	ephemeral                jobs without a directory
//
// Nothing undecided reaches the base, nothing decided is only in memory: a delta
// is durable before its epoch is decided, and stays until the base has it, the
// followers have their rows, and eight more have been applied.
package state
