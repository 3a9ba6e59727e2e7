package catalog

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// maxAttempts bounds how often one command loses the compare-and-set to other nodes
	// before it gives up; commands of this node take turns (lanes) and do not count.
	maxAttempts = 64
	// conflictPause is how long a command waits for news of a conflict whose winner the log
	// could not name.
	conflictPause = 50 * time.Millisecond
)

// state is what a command decides from.
type state struct {
	record   *record  // the live book; nil if there is none
	sequence Sequence // last of the key that the command changes; 0: never written, or forgotten
	first    Sequence // of the change that created the id's earliest life; 0 without a book
	favorite bool     // whether the user has the favourite; false for a book's key
}

// state reads what the projection knows about a key.
func (c *Catalog) state(k key) state {
	c.mu.RLock()
	defer c.mu.RUnlock()
	e := c.projection.entries[k.bookID]
	if e == nil {
		return state{}
	}
	horizon := c.log.Horizon()
	if k.userID == "" {
		current := state{record: e.current, sequence: e.sequence, first: e.first}
		if e.current == nil && e.sequence <= horizon {
			current.sequence = 0
		}
		return current
	}
	last := e.favorites.last(k.userID)
	if !last.on && last.sequence <= horizon {
		last.sequence = 0
	}
	return state{record: e.current, sequence: last.sequence, favorite: last.on}
}

// commit lets decide make the change of one key from its state, appends it, and waits until
// it has been applied and observed here. decide is called again with newer state when
// another node was faster. No change (nil) and errors of decide end it at once. The returned
// change is the one that was stored, nil if there was none.
func (c *Catalog) commit(ctx context.Context, actor Actor, k key, decide func(state) (*Change, error)) (*Change, error) {
	select {
	case <-c.loaded:
	default:
		return nil, Unavailable(errNotLoaded)
	}
	if err := c.waiters.ended(); err != nil {
		return nil, err
	}
	if err := c.pause.enter(ctx); err != nil {
		return nil, err
	}
	defer c.pause.leave()
	if err := c.lanes.enter(ctx, k); err != nil {
		return nil, err
	}
	defer c.lanes.leave(k)

	carried := claimOf(ctx)
	var conflict *Error
	for range maxAttempts {
		current := c.state(k)
		expect := current.sequence
		if conflict != nil && conflict.Current > expect {
			// Everything up to that change has been applied and the key is not in it: the log
			// still counts a favourite of a deleted book with this id, which the projection forgot.
			expect = conflict.Current
		}
		change, err := decide(current)
		if change == nil || err != nil {
			return nil, err
		}
		change.RequestID = RequestID(ctx)
		write := Write{Change: *change, Expect: expect}
		if carried != nil {
			write.Claim = carried.forChange(c, current)
		}
		begun := time.Now()
		sequence, err := c.log.Append(ctx, write)
		stored := time.Now()
		if err == nil {
			change.Sequence = sequence
			if carried != nil {
				carried.stored = true
			}
			if c.logger.Enabled(ctx, slog.LevelDebug) {
				c.logger.Debug("change stored", "sequence", uint64(sequence),
					"kind", change.Kind.String(), "book", change.BookID, "actor", actor.UserID, "request", change.RequestID)
			}
			err := c.waiters.wait(ctx, sequence)
			c.meter.ChangeStored(stored.Sub(begun), time.Since(stored))
			return change, err
		}
		c.meter.AppendFailed(ErrorCode(err))
		if !errors.As(err, &conflict) || conflict.Code != CodeConflict {
			return nil, err
		}
		if err := c.catchUp(ctx, conflict); err != nil {
			return nil, err
		}
	}
	return nil, conflict
}

// catchUp waits until the change that won has been applied.
func (c *Catalog) catchUp(ctx context.Context, conflict *Error) error {
	if conflict.Current > 0 {
		return c.waiters.wait(ctx, conflict.Current)
	}
	pause, cancel := context.WithTimeout(ctx, conflictPause)
	defer cancel()
	err := c.waiters.wait(pause, c.Position().Sequence+1)
	if pause.Err() != nil && ctx.Err() == nil {
		return nil // no news: try again with what is known
	}
	return err
}
