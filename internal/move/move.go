package move

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// ErrNotEmpty means that there is another catalogue, or another history of this one, where a log
// was to be moved to.
var ErrNotEmpty = errors.New("a catalogue is there already")

// ErrUnfinished means that a move has stopped where only running it again, or Cancel, helps.
var ErrUnfinished = errors.New("the move is not finished, and neither end is served: run it again to finish it, or with --cancel to give it up")

// Options of a move. From and its Place, and To, are required.
type Options struct {
	From  Log
	Place string // of From: what --from says, without secrets
	To    Target
	// Backup keeps the state that is about to be moved, verified, and tells where. It is called
	// when nobody can write any more. nil: no backup is made.
	Backup func(*catalog.Snapshot) (string, error)
	// Progress hears of each step, and of records done out of all. nil: nobody does.
	Progress func(step string, done, all int)
	// DryRun only looks whether it could be done, and counts.
	DryRun bool
	Now    func() time.Time // nil: time.Now
}

// Report tells what was moved.
type Report struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Position string `json:"position"` // of the newest change, before and after
	Contents
	Backup string `json:"backup"` // where it lies; "" for none
	DryRun bool   `json:"dryRun"`
	// Already tells that an earlier run had done it.
	Already bool `json:"already"`
}

// mover is one move.
type mover struct {
	Options
	report Report
}

// Run moves a log. When it fails, the source is as it was, unless the error wraps ErrUnfinished. The
// source stays the caller's to close.
// Errors: *HeldError, ErrNotEmpty; what keeps it from reading, storing or comparing.
func Run(ctx context.Context, options Options) (Report, error) {
	m := &mover{Options: options, report: Report{From: options.Place, To: options.To.Place(), DryRun: options.DryRun}}
	if m.Progress == nil {
		m.Progress = func(string, int, int) {}
	}
	if m.Now == nil {
		m.Now = time.Now
	}
	mark, err := m.From.Mark(ctx)
	if err != nil {
		return m.report, err
	}
	if mark.State == Moved {
		return m.report, m.finish(ctx, mark)
	}
	isOld, err := m.admit(ctx, mark)
	if err != nil || m.DryRun {
		return m.report, errors.Join(err, m.count(ctx))
	}
	if err := m.From.Hold(ctx, m.To.Place()); err != nil {
		return m.report, err
	}
	if err := m.carry(ctx, isOld); err != nil {
		// Whoever has lost patience has not lost the source.
		releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		defer cancel()
		if failure := m.From.Release(releasing); failure != nil {
			err = fmt.Errorf("%w; and %s cannot be given back (%w): %w", err, m.Place, failure, ErrUnfinished)
		}
		return m.report, err
	}
	return m.report, m.commit(ctx)
}

// releaseTimeout bounds how long a failed move tries to give the source back.
const releaseTimeout = 15 * time.Second

// admit refuses a source or a target that a move must not touch, and tells whether an older state
// of the same log is there, which may be taken away.
func (m *mover) admit(ctx context.Context, mark Mark) (isOld bool, err error) {
	if mark.State == Filling || mark.State == Leaving && mark.Other != m.To.Place() {
		return false, &HeldError{m.Place, mark}
	}
	found, err := m.To.Find(ctx)
	if err != nil || found == nil {
		return false, err
	}
	defer found.Close() //nolint:errcheck // it was only read
	there, err := found.Mark(ctx)
	if err != nil {
		return false, err
	}
	isOlder, err := m.isOlder(ctx, found, there)
	if err == nil && !isOlder {
		err = fmt.Errorf("%w: %s", ErrNotEmpty, m.To.Place())
	}
	return isOlder, err
}

// isOlder tells whether what was found is an unfinished copy of the source, or its state before it
// was moved from there.
func (m *mover) isOlder(ctx context.Context, found Log, there Mark) (bool, error) {
	if found.Epoch() != m.From.Epoch() || there.State != Filling && there.State != Moved {
		return false, nil
	}
	if there.State == Filling {
		return true, nil
	}
	theirs, err := found.Head(ctx)
	if err != nil {
		return false, err
	}
	ours, err := m.From.Head(ctx)
	return theirs <= ours, err
}

// count fills in what the source holds, and gives the reading that has seen it.
func (m *mover) count(ctx context.Context) error {
	read, err := newReading(ctx, m.From)
	if err == nil {
		err = read.changes(ctx, func([]catalog.Change) error { return nil })
	}
	if err != nil {
		return err
	}
	kept, err := readExtras(ctx, m.From)
	m.note(read, kept)
	return err
}

func (m *mover) note(read *reading, kept *extras) {
	m.report.Contents = read.counts
	m.report.Claims, m.report.ClientStates = len(kept.claims), len(kept.states)
	m.report.Position = catalog.Position{Epoch: m.From.Epoch(), Sequence: read.head}.String()
}

// carry copies everything and compares. The source is held.
func (m *mover) carry(ctx context.Context, isOld bool) error {
	if m.Backup != nil {
		m.Progress("backing up", 0, 1)
		snapshot, err := Snapshot(ctx, m.From)
		if err == nil {
			m.report.Backup, err = m.Backup(snapshot)
		}
		if err != nil {
			return fmt.Errorf("there is no backup, so nothing is moved: %w", err)
		}
	}
	read, err := newReading(ctx, m.From)
	if err != nil {
		return fmt.Errorf("reading %s: %w", m.Place, err)
	}
	if isOld {
		if err := m.To.Remove(ctx); err != nil {
			return fmt.Errorf("taking away the older copy in %s: %w", m.To.Place(), err)
		}
	}
	kept, err := m.copy(ctx, read)
	if err != nil {
		return fmt.Errorf("copying to %s: %w", m.To.Place(), err)
	}
	m.note(read, kept)
	return m.compare(ctx, read, kept)
}

// Snapshot gives a log's state as a catalogue.
func Snapshot(ctx context.Context, log catalog.Log) (*catalog.Snapshot, error) {
	books := catalog.New(log, catalog.Options{})
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- books.Run(running) }()
	select {
	case <-books.Loaded():
		stop()
		return books.Snapshot(), <-ended
	case err := <-ended:
		stop()
		return nil, errors.Join(err, context.Cause(ctx))
	}
}

// batch is how many claims or states are stored at once.
const batch = 500

func (m *mover) copy(ctx context.Context, read *reading) (kept *extras, err error) {
	id := Identity{Epoch: m.From.Epoch(), Key: m.From.Key(), Head: read.head, Horizon: m.From.Horizon()}
	filler, err := m.To.Make(ctx, id, m.Place)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, filler.Close()) }()
	err = read.changes(ctx, func(changes []catalog.Change) error {
		m.Progress("copying", int(changes[len(changes)-1].Sequence), int(read.head))
		return filler.Store(ctx, changes)
	})
	if err != nil {
		return nil, err
	}
	kept = &extras{claims: make(map[[32]byte]claimSum), states: make(map[string]time.Time)}
	claims := batches[catalog.Claim]{store: filler.StoreClaims}
	err = m.From.Claims(ctx, func(claim catalog.Claim) error {
		kept.addClaim(&claim)
		return claims.add(ctx, claim)
	})
	if err = errors.Join(err, claims.flush(ctx)); err != nil {
		return nil, err
	}
	states := batches[ClientState]{store: filler.StoreClientStates}
	err = m.From.ClientStates(ctx, func(name string, until time.Time) error {
		kept.states[name] = millisecond(until)
		return states.add(ctx, ClientState{name, until})
	})
	if err = errors.Join(err, states.flush(ctx)); err != nil {
		return nil, err
	}
	return kept, filler.Finish(ctx)
}

// batches gathers what is stored several at a time.
type batches[T any] struct {
	store   func(context.Context, []T) error
	waiting []T
}

func (b *batches[T]) add(ctx context.Context, one T) error {
	if b.waiting = append(b.waiting, one); len(b.waiting) < batch {
		return nil
	}
	return b.flush(ctx)
}

func (b *batches[T]) flush(ctx context.Context) error {
	if len(b.waiting) == 0 {
		return nil
	}
	err := b.store(ctx, b.waiting)
	b.waiting = b.waiting[:0]
	return err
}

// compare reads the copy as every later reader will, and fails if it is not what was read.
func (m *mover) compare(ctx context.Context, read *reading, kept *extras) (err error) {
	m.Progress("comparing", 0, 1)
	copied, err := m.To.Find(ctx)
	if err == nil && copied == nil {
		err = errors.New("it is gone")
	}
	if err != nil {
		return fmt.Errorf("reading the copy in %s: %w", m.To.Place(), err)
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	return m.same(ctx, read, kept, copied)
}

func (m *mover) same(ctx context.Context, read *reading, kept *extras, copied Log) error {
	differs := func(what string) error {
		return fmt.Errorf("the copy in %s is not equal to %s: %s", m.To.Place(), m.Place, what)
	}
	again, err := read.anew(ctx, copied)
	if err == nil {
		err = again.changes(ctx, func(changes []catalog.Change) error {
			m.Progress("comparing", int(changes[len(changes)-1].Sequence), int(read.head))
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("reading the copy in %s: %w", m.To.Place(), err)
	}
	keptThere, err := readExtras(ctx, copied)
	if err != nil {
		return fmt.Errorf("reading the copy in %s: %w", m.To.Place(), err)
	}
	switch {
	case copied.Epoch() != m.From.Epoch() || !bytes.Equal(copied.Key(), m.From.Key()):
		return differs("it has another epoch or key")
	case copied.Horizon() != m.From.Horizon():
		return differs("it has another horizon")
	case again.head != read.head:
		return differs(fmt.Sprintf("it ends at %d instead of %d", again.head, read.head))
	case again.counts != read.counts:
		return differs(fmt.Sprintf("%+v instead of %+v", again.counts, read.counts))
	case !bytes.Equal(again.sum.Sum(nil), read.sum.Sum(nil)):
		return differs("a record has changed on the way")
	}
	if err := kept.in(keptThere, m.Now()); err != nil {
		return differs(err.Error())
	}
	return nil
}

// commit makes the copy the log. From its first step on there is no way back but another move.
func (m *mover) commit(ctx context.Context) error {
	if err := m.From.Retire(ctx, m.To.Place()); err != nil {
		return fmt.Errorf("marking %s as moved: %w: %w", m.Place, err, ErrUnfinished)
	}
	if err := m.open(ctx); err != nil {
		return fmt.Errorf("opening %s: %w: %w", m.To.Place(), err, ErrUnfinished)
	}
	return nil
}

func (m *mover) open(ctx context.Context) (err error) {
	copied, err := m.To.Find(ctx)
	if err != nil {
		return err
	}
	if copied == nil {
		return errors.New("it is gone")
	}
	defer func() { err = errors.Join(err, copied.Close()) }()
	return copied.Release(ctx)
}

// finish is for a source that is marked as moved: the copy may lack nothing but being opened.
func (m *mover) finish(ctx context.Context, mark Mark) error {
	held := &HeldError{m.Place, mark}
	found, err := m.To.Find(ctx)
	if err != nil || found == nil {
		return errors.Join(held, err)
	}
	err = m.finishWith(ctx, found, held)
	return errors.Join(err, found.Close())
}

func (m *mover) finishWith(ctx context.Context, found Log, held error) error {
	there, err := found.Mark(ctx)
	if err != nil {
		return err
	}
	if found.Epoch() != m.From.Epoch() || there.State != Filling && !there.IsServed() {
		return held
	}
	if there.IsServed() {
		m.report.Already = true
		return m.count(ctx)
	}
	read, err := newReading(ctx, m.From)
	if err == nil {
		err = read.changes(ctx, func([]catalog.Change) error { return nil })
	}
	if err != nil {
		return err
	}
	kept, err := readExtras(ctx, m.From)
	if err != nil {
		return err
	}
	m.note(read, kept)
	if m.DryRun {
		return nil
	}
	if err := m.same(ctx, read, kept, found); err != nil {
		return err
	}
	return found.Release(ctx)
}

// ErrNothingToCancel means that no move between the two ends is under way.
var ErrNothingToCancel = errors.New("no move between them is unfinished")

// Cancel gives up a move that was interrupted: the copy is taken away and the source is served
// again. A move that was finished it refuses to take back.
// Errors: *HeldError, ErrNothingToCancel; those of the two ends.
func Cancel(ctx context.Context, from Log, place string, to Target) error {
	mark, err := from.Mark(ctx)
	if err != nil {
		return err
	}
	isCopy, err := hasCopy(ctx, from, to)
	switch {
	case err != nil:
		return err
	case mark.State == Filling, mark.State == Moved && !isCopy, mark.State == Leaving && mark.Other != to.Place():
		return &HeldError{place, mark}
	case mark.IsServed() && !isCopy:
		return ErrNothingToCancel
	}
	if isCopy { // before the source, so that never both can be opened
		if err := to.Remove(ctx); err != nil {
			return fmt.Errorf("taking away the copy in %s: %w", to.Place(), err)
		}
	}
	return from.Release(ctx)
}

// hasCopy tells whether an unfinished copy of a log is at the other end.
func hasCopy(ctx context.Context, from Log, to Target) (bool, error) {
	found, err := to.Find(ctx)
	if err != nil || found == nil {
		return false, err
	}
	defer found.Close() //nolint:errcheck // it was only read
	there, err := found.Mark(ctx)
	return err == nil && there.State == Filling && found.Epoch() == from.Epoch(), err
}
