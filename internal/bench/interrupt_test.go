package bench

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whoever interrupts a run finds no book left, and the server is not accused of having lost what it
// had no time to deliver.
func TestInterruptedRunIsFinished(t *testing.T) {
	t.Parallel()
	for _, load := range []Load{
		{Duration: time.Hour, Posters: 16},
		{Duration: time.Hour, Posters: 16, WaitFor: WaitAnswered},
		{Duration: time.Hour, Rate: 200},
		{Warmup: time.Hour, Duration: time.Hour, Posters: 16},
	} {
		s := newStage(t, (*httptest.Server).Start, nil)
		ctx, cancel := context.WithCancel(bounded(t))
		options := Options{URL: s.URL, Clients: 4, Load: load, Cleanup: true}
		options.Progress = func(p Progress) {
			if p.Deliveries > 100 {
				cancel()
			}
		}
		report, err := Run(ctx, options)
		if err == nil || report == nil {
			t.Fatalf("%v, %+v", err, report)
		}
		if !report.Faultless() || report.Unanswered != 0 || len(report.Problems) > 0 {
			t.Errorf("%+v: lost %d, unanswered %d, problems %q", load, report.Lost, report.Unanswered, report.Problems)
		}
		s.mu.Lock()
		if len(s.titles) == 0 || len(s.deleted) != len(s.titles) {
			t.Errorf("%+v: %d of %d books were deleted", load, len(s.deleted), len(s.titles))
		}
		s.mu.Unlock()
	}
}

// A server that hangs holds up nobody who interrupts a run, and what may be left is named.
func TestInterruptedRunOfAServerThatHangs(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	s := newStage(t, (*httptest.Server).Start, func(s *stage) {
		s.respond = func(http.ResponseWriter, int) bool {
			close(hangs)
			<-t.Context().Done()
			return true
		}
	})
	ctx, cancel := context.WithCancel(bounded(t))
	go func() { <-hangs; cancel() }()
	report, err := Run(ctx, Options{URL: s.URL, Clients: 1, Load: Load{Duration: time.Hour}, Cleanup: true})
	if err == nil || !strings.Contains(err.Error(), "1 posts were not answered") || !strings.Contains(err.Error(), `"Shelfcast bench `) {
		t.Errorf("%v", err)
	}
	if report == nil || report.Unanswered != 1 {
		t.Errorf("%+v", report)
	}
}

// What no time mends is said at once, not after ConnectTimeout.
func TestFinalRefusals(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, func(s *stage) { s.refuse = "Unauthorized access" })
	for _, test := range []struct {
		path, want string
	}{
		{"/nowhere", "no client gets in: connecting: HTTP status 404"},
		{"", "no client gets in: connecting: the server refuses the connection: {\"message\":\"Unauthorized access\"}"},
	} {
		for _, transport := range []Transport{TransportWebSocket, TransportPolling} {
			options := Options{URL: s.URL, Path: test.path, Clients: 3, Transport: transport, ConnectTimeout: time.Hour}
			if _, err := Run(bounded(t), options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s, %s: %v, want %q", test.path, transport, err, test.want)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Too many", http.StatusTooManyRequests)
	}))
	defer full.Close()
	if _, err := Run(ctx, Options{URL: full.URL, Clients: 1}); err == nil || !strings.Contains(err.Error(), "HTTP status 429: Too many") {
		t.Errorf("%v", err)
	}
}
