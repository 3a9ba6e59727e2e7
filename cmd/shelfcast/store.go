package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// store is the catalogue on its log, with the mirror beside it. Its life:
// openStore, register observers, start, close. Opening locks the data
// directory, so only one process has it.
type store struct {
	log     storeLog
	cluster *natslog.Log   // the log again, in a cluster; nil on one node
	node    *sqlitelog.Log // what is this node's alone: on one node the log again
	catalog *catalog.Catalog
	mirror  *ops.Mirror
	logger  *slog.Logger

	// hadLog tells that the log held changes when it was opened.
	hadLog bool

	// Both goroutines belong to the store. The mirror's ends after the
	// catalogue's, because its last write is of the last change.
	stopCatalog, stopMirror context.CancelFunc
	catalogDone, mirrorDone chan struct{}
	catalogErr, mirrorErr   error // each written before its channel is closed
}

// storeLog is a log that also remembers what clients were doing, and knows how it does.
type storeLog interface {
	catalog.Log
	live.Memory
	logHealth
}

// storeMeters are told of what the store does; nil ones are not.
type storeMeters struct {
	log     sqlitelog.Meter
	stream  natslog.Meter
	catalog catalog.Meter
}

// openStore waits while another process that has the data directory stops.
func openStore(ctx context.Context, s *Settings, logger *slog.Logger, meters storeMeters) (*store, error) {
	if err := os.MkdirAll(s.Data, 0o750); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	if s.clustered() {
		log, node, err := openClustered(ctx, s, logger, meters)
		if err != nil {
			return nil, err
		}
		return newStore(ctx, &store{log: log, cluster: log, node: node}, s, logger, meters)
	}
	log, err := openLog(ctx, s, s.Data, ops.NotedPosition(s.Data).Sequence, logger, meters.log)
	if err != nil {
		return nil, fmt.Errorf("opening the log in %s: %w", s.Data, err)
	}
	return newStore(ctx, &store{log: log, node: log}, s, logger, meters)
}

// newStore puts a catalogue on a store's open logs, which are closed after an error.
func newStore(ctx context.Context, opened *store, s *Settings, logger *slog.Logger, meters storeMeters) (*store, error) {
	head, err := opened.log.Head(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the log: %w", err), opened.closeLogs())
	}
	books := catalog.New(opened.log, catalog.Options{Logger: logger, Deflate: newDeflate(), Meter: meters.catalog})
	mirror := ops.NewMirror(ops.MirrorOptions{Dir: s.Data, Catalog: books, Logger: logger})
	books.Observe(mirror.Observe)
	opened.catalog, opened.mirror, opened.logger, opened.hadLog = books, mirror, logger, head > 0
	return opened, nil
}

// start loads the catalogue, takes over a books.json that is not ours, and
// begins to follow the catalogue with the mirror. After an error the store is
// closed. In a cluster, books.json is a copy that one node has, perhaps an old
// one: it restores nothing.
func (s *store) start(ctx context.Context) error {
	if s.cluster != nil {
		return s.startOverruling(ctx)
	}
	examined := make(chan error, 1) // books.json may be large too, and has nothing to do with the log
	go func() { examined <- s.mirror.Examine() }()
	err := s.load(ctx)
	if err = errors.Join(err, <-examined); err == nil {
		err = s.mirror.TakeOver(ctx)
	}
	if err != nil {
		return errors.Join(err, s.close())
	}
	s.follow(ctx)
	return nil
}

// startOverruling is start for who is about to restore something else than books.json.
func (s *store) startOverruling(ctx context.Context) error {
	err := s.load(ctx)
	if err == nil {
		err = s.mirror.Overrule()
	}
	if err != nil {
		return errors.Join(err, s.close())
	}
	s.follow(ctx)
	return nil
}

// follow lets the mirror follow the catalogue until close.
func (s *store) follow(ctx context.Context) {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopMirror, s.mirrorDone = stop, make(chan struct{})
	go func() {
		defer close(s.mirrorDone)
		s.mirrorErr = s.mirror.Run(running)
	}()
}

// loadingGCPercent is GOGC while the catalogue is loaded: nearly all that is allocated then stays,
// so collecting it over and over as it grows finds little, and costs as much as reading the log.
const loadingGCPercent = 400

// load runs the catalogue and waits until it holds what the log holds.
func (s *store) load(ctx context.Context) error {
	usual := debug.SetGCPercent(loadingGCPercent)
	if usual < 0 || usual > loadingGCPercent { // somebody knows better
		debug.SetGCPercent(usual)
	}
	defer debug.SetGCPercent(usual)

	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopCatalog, s.catalogDone = stop, make(chan struct{})
	go func() {
		defer close(s.catalogDone)
		s.catalogErr = s.catalog.Run(running)
	}()
	select {
	case <-s.catalog.Loaded():
		return nil
	case <-s.catalogDone:
		return fmt.Errorf("loading the catalogue: %w", s.catalogErr)
	case <-ctx.Done():
		return fmt.Errorf("loading the catalogue: %w", context.Cause(ctx))
	}
}

// close stops the catalogue, lets the mirror write for the last time, and
// closes the log. Nothing may be using the catalogue any more.
func (s *store) close() error {
	var errs []error
	if s.stopCatalog != nil {
		s.stopCatalog()
		<-s.catalogDone
		if s.catalogErr != nil {
			errs = append(errs, fmt.Errorf("the catalogue: %w", s.catalogErr))
		}
	}
	if s.stopMirror != nil {
		s.stopMirror()
		<-s.mirrorDone
		if s.mirrorErr != nil {
			errs = append(errs, fmt.Errorf("the last write of books.json: %w", s.mirrorErr))
		}
	}
	return errors.Join(append(errs, s.closeLogs())...)
}

func (s *store) closeLogs() error {
	err := s.log.Close()
	if s.cluster != nil {
		err = errors.Join(err, s.node.Close())
	}
	if err != nil {
		return fmt.Errorf("closing the log: %w", err)
	}
	return nil
}
