package windows

// Windows are laid out in panes: intervals of Pane() length that no window
// cuts. All times here are wall-clock times (see Clock).
//
//	HOP slide 4, size 10: panes of 2; pane [8,10) is in [0,10) [4,14) [8,18)

// NextEnd returns the least end, greater than after, of a window that holds the
// pane that starts at pane; ok is false when there is none.
func (s Spec) NextEnd(pane, after int64) (end int64, ok bool) {
	switch s.Kind {
	case Hop:
		// The last window that begins at or before the pane, then back.
		last := s.Floor(pane, s.Slide) + s.Size
		first := pane + s.Pane()
		if after >= first {
			first = after + 1
		}
		if last < first {
			return 0, false
		}
		return last - (last-first)/s.Slide*s.Slide, true
	case Cumulate:
		from := s.Floor(pane, s.Size)
		end = pane + s.Slide
		if after >= end {
			end = from + (after-from)/s.Slide*s.Slide + s.Slide
		}
		return end, end <= from+s.Size
	}
	end = pane + s.Size
	return end, end > after
}

// LastEnd returns the end of the last window that holds the pane.
func (s Spec) LastEnd(pane int64) int64 {
	switch s.Kind {
	case Hop:
		return s.Floor(pane, s.Slide) + s.Size
	case Cumulate:
		return s.Floor(pane, s.Size) + s.Size
	}
	return pane + s.Size
}

// Start returns where the window that ends at end begins.
func (s Spec) Start(end int64) int64 {
	if s.Kind == Cumulate {
		return s.Floor(end-1, s.Size)
	}
	return end - s.Size
}

// Panes writes the start of each row's pane to out, for the rows in sel of
// instants ts. out has as many entries as ts.
func (s Spec) Panes(c *Clock, ts []int64, sel []int32, out []int64) {
	unit := s.Pane()
	lo, hi := int64(0), int64(0) // instants of the pane of the row before, where the offset is constant
	pane := int64(0)
	for _, i := range sel {
		t := ts[i]
		if t < lo || t >= hi {
			l := c.Local(t)
			pane = s.Floor(l, unit)
			// The pane's instants, as far as the clock's offset holds.
			lo, hi = max(pane-c.off, c.from), min(pane-c.off+unit, c.to)
		}
		out[i] = pane
	}
}

// Rows lists the windows of each row: for row i of sel and each of its windows,
// in order of end, one entry in rows, start and end.
func (s Spec) Rows(c *Clock, ts []int64, sel []int32, rows []int32, start, end []int64) ([]int32, []int64, []int64) {
	unit := s.Pane()
	for _, i := range sel {
		pane := s.Floor(c.Local(ts[i]), unit)
		for e, ok := s.NextEnd(pane, pane); ok; e, ok = s.NextEnd(pane, e) {
			rows, start, end = append(rows, i), append(start, s.Start(e)), append(end, e)
		}
	}
	return rows, start, end
}
