package cluster

import (
	"log/slog"
	"sync/atomic"
)

// Stats counts the messages of an Adapter since New.
type Stats struct {
	Sent     uint64 // handed to the Bus
	Received uint64 // from other servers
	Lost     uint64 // answers, heartbeats and the like that the Bus did not take
	Ignored  uint64 // not of this cluster's version, malformed, or impossible to carry out
}

// Stats returns the counts. They go on after Close.
func (a *Adapter) Stats() Stats {
	return Stats{Sent: a.sent.Load(), Received: a.received.Load(), Lost: a.lost.Load(), Ignored: a.ignored.Load()}
}

// faults are what went wrong since the last report, and the last error of them.
type faults struct {
	count int
	last  error
}

// fault counts what nobody is told of. Reports are as frequent as heartbeats, lest
// a stream of bad messages becomes one of log lines.
func (a *Adapter) fault(counter *atomic.Uint64, err error) {
	counter.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = faults{a.faults.count + 1, err}
}

func (a *Adapter) reportFaults() {
	a.mu.Lock()
	f := a.faults
	a.faults = faults{}
	a.mu.Unlock()
	if f.count > 0 {
		a.log.Warn("messages of the cluster were lost or ignored", slog.Int("count", f.count), slog.Any("last", f.last))
	}
}
