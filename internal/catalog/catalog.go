package catalog

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

var errNotBuilt = errors.New("not built yet")

// Role is what a person may be.
type Role string

const (
	RoleReader Role = "reader"
	RoleOwner  Role = "owner"
)

// Actor is the person on whose behalf a command runs. Who may do what is decided before
// (package auth); the catalogue only records it.
type Actor struct {
	UserID string
	Role   Role
}

// Options of a [Catalog]; the zero value is fine.
type Options struct {
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: logs nothing
}

// Catalog holds the whole catalogue in memory, answers every read from there and turns
// commands into changes of its log. All methods are safe for concurrent use.
type Catalog struct {
	log Log
}

// New makes a catalogue over log, which stays the caller's to close after Run has returned.
// Register observers with Observe, then call Run.
func New(log Log, options Options) *Catalog { return &Catalog{log: log} }

// Run applies the log until ctx ends (nil) or the log fails (its error, wrapped; commands
// then fail with CodeUnavailable). It may be called once.
func (c *Catalog) Run(ctx context.Context) error { return errNotBuilt }

// Loaded is closed once everything that was stored when Run started has been applied.
// Before that, reads see a part, and commands fail with CodeUnavailable.
func (c *Catalog) Loaded() <-chan struct{} { return nil }

// Observe registers an observer; only before Run. Observers are called in the order of
// registration on Run's goroutine, in log order, with the changes after those that were
// stored when Run started. They must not block, and must not call a command. The slice is
// theirs until they return; payloads stay valid and are read-only.
func (c *Catalog) Observe(observer func([]Applied)) {}

// AtPosition calls f with the current position while no change is being applied or
// observed: every observer has seen what is at or below it and nothing above it. f must not
// block, and must not call a command or AtPosition; reads are fine.
func (c *Catalog) AtPosition(f func(Position)) {}

// Position is that of the last applied change.
func (c *Catalog) Position() Position { return Position{} }

// Epoch is the log's.
func (c *Catalog) Epoch() string { return c.log.Epoch() }
