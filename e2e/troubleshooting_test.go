//go:build e2e

// The handbook's problems (its chapter Troubleshooting), each brought about on purpose. Those that
// other tests bring about already:
//
//	events that come twice     TestNothingIsMissedAndNothingComesTwice
//	clients out of step        TestClientsConverge, TestBrowsersHealAfterAnOutage
//	a crash of the server      TestNothingAcknowledgedIsLostInCrashes, TestRestartRecoversEveryClient
//
// docs/troubleshooting.md tells operators what to do about them.

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// fails runs a command that has to fail and returns all that it printed.
func (s *server) fails(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(within(t, patience), program, append([]string{name, "--data", s.data}, args...)...)
	printed, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() < 1 {
		t.Fatalf("shelfcast %s %v did not fail: %v\n%s", name, args, err, printed)
	}
	return string(printed)
}

// Problem 1. Whoever looks into it is told why.
func TestTroubleClientsCannotConnect(t *testing.T) {
	t.Parallel()
	first := startServerOnFixedPort(t)
	if printed := string(first.command(t, "healthcheck", "--port", strconv.Itoa(first.port))); printed != "ready\n" {
		t.Errorf("a healthy server makes healthcheck print %q", printed)
	}

	second := &server{data: t.TempDir()}
	if printed := second.fails(t, "serve", "--port", strconv.Itoa(first.port)); !strings.Contains(printed, fmt.Sprintf("port %d is in use by another program", first.port)) {
		t.Errorf("a second server on the port printed\n%s", printed)
	}

	foreign := http.Header{"Origin": {"https://elsewhere.example"}}
	got, err := newAPI(t, first).tryWith(t.Context(), http.MethodGet, "/socket.io/?EIO=4&transport=polling", nil, foreign)
	if err != nil || got.status != http.StatusForbidden {
		t.Errorf("a page of another origin got %d (%v)", got.status, err)
	}
	if printed := string(first.command(t, "refusals")); !strings.Contains(printed, "https://elsewhere.example") {
		t.Errorf("refusals do not name the origin:\n%s", printed)
	}

	first.stop(t)
	if printed := first.fails(t, "healthcheck", "--port", strconv.Itoa(first.port)); !strings.Contains(printed, "the server cannot be asked") {
		t.Errorf("without a server healthcheck printed\n%s", printed)
	}
}

// Problem 2. A connection that carries nothing any more looks alive to both sides; pings find it, and
// the client gets what it missed. The log tells of the change and of the silence.
func TestTroubleNoUpdates(t *testing.T) {
	t.Parallel()
	server := startServerOnFixedPort(t, "--ping-interval", "400ms", "--ping-timeout", "400ms")
	network := startBreaker(t, server)
	clients := startReturners(t, network.url(), 1)
	client := newAPI(t, server)
	clients.awaitInStep(t, client, 1)
	network.silence()
	client.add(t, "Nobody hears of it", "Author Name")
	// Who waits on a silent connection has to come back for it; a poll that begins just now does not.
	for _, one := range clients.awaitInStep(t, client, 1) {
		if len(one.Problems) > 0 {
			t.Errorf("%s: %v", one.Name, one.Problems)
		}
	}
	for what, words := range map[string][]string{
		"the change":  {`"msg":"emit"`, `"event":"bookAdded"`},
		"the silence": {`"msg":"disconnect"`, `ping timeout`},
	} {
		_, _, err := server.output.await(0, func(line string) bool {
			return strings.Contains(line, words[0]) && strings.Contains(line, words[1])
		})
		if err != nil {
			t.Errorf("no line tells of %s: %v", what, err)
		}
	}
}

// Problem 3. Clients come and go; afterwards the server holds no more than after the first of them.
func TestTroubleMemoryGrowth(t *testing.T) {
	t.Parallel()
	const clients, rounds, perVisit = 200, 5, 2 << 10 // bytes; what is remembered of a visit is a tenth
	server := startServer(t, "--limits", "off", "--debug-addr", "127.0.0.1:0")
	line, _, err := server.output.await(0, func(line string) bool { return strings.Contains(line, "listening aside") })
	if err != nil {
		t.Fatal(err)
	}
	debug := "http://" + regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(line) + "/debug/pprof/"
	visit := func() (heap, goroutines int) {
		crowd, err := bench.Connect(within(t, patience), bench.Options{URL: server.url(), Clients: clients})
		if err != nil {
			t.Fatal(err)
		}
		if err := crowd.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "nobody is connected", func() error {
			var now struct{ Total int }
			if err := json.Unmarshal(server.command(t, "connections", "--json"), &now); err != nil || now.Total > 0 {
				return fmt.Errorf("%d connections (%v)", now.Total, err)
			}
			return nil
		})
		return number(t, debug+"heap?gc=1&debug=1", `# HeapAlloc = (\d+)`), number(t, debug+"goroutine?debug=1", `total (\d+)`)
	}
	firstHeap, firstGoroutines := visit()
	heap, goroutines := 0, 0
	for range rounds {
		heap, goroutines = visit()
	}
	if grown := heap - firstHeap; grown > rounds*clients*perVisit {
		t.Errorf("%d visits have left %d bytes", rounds*clients, grown)
	}
	if goroutines > firstGoroutines+10 {
		t.Errorf("%d goroutines, %d after the first visits", goroutines, firstGoroutines)
	}
}

// number finds a number in a profile's text.
func number(t *testing.T, address, pattern string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", address, pattern)
	}
	n, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The handbook's second recovery. A log that cannot be opened stops the start, check says what to do,
// and that brings back the books and the clients.
func TestTroubleCorruptedLog(t *testing.T) {
	t.Parallel()
	server := startServerOnFixedPort(t)
	client := newAPI(t, server)
	client.add(t, "Middlemarch", "George Eliot")
	client.toggleFavorite(t, idOf(t, client.add(t, "Emma", "Jane Austen")), "anna")
	members := []member{
		{Name: "anna", Role: "reader", Kind: "handbook", Client: "socket.io-client-4.8"},
		{Name: "olga", Role: "owner", Kind: "handbook", Client: "socket.io-client-4.8"},
	}
	readers := startFleet(t, server.url(), members)
	server.command(t, "backup", "create")
	before := client.books(t)
	connected := readers.connections(t)
	server.stop(t)

	damaged, err := os.OpenFile(filepath.Join(server.data, "shelfcast.db"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = damaged.WriteAt([]byte(strings.Repeat("?", 4096)), 0)
	if err := errors.Join(err, damaged.Close()); err != nil {
		t.Fatal(err)
	}
	server.launch(t)
	if code := server.exitCode(t); code == 0 || !strings.Contains(server.output.String(), "shelfcast.db") {
		t.Errorf("the start ended with %d and printed\n%s", code, server.output)
	}
	if printed := server.fails(t, "check"); !strings.Contains(printed, "log-unreadable") || !strings.Contains(printed, "--new-log") {
		t.Errorf("check printed\n%s", printed)
	}
	var kept struct{ Backups []struct{ Name string } }
	if err := json.Unmarshal(server.command(t, "backup", "list", "--json"), &kept); err != nil || len(kept.Backups) == 0 {
		t.Fatalf("%d backups: %v", len(kept.Backups), err)
	}
	server.command(t, "backup", "restore", kept.Backups[0].Name, "--new-log")
	server.start(t)
	if err := sameBooks(essence(client.books(t)), essence(before)); err != nil {
		t.Error(err)
	}
	readers.awaitBack(t, "the restore", connected)
	readers.awaitInStep(t, client) // they fetch, as the log is another one
	client.add(t, "Walden", "Henry David Thoreau")
	readers.awaitInStep(t, client)
}

// The handbook's third recovery. One command shows who floods, another one ends it, and nobody else
// notices.
func TestTroubleFlood(t *testing.T) {
	t.Parallel()
	const flooder, connections = "127.0.0.77", 300
	server := startServer(t, "--limits", "off")
	client := newAPI(t, server)
	honest := startFleet(t, server.url(), []member{{Name: "anna", Role: "reader", Kind: "position", Client: "socket.io-client-4.8"}})
	before := honest.connections(t)
	flood, err := bench.Connect(within(t, patience), bench.Options{
		URL: "http://127.0.0.1:" + strconv.Itoa(server.port), Clients: connections, StayAway: true,
		Sources: []netip.Addr{netip.MustParseAddr(flooder)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer flood.Close()
	if printed := string(server.command(t, "connections")); !regexp.MustCompile(flooder + `\s+` + strconv.Itoa(connections)).MatchString(printed) {
		t.Errorf("connections printed\n%s", printed)
	}
	server.command(t, "block", flooder, "--for", "1h")
	eventually(t, "the flood has ended", func() error {
		if left := flood.Counters().Connected; left > 0 {
			return fmt.Errorf("%d connections are left", left)
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	again, err := bench.Connect(ctx, bench.Options{
		URL: "http://127.0.0.1:" + strconv.Itoa(server.port), Clients: 1, Sources: []netip.Addr{netip.MustParseAddr(flooder)},
	})
	if err == nil {
		t.Error("who is blocked came in again")
		again.Close()
	}
	client.add(t, "Emma", "Jane Austen")
	honest.awaitInStep(t, client)
	if after := honest.connections(t); after["anna"] != before["anna"] {
		t.Errorf("anna had to connect %d times", after["anna"])
	}
}

// A supervisor, or kill, turns debug lines on without a restart.
func TestHangupTurnsDebuggingOnAndOff(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	for _, want := range []string{"debug", "info", "debug"} {
		if err := server.process.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the level is "+want, func() error {
			if level := strings.TrimSpace(string(server.command(t, "log-level"))); level != want {
				return errors.New(level)
			}
			return nil
		})
	}
}
