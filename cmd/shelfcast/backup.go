package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shelfcast/shelfcast/internal/backup"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

type backupCommand struct {
	Create  backupCreateCommand  `cmd:"" help:"Make a backup now, while the server runs or not."`
	List    backupListCommand    `cmd:"" help:"List the backups, and how the schedule stands."`
	Verify  backupVerifyCommand  `cmd:"" help:"Compare every byte of backups with what was written; exit with 1 if one differs."`
	Restore backupRestoreCommand `cmd:"" help:"Make the catalogue equal to a backup or to a plain books.json. The present state is backed up first; connected clients see the difference."`
}

// askServer asks the running server for an answer in JSON. Without a server the error is
// errNoServer.
func askServer(ctx context.Context, s *Settings, method, path string, query url.Values, body io.Reader, answer any) error {
	response, err := callAdmin(ctx, s.Data, method, path, query, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

// withStore opens the store for a command that no server could do, and closes it after.
func withStore(ctx context.Context, p *process, s *Settings, start func(*store, context.Context) error, do func(*backups) error) error {
	logger := p.logger(s)
	store, err := openStore(ctx, s, logger, storeMeters{})
	if err != nil {
		return err
	}
	if err := start(store, ctx); err != nil {
		return err // the store is closed
	}
	return errors.Join(do(newBackups(s, p.version, store.catalog, logger)), store.close())
}

// loadOnly is a start that leaves books.json alone.
func loadOnly(store *store, ctx context.Context) error {
	if err := store.load(ctx); err != nil {
		return errors.Join(err, store.close())
	}
	return nil
}

type backupCreateCommand struct{}

// Run makes a backup through the running server if there is one.
func (backupCreateCommand) Run(ctx context.Context, p *process, s *Settings) error {
	var info backup.Info
	err := askServer(ctx, s, http.MethodPost, "/backups", nil, nil, &info)
	if errors.Is(err, errNoServer) {
		if _, err := os.Stat(filepath.Join(s.Data, sqlitelog.DatabaseName)); err != nil && !s.clustered() {
			return fmt.Errorf("there is no catalogue: %w", err)
		}
		err = withStore(ctx, p, s, loadOnly, func(b *backups) (err error) {
			info, err = b.create()
			return err
		})
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "backup %s: %d books at position %s\n", info.Name, info.Books, info.Position)
	return err
}

type backupListCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

// Run lists the running server's backups, or those where the settings say.
func (c backupListCommand) Run(ctx context.Context, p *process, s *Settings) error {
	overview, err := overviewOf(ctx, p, s)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(overview)
	}
	if len(overview.Backups) == 0 {
		fmt.Fprintf(p.stdout, "no backups in %s\n", overview.Directory)
	} else {
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tBOOKS\tBYTES\tPOSITION\tREASON\tSTATE")
		for _, one := range overview.Backups {
			fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", one.Name, one.Books, one.Bytes, one.Position, one.Reason, stateOf(&one))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if status := overview.Schedule; status != nil {
		fmt.Fprintf(p.stdout, "next backup: %s (every %s, keeping %d)\n", status.Next.Format(time.RFC3339), status.Every, status.Keep)
		if status.Failures > 0 {
			fmt.Fprintf(p.stdout, "the last %d attempts failed: %s\n", status.Failures, status.Failure)
		}
	}
	return nil
}

func overviewOf(ctx context.Context, p *process, s *Settings) (overview backupOverview, err error) {
	err = askServer(ctx, s, http.MethodGet, "/backups", nil, nil, &overview)
	if errors.Is(err, errNoServer) {
		return newBackups(&Settings{Data: s.Data, BackupDir: s.BackupDir}, p.version, nil, nil).overview()
	}
	return overview, err
}

func stateOf(info *backup.Info) string {
	switch {
	case info.Fault != "":
		return "damaged: " + info.Fault
	case info.Verified == nil:
		return ""
	case info.Verified.OK:
		return "verified " + info.Verified.At.Format(time.RFC3339)
	}
	return "damaged"
}

type backupVerifyCommand struct {
	Backups []string `arg:"" optional:"" name:"backup" help:"Names as the list has them, or paths; all if none is given."`
}

// Run verifies through the running server, which then shows the result; backups that are named
// by path it reads itself.
func (c backupVerifyCommand) Run(ctx context.Context, p *process, s *Settings) error {
	names := c.Backups
	if len(names) == 0 {
		overview, err := overviewOf(ctx, p, s)
		if err != nil {
			return err
		}
		for _, one := range overview.Backups {
			names = append(names, one.Name)
		}
		if len(names) == 0 {
			fmt.Fprintf(p.stdout, "no backups in %s\n", overview.Directory)
		}
	}
	damaged := 0
	for _, name := range names {
		report, err := verifyBackup(ctx, p, s, name)
		if err != nil {
			return err
		}
		if report.OK {
			fmt.Fprintf(p.stdout, "%s: sound\n", name)
			continue
		}
		damaged++
		fmt.Fprintf(p.stdout, "%s: %s\n", name, strings.Join(report.Faults, "; "))
	}
	if damaged > 0 {
		return fmt.Errorf("%d of %d backups cannot be relied on", damaged, len(names))
	}
	return nil
}

func verifyBackup(ctx context.Context, p *process, s *Settings, name string) (report backup.Report, err error) {
	if !backup.IsName(name) {
		return backup.VerifyAt(name), nil
	}
	err = askServer(ctx, s, http.MethodPost, "/backups/"+name+"/verify", nil, nil, &report)
	if errors.Is(err, errNoServer) {
		return backupDirectory(s, p.version).Verify(name), nil
	}
	return report, err
}

type backupRestoreCommand struct {
	Backup string `arg:"" help:"A name as the list has it, or the path of a backup or of a file such as books.json."`
	DryRun bool   `help:"Only say what would change."`
	NewLog bool   `help:"When the log is damaged beyond opening: put it aside in the data directory and begin a new one. Only without a running server."`
}

// Run restores through the running server if there is one, so that connected clients see it.
func (c backupRestoreCommand) Run(ctx context.Context, p *process, s *Settings) error {
	var restored backup.Restored
	query := url.Values{"dryRun": {strconv.FormatBool(c.DryRun)}}
	var content []byte
	if backup.IsName(c.Backup) {
		query.Set("backup", c.Backup)
	} else {
		source, err := backup.OpenPath(c.Backup) // so that the server gets what was verified
		if err != nil {
			return err
		}
		query.Set("file", c.Backup)
		content = source.Books.Content()
	}
	if c.NewLog && s.clustered() {
		return errors.New("--new-log is for a log in the data directory; the one in NATS is replaced by another --nats-stream")
	}
	err := error(errNoServer)
	if !c.NewLog || adminAnswers(ctx, s.Data) {
		if c.NewLog {
			return errors.New("a server runs on the data directory, so its log is not damaged beyond opening: leave out --new-log")
		}
		err = askServer(ctx, s, http.MethodPost, "/restore", query, bytes.NewReader(content), &restored)
	}
	if errors.Is(err, errNoServer) {
		restored, err = c.withoutServer(ctx, p, s)
	}
	if err != nil {
		return err
	}
	d := restored.Difference
	verb := "restored"
	if c.DryRun {
		verb = "would restore"
	}
	fmt.Fprintf(p.stdout, "%s %s, %d books: %d added, %d changed, %d deleted; %d favourites given, %d taken back\n",
		verb, restored.From, restored.Books, d.Added, d.Updated, d.Deleted, d.FavoritesGiven, d.FavoritesEnded)
	if restored.Before != "" {
		fmt.Fprintf(p.stdout, "the state before is backup %s\n", restored.Before)
	}
	return nil
}

func (c backupRestoreCommand) withoutServer(ctx context.Context, p *process, s *Settings) (restored backup.Restored, err error) {
	var source backup.Source
	if backup.IsName(c.Backup) {
		source, err = backupDirectory(s, p.version).Open(c.Backup)
	} else {
		source, err = backup.OpenPath(c.Backup)
	}
	if err != nil {
		return restored, err
	}
	if c.NewLog && !c.DryRun {
		aside, err := sqlitelog.PutAside(s.Data, filepath.Join(s.Data, "damaged-"+time.Now().UTC().Format("20060102T150405Z")))
		if err != nil {
			return restored, fmt.Errorf("putting the log aside: %w", err)
		}
		fmt.Fprintf(p.stdout, "the damaged log is kept in %s\n", aside)
	}
	start := (*store).startOverruling
	if c.DryRun {
		start = loadOnly
	} else if s.clustered() {
		if err := makeStream(ctx, s, source.Books.List, p.logger(s)); err != nil {
			return restored, fmt.Errorf("making the stream: %w", err)
		}
	}
	err = withStore(ctx, p, s, start, func(b *backups) (err error) {
		restored, err = b.restore(ctx, source, c.DryRun)
		return err
	})
	return restored, err
}

// lostSequences is how far beyond its last backup a log can have gone, many times over; JavaScript's
// integers hold nine million times as much.
const lostSequences = 1_000_000_000

// makeStream makes the stream of a cluster that has lost it, above all versions that books had.
func makeStream(ctx context.Context, s *Settings, books []catalog.Book, logger *slog.Logger) error {
	target := &natslog.Target{Options: s.logOptions(s.NATSURL, logger)}
	found, err := target.Find(ctx)
	if err != nil {
		return err
	}
	if found != nil {
		return found.Close()
	}
	highest := catalog.Sequence(0)
	for i := range books {
		highest = max(highest, books[i].Version)
	}
	return target.MakeAfter(ctx, highest+lostSequences)
}
