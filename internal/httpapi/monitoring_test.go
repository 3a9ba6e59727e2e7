package httpapi_test

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/httpapi"
)

// timings is a Meter that keeps what is told of screens and limits.
type timings struct {
	mu      sync.Mutex
	took    []time.Duration
	limited []string
}

func (*timings) Answered(_, _ string, _ int, _ time.Duration) {}

func (m *timings) Limited(limit string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limited = append(m.limited, limit)
}

func (m *timings) OnScreen(_ string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.took = append(m.took, took)
}

func TestTimings(t *testing.T) {
	t.Parallel()
	many := `{"samples":[` + strings.TrimSuffix(strings.Repeat(`{"event":"bookAdded","milliseconds":1},`, 51), ",") + `]}`
	for _, test := range []struct {
		name, body, field string
		noted             int
	}{
		{"two", `{"samples":[{"event":"bookAdded","milliseconds":42.5},{"event":"favoriteUpdated","milliseconds":0}]}`, "", 2},
		{"none", `{"samples":[]}`, "", 0},
		{"no samples", `{}`, "samples", 0},
		{"null", `{"samples":null}`, "samples", 0},
		{"not an array", `{"samples":{"event":"bookAdded"}}`, "samples", 0},
		{"not numbers", `{"samples":[{"event":"bookAdded","milliseconds":"1"}]}`, "samples", 0},
		{"too many", many, "samples", 0},
		{"an unknown event, after a good one", `{"samples":[{"event":"bookAdded","milliseconds":1},{"event":"x","milliseconds":1}]}`, "samples[1].event", 0},
		{"a client's event", `{"samples":[{"event":"customEvent","milliseconds":1}]}`, "samples[0].event", 0},
		{"no time", `{"samples":[{"event":"bookAdded"}]}`, "samples[0].milliseconds", 0},
		{"before the action", `{"samples":[{"event":"bookAdded","milliseconds":-1}]}`, "samples[0].milliseconds", 0},
		{"too long", `{"samples":[{"event":"bookAdded","milliseconds":600001}]}`, "samples[0].milliseconds", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			meter := &timings{}
			f := newEmptyFixture(t, func(o *httpapi.Options) { o.Meter = meter })
			response := f.send(t, http.MethodPost, "/timings", test.body, map[string]string{"Content-Type": "application/json"})
			body := readAll(t, response)
			problem := ""
			if test.field != "" {
				problem = "Invalid input"
			}
			checkProblem(t, response, body, problem, test.field)
			contractOf(t, f).check(t, http.MethodPost, "/timings", response, body)
			if len(meter.took) != test.noted {
				t.Errorf("%d were noted, want %d", len(meter.took), test.noted)
			}
		})
	}
}

// One address cannot decide alone what everybody's screens are like.
func TestTimingsAreLimited(t *testing.T) {
	t.Parallel()
	meter := &timings{}
	now := time.Unix(1_700_000_000, 0)
	f := newEmptyFixture(t, func(o *httpapi.Options) { o.Meter, o.Now = meter, func() time.Time { return now } })
	statuses := make(map[int]int)
	for range 30 {
		response := f.send(t, http.MethodPost, "/timings", `{"samples":[]}`, map[string]string{"Content-Type": "application/json"})
		readAll(t, response)
		statuses[response.StatusCode]++
		if wait := response.Header.Get("Retry-After"); (wait == "1") != (response.StatusCode == http.StatusTooManyRequests) {
			t.Errorf("%d with Retry-After %q", response.StatusCode, wait)
		}
	}
	if statuses[http.StatusOK] != 20 || statuses[http.StatusTooManyRequests] != 10 || len(meter.limited) != 10 || meter.limited[0] != httpapi.LimitTimings {
		t.Errorf("statuses %v, limits hit %v", statuses, meter.limited)
	}
}

func TestMonitoringAnswersFitTheDocument(t *testing.T) {
	t.Parallel()
	value := 1.5
	var level slog.LevelVar
	f := newEmptyFixture(t, func(o *httpapi.Options) {
		o.Monitoring = httpapi.Monitoring{
			Metrics:        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/plain") }),
			MetricsAllowed: func(r *http.Request) bool { return r.Header.Get("Authorization") != "" },
			History: func(window string) httpapi.History {
				return httpapi.History{Step: map[string]string{"10m": "1s", "24h": "1m", "30d": "1h"}[window], From: time.Unix(0, 0).UTC(),
					Series: map[string][]*float64{"connections": {nil, &value}}}
			},
			LogLevel: level.Level, SetLogLevel: level.Set,
		}
	})
	document := contractOf(t, f)
	for _, test := range []struct {
		method, target, body string
		headers              map[string]string
		status               int
		answer               string
	}{
		{http.MethodGet, "/history", "", nil, http.StatusOK, `{"step":"1s","from":"1970-01-01T00:00:00Z","series":{"connections":[null,1.5]}}`},
		{http.MethodGet, "/history?window=30d", "", nil, http.StatusOK, `"step":"1h"`},
		{http.MethodGet, "/history?window=", "", nil, http.StatusBadRequest, `"field":"window"`},
		{http.MethodGet, "/log-level", "", nil, http.StatusOK, `{"level":"info"}`},
		{http.MethodPut, "/log-level", `{"level":"debug"}`, map[string]string{"Content-Type": "application/json"}, http.StatusOK, `{"level":"debug"}`},
		{http.MethodPut, "/log-level", `{"level":"INFO+2"}`, map[string]string{"Content-Type": "application/json"}, http.StatusBadRequest, `"field":"level"`},
		{http.MethodPut, "/log-level", `{}`, map[string]string{"Content-Type": "application/json"}, http.StatusBadRequest, `"field":"level"`},
		{http.MethodGet, "/metrics", "", map[string]string{"Authorization": "x"}, http.StatusOK, ""},
		{http.MethodGet, "/metrics", "", nil, http.StatusForbidden, "Unauthorized access"},
	} {
		response := f.send(t, test.method, test.target, test.body, test.headers)
		body := readAll(t, response)
		if response.StatusCode != test.status || !strings.Contains(body, test.answer) {
			t.Errorf("%s %s: %d %s", test.method, test.target, response.StatusCode, body)
		}
		document.check(t, test.method, test.target, response, body)
	}
}
