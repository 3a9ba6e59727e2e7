package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// committer is the only writer of the database. Its goroutine, started by Open and ended by
// Close, takes all requests that wait into one transaction, so that one sync of the disk
// serves them all, and answers them after the commit.
type committer struct {
	writer *writer
	queue  *queue
	recent *recent
	pruner *pruner
	now    func() time.Time
	meter  Meter
	syncs  bool // a commit syncs the disk
	// beforeCommit, in interval mode, fails while the last sync has failed. nil otherwise.
	beforeCommit func() error

	last catalog.Sequence // the newest committed change

	mu          sync.Mutex // guards what follows; a leaf
	committedAt time.Time  // when a commit last succeeded, if none failed since
	failure     error      // of the last commit; nil if it succeeded

	done chan struct{} // closed when the goroutine has ended
}

func (c *committer) run() {
	defer close(c.done)
	for {
		batch := c.queue.take()
		if batch == nil {
			return
		}
		c.commit(batch)
	}
}

// commit stores a batch, answers its requests and lets the tails know.
func (c *committer) commit(requests []*request) {
	outcomes := make([]outcome, len(requests))
	begun := time.Now()
	stored, err := c.transact(requests, outcomes)
	c.note(err)
	if err == nil {
		c.meter.Committed(len(stored.changes), time.Since(begun))
	} else {
		c.meter.CommitFailed()
	}
	if err != nil && len(requests) > 1 && !isUnavailable(err) {
		// One of them cannot be stored. Alone, it fails alone.
		for _, r := range requests {
			c.commit([]*request{r})
		}
		return
	}
	if err != nil {
		for i := range outcomes {
			outcomes[i] = outcome{err: refused(err)}
		}
	} else if len(stored.changes) > 0 {
		c.last = stored.last()
		c.recent.add(stored)
	}
	for i, r := range requests {
		r.outcome <- outcomes[i]
	}
}

// transact stores the requests in one transaction. Without an error, the outcomes are
// filled in and what was stored is durable; with one, nothing is stored.
func (c *committer) transact(requests []*request, outcomes []outcome) (stored batch, err error) {
	if c.beforeCommit != nil {
		if err := c.beforeCommit(); err != nil {
			return batch{}, err
		}
	}
	if err := run(c.writer.begin); err != nil {
		return batch{}, fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.writer.endTransaction())
		}
	}()
	next, now := c.last+1, c.now()
	for i, r := range requests {
		var changes []catalog.Change
		switch {
		case r.other != nil:
			err = r.other(c.writer, now)
		case r.series != nil:
			changes, err = c.writer.storeSeries(r.series, next)
		default:
			changes = []catalog.Change{r.write.Change.Stored(next)}
			err = c.writer.storeClaimed(&changes[0], &r.write, now)
		}
		if refused := new(catalog.Error); errors.As(err, &refused) {
			outcomes[i].err = err
			continue
		}
		if err != nil {
			return batch{}, fmt.Errorf("store: %w", err)
		}
		if len(changes) == 0 {
			continue
		}
		next += catalog.Sequence(len(changes))
		outcomes[i].sequence = next - 1
		stored.changes = append(stored.changes, changes...)
		stored.bytes += r.size
	}
	horizon, err := c.pruner.prune(c.writer, now, next-1)
	if err != nil {
		return batch{}, fmt.Errorf("prune: %w", err)
	}
	begun := time.Now()
	if err := run(c.writer.commit); err != nil {
		return batch{}, fmt.Errorf("commit: %w", err)
	}
	if c.syncs {
		c.meter.Synced(time.Since(begun))
	}
	c.pruner.reached(horizon)
	return stored, nil
}

func (c *committer) note(failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.committedAt, c.failure = time.Time{}, failure
	if failure == nil {
		c.committedAt = time.Now()
	}
}

// failing gives why the last commit failed because of the machine; nil if it did not.
func (c *committer) failing() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure == nil || !isUnavailable(c.failure) {
		return nil
	}
	return refused(c.failure)
}

// committedWithin reports whether the last commit succeeded, and not long ago.
func (c *committer) committedWithin(d time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.committedAt.IsZero() && time.Since(c.committedAt) < d
}

// submit hands a request to the committer and waits for its outcome. When ctx ends first,
// the request is withdrawn; if it is being committed already, the outcome is waited for, as
// a commit takes milliseconds and its result is worth knowing.
func (c *committer) submit(ctx context.Context, r *request) (catalog.Sequence, error) {
	if err := c.queue.put(ctx, r); err != nil {
		return 0, catalog.Unavailable(err)
	}
	select {
	case o := <-r.outcome:
		return o.sequence, o.err
	case <-ctx.Done():
	}
	if c.queue.withdraw(r) {
		return 0, catalog.Unavailable(context.Cause(ctx))
	}
	o := <-r.outcome
	return o.sequence, o.err
}

// isUnavailable tells failures of the machine, which hit every request alike, from those of
// one statement.
func isUnavailable(err error) bool {
	if errors.Is(err, errSyncFailed) {
		return true
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultNoMem,
		sqlite.ResultReadOnly, sqlite.ResultCantOpen, sqlite.ResultCorrupt, sqlite.ResultNotADB, sqlite.ResultProtocol:
		return true
	}
	return false
}
