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

// Each verification reads a whole backup: one works, a few wait, and more are told to come later.
func TestBackupCallsAreBounded(t *testing.T) {
	t.Parallel()
	const calls = 20
	at, atOnce, goOn := make(chan struct{}, calls), make(chan struct{}, 1), make(chan struct{})
	f := newEmptyFixture(t, func(o *httpapi.Options) {
		o.Backups.Verify = func(name string) (httpapi.BackupReport, error) {
			select {
			case atOnce <- struct{}{}:
			default:
				t.Error("two at once")
			}
			at <- struct{}{}
			<-goOn
			<-atOnce
			return httpapi.BackupReport{Name: name, OK: true, Faults: []string{}}, nil
		}
	})
	verify := func() int {
		response := f.send(t, http.MethodPost, "/backups/20241225T143000.000Z/verify", "", nil)
		body := readAll(t, response)
		if response.StatusCode == http.StatusTooManyRequests {
			checkProblem(t, response, body, "Too many requests", "")
			if response.Header.Get("Retry-After") == "" {
				t.Error("when may they come again?")
			}
		}
		return response.StatusCode
	}
	statuses := make(chan int, calls)
	for range calls {
		go func() { statuses <- verify() }()
	}
	<-at
	refused := 0
	for ; refused < calls-4; refused++ { // the others wait until goOn
		if status := <-statuses; status != http.StatusTooManyRequests {
			t.Fatalf("answered with %d", status)
		}
	}
	close(goOn)
	for range calls - refused {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("who waited: %d", status)
		}
	}
}
