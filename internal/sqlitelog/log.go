// Package sqlitelog keeps the catalogue's log in one SQLite file.
package sqlitelog

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Sync says when a stored change is on the disk.
type Sync string

const (
	// SyncAlways: before Append returns. An acknowledged change survives a power cut.
	SyncAlways Sync = "always"
	// SyncInterval: within Options.SyncInterval. An acknowledged change survives the death of
	// the process; a power cut may cost the last interval.
	SyncInterval Sync = "interval"
)

// Options of [Open]; the zero value is fine.
type Options struct {
	Sync         Sync          // default SyncAlways
	SyncInterval time.Duration // default 1 s; SyncInterval only
	Logger       *slog.Logger  // nil: logs nothing
}

// Log is a catalog.Log on SQLite.
type Log struct{}

var _ catalog.Log = (*Log)(nil)

// Open opens the log in the data directory dir, which is made if missing, and locks the
// directory until Close.
func Open(ctx context.Context, dir string, options Options) (*Log, error) {
	return nil, errors.New("not built yet")
}

func (l *Log) Epoch() string { return "" }
func (l *Log) Key() []byte   { return nil }
func (l *Log) Append(ctx context.Context, w catalog.Write) (catalog.Sequence, error) {
	return 0, nil
}
func (l *Log) Head(ctx context.Context) (catalog.Sequence, error) { return 0, nil }
func (l *Log) Horizon() catalog.Sequence                          { return 0 }
func (l *Log) Tail(ctx context.Context, after catalog.Sequence, apply func([]catalog.Change) error) error {
	return nil
}
func (l *Log) Writable(ctx context.Context) error { return nil }
func (l *Log) Close() error                       { return nil }

// Check runs SQLite's quick integrity check and returns what it finds, nil if nothing.
func (l *Log) Check(ctx context.Context) error { return nil }
