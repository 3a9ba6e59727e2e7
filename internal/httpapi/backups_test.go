package httpapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/httpapi"
)

func TestBackupAnswers(t *testing.T) {
	t.Parallel()
	made := httpapi.Backup{Name: "20241225T143000.000Z", CreatedAt: time.Unix(0, 0).UTC(), Reason: "manual", Position: "a-1", Books: 1, Bytes: 2}
	f := newEmptyFixture(t, func(o *httpapi.Options) {
		o.Backups = httpapi.Backups{
			List:   func() ([]httpapi.Backup, error) { return []httpapi.Backup{made}, nil },
			Create: func() (httpapi.Backup, error) { return made, nil },
			Verify: func(name string) (httpapi.BackupReport, error) {
				if name != made.Name {
					return httpapi.BackupReport{}, httpapi.ErrNoBackup
				}
				return httpapi.BackupReport{Name: name, OK: true, Faults: []string{}}, nil
			},
		}
	})
	broken := newEmptyFixture(t, func(o *httpapi.Options) {
		o.Backups.List = func() ([]httpapi.Backup, error) { return nil, errors.New("open /secret/place: no") }
	})
	for _, test := range []struct {
		f              *fixture
		method, target string
		status         int
		answer         string
	}{
		{f, http.MethodGet, "/backups", http.StatusOK, `[{"name":"20241225T143000.000Z"`},
		{f, http.MethodPost, "/backups", http.StatusCreated, `"verified":null`},
		{f, http.MethodPost, "/backups/" + made.Name + "/verify", http.StatusOK, `{"name":"20241225T143000.000Z","ok":true,"faults":[]}`},
		{f, http.MethodPost, "/backups/..%2Fetc/verify", http.StatusNotFound, `Backup not found`},
		{broken, http.MethodGet, "/backups", http.StatusServiceUnavailable, `cannot be reached`},
		{broken, http.MethodPost, "/backups", http.StatusServiceUnavailable, `does not have it`},
	} {
		response := test.f.send(t, test.method, test.target, "", nil)
		body := readAll(t, response)
		if response.StatusCode != test.status || !strings.Contains(body, test.answer) || strings.Contains(body, "secret") {
			t.Errorf("%s %s: %d %s", test.method, test.target, response.StatusCode, body)
		}
	}
}
