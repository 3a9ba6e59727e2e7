package move

import (
	"context"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Identity is what makes a log the same log elsewhere.
type Identity struct {
	Epoch   string
	Key     []byte
	Head    catalog.Sequence // of the newest change
	Horizon catalog.Sequence
}

// Log is a log at either end of a move, which nobody else opens meanwhile or can write. Its Append
// need not work.
type Log interface {
	catalog.Log

	// Mark gives what a move has noted in the log.
	Mark(ctx context.Context) (Mark, error)
	// Hold ends all writing until Release, and waits until nothing that was under way can still be
	// stored. other is the end that the log is moved to.
	Hold(ctx context.Context, other string) error
	// Retire lets the log serve nobody any more.
	Retire(ctx context.Context, other string) error
	// Release lets the log be served.
	Release(ctx context.Context) error

	// Claims calls each with every idempotency key that has not expired, its Answer complete.
	Claims(ctx context.Context, each func(catalog.Claim) error) error
	// ClientStates calls each with everything that is remembered of clients and still holds.
	ClientStates(ctx context.Context, each func(name string, until time.Time) error) error
}

// Target is where a log is moved to.
type Target interface {
	// Place names it for people: what --to says, without secrets.
	Place() string
	// Find opens the log that is there, whatever its Mark; nil if there is none. The caller closes it.
	Find(ctx context.Context) (Log, error)
	// Make makes a log that is marked as Filling, where there is none.
	Make(ctx context.Context, id Identity, from string) (Filler, error)
	// Remove takes away a log that is Filling; one that is Moved it may put aside instead.
	Remove(ctx context.Context) error
}

// Filler puts into a new log what the old one holds. After an error it is only to be closed.
type Filler interface {
	// Store stores changes with the sequences that they have, above all those before.
	Store(ctx context.Context, changes []catalog.Change) error
	// StoreClaims and StoreClientStates come after all changes.
	StoreClaims(ctx context.Context, claims []catalog.Claim) error
	StoreClientStates(ctx context.Context, states []ClientState) error
	// Finish completes the copy, durably; it stays Filling.
	Finish(ctx context.Context) error
	// Close releases what Make took.
	Close() error
}

// ClientState is something that is remembered of a client until a time.
type ClientState struct {
	Name  string
	Until time.Time
}
