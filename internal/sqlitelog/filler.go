package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

// filler writes the records of another log into a new one, with the sequences that they have. Until
// the move is over the log is marked, so that a crash leaves nothing that anybody serves.
type filler struct {
	dir    string
	lock   *os.File
	conn   *sqlite.Conn
	writer *writer
}

// Make implements [move.Target].
func (t *Target) Make(_ context.Context, id move.Identity, from string) (_ move.Filler, err error) {
	if err := makeDirectory(t.Dir); err != nil {
		return nil, err
	}
	f := &filler{dir: t.Dir}
	if f.lock, err = lockDirectory(t.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	path := filepath.Join(t.Dir, DatabaseName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	if f.conn, err = openWriter(path, SyncAlways); err != nil {
		return nil, err
	}
	// A favourite may come before the last change of its book.
	if err := setPragmas(f.conn, "foreign_keys = OFF"); err != nil {
		return nil, err
	}
	mark := move.Mark{State: move.Filling, Other: from, At: time.Now().UTC()}
	_, err = prepareSchema(f.conn, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, "INSERT INTO meta (name, value) VALUES ('epoch', ?1), ('key', ?2), ('horizon', ?3), ('probed_at', '')",
			&sqlitex.ExecOptions{Args: []any{id.Epoch, id.Key, int64(id.Horizon)}})
		return errors.Join(err, writeMark(conn, mark))
	})
	if err != nil {
		return nil, err
	}
	f.writer, err = newWriter(f.conn)
	return f, err
}

// transact does something in a transaction of its own.
func (f *filler) transact(do func() error) error {
	if err := run(f.writer.begin); err != nil {
		return err
	}
	if err := do(); err != nil {
		return errors.Join(err, f.writer.endTransaction())
	}
	return run(f.writer.commit)
}

// Store implements [move.Filler].
func (f *filler) Store(_ context.Context, changes []catalog.Change) error {
	return f.transact(func() error {
		for i := range changes {
			if err := f.put(&changes[i]); err != nil {
				return fmt.Errorf("change %d: %w", changes[i].Sequence, err)
			}
		}
		return nil
	})
}

func (f *filler) put(change *catalog.Change) error {
	switch {
	case change.Kind == catalog.KindBook:
		return putBook(f.writer.insertBook, change)
	case change.Kind == catalog.KindBookDeleted:
		return f.writer.putDeletion(change)
	case change.Favorite:
		return putFavorite(f.writer.giveFavorite, change)
	}
	return putFavorite(f.writer.keepRemovedFavorite, change)
}

// StoreClaims implements [move.Filler].
func (f *filler) StoreClaims(_ context.Context, claims []catalog.Claim) error {
	return f.transact(func() error {
		for i := range claims {
			if err := f.writer.storeClaim(&claims[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// StoreClientStates implements [move.Filler].
func (f *filler) StoreClientStates(_ context.Context, states []move.ClientState) error {
	return f.transact(func() error {
		for _, state := range states {
			if err := f.writer.remember(state.Name, state.Until); err != nil {
				return err
			}
		}
		return nil
	})
}

// Finish implements [move.Filler]: every transaction was synced.
func (f *filler) Finish(context.Context) error { return syncDirectory(f.dir) }

// Close implements [move.Filler].
func (f *filler) Close() error {
	var err error
	if f.conn != nil {
		err = f.conn.Close()
	}
	return errors.Join(err, f.lock.Close())
}
