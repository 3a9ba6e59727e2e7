package bench

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// within is how long anything here may take.
const within = 30 * time.Second

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	return ctx
}

func TestRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		start  func(*httptest.Server)
		change func(*Options)
	}{
		{"websocket", (*httptest.Server).Start, nil},
		{"polling", (*httptest.Server).Start, func(o *Options) { o.Transport = TransportPolling }},
		{"mixed, no recovery", (*httptest.Server).Start, func(o *Options) { o.Transport, o.Recovery = TransportMixed, RecoverNot }},
		{"many posters", (*httptest.Server).Start, func(o *Options) { o.Load.Posters = 8 }},
		{"posters that wait for the answer", (*httptest.Server).Start, func(o *Options) { o.Load.WaitFor = WaitAnswered }},
		{"a rate", (*httptest.Server).Start, func(o *Options) { o.Load.Rate = 200 }},
		{"a time, after a warm-up", (*httptest.Server).Start, func(o *Options) {
			o.Load = Load{Warmup: 50 * time.Millisecond, Duration: 300 * time.Millisecond}
		}},
		{"a token", (*httptest.Server).Start, func(o *Options) { o.Token = "secret" }},
		{"a slow arrival", (*httptest.Server).Start, func(o *Options) { o.ConnectRate, o.ConnectAtOnce = 200, 2 }},
		{"TLS", (*httptest.Server).StartTLS, nil},
		{"TLS, mixed", (*httptest.Server).StartTLS, func(o *Options) { o.Transport = TransportMixed }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, test.start, nil)
			options := Options{URL: s.URL, Clients: 12, Load: Load{Count: 25}, PID: os.Getpid(), Settle: time.Millisecond}
			if certificate := s.Certificate(); certificate != nil {
				options.RootCAs = x509.NewCertPool()
				options.RootCAs.AddCert(certificate)
			}
			if test.change != nil {
				test.change(&options)
			}
			report, err := Run(bounded(t), options)
			if err != nil {
				t.Fatal(err)
			}
			if !report.Faultless() || len(report.Problems) > 0 {
				t.Errorf("lost %d, duplicates %d, problems %q", report.Lost, report.Duplicates, report.Problems)
			}
			if options.Load.Count > 0 && report.Posts != 25 || report.Accepted != report.Posts || report.Posts == 0 {
				t.Errorf("%d posts, %d accepted", report.Posts, report.Accepted)
			}
			if want := 12 * report.Posts; report.Deliveries != want || report.Latency.Each.Count != want {
				t.Errorf("%d deliveries, want %d", report.Deliveries, want)
			}
			if report.Latency.Last.Count != report.Posts || report.Latency.Answer.Count != report.Posts {
				t.Errorf("%d posts reached all, %d were answered, of %d", report.Latency.Last.Count, report.Latency.Answer.Count, report.Posts)
			}
			if each, last := report.Latency.Each, report.Latency.Last; each.P50 <= 0 || each.P99 < each.P50 || last.P50 < each.P50 {
				t.Errorf("each %+v, last %+v", each, last)
			}
			if report.Connect.Each.Count != 12 || report.Connect.Seconds <= 0 || report.Connect.Refused != 0 {
				t.Errorf("connecting: %+v", report.Connect)
			}
			var posts, deliveries uint64
			for _, piece := range report.Timeline {
				posts += piece.Posts
				deliveries += piece.Deliveries
			}
			if posts != report.Posts || deliveries != report.Deliveries {
				t.Errorf("the timeline has %d posts and %d deliveries", posts, deliveries)
			}
			if report.BytesReceived == 0 || report.Server.RSSBefore == 0 || report.Server.PID != os.Getpid() {
				t.Errorf("received %d, server %+v", report.BytesReceived, report.Server)
			}
			var text strings.Builder
			if err := report.WriteText(&text); err != nil || !strings.Contains(text.String(), "12 clients") {
				t.Errorf("%v\n%s", err, &text)
			}
		})
	}
}

// The verdict is what matters most: a server that drops or doubles one delivery is found out.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	const clients = 7
	tests := []struct {
		name             string
		transport        Transport
		times            func(post, socket int) int
		lost, duplicates uint64
	}{
		{"one is dropped", TransportWebSocket, func(post, socket int) int {
			if post == 3 && socket == 2 {
				return 0
			}
			return 1
		}, 1, 0},
		{"one comes twice", TransportWebSocket, func(post, socket int) int {
			if post == 3 && socket == 2 {
				return 2
			}
			return 1
		}, 0, 1},
		{"the last one is dropped, to a client that polls", TransportPolling, func(post, socket int) int {
			if post == 9 && socket == 6 {
				return 0
			}
			return 1
		}, 1, 0},
		{"one socket gets nothing", TransportMixed, func(_, socket int) int {
			if socket == 0 {
				return 0
			}
			return 1
		}, 10, 0},
		{"the first comes three times", TransportMixed, func(post, _ int) int {
			if post == 0 {
				return 3
			}
			return 1
		}, 0, 2 * clients},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, (*httptest.Server).Start, func(s *stage) {
				s.spread = func(s *stage, post int, book json.RawMessage) {
					s.sendEach(book, func(socket int) int { return test.times(post, socket) })
				}
			})
			load := Load{Count: 10, WaitFor: WaitAnswered, Patience: 300 * time.Millisecond}
			report, err := Run(bounded(t), Options{URL: s.URL, Clients: clients, Transport: test.transport, Load: load})
			if err != nil {
				t.Fatal(err)
			}
			if report.Lost != test.lost || report.Duplicates != test.duplicates {
				t.Errorf("lost %d, duplicates %d; want %d, %d", report.Lost, report.Duplicates, test.lost, test.duplicates)
			}
			if report.Faultless() {
				t.Error("the report finds no fault")
			}
		})
	}
}

// What was refused, or may have been, is expected nowhere; and its event, if it comes, is no fault.
func TestPostsThatFail(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, func(s *stage) {
		s.respond = func(w http.ResponseWriter, post int) bool {
			switch post {
			case 2:
				http.Error(w, "Too many requests", http.StatusTooManyRequests)
				return false
			case 4:
				panic(http.ErrAbortHandler) // the connection ends without an answer
			}
			return true
		}
	})
	report, err := Run(bounded(t), Options{URL: s.URL, Clients: 3, Load: Load{Count: 6}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Posts != 6 || report.Accepted != 4 || report.Refused != 1 || report.Unanswered != 1 || !report.Faultless() {
		t.Errorf("posts %d, accepted %d, refused %d, unanswered %d, lost %d, duplicates %d",
			report.Posts, report.Accepted, report.Refused, report.Unanswered, report.Lost, report.Duplicates)
	}
	if problems := strings.Join(report.Problems, "\n"); !strings.Contains(problems, "429: Too many requests") {
		t.Errorf("problems:\n%s", problems)
	}
}

func TestCleanup(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	if _, err := Run(bounded(t), Options{URL: s.URL, Clients: 2, Cleanup: true, Load: Load{Count: 40, Posters: 4}}); err != nil {
		t.Fatal(err)
	}
	deleted := make(map[string]bool)
	for _, id := range s.deleted {
		deleted[id] = true
	}
	if len(deleted) != 40 || len(s.deleted) != 40 {
		t.Errorf("%d of 40 books were deleted, with %d requests", len(deleted), len(s.deleted))
	}
}

func TestPlainWebSocket(t *testing.T) {
	t.Parallel()
	b := newBroadcaster(t)
	report, err := Run(bounded(t), Options{
		URL: b.URL, Protocol: WebSocket, Path: "/live", PostURL: b.URL + "/publish", Clients: 9, Load: Load{Count: 20},
		PostBody: func(title string) []byte { return []byte(`{"channel":"books","data":"` + title + `"}`) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if report.Deliveries != 180 || !report.Faultless() {
		t.Errorf("%d deliveries, lost %d, duplicates %d", report.Deliveries, report.Lost, report.Duplicates)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	full := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Too many sessions of this address", http.StatusTooManyRequests)
	}))
	t.Cleanup(full.Close)
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"no address", Options{}, "not a server's address"},
		{"a path without a host", Options{URL: "localhost:4000"}, "not a server's address"},
		{"nobody listens", Options{URL: "http://127.0.0.1:1"}, "cannot be reached"},
		{"the server is full", Options{URL: full.URL, Clients: 2, ConnectTimeout: 100 * time.Millisecond}, "0 of 2 clients were connected within 100ms: connecting: HTTP status 429: Too many sessions"},
		{"too many for the limit on files", Options{URL: full.URL, Clients: 1 << 30}, "open files"},
		{"an unknown transport", Options{URL: full.URL, Transport: "pigeon"}, `unknown transport "pigeon"`},
		{"a rate below 0", Options{URL: full.URL, Load: Load{Rate: -1}}, "a rate of -1"},
		{"a process that is not there", Options{URL: full.URL, PID: 1 << 30}, "cannot be watched"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Run(bounded(t), test.options); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// Whoever interrupts a run gets what was measured so far.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	s := newStage(t, (*httptest.Server).Start, nil)
	ctx, cancel := context.WithCancel(bounded(t))
	options := Options{URL: s.URL, Clients: 2, Load: Load{Duration: time.Hour}}
	options.Progress = func(p Progress) {
		if p.Stage == StageMeasuring && p.Deliveries > 0 {
			cancel()
		}
	}
	report, err := Run(ctx, options)
	if err == nil || report == nil || report.Deliveries == 0 {
		t.Errorf("%v, %+v", err, report)
	}
}
