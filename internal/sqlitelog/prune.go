package sqlitelog

import (
	"errors"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// maxPruneInterval is the time between two looks for what is too old, unless the recovery
	// window is so short that much more than it would be remembered.
	maxPruneInterval = 10 * time.Minute
	// maxPruned bounds what one transaction forgets; the next one goes on.
	maxPruned = 1024
)

// pruner forgets what is older than the recovery window, in transactions that the committer
// makes anyway. It belongs to the committer's goroutine, but for the horizon.
type pruner struct {
	window   time.Duration
	interval time.Duration // between two looks
	due      time.Time     // of the next look; zero: at once
	horizon  atomic.Uint64 // of the last committed transaction
}

func newPruner(horizon catalog.Sequence, window time.Duration) *pruner {
	p := &pruner{window: window, interval: min(maxPruneInterval, window/10)}
	p.horizon.Store(uint64(horizon))
	return p
}

func (p *pruner) current() catalog.Sequence { return catalog.Sequence(p.horizon.Load()) }

// reached makes a horizon known once it is committed.
func (p *pruner) reached(horizon catalog.Sequence) {
	if horizon > p.current() {
		p.horizon.Store(uint64(horizon))
	}
}

// prune forgets deletions, taken-back favourites, claims and states of clients whose time is
// over, and gives the horizon that counts once the open transaction is committed. newest is the
// newest change, which the log must not forget.
func (p *pruner) prune(w *writer, now time.Time, newest catalog.Sequence) (catalog.Sequence, error) {
	if now.Before(p.due) {
		return p.current(), nil
	}
	p.due = now.Add(p.interval) // also after a failure, which may be this work's own
	horizon, more, err := w.oldestEnd(formatDate(now.Add(-p.window)), newest)
	if err != nil {
		return 0, err
	}
	if horizon > p.current() {
		for _, stmt := range []*sqlite.Stmt{w.pruneDeletedBooks, w.pruneRemovedFavorites, w.noteHorizon} {
			stmt.BindInt64(1, int64(horizon))
			if err := run(stmt); err != nil {
				return 0, err
			}
		}
	}
	w.pruneClaims.BindText(1, formatDate(now))
	w.pruneClaims.BindInt64(2, maxPruned)
	w.pruneClientStates.BindText(1, formatDate(now))
	if err := errors.Join(run(w.pruneClaims), run(w.pruneClientStates)); err != nil {
		return 0, err
	}
	if more {
		p.due = now
	}
	return max(horizon, p.current()), nil
}

// oldestEnd gives the last of the deletions and taken-back favourites, from the oldest on, that
// came before a date; 0 if none did, and whether there are more of them. Going by sequence, it
// leaves none behind that is older than the last, even where the clock was set back.
func (w *writer) oldestEnd(before string, newest catalog.Sequence) (last catalog.Sequence, more bool, err error) {
	stmt := w.oldestEnds
	defer func() { err = errors.Join(err, stmt.Reset()) }()
	for range maxPruned {
		hasRow, err := stmt.Step()
		if err != nil || !hasRow {
			return last, false, err
		}
		sequence := catalog.Sequence(stmt.ColumnInt64(0))
		if sequence >= newest || stmt.ColumnText(1) >= before {
			return last, false, nil
		}
		last = sequence
	}
	return last, true, nil
}
