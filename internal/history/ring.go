package history

import "math"

// ring keeps the rows of the latest steps of time. A row's place follows from its time, so a clock
// that is set back overwrites, and time without rows is a gap. It belongs to Recorder.mu.
type ring struct {
	rows []row
}

// row is all series at one step.
type row struct {
	at     int64 // number of the step since 1970; 0: nothing was kept here
	values []float32
}

func newRing(steps int) *ring { return &ring{rows: make([]row, steps)} }

func (r *ring) put(at int64, values []float32) {
	r.rows[at%int64(len(r.rows))] = row{at: at, values: values}
}

// value is one series at one step; NaN for a gap.
func (r *ring) value(at int64, series int) float32 {
	if at > 0 {
		if row := &r.rows[at%int64(len(r.rows))]; row.at == at {
			return row.values[series]
		}
	}
	return float32(math.NaN())
}
