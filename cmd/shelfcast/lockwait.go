package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// A process that is stopping keeps its data directory until its last write, so
// whoever is started a moment too early waits for about as long as a stop may
// take. A process that still answers at its admin socket after lockGrace is not
// stopping: it is a second server by mistake, which need not wait to hear so.
const (
	lockGrace = 2 * time.Second
	lockPoll  = 50 * time.Millisecond
)

// openLog opens the log in a directory, and waits for it while another process stops. What it
// returns when that process goes on is an error that wraps sqlitelog.ErrLocked.
func openLog(ctx context.Context, s *Settings, dir string, atLeast catalog.Sequence, logger *slog.Logger, meter sqlitelog.Meter) (*sqlitelog.Log, error) {
	options := sqlitelog.Options{
		Sync: sqlitelog.Sync(s.Sync), SyncInterval: s.SyncInterval, RecoveryWindow: s.RecoveryWindow, AtLeast: atLeast, Logger: logger, Meter: meter,
	}
	begin := time.Now()
	ticker := time.NewTicker(lockPoll)
	defer ticker.Stop()
	for said := false; ; {
		log, err := sqlitelog.Open(ctx, dir, options)
		waited := time.Since(begin)
		if !errors.Is(err, sqlitelog.ErrLocked) || waited > s.longestStop()+lockGrace ||
			waited > lockGrace && adminAnswers(ctx, s.Data) {
			return log, err
		}
		if !said {
			said = true
			logger.Info("waiting for process " + sqlitelog.LockOwner(dir) + " to stop")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(err, context.Cause(ctx))
		case <-ticker.C:
		}
	}
}

// longestStop is how long a stop may take in all.
func (s *Settings) longestStop() time.Duration {
	if s.clustered() {
		return s.DrainSpread + s.ShutdownTimeout
	}
	return s.ShutdownTimeout
}
