package sqlitelog

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Tail implements [catalog.Log]. A tail that is up to date takes the changes from memory;
// one that lags reads the tables, where only the last change of each key is.
func (l *Log) Tail(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.tails.Done()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.closing:
			return catalog.Unavailable(ErrClosed)
		default:
		}
		changes, added, isBehind := l.committer.recent.next(after)
		switch {
		case isBehind:
			reached, err := l.replay(ctx, after, apply)
			if err != nil {
				return err
			}
			after = reached
		case len(changes) > 0:
			if err := apply(changes); err != nil {
				return fmt.Errorf("apply: %w", err)
			}
			after = changes[len(changes)-1].Sequence
		default:
			select {
			case <-added:
			case <-ctx.Done():
			case <-l.closing:
			}
		}
	}
}

// enter counts a user of the database in, whom Close waits for.
func (l *Log) enter() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return catalog.Unavailable(ErrClosed)
	}
	l.tails.Add(1)
	return nil
}

// reader opens a connection for reading and counts its user in; without an error, the
// caller closes it and calls l.tails.Done.
func (l *Log) reader(ctx context.Context) (*sqlite.Conn, error) {
	if ctx.Err() != nil {
		return nil, catalog.Unavailable(context.Cause(ctx))
	}
	if err := l.enter(); err != nil {
		return nil, err
	}
	conn, err := openReader(l.path)
	if err != nil {
		l.tails.Done()
		return nil, catalog.Unavailable(fmt.Errorf("open for reading: %w", err))
	}
	return conn, nil
}

// replay applies what the tables hold after a sequence, up to the newest change there was
// when it began to read, and returns that.
func (l *Log) replay(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) (_ catalog.Sequence, err error) {
	conn, err := openReader(l.path)
	if err != nil {
		return after, catalog.Unavailable(fmt.Errorf("open for reading: %w", err))
	}
	defer conn.Close() //nolint:errcheck // it has only read
	tables, err := newTableReader(conn)
	if err != nil {
		return after, catalog.Unavailable(err)
	}
	head := l.committer.recent.headSequence()
	for after < head && ctx.Err() == nil {
		changes, err := tables.chunk(after)
		if err != nil {
			return after, catalog.Unavailable(fmt.Errorf("read the tables: %w", err))
		}
		if len(changes) == 0 {
			// Cannot be: the newest change's row stays. Going on would never end.
			return after, catalog.Unavailable(fmt.Errorf("no change after %d although the log goes to %d", after, head))
		}
		if err := apply(changes); err != nil {
			return after, fmt.Errorf("apply: %w", err)
		}
		after = changes[len(changes)-1].Sequence
	}
	return after, nil
}
