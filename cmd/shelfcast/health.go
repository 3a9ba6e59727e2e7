package main

import (
	"context"
	"errors"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live"
)

const (
	// healthInterval is how often the watcher looks, and how often it tries while writes fail.
	healthInterval = 250 * time.Millisecond
	// staleAfter is the age from which on what a node shows counts as old. A cluster that works dates
	// it anew about every half second.
	staleAfter = 2 * time.Second
)

// logHealth is what a log knows of itself without trying.
type logHealth interface {
	// Failing tells why changes are not stored now; nil if nothing speaks against it.
	Failing() error
	// Age is how old the newest state is, at most, that was read from the log.
	Age() time.Duration
	// Writable tries.
	Writable(ctx context.Context) error
}

// staleness is how old what this node shows is; 0: as new as can be.
func staleness(log logHealth) time.Duration {
	if age := log.Age(); age >= staleAfter {
		return age
	}
	return 0
}

// healthWatcher tells clients when their node cannot write, or shows what may be old, and when that
// is over. Its goroutine runs until close.
type healthWatcher struct {
	log  logHealth
	tell func(live.ServiceStatus)
	stop context.CancelFunc
	done chan struct{}
}

func watchHealth(log logHealth, tell func(live.ServiceStatus)) *healthWatcher {
	ctx, stop := context.WithCancel(context.Background())
	w := &healthWatcher{log: log, tell: tell, stop: stop, done: make(chan struct{})}
	go w.run(ctx)
	return w
}

func (w *healthWatcher) close() {
	w.stop()
	<-w.done
}

func (w *healthWatcher) run(ctx context.Context) {
	defer close(w.done)
	ticker := time.NewTicker(healthInterval)
	defer ticker.Stop()
	told := live.ServiceStatus{Writable: true}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := w.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if now.Writable != told.Writable || now.Detail != told.Detail || now.AsOf.IsZero() != told.AsOf.IsZero() {
			w.tell(now)
			told = now
		}
	}
}

// look tries to write only where that failed the last time: then perhaps nobody else does, and it is
// to be noticed that it works again.
func (w *healthWatcher) look(ctx context.Context) live.ServiceStatus {
	err := w.log.Failing()
	if err != nil {
		err = w.log.Writable(ctx)
	}
	status := live.ServiceStatus{Writable: err == nil}
	if known := (*catalog.Error)(nil); errors.As(err, &known) {
		status.Detail = known.Detail
	}
	if age := staleness(w.log); age > 0 {
		status.AsOf = time.Now().Add(-age)
	}
	return status
}
