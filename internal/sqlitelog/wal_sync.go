package sqlitelog

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

var errSyncFailed = errors.New("the last sync of the log failed")

// walSyncer syncs the write-ahead log every interval, for SyncInterval. Its goroutine is
// started by Open and ended by Close. The file is opened besides SQLite: fsync writes all of
// a file's data, whoever wrote it, and SQLite holds no locks on this file that closing it
// would release.
type walSyncer struct {
	file     *os.File
	interval time.Duration
	logger   *slog.Logger
	meter    Meter

	mu      sync.Mutex // guards failure; a leaf
	failure error

	stop chan struct{}
	done chan struct{}
}

func startWALSyncer(path string, interval time.Duration, logger *slog.Logger, meter Meter) (*walSyncer, error) {
	// For writing, since Windows flushes only such files.
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &walSyncer{
		file: file, interval: interval, logger: logger, meter: meter,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go s.run()
	return s, nil
}

func (s *walSyncer) run() {
	defer close(s.done)
	ticker := time.NewTicker(s.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.sync()
		case <-s.stop:
			return
		}
	}
}

func (s *walSyncer) sync() {
	begun := time.Now()
	err := s.file.Sync()
	if err == nil {
		s.meter.Synced(time.Since(begun))
	}
	s.mu.Lock()
	before := s.failure
	s.failure = err
	s.mu.Unlock()
	if err != nil && before == nil {
		s.logger.Error("the log could not be synced; changes are refused until it can", "error", err)
	}
	if err == nil && before != nil {
		s.logger.Info("the log can be synced again")
	}
}

// failed gives an error while the last sync failed: changes would pile up that a power cut
// takes away.
func (s *walSyncer) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return fmt.Errorf("%w: %w", errSyncFailed, s.failure)
	}
	return nil
}

func (s *walSyncer) close() error {
	close(s.stop)
	<-s.done
	return errors.Join(s.file.Sync(), s.file.Close())
}
