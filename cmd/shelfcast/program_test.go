package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/logs"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// journal is a log that a test reads while the program writes it.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// running is the real program, on a port that the system chose.
type running struct {
	*Program
	t       *testing.T
	journal *journal
	closed  bool
}

// defaults are the settings that the program has without any.
func defaults(t *testing.T, dir string) Settings {
	t.Helper()
	var settings Settings
	parser, err := kong.New(&settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--data", dir, "--port", "0"}); err != nil {
		t.Fatal(err)
	}
	return settings
}

// directLog writes each line at once.
func directLog(w io.Writer) *logs.Log {
	level := new(slog.LevelVar)
	return &logs.Log{Logger: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), Level: level}
}

func boot(t *testing.T, dir string, change func(*Settings)) *running {
	t.Helper()
	return bootWith(t, dir, change, func(*Program) {})
}

// bootWith lets a test change more than settings say.
func bootWith(t *testing.T, dir string, change func(*Settings), before func(*Program)) *running {
	t.Helper()
	settings := defaults(t, dir)
	if change != nil {
		change(&settings)
	}
	log := &journal{}
	p := &running{Program: New(settings, "test", directLog(log)), t: t, journal: log}
	before(p.Program)
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop() })
	return p
}

// stop is a clean stop, which must succeed.
func (p *running) stop() {
	p.t.Helper()
	if p.closed {
		return
	}
	p.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), p.settings.ShutdownTimeout)
	defer cancel()
	if err := p.Close(ctx); err != nil {
		p.t.Errorf("the stop: %v", err)
	}
}

// do makes a request on a connection of its own.
func (p *running) do(method, path, body string, header ...string) (int, http.Header, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.URL()+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Close = true
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	request.Host = request.Header.Get("Host")
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(content)
}

func (p *running) add(title string) {
	p.t.Helper()
	status, _, body := p.do(http.MethodPost, "/books", fmt.Sprintf(`{"title":%q,"author":"Author Name"}`, title),
		"Content-Type", "application/json")
	if status != http.StatusCreated {
		p.t.Fatalf("adding %q: %d %s", title, status, body)
	}
}

// The whole way: over REST into the log, to a socket and into books.json, and
// still there after a restart.
func TestProgramFromEndToEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := boot(t, dir, nil)
	owner := sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"olga"}, "role": {"owner"}}})
	owner.Ask("ownerJoinDashboard")
	p.add("Middlemarch")
	if e := owner.Await("bookAdded"); !bytes.Contains(e.Args[0], []byte(`"title":"Middlemarch"`)) {
		t.Errorf("bookAdded %s", e.Args)
	}
	_, _, books := p.do(http.MethodGet, "/books", "")

	// GET /stats and the event say the same.
	stats := owner.Await("dashboardStats").Args[0]
	if status, _, body := p.do(http.MethodGet, "/stats", ""); status != http.StatusOK || strings.TrimSpace(body) != string(stats) {
		t.Errorf("GET /stats %d %s, dashboardStats %s", status, body, stats)
	}
	p.stop()
	if content, err := os.ReadFile(filepath.Join(dir, "books.json")); err != nil || string(content) != books {
		t.Errorf("books.json has %s, GET /books said %s (%v)", content, books, err)
	}
	for _, word := range []string{`"msg":"connection"`, `"msg":"disconnect"`, `"msg":"emit"`, `"reason":"server shutting down"`} {
		if !strings.Contains(p.journal.String(), word) {
			t.Errorf("the log lacks %s", word)
		}
	}

	p = boot(t, dir, nil)
	if _, _, again := p.do(http.MethodGet, "/books", ""); again != books {
		t.Errorf("after the restart: %s", again)
	}
}

// SIGTERM's way: not ready, what was begun is finished, sockets end without a
// DISCONNECT packet, so that clients come back by themselves.
func TestCloseDrains(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	socket := sockettest.Dial(t, p.URL(), sockettest.Handshake{})
	socket.Await("synced")
	address := strings.TrimPrefix(p.URL(), "http://")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	body := `{"title":"Begun before the end","author":"Author Name"}`
	// The server's 100 says that the handler has begun to read the body.
	fmt.Fprintf(connection, "POST /books HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, len(body))
	reader := bufio.NewReader(connection)
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	p.closed = true
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() { ended <- p.Close(ctx) }()
	for {
		if status, _, _ := p.do(http.MethodGet, "/readyz", ""); status == http.StatusServiceUnavailable {
			break
		}
	}
	if _, err := sockettest.Try(t, p.URL(), sockettest.Handshake{}); err == nil {
		t.Error("a new socket got in while the server stops")
	}
	if _, err := io.WriteString(connection, body); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("the request under way: %v, %v", response, err)
	}
	response.Body.Close()
	for _, packet := range socket.AwaitEnd() {
		if strings.HasPrefix(packet, "41") {
			t.Error("the socket was told to stay away")
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("the stop: %v", err)
	}
	if content, err := os.ReadFile(filepath.Join(p.settings.Data, "books.json")); err != nil || !strings.Contains(string(content), "Begun before the end") {
		t.Errorf("books.json after the stop: %s (%v)", content, err)
	}
}

// A request that never ends is cut, and the stop is clean all the same.
func TestCloseIsBounded(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.ShutdownTimeout = 2 * time.Second })
	address := strings.TrimPrefix(p.URL(), "http://")
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	fmt.Fprintf(connection, "POST /books HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n", address)
	if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	begin := time.Now()
	p.stop()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func TestConnectionCaps(t *testing.T) {
	t.Parallel()
	try := func(p *running) (*sockettest.Client, *sockettest.Refused) {
		c, err := sockettest.Try(t, p.URL(), sockettest.Handshake{})
		if err != nil {
			return nil, err.(*sockettest.Refused)
		}
		return c, nil
	}
	for _, test := range []struct {
		name    string
		change  func(*Settings)
		status  int
		message string
	}{
		{"total", func(s *Settings) { s.MaxConnections = 2 }, 503, "Too many sessions"},
		{"per address", func(s *Settings) { s.MaxConnectionsPerAddress = 2 }, 429, "Too many sessions of this address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := boot(t, t.TempDir(), test.change)
			first, _ := try(p)
			if second, refused := try(p); first == nil || second == nil {
				t.Fatalf("the first two must get in: %v", refused)
			}
			_, refused := try(p)
			var problem struct{ Message string }
			if refused == nil || refused.Status != test.status || json.Unmarshal([]byte(refused.Body), &problem) != nil ||
				problem.Message != test.message || refused.Header.Get("Retry-After") == "" {
				t.Fatalf("the third: %+v", refused)
			}
			first.Close()
			for { // the place is free once the server has noticed
				if c, _ := try(p); c != nil {
					break
				}
			}
		})
	}
	t.Run("new ones per address", func(t *testing.T) {
		t.Parallel()
		p := boot(t, t.TempDir(), func(s *Settings) { s.HandshakeRatePerAddress = 1 })
		for range 10 { // the burst
			if _, refused := try(p); refused != nil {
				t.Fatalf("within the burst: %v", refused)
			}
		}
		for range 20 { // the rate may let in some meanwhile
			if _, refused := try(p); refused != nil {
				if refused.Status != 429 || refused.Header.Get("Retry-After") == "" {
					t.Errorf("beyond the burst: %+v", refused)
				}
				return
			}
		}
		t.Error("nobody was refused")
	})
	t.Run("limits off", func(t *testing.T) {
		t.Parallel()
		p := boot(t, t.TempDir(), func(s *Settings) {
			s.MaxConnections, s.HandshakeRatePerAddress, s.Limits = 1, 1, "off"
		})
		for range 12 {
			if _, refused := try(p); refused != nil {
				t.Errorf("refused without limits: %v", refused)
			}
		}
	})
}

// A favourite over the socket counts against the same limits as one over REST.
func TestEventsAreLimitedLikeRequests(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.RequestRate = perSecond(0.001) }) // bursts of one
	p.add("Middlemarch")
	_, _, books := p.do(http.MethodGet, "/books", "")
	var list []struct{ ID int64 }
	if err := json.Unmarshal([]byte(books), &list); err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", books, err)
	}
	c := sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"anna"}}})
	c.Await("synced")
	event := map[string]any{"bookId": list[0].ID, "action": "favorite"}
	if ack, _ := c.Ask("customEvent", event); string(ack[0]) != `{"favoritesCount":1}` {
		t.Errorf("the first: %s", ack)
	}
	if ack, _ := c.Ask("customEvent", event); string(ack[0]) != `{"error":"Too many requests"}` {
		t.Errorf("the second: %s", ack)
	}
	c.Emit("customEvent", event)
	if e := c.Await("error"); string(e.Args[0]) != `"Too many requests"` || len(e.Args) != 2 {
		t.Errorf("without an acknowledgement: %s", e.Args)
	}
	if status, _, _ := p.do(http.MethodGet, "/stats", "", "X-User-Id", "anna"); status != http.StatusTooManyRequests {
		t.Errorf("the same user over REST: %d", status)
	}
}

func TestOriginsAndHosts(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	host := strings.TrimPrefix(p.URL(), "http://")
	for _, test := range []struct {
		name, path, host, origin string
		status                   int
		allowed                  string
	}{
		{"the development page", "/books", host, "http://localhost:3000", 200, "http://localhost:3000"},
		{"the development page polls", "/socket.io/?EIO=4&transport=polling", host, "http://localhost:3000", 200, "http://localhost:3000"},
		{"the server's own page polls", "/socket.io/?EIO=4&transport=polling", host, "http://" + host, 200, ""},
		{"no page", "/socket.io/?EIO=4&transport=polling", host, "", 200, ""},
		{"a foreign page polls", "/socket.io/?EIO=4&transport=polling", host, "http://evil.example", 400, ""},
		{"a sandboxed page polls", "/socket.io/?EIO=4&transport=polling", host, "null", 400, ""},
		{"a foreign page reads", "/books", host, "http://evil.example", 200, ""},
		{"a name that points here", "/books", "evil.example:" + host[strings.LastIndex(host, ":")+1:], "", 421, ""},
		{"a name that points here polls", "/socket.io/?EIO=4&transport=polling", "evil.example", "http://evil.example", 421, ""},
		{"the other loopback name", "/books", "127.0.0.1", "", 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			header := []string{"Host", test.host}
			if test.origin != "" {
				header = append(header, "Origin", test.origin)
			}
			status, headers, body := p.do(http.MethodGet, test.path, "", header...)
			if status != test.status && !(test.status == 400 && status == 403) {
				t.Errorf("status %d, want %d: %s", status, test.status, body)
			}
			if got := headers.Get("Access-Control-Allow-Origin"); got != test.allowed {
				t.Errorf("allowed origin %q, want %q", got, test.allowed)
			}
		})
	}
	anywhere := boot(t, t.TempDir(), func(s *Settings) { s.DemoAnywhere = true })
	if status, _, _ := anywhere.do(http.MethodGet, "/books", "", "Host", "library.example"); status != http.StatusOK {
		t.Errorf("--demo-anywhere must answer to any name: %d", status)
	}
}

func TestTheWebAppIsServed(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	status, header, body := p.do(http.MethodGet, "/owner", "", "Accept", "text/html")
	if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(body, "Shelfcast") {
		t.Errorf("%d %s %.200s", status, header.Get("Content-Type"), body)
	}
	if status, _, _ := p.do(http.MethodGet, "/bookz", ""); status != http.StatusNotFound {
		t.Errorf("a program's typing error: %d", status)
	}
}

func TestTwoServersOnOneDirectory(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	second := New(defaults(t, p.settings.Data), "test", directLog(io.Discard))
	begin := time.Now()
	if err := second.Run(t.Context()); !errors.Is(err, sqlitelog.ErrLocked) {
		t.Fatalf("two servers on one data directory: %v", err)
	}
	if took := time.Since(begin); took > second.settings.ShutdownTimeout {
		t.Errorf("the second one waited %s for a server that does not stop", took)
	}
	taken := defaults(t, t.TempDir())
	taken.Port = portOfURL(t, p.URL())
	if err := New(taken, "test", directLog(io.Discard)).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "--port") {
		t.Errorf("a port in use: %v", err)
	}
}

func portOfURL(t *testing.T, address string) int {
	t.Helper()
	var port int
	if _, err := fmt.Sscanf(address[strings.LastIndex(address, ":")+1:], "%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}

// When the log fails under the program, the program says so, because nothing
// can be stored any more.
func TestAFailingLogIsReported(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	p.closed = true
	if err := p.store.log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-p.Failed(); err == nil {
		t.Error("a failure without a reason")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.Close(ctx); err == nil {
		t.Error("the stop hides that the catalogue failed")
	}
}
