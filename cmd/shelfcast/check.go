package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/backup"
	"github.com/shelfcast/shelfcast/internal/check"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// Exit codes of check.
const (
	exitFaults     = 1
	exitCannotLook = 2
)

type checkCommand struct {
	JSON   bool `name:"json" help:"Print JSON."`
	Repair bool `help:"Mend what is safe to mend: permissions, and favourites of no book, after a backup."`
}

// checkReport is what check prints as JSON.
type checkReport struct {
	Faults []check.Fault `json:"faults"`
}

// Run looks at everything, at the log through the running server if there is one.
func (c checkCommand) Run(ctx context.Context, p *process, s *Settings) error {
	faults := append(contradictions(s), check.Directory(s.Data, c.Repair)...)
	faults = append(faults, checkCertificate(s)...)
	stored, err := c.checkStore(ctx, p, s, faults)
	if err != nil {
		return &exitError{exitCannotLook, err}
	}
	faults = append(append(faults, stored...), check.DamagedWAL(s.Data)...) // opening the log finds some
	backups, err := checkBackups(ctx, p, s)
	if err != nil {
		return &exitError{exitCannotLook, err}
	}
	return p.report(append(faults, backups...), c.JSON)
}

// report prints faults. One that is left is an error.
func (p *process) report(faults []check.Fault, asJSON bool) error {
	left := 0
	for _, fault := range faults {
		if fault.Repair == "" || strings.HasPrefix(fault.Repair, "failed") {
			left++
		}
	}
	if asJSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(checkReport{Faults: append([]check.Fault{}, faults...)}); err != nil {
			return err
		}
	} else {
		for _, fault := range faults {
			fmt.Fprintf(p.stdout, "%s: %s\n  effect: %s\n  fix: %s\n", fault.Name, fault.Problem, fault.Effect, fault.Fix)
			if fault.Repair != "" {
				fmt.Fprintf(p.stdout, "  repair: %s\n", fault.Repair)
			}
		}
		if len(faults) == 0 {
			fmt.Fprintln(p.stdout, "everything is sound")
		}
	}
	if left > 0 {
		return &exitError{exitFaults, fmt.Errorf("%d faults", left)}
	}
	return nil
}

// reportUnusable prints settings that cannot even be read, as a check does.
func (p *process) reportUnusable(err error) error {
	return p.report([]check.Fault{check.New(check.ConfigurationInvalid, err.Error())}, slices.Contains(p.args, "--json"))
}

// contradictions are settings that cannot both be meant.
func contradictions(s *Settings) []check.Fault {
	var faults []check.Fault
	complain := func(problem string) { faults = append(faults, check.New(check.ConfigurationContradict, problem)) }
	if err := s.checkExposure(); err != nil {
		complain(err.Error())
	}
	if s.DemoAnywhere && s.Auth != "demo" {
		complain("--demo-anywhere has no effect with --auth " + s.Auth)
	}
	if s.ignoresTokens() {
		complain("JWT_SECRET, --jwks-url, --jwt-issuer, --jwt-audience have no effect with --auth " + s.Auth + ": tokens are not asked for, everyone may do everything")
	}
	if !s.clustered() && (s.NATSCreds != "" || s.NATSCA != "" || s.NATSCert != "" || s.NATSKey != "") {
		complain("--nats-creds, --nats-ca, --nats-cert, --nats-key have no effect without --nats-url")
	}
	if s.HSTS != 0 && !s.tls() {
		complain(fmt.Sprintf("--hsts %s has no effect without --tls-cert", s.HSTS))
	}
	if s.Sync == "always" && s.SyncInterval != time.Second {
		complain(fmt.Sprintf("--sync-interval %s has no effect with --sync always", s.SyncInterval))
	}
	for _, problem := range s.contradictLimits() {
		complain(problem)
	}
	if s.BackupEvery == 0 && s.BackupDir != "" {
		complain("--backup-dir is set, and --backup-every 0 makes no backups")
	}
	return faults
}

// checkCertificate looks at the files that the settings name.
func checkCertificate(s *Settings) []check.Fault {
	if s.TLSCert == "" && s.TLSKey == "" {
		return nil
	}
	return check.Certificate(s.TLSCert, s.TLSKey, time.Now())
}

// checkStore looks at the log and at books.json. found are the faults so far: what cannot be
// written cannot be opened either.
func (c checkCommand) checkStore(ctx context.Context, p *process, s *Settings, found []check.Fault) ([]check.Fault, error) {
	var report checkReport
	query := url.Values{"repair": {strconv.FormatBool(c.Repair)}}
	err := askServer(ctx, s, http.MethodPost, "/check", query, nil, &report)
	if !errors.Is(err, errNoServer) {
		return report.Faults, err
	}
	if s.clustered() {
		return c.checkCluster(ctx, p, s)
	}
	if _, err := os.Stat(filepath.Join(s.Data, sqlitelog.DatabaseName)); err != nil {
		return []check.Fault{check.New(check.LogMissing, err.Error())}, nil
	}
	logger := p.logger(s)
	// No sequence that it should have reached: looking must not give it a new epoch.
	log, err := sqlitelog.Open(ctx, s.Data, sqlitelog.Options{
		Sync: sqlitelog.Sync(s.Sync), SyncInterval: s.SyncInterval, RecoveryWindow: s.RecoveryWindow, Logger: logger,
	})
	var opened *store
	if err == nil {
		if opened, err = newStore(ctx, &store{log: log, node: log}, s, logger, storeMeters{}); err == nil {
			err = loadOnly(opened, ctx)
		}
	}
	unwritable := slices.ContainsFunc(found, func(f check.Fault) bool {
		return f.Name == check.DirectoryUnwritable || f.Name == check.DiskFull
	})
	switch {
	case errors.Is(err, sqlitelog.ErrLocked), errors.Is(err, context.Canceled):
		return nil, err
	case err != nil && unwritable:
		return nil, nil // that is why
	case err != nil:
		return []check.Fault{check.Unopened(err)}, nil
	}
	of := &checker{store: opened, backups: newBackups(s, p.version, opened.catalog, logger), dir: s.Data}
	faults, err := of.run(ctx, c.Repair)
	return faults, errors.Join(err, opened.close())
}

const (
	// inspectPatience is how long check waits for a cluster that does not answer,
	inspectPatience = 10 * time.Second
	// and readingPatience until it has read a catalogue: a million books take half a minute.
	readingPatience = 2 * time.Minute
)

// checkCluster looks at the log in the cluster, which it only reads: every change of it.
func (c checkCommand) checkCluster(ctx context.Context, p *process, s *Settings) (faults []check.Fault, err error) {
	options := s.logOptions(s.NATSURL, p.logger(s))
	options.Marked = true
	opening, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()
	log, err := natslog.Open(opening, options)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return []check.Fault{check.UnopenedCluster(err)}, nil
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if mark, err := log.Mark(ctx); err == nil && !mark.IsServed() {
		faults = append(faults, check.Unopened(&move.HeldError{Place: options.Place(), Mark: mark}))
	}
	reading, cancel := context.WithTimeout(ctx, readingPatience)
	defer cancel()
	if _, err := move.Snapshot(reading, log); err != nil {
		faults = append(faults, check.New(check.LogUnreadable, err.Error()))
	}
	return append(faults, check.Cluster(ctx, log, s.Replicas)...), nil
}

// checkBackups looks at how the schedule stands, and at the manifests.
func checkBackups(ctx context.Context, p *process, s *Settings) ([]check.Fault, error) {
	overview, err := overviewOf(ctx, p, s)
	if err != nil {
		return nil, err
	}
	var faults []check.Fault
	if status := overview.Schedule; status != nil && status.Failures > 0 {
		faults = append(faults, check.New(check.BackupFailing, fmt.Sprintf("the last %d attempts failed: %s", status.Failures, status.Failure)))
	}
	for _, one := range overview.Backups {
		if one.Fault != "" {
			faults = append(faults, check.New(check.BackupDamaged, one.Name+": "+one.Fault))
		}
	}
	return faults, nil
}

// checker looks at an open store: the server's, or that of a command.
type checker struct {
	store   *store
	backups *backups
	dir     string
	// replicas is on how many servers the log should be, in a cluster.
	replicas int
}

// serveAdmin answers the check command.
func (c *checker) serveAdmin(mux *http.ServeMux) {
	mux.HandleFunc("POST /check", func(w http.ResponseWriter, r *http.Request) {
		repair, _ := strconv.ParseBool(r.URL.Query().Get("repair")) // ours alone
		faults, err := c.run(r.Context(), repair)
		answerAdmin(w, checkReport{Faults: faults}, err)
	})
}

func (c *checker) run(ctx context.Context, repair bool) ([]check.Fault, error) {
	if c.store.cluster != nil { // JetStream sums up its own files
		return check.Cluster(ctx, c.store.cluster, c.replicas), nil
	}
	faults, err := check.Log(ctx, c.store.node, time.Now())
	if err != nil {
		return nil, err
	}
	if repair {
		c.removeOrphans(ctx, faults)
	}
	state, problem, err := ops.InspectMirror(c.dir, c.store.catalog.Snapshot())
	if err != nil {
		return faults, err
	}
	names := map[ops.MirrorState]string{
		ops.MirrorForeign: check.MirrorForeign, ops.MirrorDiffers: check.MirrorDiffers,
		ops.MirrorAhead: check.LogLostEnd, ops.MirrorNoteDamaged: check.MirrorNoteDamaged,
	}
	if name, wrong := names[state]; wrong {
		faults = append(faults, check.New(name, problem))
	}
	return faults, nil
}

// removeOrphans repairs favourites without a book, after a backup.
func (c *checker) removeOrphans(ctx context.Context, faults []check.Fault) {
	orphan := func(f check.Fault) bool { return f.Name == check.FavoriteWithoutBook }
	if !slices.ContainsFunc(faults, orphan) {
		return
	}
	repaired := ""
	kept, err := c.backups.directory.Create(c.store.catalog.Snapshot(), backup.ReasonBeforeRepair)
	if err == nil {
		var removed int
		removed, err = c.store.node.RemoveOrphans(ctx)
		repaired = fmt.Sprintf("removed %d, after backup %s", removed, kept.Name)
	}
	if err != nil {
		repaired = "failed: " + err.Error()
	}
	for i := range faults {
		if orphan(faults[i]) {
			faults[i].Repair = repaired
		}
	}
}
