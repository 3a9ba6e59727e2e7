package ops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// operator is on whose behalf the difference to a restored file is appended.
// Whoever can write into the data directory may change everything.
func operator() catalog.Actor { return catalog.Actor{UserID: "operator", Role: catalog.RoleOwner} }

// TakeOver looks at the books.json that the server finds at its start, when
// the catalogue is loaded and before anybody is served:
//
//   - None, or our own work: the log is the truth, nothing happens. (Unless
//     the log is empty and the file is not: the log was lost.)
//   - Our own, but of a later position than the log reaches: the log has lost its
//     end, by a power cut with --sync interval or by damage. What the file has of
//     it is restored like a file that is not our own.
//   - Not our own, and the log has never held a change: it is imported.
//   - Not our own, and there is a catalogue: it is the handbook's restore. The
//     present state is kept under backups/, and the difference is appended to
//     the log as ordinary changes. Afterwards the two are equal: a book without
//     the member "favorites" has none.
//
// An import or a restore that a crash interrupts is repeated, and finished, by
// the next start. A file that is broken gives an error that says where, and
// changes nothing.
func (m *Mirror) TakeOver(ctx context.Context) error {
	if err := m.Examine(); err != nil {
		return err
	}
	m.touch()
	if m.onDisk == "" {
		return nil // there is none yet: let Run write it
	}

	name := filepath.Join(m.dir, MirrorFile)
	first := m.catalog.Position().Sequence == 0
	own := m.noted.knows(m.onDisk)
	lostEnd := own && !first && m.noted.positionOf(m.onDisk).Sequence > m.catalog.Position().Sequence
	if lostEnd {
		m.logger.Warn("the log has lost its end: books.json, which followed it, holds later changes and is restored",
			"log", m.catalog.Position().String(), "books.json", m.positionOf(m.onDisk))
	}
	if own && !first && !lostEnd {
		if m.onDisk != m.noted.Current {
			m.logger.Info("books.json is this server's own, but older than its last write; the catalogue is the log's")
		}
		return nil
	}
	books, err := m.readFound(name)
	if err == nil && !(own && len(books.List) == 0) { // our own empty file of an empty log
		err = m.adopt(ctx, books, first)
	}
	if err != nil {
		way := "delete it to keep the catalogue as the log has it"
		if first {
			way = "delete it to begin with an empty catalogue (the log is empty)"
		}
		return fmt.Errorf("taking over books.json failed; mend it, or %s: %w", way, err)
	}
	// From here on the file is ours. Without this, a crash after the first
	// changes of the new run would find it foreign again and undo them.
	if err := m.step(stepTakeOver); err != nil {
		return err
	}
	return m.note(note{Current: m.onDisk, Position: m.catalog.Position().String()})
}

// Examine reads what TakeOver needs to know of the file. It takes a while for a large one, and
// asks the catalogue nothing, so it may be called while that is loaded; TakeOver does it
// otherwise. Not for concurrent use.
func (m *Mirror) Examine() error {
	if m.examined {
		return nil
	}
	known, err := readNote(m.dir)
	if err != nil {
		return err
	}
	name := filepath.Join(m.dir, MirrorFile)
	found, mark, err := digestMarked(name)
	if errors.Is(err, fs.ErrNotExist) {
		found, mark = "", fileMark{}
	} else if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	m.noted, m.onDisk, m.mark, m.examined = known, found, mark, true
	return nil
}

// readFound reads the file whose digest was taken. Whoever changes it in between has to start the
// server again.
func (m *Mirror) readFound(name string) (*Books, error) {
	content, err := readRegular(name)
	if err != nil {
		return nil, err
	}
	if found, err := digestOf(bytes.NewReader(content)); err != nil || found != m.onDisk {
		return nil, errors.Join(fmt.Errorf("%s was changed while it was read", MirrorFile), err)
	}
	return ParseBooks(content, name)
}

// adopt makes the catalogue equal to a file that is not ours.
func (m *Mirror) adopt(ctx context.Context, books *Books, first bool) error {
	difference, err := m.catalog.Restore(ctx, operator(), books.List, catalog.RestoreOptions{DryRun: true})
	if err != nil {
		return books.Locate(err)
	}
	if difference.IsZero() {
		m.logger.Info("books.json was changed from outside, but says what the catalogue says", "books", len(books.List))
		return nil
	}
	if first {
		m.logger.Info("the log is empty: importing books.json", "books", len(books.List))
	} else {
		if err := m.step(stepBackup); err != nil {
			return err
		}
		backup, err := m.backUp()
		if err != nil {
			return err
		}
		m.logger.Warn("books.json was replaced from outside: restoring it", "books", len(books.List), "backup", backup,
			"added", difference.Added, "updated", difference.Updated, "deleted", difference.Deleted,
			"favorites_given", difference.FavoritesGiven, "favorites_ended", difference.FavoritesEnded)
	}
	if err := m.step(stepRestore); err != nil {
		return err
	}
	_, err = m.catalog.Restore(ctx, operator(), books.List, catalog.RestoreOptions{})
	return books.Locate(err)
}
