package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/backup"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/metrics"
)

// operator is on whose behalf a command changes the catalogue: whoever can use the data
// directory may change everything.
func operator() catalog.Actor { return catalog.Actor{UserID: "operator", Role: catalog.RoleOwner} }

// backups is the server's part in backups: the schedule, and what it does for the commands.
type backups struct {
	directory *backup.Directory
	schedule  *backup.Schedule // nil: --backup-every 0
	catalog   *catalog.Catalog
	logger    *slog.Logger

	stop context.CancelFunc // of the schedule's goroutine; nil: not started
	done chan struct{}
}

// backupDirectory is where the settings put the backups.
func backupDirectory(s *Settings, version string) *backup.Directory {
	path := cmp.Or(s.BackupDir, filepath.Join(s.Data, backup.DefaultDirectory))
	return backup.NewDirectory(backup.Options{Path: path, Version: version})
}

func newBackups(s *Settings, version string, c *catalog.Catalog, logger *slog.Logger) *backups {
	b := &backups{directory: backupDirectory(s, version), catalog: c, logger: logger}
	if s.BackupEvery > 0 {
		b.schedule = backup.NewSchedule(backup.ScheduleOptions{
			Directory: b.directory, Catalog: c, Every: s.BackupEvery, Keep: s.BackupKeep, Logger: logger,
		})
	}
	return b
}

// start lets the schedule run until close.
func (b *backups) start() {
	if b.schedule == nil {
		return
	}
	running, stop := context.WithCancel(context.Background())
	b.stop, b.done = stop, make(chan struct{})
	go func() {
		defer close(b.done)
		b.schedule.Run(running)
	}()
}

// close ends the schedule; a backup that is being made is finished first.
func (b *backups) close() {
	if b.stop != nil {
		b.stop()
		<-b.done
	}
}

// backupOverview is what `shelfcast backup list` shows.
type backupOverview struct {
	Directory string         `json:"directory"`
	Schedule  *backup.Status `json:"schedule"` // nil: none runs
	Backups   []backup.Info  `json:"backups"`
}

func (b *backups) overview() (backupOverview, error) {
	list, err := b.directory.List()
	overview := backupOverview{Directory: b.directory.Path(), Backups: list}
	if b.schedule != nil {
		overview.Schedule = new(b.schedule.Status())
	}
	return overview, err
}

func (b *backups) create() (backup.Info, error) {
	info, err := b.directory.Create(b.catalog.Snapshot(), backup.ReasonManual)
	if err == nil {
		b.logger.Info("backup made", "name", info.Name, "books", info.Books, "bytes", info.Bytes, "position", info.Position)
	}
	return info, err
}

func (b *backups) restore(ctx context.Context, source backup.Source, dryRun bool) (backup.Restored, error) {
	restored, err := b.directory.Restore(ctx, b.catalog, operator(), source, dryRun)
	if err == nil && !dryRun {
		b.logger.Warn("backup restored", "from", restored.From, "before", restored.Before,
			"added", restored.Difference.Added, "updated", restored.Difference.Updated, "deleted", restored.Difference.Deleted,
			"favorites_given", restored.Difference.FavoritesGiven, "favorites_ended", restored.Difference.FavoritesEnded)
	}
	return restored, err
}

// state is for metrics.
func (b *backups) state() metrics.Backups {
	var state metrics.Backups
	newest, found, err := b.directory.Newest()
	if found {
		state.Covered = newest.CreatedAt
	}
	if b.schedule == nil {
		return state
	}
	status := b.schedule.Status()
	state.Every, state.Failures = b.schedule.Every(), status.Failures
	// What could not be listed was not found unchanged either.
	if err == nil && status.Unchanged != nil && status.Unchanged.After(state.Covered) {
		state.Covered = *status.Unchanged
	}
	return state
}

// api is what the REST API does with backups.
func (b *backups) api() httpapi.Backups {
	return httpapi.Backups{
		List: func() ([]httpapi.Backup, error) {
			list, err := b.directory.List()
			shown := make([]httpapi.Backup, len(list))
			for i, info := range list {
				shown[i] = shownBackup(info)
			}
			return shown, err
		},
		// Whoever may ask for backups over the network may not fill the disk with equal ones.
		Create: func() (httpapi.Backup, error) {
			list, err := b.directory.List()
			if err != nil {
				return httpapi.Backup{}, err
			}
			if len(list) > 0 && list[0].Fault == "" && list[0].Position == b.catalog.Position().String() {
				return shownBackup(list[0]), nil
			}
			info, err := b.create()
			return shownBackup(info), err
		},
		Verify: func(name string) (httpapi.BackupReport, error) {
			if _, err := b.directory.Find(name); err != nil {
				return httpapi.BackupReport{}, fmt.Errorf("%w: %w", httpapi.ErrNoBackup, err)
			}
			report := b.directory.Verify(name)
			return httpapi.BackupReport{Name: report.Name, OK: report.OK, Faults: report.Faults}, nil
		},
	}
}

func shownBackup(info backup.Info) httpapi.Backup {
	shown := httpapi.Backup{
		AgeSeconds: int64(max(0, time.Since(info.CreatedAt)).Seconds()), Good: info.IsGood(),
		Name: info.Name, CreatedAt: info.CreatedAt, Reason: string(info.Reason), Position: info.Position,
		Books: info.Books, Bytes: info.Bytes, Fault: info.Fault,
	}
	if info.Verified != nil {
		shown.Verified = &httpapi.BackupVerification{At: info.Verified.At, OK: info.Verified.OK}
	}
	return shown
}

// serveAdmin answers the backup commands.
func (b *backups) serveAdmin(mux *http.ServeMux) {
	mux.HandleFunc("GET /backups", func(w http.ResponseWriter, _ *http.Request) {
		overview, err := b.overview()
		answerAdmin(w, overview, err)
	})
	mux.HandleFunc("POST /backups", func(w http.ResponseWriter, _ *http.Request) {
		info, err := b.create()
		answerAdmin(w, info, err)
	})
	mux.HandleFunc("POST /backups/{name}/verify", func(w http.ResponseWriter, r *http.Request) {
		answerAdmin(w, b.directory.Verify(r.PathValue("name")), nil)
	})
	// The restore of a backup by its name, or of a file of books that comes as the body.
	mux.HandleFunc("POST /restore", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		source, err := b.openSource(r, query.Get("backup"), query.Get("file"))
		var restored backup.Restored
		if err == nil {
			dryRun, _ := strconv.ParseBool(query.Get("dryRun")) // ours alone
			restored, err = b.restore(r.Context(), source, dryRun)
		}
		answerAdmin(w, restored, err)
	})
}

func (b *backups) openSource(r *http.Request, name, file string) (backup.Source, error) {
	if name != "" {
		return b.directory.Open(name)
	}
	return backup.ReadSource(r.Body, file)
}
