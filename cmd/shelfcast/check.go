package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

type checkCommand struct{}

// Run checks the log through the running server if there is one; otherwise it
// opens the log itself. Damage is an error, which names what was found.
func (checkCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if err := check(ctx, p, s); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, "the log is sound")
	return err
}

func check(ctx context.Context, p *process, s *Settings) error {
	response, err := callAdmin(ctx, s.Data, http.MethodPost, "/check", nil, nil)
	if err == nil {
		return response.Body.Close()
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.Data, sqlitelog.DatabaseName)); err != nil {
		return fmt.Errorf("there is no log: %w", err)
	}
	log, err := sqlitelog.Open(ctx, s.Data, sqlitelog.Options{
		Sync: sqlitelog.Sync(s.Sync), SyncInterval: s.SyncInterval, RecoveryWindow: s.RecoveryWindow, Logger: p.logger(s),
	})
	if err != nil {
		return fmt.Errorf("opening the log in %s: %w", s.Data, err)
	}
	return errors.Join(log.Check(ctx), log.Close())
}
