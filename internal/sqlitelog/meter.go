package sqlitelog

import "time"

// Meter is told of what the log does to the disk, for metrics. Its methods are called on the
// log's goroutines, one at a time each; they must not block and must not use the Log.
type Meter interface {
	// Committed is called after each transaction that was stored: how many changes it held,
	// none if it was a smaller thing, and how long it took, its sync included.
	Committed(changes int, took time.Duration)
	// CommitFailed is called when a transaction could not be stored.
	CommitFailed()
	// Synced is called after each sync of the disk, with how long it took: a part of every
	// transaction with SyncAlways, a thing of its own with SyncInterval.
	Synced(took time.Duration)
}

// silentMeter is the Meter of a log that has none.
type silentMeter struct{}

func (silentMeter) Committed(int, time.Duration) {}
func (silentMeter) CommitFailed()                {}
func (silentMeter) Synced(time.Duration)         {}
