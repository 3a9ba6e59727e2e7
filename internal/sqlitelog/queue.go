package sqlitelog

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Bounds of the changes that wait for the committer, and of one transaction.
const (
	maxWaitingCount = 4096
	maxWaitingBytes = 16 << 20
	maxBatchCount   = 1024
	maxBatchBytes   = 4 << 20
)

// ErrClosed is the cause of the errors that a closed log returns.
var ErrClosed = errors.New("the log is closed")

// request is one Append or AppendAll, or something smaller, on its way through the committer.
type request struct {
	write catalog.Write
	// series, if there is one, is stored instead of the write, all or none.
	series []catalog.Write
	// other, if there is one, is done instead of the write. Its errors are those of writer.store.
	other func(*writer, time.Time) error
	size  int // bytes of memory, about

	outcome chan outcome // holds one
}

type outcome struct {
	sequence catalog.Sequence
	err      error
}

func newRequest(w catalog.Write) *request {
	return &request{write: w, size: sizeOf(&w), outcome: make(chan outcome, 1)}
}

// newSeries makes a request for an AppendAll.
func newSeries(writes []catalog.Write) (*request, error) {
	if err := catalog.ValidateSeries(writes); err != nil {
		return nil, err
	}
	size := 0
	for i := range writes {
		size += sizeOf(&writes[i])
	}
	return &request{series: writes, size: size, outcome: make(chan outcome, 1)}, nil
}

// sizeOf estimates the memory that a write takes, in bytes.
func sizeOf(w *catalog.Write) int {
	size := 256 + len(w.Change.UserID)
	if book := w.Change.Book; book != nil {
		size += len(book.Title) + len(book.Author)
		for _, userID := range book.Favorites {
			size += len(userID) + 16
		}
	}
	if w.Claim != nil {
		size += 1024 // its answer shows the book again
	}
	return size
}

// newOther makes a request for something that is no change.
func newOther(size int, do func(*writer, time.Time) error) *request {
	return &request{other: do, size: size, outcome: make(chan outcome, 1)}
}

// queue holds the requests that wait for the committer, in order of arrival. Its lock is a
// leaf.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	bytes   int
	closed  bool
	filled  chan struct{} // holds one: there may be something to take
	room    chan struct{} // closed and replaced when there is room again
}

func newQueue() *queue {
	return &queue{filled: make(chan struct{}, 1), room: make(chan struct{})}
}

// put waits for room as long as ctx allows.
func (q *queue) put(ctx context.Context, r *request) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return ErrClosed
		}
		// One request may be larger than the bound: alone it is let in.
		if len(q.waiting) == 0 || (len(q.waiting) < maxWaitingCount && q.bytes+r.size <= maxWaitingBytes) {
			q.waiting = append(q.waiting, r)
			q.bytes += r.size
			q.mu.Unlock()
			q.signal()
			return nil
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
		}
	}
}

func (q *queue) signal() {
	select {
	case q.filled <- struct{}{}:
	default:
	}
}

// withdraw takes a request back; false if the committer has it already.
func (q *queue) withdraw(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, r)
	if at < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, at, at+1)
	q.bytes -= r.size
	q.makeRoomLocked()
	return true
}

// take waits for requests and gives as many as fit into one transaction; none once the
// queue is closed and empty.
func (q *queue) take() []*request {
	for {
		q.mu.Lock()
		if count := q.batchLocked(); count > 0 {
			batch := slices.Clone(q.waiting[:count])
			q.waiting = slices.Delete(q.waiting, 0, count)
			for _, r := range batch {
				q.bytes -= r.size
			}
			q.makeRoomLocked()
			q.mu.Unlock()
			return batch
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return nil
		}
		<-q.filled
	}
}

// batchLocked counts the requests of the next transaction.
func (q *queue) batchLocked() int {
	count, bytes := 0, 0
	for count < len(q.waiting) && count < maxBatchCount {
		bytes += q.waiting[count].size
		if count > 0 && bytes > maxBatchBytes {
			break
		}
		count++
	}
	return count
}

func (q *queue) makeRoomLocked() {
	close(q.room)
	q.room = make(chan struct{})
}

// close lets no more requests in; those inside are still taken.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.makeRoomLocked()
	q.mu.Unlock()
	q.signal()
}
