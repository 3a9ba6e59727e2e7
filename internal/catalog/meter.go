package catalog

import "time"

// Meter is told of the changes that commands store, for metrics. Its methods are called
// concurrently, must not block and must not use the Catalog.
type Meter interface {
	// ChangeStored is called once for each change that a command here stored: how long the
	// log took until it was durable, and how long from then until this node had applied it
	// and every observer had seen it.
	ChangeStored(appended, applied time.Duration)
	// AppendFailed is called when the log did not take a change; the code is that of the
	// error, CodeConflict when another node was faster.
	AppendFailed(code Code)
}

// silentMeter is the Meter of a catalogue that has none.
type silentMeter struct{}

func (silentMeter) ChangeStored(_, _ time.Duration) {}
func (silentMeter) AppendFailed(Code)               {}
