package logs

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// maxWaiting bounds the lines that wait to be written, in bytes.
const maxWaiting = 8 << 20

// queue is a writer that never waits: a goroutine of its own hands on what was written, as much at
// once as there is. What does not fit is dropped and counted, because a log that nobody reads must
// not stop events. The goroutine ends in close; mu is a leaf.
type queue struct {
	out     io.Writer
	notices *slog.Logger // writes to out directly
	dropped atomic.Uint64

	mu      sync.Mutex // guards waiting and closed
	waiting []byte
	closed  bool

	filled chan struct{} // holds one: there is something to write, or the end
	done   chan struct{}
}

func newQueue(out io.Writer, notices *slog.Logger) *queue {
	q := &queue{out: out, notices: notices, filled: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write takes a copy of one or more lines, all or none. It never fails: nobody looks at the errors
// of a log.
func (q *queue) Write(lines []byte) (int, error) {
	q.mu.Lock()
	fits := !q.closed && len(q.waiting)+len(lines) <= maxWaiting
	if fits {
		q.waiting = append(q.waiting, lines...)
	}
	q.mu.Unlock()
	if !fits {
		q.dropped.Add(1)
		return len(lines), nil
	}
	q.signal()
	return len(lines), nil
}

func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

func (q *queue) run() {
	defer close(q.done)
	var batch []byte
	told := uint64(0)
	for range q.filled {
		q.mu.Lock()
		batch, q.waiting = q.waiting, batch[:0]
		closed := q.closed
		q.mu.Unlock()
		if len(batch) > 0 {
			if n, err := q.out.Write(batch); err != nil {
				q.dropped.Add(uint64(bytes.Count(batch[n:], []byte{'\n'})))
			}
		}
		if lost := q.dropped.Load(); lost > told && !closed {
			q.notices.Warn("log lines were dropped, because they could not be written, or not as fast as they came", "lines", lost-told)
			told = lost
		}
		if closed {
			return
		}
		if cap(batch) > maxWaiting/8 {
			batch = nil
		}
	}
}

var errUnread = errors.New("nobody takes the log's lines")

// close waits until what waits is written, but not longer than a time.
func (q *queue) close(patience time.Duration) error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-q.done:
		return nil
	case <-timer.C:
		return errUnread
	}
}
