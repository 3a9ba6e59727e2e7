package catalog

import (
	"context"
	"slices"
	"sync"
)

// maxLaneLength is how many commands may wait for one key before more are turned away.
const maxLaneLength = 1024

// key names one key of the log: a book, or with a user the user's favourite of it.
type key struct {
	bookID int64
	userID string
}

// lanes let the commands of this node that are about the same key go one after the other, in
// the order in which they came. Without them, many writers of one book would spend their
// time losing the compare-and-set to each other. Its lock is a leaf.
type lanes[K comparable] struct {
	mu   sync.Mutex
	busy map[K][]chan struct{} // who waits behind the command that has the lane
}

// enter waits for the key's lane. The caller must leave it.
// Errors: CodeTooManyRequests when too many wait already, CodeUnavailable when ctx ends.
func (l *lanes[K]) enter(ctx context.Context, k K) error {
	l.mu.Lock()
	waiting, taken := l.busy[k]
	if !taken {
		if l.busy == nil {
			l.busy = make(map[K][]chan struct{})
		}
		l.busy[k] = nil
		l.mu.Unlock()
		return nil
	}
	if len(waiting) >= maxLaneLength {
		l.mu.Unlock()
		return &Error{Code: CodeTooManyRequests, Text: textTooManyWriters}
	}
	turn := make(chan struct{})
	l.busy[k] = append(waiting, turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	at := slices.Index(l.busy[k], turn)
	if at >= 0 {
		l.busy[k] = slices.Delete(l.busy[k], at, at+1)
	}
	l.mu.Unlock()
	if at < 0 {
		l.leave(k) // the turn came at the same time: pass it on
	}
	return Unavailable(context.Cause(ctx))
}

// leave gives the lane to the command that has waited longest.
func (l *lanes[K]) leave(k K) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.busy[k]
	if len(waiting) == 0 {
		delete(l.busy, k)
		return
	}
	close(waiting[0])
	l.busy[k] = slices.Delete(waiting, 0, 1)
}
