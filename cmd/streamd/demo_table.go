package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamd/streamd/engine"
)

// table shows topic surge as a consumer of committed records sees it: a picture
// of the newest row of each cell on a terminal, JSON lines elsewhere.
type table struct {
	out    io.Writer
	live   bool
	broker string
	file   string
	note   string // what was found of an earlier run, or ""
	state  string // --state, or ""
	job    func() *engine.Job
	rows   map[string]surgeRow
	count  int64
	drawn  bool
}

// follow reads until ctx ends. Without a terminal only rows are shown that are
// committed from now on.
func (t *table) follow(ctx context.Context, addr string) error {
	t.rows = map[string]surgeRow{}
	from := kgo.NewOffset().AtStart()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeTopics(topicSurge), kgo.ConsumeResetOffset(from), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	ends, err := endOffsets(ctx, cl, topicSurge)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		pctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		fs := cl.PollFetches(pctx)
		cancel()
		fs.EachRecord(func(r *kgo.Record) { t.add(r, ends[topicSurge][r.Partition]) })
		if t.live && ctx.Err() == nil {
			wide, high := size(t.out)
			t.draw(time.Now(), wide, high)
		}
	}
	return nil
}

func (t *table) add(r *kgo.Record, old int64) {
	t.count++
	if !t.live {
		if r.Offset >= old {
			_, _ = t.out.Write(append(slices.Clip(r.Value), '\n'))
		}
		return
	}
	var row surgeRow
	if json.Unmarshal(r.Value, &row) == nil && row.AsOf >= t.rows[row.Cell].AsOf {
		t.rows[row.Cell] = row
	}
}

// draw paints the whole picture over the last one, in wide columns and high lines.
func (t *table) draw(now time.Time, wide, high int) {
	var b strings.Builder
	if !t.drawn {
		b.WriteString("\x1b[2J")
		t.drawn = true
	}
	b.WriteString("\x1b[H")
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\x1b[K\n", args...) }
	text := func(format string, args ...any) { line("%s", clip(fmt.Sprintf(format, args...), wide)) }
	line("\x1b[1mstreamd demo: surge pricing\x1b[0m  %s UTC", now.UTC().Format("15:04:05"))
	text("demo broker %s: topics %s, %s -> %s", t.broker, topicRides, topicPings, topicSurge)
	text("pipeline %s", t.file)
	if t.note != "" {
		text("%s", t.note)
	}
	line("")
	line("\x1b[4m%-10s %9s %9s  %-10s %s\x1b[0m", "cell", "requests", "drivers", "as of", "price")
	shown := max(1, min(len(cells), high-10))
	for _, c := range cells[:shown] {
		r, ok := t.rows[c]
		if !ok {
			line("%-10s %9s %9s  %-10s", c, "…", "…", "")
			continue
		}
		line("%-10s %9d %9d  %-10s %s×%.1f %s\x1b[0m", c, r.Requests, r.Drivers, r.end().Format("15:04:05"), colour(r.Multiplier), r.Multiplier, bar(r.Multiplier, wide-49))
	}
	line("")
	if j := t.job(); j != nil {
		s := j.Stats()
		state, why := j.State()
		text("%s%s · %d records read since the start · %d results committed", state, ifSet(": ", clip(why, 60), ""), s.RowsIn, t.count)
	} else {
		line("starting")
	}
	if t.state == "" {
		text("Ctrl-C ends it; with --state DIR it goes on, also after kill -9")
	} else {
		text("Ctrl-C ends it, kill -9 may, too; the same command goes on from there")
	}
	b.WriteString("\x1b[J")
	_, _ = io.WriteString(t.out, b.String())
}

// bar is one block for each 0.1 above 1, at most most.
func bar(x float64, most int) string {
	return strings.Repeat("▇", max(0, min(20, most, int(x*10+0.5)-10)))
}

func colour(x float64) string {
	switch {
	case x >= 2:
		return "\x1b[31m"
	case x > 1:
		return "\x1b[33m"
	}
	return "\x1b[32m"
}
