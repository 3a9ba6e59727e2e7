package move_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

var errKilled = errors.New("killed")

// fuse stands for a process that dies after some steps: from then on none is done.
type fuse struct{ left atomic.Int64 }

func (f *fuse) step(do func() error) error {
	if f.left.Add(-1) < 0 {
		return errKilled
	}
	return do()
}

func (f *fuse) isBurnt() bool { return f.left.Load() < 0 }

type fusedLog struct {
	move.Log
	fuse *fuse
}

func (l *fusedLog) Hold(ctx context.Context, other string) error {
	return l.fuse.step(func() error { return l.Log.Hold(ctx, other) })
}

func (l *fusedLog) Retire(ctx context.Context, other string) error {
	return l.fuse.step(func() error { return l.Log.Retire(ctx, other) })
}

func (l *fusedLog) Release(ctx context.Context) error {
	return l.fuse.step(func() error { return l.Log.Release(ctx) })
}

type fusedTarget struct {
	move.Target
	fuse *fuse
}

func (t *fusedTarget) Find(ctx context.Context) (found move.Log, err error) {
	err = t.fuse.step(func() error {
		found, err = t.Target.Find(ctx)
		return err
	})
	if err != nil || found == nil {
		return nil, err
	}
	return &fusedLog{found, t.fuse}, nil
}

func (t *fusedTarget) Remove(ctx context.Context) error {
	return t.fuse.step(func() error { return t.Target.Remove(ctx) })
}

func (t *fusedTarget) Make(ctx context.Context, id move.Identity, from string) (filler move.Filler, err error) {
	err = t.fuse.step(func() error {
		filler, err = t.Target.Make(ctx, id, from)
		return err
	})
	return &fusedFiller{filler, t.fuse}, err
}

type fusedFiller struct {
	move.Filler
	fuse *fuse
}

func (f *fusedFiller) Store(ctx context.Context, changes []catalog.Change) error {
	return f.fuse.step(func() error { return f.Filler.Store(ctx, changes) })
}

func (f *fusedFiller) StoreClaims(ctx context.Context, claims []catalog.Claim) error {
	return f.fuse.step(func() error { return f.Filler.StoreClaims(ctx, claims) })
}

func (f *fusedFiller) Finish(ctx context.Context) error {
	return f.fuse.step(func() error { return f.Filler.Finish(ctx) })
}

// killed moves a log in a process that dies after some steps, and tells whether it did.
func killed(t *testing.T, from, to *end, steps int64) bool {
	t.Helper()
	source, err := from.leave()
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close() //nolint:errcheck // it died
	f := new(fuse)
	f.left.Store(steps)
	_, err = move.Run(t.Context(), move.Options{From: &fusedLog{source, f}, Place: from.Place(), To: &fusedTarget{to.Target, f}})
	if f.isBurnt() == (err == nil) {
		t.Fatalf("after %d steps: %v", steps, err)
	}
	return f.isBurnt()
}

// served counts the ends that a server would serve.
func served(t *testing.T, ends ...*end) (count int) {
	t.Helper()
	for _, one := range ends {
		found, err := one.Find(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found == nil {
			continue
		}
		mark, err := found.Mark(t.Context())
		if err := errors.Join(err, found.Close()); err != nil {
			t.Fatal(err)
		}
		log, err := one.serve()
		if mark.IsServed() != (err == nil) {
			t.Errorf("%s is marked %+v and opened with %v", one.Place(), mark, err)
		}
		if err == nil {
			count++
			if err := log.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	return count
}

// Whatever step a move dies at, never are both ends served, and the next run finishes it, or gives
// it up when told so.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	for _, direction := range []string{"in", "out"} {
		for steps := range int64(12) {
			name := fmt.Sprintf("%s after %d", direction, steps)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				home, cluster := directory(t), stream(t, servers, 1, fmt.Sprintf("S%s%d", direction, steps))
				from, to := home, cluster
				if direction == "out" {
					from, to = cluster, home
				}
				log := from.mustServe(t)
				a := newAuthor(t)
				a.log = log
				a.write(40, 10)
				err := log.Claim(t.Context(), catalog.Claim{UserID: "anna", Key: "k", Expires: time.Now().Add(time.Hour)})
				if err := errors.Join(err, log.Close()); err != nil {
					t.Fatal(err)
				}
				log = from.mustServe(t)
				before := history(t, log)
				if err := log.Close(); err != nil {
					t.Fatal(err)
				}
				wasKilled := killed(t, from, to, steps)
				if count := served(t, from, to); count > 1 || count == 0 && !wasKilled {
					t.Fatalf("%d ends are served", count)
				}
				if steps%2 == 1 {
					giveUp(t, from, to)
				}
				report, err := run(t, from, to, move.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if count := served(t, from); count != 0 || report.Already == wasKilled && steps%2 == 0 {
					t.Errorf("%d of the sources are served, and the report is %+v", count, report)
				}
				after := history(t, to.mustServe(t))
				if direction == "out" {
					before = slices.DeleteFunc(before, func(one string) bool { return isEndedFavorite(one, after) })
				}
				if !slices.Equal(before, after) {
					t.Errorf("%d records became %d", len(before), len(after))
				}
			})
		}
	}
}

// giveUp cancels a move, which is possible until its last step but one.
func giveUp(t *testing.T, from, to *end) {
	t.Helper()
	source, err := from.leave()
	if err != nil {
		t.Fatal(err)
	}
	err = move.Cancel(t.Context(), source, from.Place(), to)
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	isOver := errors.As(err, new(*move.HeldError))
	if err != nil && !isOver && !errors.Is(err, move.ErrNothingToCancel) {
		t.Fatalf("cancel: %v", err)
	}
	if count := served(t, from); count != 1 && !isOver {
		t.Errorf("after cancelling %d of the sources are served", count)
	}
}
