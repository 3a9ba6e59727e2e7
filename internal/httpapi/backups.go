package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Backups is how the API makes and shows backups. Each of its functions is called from many
// goroutines at once; where one is nil, its call answers that it is not available. The restore
// is a command, not a call.
type Backups struct {
	// List gives the backups, the newest first.
	List func() ([]Backup, error)
	// Create makes a backup of the present state, or gives the one that holds it already.
	Create func() (Backup, error)
	// Verify looks at a backup. The error is ErrNoBackup where there is none of that name.
	Verify func(name string) (BackupReport, error)
}

// ErrNoBackup means that there is no backup of the given name.
var ErrNoBackup = errors.New("httpapi: no such backup")

// Backup describes a backup.
type Backup struct {
	Name       string              `json:"name" required:"true" example:"20241225T143000.000Z"`
	CreatedAt  time.Time           `json:"createdAt" required:"true"`
	AgeSeconds int64               `json:"ageSeconds" required:"true" minimum:"0"`
	Good       bool                `json:"good" required:"true" description:"Whether nothing is known to be wrong with it."`
	Reason     string              `json:"reason" required:"true" enum:"manual,scheduled,before-restore,before-repair,before-move,"`
	Position   string              `json:"position" required:"true" description:"Of the catalogue that it holds."`
	Books      int                 `json:"books" required:"true" minimum:"0"`
	Bytes      int64               `json:"bytes" required:"true" minimum:"0"`
	Verified   *BackupVerification `json:"verified" required:"true" nullable:"true" description:"The last verification since the server's start; null: none."`
	Fault      string              `json:"fault" required:"true" description:"Why its manifest cannot be believed; empty if it can."`
	_          struct{}            `title:"Backup" additionalProperties:"false"`
}

// BackupVerification is what a verification found, and when.
type BackupVerification struct {
	At time.Time `json:"at" required:"true"`
	OK bool      `json:"ok" required:"true"`
	_  struct{}  `title:"Verification of a backup" additionalProperties:"false"`
}

// BackupReport is what a verification found.
type BackupReport struct {
	Name   string   `json:"name" required:"true"`
	OK     bool     `json:"ok" required:"true"`
	Faults []string `json:"faults" required:"true" nullable:"false" description:"What is wrong; empty if nothing is."`
	_      struct{} `title:"Report on a backup" additionalProperties:"false"`
}

type backupParameters struct {
	Name string `path:"name" description:"As the list has it."`
}

func (a *API) backupRoutes() []route {
	return []route{
		{
			method: http.MethodGet, pattern: "/backups", id: "backups", tag: tagOperation,
			summary: "The backups, the newest first",
			responses: []response{
				{status: http.StatusOK, description: "What is there.", wire: []Backup{}},
			},
			errors: []catalog.Code{catalog.CodeUnavailable},
			handle: a.listBackups,
		},
		{
			method: http.MethodPost, pattern: "/backups", id: "makeBackup", tag: tagOperation,
			summary: "Make a backup now",
			detail:  "Where nothing has changed since the newest backup, the answer is that one.",
			responses: []response{
				{status: http.StatusCreated, description: "The backup.", wire: Backup{}},
			},
			errors: []catalog.Code{catalog.CodeUnavailable},
			handle: a.makeBackup,
		},
		{
			method: http.MethodPost, pattern: "/backups/{name}/verify", id: "verifyBackup", tag: tagOperation,
			summary: "Compare every byte of a backup with what was written",
			input:   backupParameters{},
			responses: []response{
				{status: http.StatusOK, description: "What was found.", wire: BackupReport{}},
			},
			errors: []catalog.Code{catalog.CodeNotFound, catalog.CodeUnavailable},
			handle: a.verifyBackup,
		},
	}
}

func (a *API) listBackups(w http.ResponseWriter, _ *call) error {
	if a.options.Backups.List == nil {
		return notAvailable()
	}
	list, err := a.options.Backups.List()
	if err != nil {
		return backupFailed(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, list)
}

func (a *API) makeBackup(w http.ResponseWriter, c *call) error {
	if a.options.Backups.Create == nil {
		return notAvailable()
	}
	release, err := a.backupTurn(w, c)
	if err != nil {
		return err
	}
	defer release()
	made, err := a.options.Backups.Create()
	if err != nil {
		a.logger.Error("a backup could not be made", "error", err, "user", c.actor.UserID, "request", catalog.RequestID(c.Context()))
		return backupFailed(err)
	}
	return writeJSON(w, http.StatusCreated, made)
}

func (a *API) verifyBackup(w http.ResponseWriter, c *call) error {
	if a.options.Backups.Verify == nil {
		return notAvailable()
	}
	release, err := a.backupTurn(w, c)
	if err != nil {
		return err
	}
	defer release()
	report, err := a.options.Backups.Verify(c.PathValue("name"))
	if errors.Is(err, ErrNoBackup) {
		return &catalog.Error{Code: catalog.CodeNotFound, Text: "Backup not found", Err: err}
	}
	if err != nil {
		return backupFailed(err)
	}
	return writeJSON(w, http.StatusOK, report)
}

// maxBackupCalls is how many calls may make or verify backups, all but one of them waiting: each
// reads or writes the whole catalogue.
const maxBackupCalls = 4

func (a *API) backupTurn(w http.ResponseWriter, c *call) (release func(), err error) {
	release, ok := a.backupTurns.take(c.Context())
	if !ok {
		a.noteLimit(c.RemoteAddr, c.actor.UserID, LimitBackups)
		w.Header().Set("Retry-After", "5")
		return nil, tooManyRequests()
	}
	return release, nil
}

// backupFailed keeps paths of the server from clients.
func backupFailed(cause error) error {
	return &catalog.Error{Code: catalog.CodeUnavailable, Text: "The backups cannot be reached at the moment", Err: cause}
}
