package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

func TestRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		perSecond float64
		burst     int
		said      string
	}{
		"20":      {20, 100, "20"},
		"0.5":     {0.5, 2, "0.5"},
		"0.001":   {0.001, 1, "0.001"},
		"100/15m": {100.0 / 900, 100, "100/15m"},
		"5/10s":   {0.5, 5, "5/10s"},
		"1000/1h": {1000.0 / 3600, 1000, "1000/1h"},
		"3/1h30m": {3.0 / 5400, 3, "3/1h30m"},
		"7/100ms": {70, 7, "7/100ms"},
	} {
		r, err := parseRate(text)
		if err != nil || r.check("requests") != nil {
			t.Errorf("%s: %v, %v", text, err, r.check("requests"))
			continue
		}
		if got := r.bucket(); got.PerSecond != want.perSecond || got.Burst != want.burst {
			t.Errorf("%s counts as %+v", text, got)
		}
		if again, err := parseRate(r.String()); r.String() != want.said || err != nil || again != r {
			t.Errorf("%s is said as %s", text, r)
		}
	}
	for _, text := range []string{"", "x", "20/", "/15m", "20/15", "20/-1m", "20/0s", "20 / 15m", "20/15m/2"} {
		if r, err := parseRate(text); err == nil {
			t.Errorf("%q is taken as %s", text, r)
		}
	}
	for _, text := range []string{"0", "-1", "NaN", "Inf", "1e9", "0.5/15m", "1.5/1s", "0/15m"} {
		if r, err := parseRate(text); err != nil || r.check("requests") == nil {
			t.Errorf("%s passes: %v", text, err)
		}
	}
}

// The forms of a rate, from every source, and back.
func TestRatesComeFromEverySource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shelfcast.yaml")
	if err := os.WriteFile(file, []byte("request-rate: 2.5\nrequest-rate-per-address: 100/15m\nevent-rate: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := printed(t, "--config", file)
	if got["request-rate"] != 2.5 || got["request-rate-per-address"] != "100/15m" || got["event-rate"] != 3 {
		t.Errorf("from the file: %v, %v, %v", got["request-rate"], got["request-rate-per-address"], got["event-rate"])
	}
	t.Setenv("SHELFCAST_REQUEST_RATE", "60/1m")
	got = printed(t, "--config", file, "--event-rate", "5/1s")
	if got["request-rate"] != "60/1m" || got["event-rate"] != "5/1s" {
		t.Errorf("from environment and flag: %v, %v", got["request-rate"], got["event-rate"])
	}
}

// The handbook's limit, in its own terms: the hundredth request is answered, the next is not.
func TestHandbooksRequestLimit(t *testing.T) {
	t.Parallel()
	limit, err := parseRate("100/15m")
	if err != nil {
		t.Fatal(err)
	}
	p := boot(t, t.TempDir(), func(s *Settings) { s.RequestRatePerAddress = limit })
	used := 0
	for ; used < 200; used++ {
		if status, header, _ := p.do(http.MethodGet, "/stats", ""); status != http.StatusOK {
			if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || header.Get("RateLimit-Limit") != "100" {
				t.Errorf("refused with %d %v", status, header)
			}
			break
		}
	}
	if used < 99 || used > 110 { // starting asks for /readyz alone; the rate gives one back every 9 s
		t.Errorf("%d requests are answered", used)
	}
	shown := httptest.NewRecorder()
	p.monitor.metrics.Handler().ServeHTTP(shown, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(shown.Body.String(), `shelfcast_limit_hits_total{limit="requests per address"} 1`) {
		t.Error("the metrics do not count it")
	}
}

// Each size and rate through the whole program: what is below passes, what is beyond gets the
// documented answer, and the metrics count it by name.
func TestSizesAndEventRates(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) {
		s.MaxBodyBytes, s.MaxMessageBytes, s.MaxHeaderBytes = 5000, 6000, 8192
		s.EventRate = rate{count: 3, within: time.Hour}
	})
	book := func(size int) string {
		return fmt.Sprintf(`{"title":"Middlemarch","author":"%s"}`, strings.Repeat("e", size-len(`{"title":"Middlemarch","author":""}`)))
	}
	typed := []string{"Content-Type", "application/json"}
	if status, _, body := p.do(http.MethodPost, "/books", book(5000), typed...); status != http.StatusCreated {
		t.Errorf("a body of 5000 bytes: %d %s", status, body)
	}
	if status, _, body := p.do(http.MethodPost, "/books", book(5001), typed...); status != http.StatusRequestEntityTooLarge || !strings.Contains(body, "5000 bytes") {
		t.Errorf("a body of 5001 bytes: %d %s", status, body)
	}
	p.awaitMetric(`shelfcast_limit_hits_total{limit="body size"}`, 1)
	if status, _, _ := p.do(http.MethodGet, "/stats", "", "X-Filler", strings.Repeat("x", 7000)); status != http.StatusOK {
		t.Errorf("a header of 7 kB: %d", status)
	}
	if status, _, _ := p.do(http.MethodGet, "/stats", "", "X-Filler", strings.Repeat("x", 13000)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 13 kB: %d", status)
	}

	c := sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"anna"}}})
	c.Await("synced")
	for range 3 {
		if ack, _ := c.Ask("customEvent", "no such payload"); strings.Contains(string(ack[0]), "Too many") {
			t.Errorf("below the rate: %s", ack)
		}
	}
	if ack, _ := c.Ask("customEvent", "no such payload"); string(ack[0]) != `{"error":"Too many requests"}` {
		t.Errorf("beyond the rate: %s", ack)
	}
	p.awaitMetric(`shelfcast_limit_hits_total{limit="events"}`, 1)
	if status, _, _ := p.do(http.MethodGet, "/stats", "", "X-User-Id", "anna"); status != http.StatusOK {
		t.Errorf("requests of who sent too many events: %d", status)
	}
	p.sendMessages(t)
	p.awaitMetric(`shelfcast_limit_hits_total{limit="message size"}`, 2)
}

// sendMessages sends messages of 6,000 bytes, which is the limit, and larger ones, either way.
func (p *running) sendMessages(t *testing.T) {
	t.Helper()
	const polling = "/socket.io/?EIO=4&transport=polling"
	_, _, body := p.do(http.MethodGet, polling, "")
	var opened struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &opened); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for size, want := range map[int]int{6000: http.StatusOK, 6001: http.StatusRequestEntityTooLarge} {
		if status, _, body := p.do(http.MethodPost, polling+"&sid="+opened.SID, "4"+strings.Repeat("x", size-1)); status != want {
			t.Errorf("a POST of %d bytes: %d %s", size, status, body)
		}
	}
	for size, want := range map[int]ws.StatusCode{6000: ws.StatusNormalClosure, 6001: ws.StatusMessageTooBig} {
		connection, _, _, err := ws.Dial(t.Context(), strings.Replace(p.URL(), "http://", "ws://", 1)+"/socket.io/?EIO=4&transport=websocket")
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		for _, frame := range []ws.Frame{
			ws.NewTextFrame([]byte("40")), ws.NewTextFrame([]byte(`42["` + strings.Repeat("x", size-6) + `"]`)),
			ws.NewTextFrame([]byte("1")), // the engine's own goodbye
		} {
			if err := ws.WriteFrame(connection, ws.MaskFrame(frame)); err != nil {
				t.Fatal(err)
			}
		}
		if got := closeCode(t, connection); got != want {
			t.Errorf("a message of %d bytes: close code %d, want %d", size, got, want)
		}
	}
}

// closeCode reads a WebSocket to its end.
func closeCode(t *testing.T, connection net.Conn) ws.StatusCode {
	t.Helper()
	if err := connection.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		header, err := ws.ReadHeader(connection)
		if err != nil {
			t.Fatal(err)
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(connection, payload); err != nil {
			t.Fatal(err)
		}
		if header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(payload)
			return code
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--request-rate 20/15", "neither a number a second"},
		{"--event-rate 0.5/15m", "--event-rate: 0.5/15m: within a time there can only be a whole number of events"},
		{"--connection-rate-per-address 0", "--limits off"},
		{"--max-body-bytes 100", "--max-body-bytes: 100 is not between 4096"},
		{"--max-message-bytes 1000000000", "--max-message-bytes: 1000000000"},
		{"--max-header-bytes 0", "--max-header-bytes"},
		{"--max-pending-bytes=-1", "--max-pending-bytes"},
		{"--header-timeout 0s", "--header-timeout: 0s is less than a second"},
		{"--body-timeout 1ms", "--body-timeout"},
		{"--idle-timeout=-1s", "--idle-timeout"},
		{"--answer-timeout 0s", "--answer-timeout"},
		{"--max-pending-time 0s", "--max-pending-time"},
	} {
		code, _, complaint := execute(t, "", append([]string{"config", "print"}, strings.Fields(test.args)...)...)
		if code == 0 || !strings.Contains(complaint, test.want) {
			t.Errorf("%s: %d %s", test.args, code, complaint)
		}
	}
	if code, _, complaint := execute(t, "", "config", "print", "--limits", "off", "--max-body-bytes", "1"); code == 0 {
		t.Errorf("sizes stay without limits: %s", complaint)
	}
}

// check names limits that others keep from ever being reached.
func TestContradictoryLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"--max-connections 10", "--max-connections-per-address 1000 is never reached, as --max-connections is 10"},
		{"--connection-rate-per-address 100", "--handshake-rate-per-address 200 is never reached, as --connection-rate-per-address is 100"},
		{"--request-rate 300", "--request-rate 300 is never reached, as --request-rate-per-address is 200"},
		{"--request-rate 10/1m", "--event-rate 20 is never reached, as --request-rate is 10/1m"},
	} {
		code, said, _ := execute(t, "", append([]string{"check", "--data", t.TempDir()}, strings.Fields(test.args)...)...)
		if code != exitFaults || !strings.Contains(said, test.want) {
			t.Errorf("%s: %d %s", test.args, code, said)
		}
	}
	s := defaults(t, t.TempDir())
	if problems := s.contradictLimits(); len(problems) > 0 {
		t.Errorf("the defaults contradict each other: %s", problems)
	}
}
