package natslog

import (
	"context"
	"sync"
)

// window bounds what is under way, by count and by bytes. Its lock is a leaf.
type window struct {
	maxCount, maxBytes int

	mu     sync.Mutex
	count  int
	bytes  int
	closed bool
	room   chan struct{} // closed and replaced when somebody leaves
}

func newWindow(maxCount, maxBytes int) *window {
	return &window{maxCount: maxCount, maxBytes: maxBytes, room: make(chan struct{})}
}

// enter waits for room as long as ctx allows. One that is larger than the bound is let in alone.
func (w *window) enter(ctx context.Context, size int) error {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return ErrClosed
		}
		if w.count == 0 || w.count < w.maxCount && w.bytes+size <= w.maxBytes {
			w.count++
			w.bytes += size
			w.mu.Unlock()
			return nil
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (w *window) leave(size int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count--
	w.bytes -= size
	w.wakeLocked()
}

func (w *window) wakeLocked() {
	close(w.room)
	w.room = make(chan struct{})
}

// close lets nobody in any more and waits for those inside, who stay for a bounded time.
func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.wakeLocked()
	for w.count > 0 {
		room := w.room
		w.mu.Unlock()
		<-room
		w.mu.Lock()
	}
}
