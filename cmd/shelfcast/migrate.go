package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/shelfcast/shelfcast/internal/backup"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// exitUnfinished is the exit code of a move that has to be run again.
const exitUnfinished = 2

type migrateCommand struct {
	From   string `required:"" help:"Data directory of a server that is stopped, or NATS servers as for --nats-url." placeholder:"DIR|URL"`
	To     string `required:"" help:"The same; there must be no other catalogue. --nats-stream, --replicas and the other --nats flags are for the end in NATS." placeholder:"DIR|URL"`
	DryRun bool   `help:"Only look whether it can be done, and count."`
	Cancel bool   `help:"Give up a move between the two that was interrupted: take the copy away and let the source be served again."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run moves the catalogue. A signal ends it with nothing changed, until the copy is complete.
func (c migrateCommand) Run(ctx context.Context, p *process, s *Settings) error {
	ctx, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	logger := p.logger(s)
	from, err := c.open(ctx, s, logger)
	if err != nil {
		return err
	}
	to, err := c.target(s, logger)
	if err == nil && to.Place() == c.place(s, c.From) {
		err = errors.New("--from and --to are the same")
	}
	if err == nil {
		err = c.move(ctx, p, s, from, to)
	}
	err = errors.Join(err, from.Close())
	if errors.Is(err, move.ErrUnfinished) {
		return &exitError{exitUnfinished, err}
	}
	return err
}

// place names an end for people, absolutely and without secrets.
func (c migrateCommand) place(s *Settings, end string) string {
	if isCluster(end) {
		return s.logOptions(end, nil).Place()
	}
	if dir, err := filepath.Abs(end); err == nil {
		return dir
	}
	return end
}

// isCluster tells NATS servers from a directory.
func isCluster(end string) bool { return strings.Contains(end, "://") }

// open opens the log that is to be left.
func (c migrateCommand) open(ctx context.Context, s *Settings, logger *slog.Logger) (move.Log, error) {
	dir := c.place(s, c.From)
	if isCluster(c.From) {
		if !areServers(c.From) {
			return nil, fmt.Errorf("--from %s names no NATS servers", dir)
		}
		options := s.logOptions(c.From, logger)
		options.Marked = true
		log, err := natslog.Open(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("opening the log in NATS: %w", err)
		}
		return log, nil
	}
	if _, err := os.Stat(filepath.Join(dir, sqlitelog.DatabaseName)); err != nil {
		return nil, fmt.Errorf("there is no catalogue: %w", err)
	}
	log, err := sqlitelog.Open(ctx, dir, sqlitelog.Options{Marked: true, RecoveryWindow: s.RecoveryWindow, Logger: logger})
	if errors.Is(err, sqlitelog.ErrLocked) {
		return nil, fmt.Errorf("stop the server first: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the log in %s: %w", dir, err)
	}
	return log, nil
}

// target is where the catalogue goes.
func (c migrateCommand) target(s *Settings, logger *slog.Logger) (move.Target, error) {
	if !isCluster(c.To) {
		return &directoryTarget{
			Target: &sqlitelog.Target{Dir: c.place(s, c.To), Options: sqlitelog.Options{RecoveryWindow: s.RecoveryWindow, Logger: logger}},
			logger: logger,
		}, nil
	}
	if !areServers(c.To) {
		return nil, fmt.Errorf("--to %s names no NATS servers", c.place(s, c.To))
	}
	return &natslog.Target{Options: s.logOptions(c.To, logger)}, nil
}

// directoryTarget is a data directory, in which a books.json may lie that a server would restore.
type directoryTarget struct {
	*sqlitelog.Target
	logger *slog.Logger
}

// Make implements move.Target.
func (t *directoryTarget) Make(ctx context.Context, id move.Identity, from string) (move.Filler, error) {
	aside := sqlitelog.Aside(t.Dir, time.Now())
	moved, err := ops.PutMirrorAside(t.Dir, aside)
	if err != nil {
		return nil, fmt.Errorf("putting books.json aside: %w", err)
	}
	if moved {
		t.logger.Info("books.json that was in the way is kept", "in", aside)
	}
	return t.Target.Make(ctx, id, from)
}

func (c migrateCommand) move(ctx context.Context, p *process, s *Settings, from move.Log, to move.Target) error {
	place := c.place(s, c.From)
	if c.Cancel {
		if err := move.Cancel(ctx, from, place, to); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "%s can be served again\n", place)
		return err
	}
	if err := c.checkMirror(ctx, from, place); err != nil {
		return err
	}
	steps := moveProgress{p: p}
	report, err := move.Run(ctx, move.Options{
		From: from, Place: place, To: to, DryRun: c.DryRun, Progress: steps.show,
		Backup: func(snapshot *catalog.Snapshot) (string, error) { return c.backUp(s, p.version, snapshot) },
	})
	steps.end()
	if err != nil {
		if report.Backup != "" {
			err = fmt.Errorf("%w (the backup is %s)", err, report.Backup)
		}
		return err
	}
	return c.print(p, &report)
}

// checkMirror refuses to move a data directory whose books.json the next start would restore, or
// which has lost changes that are only there.
func (c migrateCommand) checkMirror(ctx context.Context, from move.Log, dir string) error {
	if isCluster(c.From) {
		return nil
	}
	if mark, err := from.Mark(ctx); err != nil || !mark.IsServed() {
		return err // that is what is wrong, or was looked at before
	}
	snapshot, err := move.Snapshot(ctx, from)
	if err != nil {
		return err
	}
	state, problem, err := ops.InspectMirror(dir, snapshot)
	if err == nil && state != ops.MirrorSound {
		err = fmt.Errorf("%s: start and stop the server once, which settles it (`shelfcast check` says more)", problem)
	}
	return err
}

// backUp makes and verifies a backup, beside the data of the end that is a directory, unless
// --backup-dir says otherwise.
func (c migrateCommand) backUp(s *Settings, version string, snapshot *catalog.Snapshot) (string, error) {
	where := &Settings{Data: s.Data, BackupDir: s.BackupDir}
	for _, end := range []string{c.To, c.From} {
		if !isCluster(end) {
			where.Data = c.place(s, end)
		}
	}
	directory := backupDirectory(where, version)
	info, err := directory.Create(snapshot, backup.ReasonBeforeMove)
	if err != nil {
		return "", err
	}
	path := filepath.Join(directory.Path(), info.Name)
	if report := directory.Verify(info.Name); !report.OK {
		return path, fmt.Errorf("the backup %s is not as it was written: %s", path, strings.Join(report.Faults, "; "))
	}
	return path, nil
}

func (c migrateCommand) print(p *process, report *move.Report) error {
	if c.JSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	verb := "moved"
	switch {
	case report.Already:
		verb = "an earlier run has moved"
	case report.DryRun:
		verb = "would move"
	}
	fmt.Fprintf(p.stdout, "%s %d books, %d favourites and %d deletions (%d records), %d idempotency keys and %d client states\n  from %s\n  to   %s\n  at position %s\n",
		verb, report.Books, report.Favorites, report.Deletions, report.Changes, report.Claims, report.ClientStates, report.From, report.To, report.Position)
	if report.Backup != "" {
		fmt.Fprintf(p.stdout, "a verified backup is %s\n", report.Backup)
	}
	if !report.DryRun && isCluster(c.To) {
		fmt.Fprintf(p.stdout, "serve it with --nats-url %s\n", report.To)
	} else if !report.DryRun {
		fmt.Fprintf(p.stdout, "serve it with --data %s, without --nats-url\n", report.To)
	}
	return nil
}

// moveProgress shows on a terminal how far each step is.
type moveProgress struct {
	p    *process
	step string
	bar  *progressBar
}

func (m *moveProgress) show(step string, done, all int) {
	if step != m.step {
		m.end()
		m.step, m.bar = step, newProgressBar(m.p.stderr, step)
	}
	m.bar.show(100 * done / max(1, all))
}

func (m *moveProgress) end() {
	if m.bar != nil {
		m.bar.clear()
	}
}
