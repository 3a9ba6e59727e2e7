//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// heldRequest is a POST whose body is half sent: the server is in the middle of it.
type heldRequest struct {
	connection net.Conn
	reader     *bufio.Reader
	rest       string
}

func holdRequest(t *testing.T, server *server, title string) *heldRequest {
	t.Helper()
	connection, err := net.Dial("tcp", net.JoinHostPort("localhost", strconv.Itoa(server.port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"title":%q,"author":"Author Name"}`, title)
	half := len(body) / 2
	// The server's "100 Continue" says that its handler reads the body (RFC 9110, section 10.1.1).
	_, err = fmt.Fprintf(connection, "POST /books HTTP/1.1\r\nHost: localhost:%d\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", server.port, len(body))
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	line, err := reader.ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("instead of 100 Continue: %q, %v", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Write([]byte(body[:half])); err != nil {
		t.Fatal(err)
	}
	return &heldRequest{connection: connection, reader: reader, rest: body[half:]}
}

// finish sends the rest and returns the status of the answer.
func (h *heldRequest) finish(t *testing.T) int {
	t.Helper()
	if _, err := h.connection.Write([]byte(h.rest)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(h.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// SIGTERM: not ready any more, what was begun is finished, sockets are closed so that official
// clients come back by themselves, exit code 0 in time.
func TestTerminationDrains(t *testing.T) {
	t.Parallel()
	programs := readHandbook(t).programs(t)
	const timeout = 10 * time.Second
	server := startServerOnFixedPort(t, "--shutdown-timeout", timeout.String())
	client := newAPI(t, server)
	connected := make(map[string]*script)
	for name, transports := range map[string][]string{
		"default": nil, "websocket only": {"websocket"}, "polling only": {"polling"},
	} {
		connected[name] = runSnippets(t, server, "guide", programs["guide"], "4.8", transports)
	}
	for _, guide := range connected {
		guide.awaitLog(t, 0, "Connected to server")
	}
	connected["default"].awaitKind(t, 0, "upgraded", nil)

	held := holdRequest(t, server, "Begun before the end")
	began := time.Now()
	server.terminate(t)
	eventually(t, "/readyz turns 503", func() error {
		got, err := client.try(http.MethodGet, "/readyz", nil)
		if err != nil {
			return fmt.Errorf("a server that has work left must still say that it drains: %w", err)
		}
		if got.status != http.StatusServiceUnavailable {
			return fmt.Errorf("/readyz: %d", got.status)
		}
		return nil
	})
	if status := held.finish(t); status != http.StatusCreated {
		t.Errorf("the request in flight was answered %d, want 201", status)
	}
	if code := server.exitCode(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took > timeout {
		t.Errorf("the stop took %s, more than --shutdown-timeout %s", took, timeout)
	}
	marks := make(map[string]int)
	for name, guide := range connected {
		gone := guide.awaitKind(t, 0, "disconnected", nil)
		// "io server disconnect" would be a DISCONNECT packet, after which a client stays away.
		if reason := gone["reason"]; reason != "transport close" && reason != "transport error" {
			t.Errorf("%s: disconnected by %q", name, reason)
		}
		marks[name] = guide.heard()
	}

	server.start(t)
	for name, guide := range connected {
		guide.awaitLog(t, marks[name], "Connected to server")
	}
	books := client.books(t)
	if len(books) != 1 || books[0]["title"] != "Begun before the end" {
		t.Errorf("after the restart: %v", books)
	}
}

// A request that never ends must not hold the stop for longer than --shutdown-timeout.
func TestTerminationIsBounded(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second
	server := startServer(t, "--shutdown-timeout", timeout.String())
	holdRequest(t, server, "Never finished")
	began := time.Now()
	server.terminate(t)
	server.exitCode(t)
	// Closing the log and the last mirror come on top, under the race detector on a busy machine.
	if took := time.Since(began); took > timeout+3*time.Second {
		t.Errorf("the stop took %s, --shutdown-timeout is %s", took, timeout)
	}
}
