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
// when it began to read, and returns that. While apply works, a goroutine of its own reads on;
// it ends before replay does.
func (l *Log) replay(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) (_ catalog.Sequence, err error) {
	reading, stop := context.WithCancel(ctx)
	chunks := make(chan readChunk, readAhead)
	defer func() {
		stop()
		for range chunks { // until the reader has ended
		}
	}()
	head := l.committer.recent.headSequence()
	go l.readTables(reading, after, head, chunks)
	for chunk := range chunks {
		if chunk.err != nil {
			return after, catalog.Unavailable(chunk.err)
		}
		if err := apply(chunk.changes); err != nil {
			return after, fmt.Errorf("apply: %w", err)
		}
		after = chunk.changes[len(chunk.changes)-1].Sequence
		if ctx.Err() != nil {
			break
		}
	}
	return after, nil
}

// readAhead is how many chunks may wait for apply: enough for both to work all the time.
const readAhead = 2

// readChunk is a chunk that was read, not empty, or why there is none.
type readChunk struct {
	changes []catalog.Change
	err     error
}

// readTables sends the chunks from after to head and closes the channel. It ends with the first
// error and when ctx does.
func (l *Log) readTables(ctx context.Context, after, head catalog.Sequence, chunks chan<- readChunk) {
	defer close(chunks)
	send := func(chunk readChunk) bool {
		select {
		case chunks <- chunk:
			return chunk.err == nil
		case <-ctx.Done():
			return false
		}
	}
	conn, err := openReader(l.path)
	if err != nil {
		send(readChunk{err: fmt.Errorf("open for reading: %w", err)})
		return
	}
	defer conn.Close() //nolint:errcheck // it has only read
	tables, err := newTableReader(conn)
	if err != nil {
		send(readChunk{err: err})
		return
	}
	for after < head {
		changes, err := tables.chunk(after)
		if err != nil {
			err = fmt.Errorf("read the tables: %w", err)
		} else if len(changes) == 0 {
			// Cannot be: the newest change's row stays. Going on would never end.
			err = fmt.Errorf("no change after %d although the log goes to %d", after, head)
		}
		if !send(readChunk{changes, err}) {
			return
		}
		after = changes[len(changes)-1].Sequence
	}
}
