package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/history"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// metric is the value of one line of /metrics, labels as Prometheus writes them.
func (p *running) metric(name string) float64 {
	p.t.Helper()
	status, _, text := p.do(http.MethodGet, "/metrics", "")
	if status != http.StatusOK {
		p.t.Fatalf("/metrics: %d %s", status, text)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			number, err := strconv.ParseFloat(value, 64)
			if err != nil {
				p.t.Fatal(err)
			}
			return number
		}
	}
	return -1
}

func (p *running) awaitMetric(name string, want float64) {
	p.t.Helper()
	got := 0.0
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if got = p.metric(name); got == want {
			return
		}
	}
	p.t.Errorf("%s is %v, want %v", name, got, want)
}

// What happens is counted where an operator looks for it, and names nobody.
func TestMetricsCountWhatHappens(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.RequestRatePerAddress, s.RequestRate = perSecond(1000), perSecond(0.001) })
	owner := sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"secret-olga"}, "role": {"owner"}}})
	owner.Ask("ownerJoinDashboard")
	p.add("Middlemarch")
	owner.Await("bookAdded")
	if status, _, body := p.do(http.MethodPost, "/timings", `{"samples":[{"event":"bookAdded","milliseconds":42.5}]}`,
		"Content-Type", "application/json"); status != http.StatusOK {
		t.Errorf("POST /timings: %d %s", status, body)
	}
	for range 2 {
		p.do(http.MethodGet, "/stats?secret=1", "", "X-User-Id", "secret-anna")
	}
	p.do("BREW", "/no-such-path", "")
	for name, want := range map[string]float64{
		`shelfcast_sockets{role="owner"}`:                                                 1,
		`shelfcast_sockets{role="reader"}`:                                                0,
		`shelfcast_events_total{event="bookAdded"}`:                                       1,
		`shelfcast_client_events_total{event="ownerJoinDashboard"}`:                       1,
		`shelfcast_action_to_screen_seconds_count{event="bookAdded"}`:                     1,
		`shelfcast_limit_hits_total{limit="requests per user"}`:                           1,
		`shelfcast_http_request_seconds_count{method="POST",route="/books",status="201"}`: 1,
		`shelfcast_http_request_seconds_count{method="GET",route="/stats",status="429"}`:  1,
		`shelfcast_http_request_seconds_count{method="other",route="none",status="404"}`:  1,
		`shelfcast_log_append_seconds_count`:                                              1,
		`shelfcast_projection_lag_seconds_count`:                                          1,
		`shelfcast_books`:                                                                 1,
	} {
		p.awaitMetric(name, want)
	}
	if p.metric("shelfcast_log_sync_seconds_count") < 1 || p.metric("shelfcast_fan_out_passes_total") < 1 {
		t.Error("no sync or no pass was counted")
	}
	_, _, text := p.do(http.MethodGet, "/metrics", "")
	if strings.Contains(text, "secret") || strings.Contains(text, "BREW") || strings.Contains(text, "no-such-path") {
		t.Error("what clients say became part of the metrics")
	}
	owner.Close()
	p.awaitMetric(`shelfcast_sockets{role="owner"}`, 0)
}

// The history shows now, and a restart does not lose the minutes.
func TestHistoryOutlastsARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := boot(t, dir, nil)
	sockettest.Dial(t, p.URL(), sockettest.Handshake{}).Await("synced")
	type view struct {
		Step   string
		From   time.Time
		Series map[string][]*float64
	}
	show := func(window string) (v view) {
		t.Helper()
		status, _, body := p.do(http.MethodGet, "/history?window="+window, "")
		if err := json.Unmarshal([]byte(body), &v); err != nil || status != http.StatusOK {
			t.Fatalf("%d %v: %s", status, err, body)
		}
		return v
	}
	seen := func(values []*float64) bool {
		for _, value := range values {
			if value != nil && *value > 0 && *value <= 1 {
				return true
			}
		}
		return false
	}
	await := func(window string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !seen(show(window).Series["connections"]); {
			if time.Now().After(deadline) {
				t.Fatalf("%s never showed the connection", window)
			}
		}
	}
	await("10m")
	if v := show("10m"); v.Step != "1s" || len(v.Series) != len(history.AllSeries()) || len(v.Series["eventsPerSecond"]) != 600 {
		t.Errorf("step %s, %d series", v.Step, len(v.Series))
	}
	if status, _, body := p.do(http.MethodGet, "/history?window=1y", ""); status != http.StatusBadRequest || !strings.Contains(body, `"field":"window"`) {
		t.Errorf("an unknown window: %d %s", status, body)
	}
	p.stop() // stores the minute that is under way
	p = boot(t, dir, nil)
	await("30d")
	if v := show("30d"); v.Step != "1h" || len(v.Series["connections"]) != 720 {
		t.Errorf("step %s, %d values", v.Step, len(v.Series["connections"]))
	}
}

func TestWhoMayReadMetrics(t *testing.T) {
	t.Parallel()
	open := boot(t, t.TempDir(), nil)
	guarded := boot(t, t.TempDir(), func(s *Settings) { s.MetricsToken = "a-token-for-prometheus" })
	for _, test := range []struct {
		name   string
		server *running
		header []string
		status int
	}{
		{"from this machine", open, nil, http.StatusOK},
		{"through a proxy on it", open, []string{"X-Forwarded-For", "203.0.113.7"}, http.StatusForbidden},
		{"the token", guarded, []string{"Authorization", "Bearer a-token-for-prometheus"}, http.StatusOK},
		{"another token", guarded, []string{"Authorization", "Bearer a-token-for-prometheuz"}, http.StatusForbidden},
		{"no token", guarded, nil, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, _, body := test.server.do(http.MethodGet, "/metrics", "", test.header...); status != test.status {
				t.Errorf("%d, want %d: %.200s", status, test.status, body)
			}
		})
	}
}

// Metrics and profiles have doors of their own, for those who run the server.
func TestSidePorts(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.MetricsAddress, s.DebugAddr = "127.0.0.1:0", "127.0.0.1:0" })
	address := func(what string) string {
		found := regexp.MustCompile(`"what":"` + what + `","address":"([^"]+)"`).FindStringSubmatch(p.journal.String())
		if found == nil {
			t.Fatalf("the log does not say where %s is", what)
		}
		return "http://" + found[1]
	}
	for _, test := range []struct {
		at, path, host string
		status         int
	}{
		{address("metrics"), "/metrics", "", http.StatusOK},
		{address("metrics"), "/books", "", http.StatusNotFound},
		{address("debug"), "/debug/pprof/goroutine?debug=1", "", http.StatusOK},
		{address("debug"), "/debug/pprof/goroutine?debug=1", "evil.example", http.StatusMisdirectedRequest},
		{p.URL(), "/debug/pprof/", "", http.StatusNotFound},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, test.at+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host, request.Close = test.host, true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s (host %q): %d, want %d", test.path, test.host, response.StatusCode, test.status)
		}
	}
	for flag, address := range map[string]string{"--debug-addr": "0.0.0.0:6060", "--metrics-address": "nowhere"} {
		if code, _, complaint := execute(t, "", "config", "print", flag, address); code == 0 || !strings.Contains(complaint, flag) {
			t.Errorf("%s %s: exit code %d, %s", flag, address, code, complaint)
		}
	}
}

// One id leads from a request through the append to the event that everybody gets.
func TestOneIDFromRequestToDelivery(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	if code, stdout, stderr := execute(t, "", "log-level", "debug", "--data", p.settings.Data); code != 0 || stdout != "debug\n" {
		t.Fatalf("log-level: %d %s %s", code, stdout, stderr)
	}
	for given, kept := range map[string]bool{"trace-1.of_a-proxy": true, "two words": false, `x" level=ERROR`: false} {
		status, header, _ := p.do(http.MethodPost, "/books", `{"title":"Emma","author":"Jane Austen"}`,
			"Content-Type", "application/json", "X-Request-Id", given)
		id := header.Get("X-Request-Id")
		if status != http.StatusCreated || id == "" || (id == given) != kept {
			t.Fatalf("%d, request id %q for %q", status, id, given)
		}
		for _, message := range []string{"request", "change stored", "emit"} {
			want := regexp.MustCompile(`"msg":"` + message + `".*"request":"` + regexp.QuoteMeta(id) + `"`)
			if !want.MatchString(p.journal.String()) {
				t.Errorf("no line %q has the request's id %s", message, id)
			}
		}
	}
	if status, _, body := p.do(http.MethodPut, "/log-level", `{"level":"warn"}`, "Content-Type", "application/json"); status != http.StatusOK || strings.TrimSpace(body) != `{"level":"warn"}` {
		t.Errorf("PUT /log-level: %d %s", status, body)
	}
	before := strings.Count(p.journal.String(), `"msg":"emit"`)
	p.add("Walden")
	if after := strings.Count(p.journal.String(), `"msg":"emit"`); after != before {
		t.Error("an emit was logged at warn")
	}
	if status, _, _ := p.do(http.MethodPut, "/log-level", `{"level":"loud"}`, "Content-Type", "application/json"); status != http.StatusBadRequest {
		t.Errorf("an unknown level: %d", status)
	}
}
