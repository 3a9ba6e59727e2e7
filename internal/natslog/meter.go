package natslog

import "time"

// Meter is told of what the log does in the cluster. Its methods must return at once, and are called
// from several goroutines.
type Meter interface {
	// Acknowledged: messages that were sent together are stored, so long after they were sent.
	Acknowledged(took time.Duration)
	// Conflicted: a write was refused, as another one of the same key came first.
	Conflicted()
	// Retried: a write that was not stored, for a passing reason, is sent again.
	Retried()
	// Filled: messages were read from the stream that had not come by themselves.
	Filled(messages int)
}

type silentMeter struct{}

func (silentMeter) Acknowledged(time.Duration) {}
func (silentMeter) Conflicted()                {}
func (silentMeter) Retried()                   {}
func (silentMeter) Filled(int)                 {}
