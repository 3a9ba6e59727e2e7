package catalog

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Role is what a person may be.
type Role string

const (
	RoleReader Role = "reader"
	RoleOwner  Role = "owner"
)

// Actor is the person on whose behalf a command runs. Who may do what is decided before a
// command is called (package auth); the catalogue only notes it in the operator's log.
type Actor struct {
	UserID string
	Role   Role
}

// Options of a [Catalog]; the zero value is fine.
type Options struct {
	Now    func() time.Time // the clock; nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
	// Deflate compresses snapshots. nil: the standard library does, at its default level.
	Deflate Deflate
	Meter   Meter // nil: nobody is told
}

// Catalog holds the whole catalogue in memory, answers every read from there and turns
// commands into changes of its log. All methods are safe for concurrent use.
//
// It starts no goroutine: Run works on its caller's, and is the only one that writes the
// projection. Lock order: ids.mu or turn, then mu; snapshots.mu, then mu; the locks of pause,
// lanes, claims and waiters are leaves.
type Catalog struct {
	log    Log
	now    func() time.Time
	logger *slog.Logger
	zipper *gzipEncoder
	meter  Meter

	started   atomic.Bool
	loaded    chan struct{} // closed once what was stored at the start is applied
	observers []func([]Applied)

	// turn is held while a batch of changes is applied and observed, and by AtPosition.
	turn sync.Mutex
	// mu guards projection; it is never held while anything waits.
	mu         sync.RWMutex
	projection *projection

	pause     pause
	lanes     lanes[key]
	claims    lanes[claimKey]
	waiters   waiters
	ids       idSource
	snapshots snapshotCache
}

// New makes a catalogue over log, which stays the caller's to close after Run has returned.
// Register observers with Observe, then call Run.
func New(log Log, options Options) *Catalog {
	c := &Catalog{
		log:        log,
		now:        options.Now,
		logger:     options.Logger,
		meter:      options.Meter,
		loaded:     make(chan struct{}),
		projection: newProjection(),
	}
	c.projection.forgotten = log.Horizon()
	if c.now == nil {
		c.now = time.Now
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	deflate := options.Deflate
	if deflate == nil {
		deflate = newStandardDeflate()
	}
	c.zipper = newGzipEncoder(deflate)
	if c.meter == nil {
		c.meter = silentMeter{}
	}
	return c
}

// Loaded is closed once everything that was stored when Run started has been applied.
// Before that, reads see a part of it, and commands fail with CodeUnavailable. It stays
// open if Run fails before.
func (c *Catalog) Loaded() <-chan struct{} { return c.loaded }

// Observe registers an observer; only before Run. Observers are called in the order of
// registration on Run's goroutine, in log order, with the changes after those that were
// stored when Run started. They must not block, and must not call a command or AtPosition;
// reads are fine. The slice is theirs until they return; payloads stay valid.
func (c *Catalog) Observe(observer func([]Applied)) {
	if c.started.Load() {
		panic("catalog: Observe after Run")
	}
	c.observers = append(c.observers, observer)
}

// AtPosition calls f with the current position while no change is being applied or
// observed: every observer has seen what is at or below it and nothing above it. f must not
// block, and must not call a command or AtPosition; reads are fine.
func (c *Catalog) AtPosition(f func(Position)) {
	c.turn.Lock()
	defer c.turn.Unlock()
	f(c.Position())
}

// Position is that of the last applied change.
func (c *Catalog) Position() Position {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.positionLocked()
}

func (c *Catalog) positionLocked() Position {
	return Position{Epoch: c.log.Epoch(), Sequence: c.projection.position}
}

// Epoch is the log's.
func (c *Catalog) Epoch() string { return c.log.Epoch() }

// Book gives one book; false if there is none with this id.
func (c *Catalog) Book(id int64) (Book, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if r := c.projection.record(id); r != nil {
		return r.book, true
	}
	return Book{}, false
}

var (
	errNotLoaded   = errors.New("the stored catalogue is still being read")
	errTailEnded   = errors.New("the log's tail ended by itself")
	errRanBefore   = errors.New("catalog: Run was called before")
	errRunReturned = errors.New("the catalogue has stopped")
)

// Run applies the log until ctx ends (nil) or the log fails (its error, wrapped). After it
// has returned, commands fail with CodeUnavailable and reads show the last state. It may be
// called once.
func (c *Catalog) Run(ctx context.Context) error {
	if !c.started.CompareAndSwap(false, true) {
		return errRanBefore
	}
	err := c.follow(ctx)
	cause := err
	if cause == nil {
		cause = errRunReturned
	}
	c.waiters.stop(Unavailable(cause))
	return err
}
