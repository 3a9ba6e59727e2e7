package catalog

import (
	"context"
	"slices"
	"sync"
)

// waiters let commands wait until the change that they appended has been applied and
// observed. Its lock is a leaf: nothing else is locked while it is held.
type waiters struct {
	mu       sync.Mutex
	reached  Sequence  // everything up to here has been applied and observed
	stopped  error     // not nil: nothing more will be
	sleeping []*waiter // by sequence
}

type waiter struct {
	sequence Sequence
	woken    chan error // holds one
}

// wait returns nil once sequence is reached, and an error with CodeUnavailable when ctx ends
// or nothing more will be applied.
func (w *waiters) wait(ctx context.Context, sequence Sequence) error {
	w.mu.Lock()
	if w.reached >= sequence || w.stopped != nil {
		defer w.mu.Unlock()
		if w.reached >= sequence {
			return nil
		}
		return w.stopped
	}
	self := &waiter{sequence, make(chan error, 1)}
	// Appended changes are applied in order, so a new waiter's place is near the end.
	at := len(w.sleeping)
	for at > 0 && w.sleeping[at-1].sequence > sequence {
		at--
	}
	w.sleeping = slices.Insert(w.sleeping, at, self)
	w.mu.Unlock()

	select {
	case err := <-self.woken:
		return err
	case <-ctx.Done():
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := slices.Index(w.sleeping, self); at >= 0 {
		w.sleeping = slices.Delete(w.sleeping, at, at+1)
		return Unavailable(context.Cause(ctx))
	}
	return <-self.woken // it was woken at the same time, which is the better answer
}

// reach wakes everybody who waits for sequence or less.
func (w *waiters) reach(sequence Sequence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached = sequence
	count := 0
	for count < len(w.sleeping) && w.sleeping[count].sequence <= sequence {
		w.sleeping[count].woken <- nil
		count++
	}
	w.sleeping = slices.Delete(w.sleeping, 0, count)
}

// stop fails everybody who waits or comes later.
func (w *waiters) stop(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = err
	for _, sleeper := range w.sleeping {
		sleeper.woken <- err
	}
	w.sleeping = nil
}

// ended gives the error of stop, nil before.
func (w *waiters) ended() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stopped
}
