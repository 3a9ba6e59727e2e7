package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gobwas/ws"
)

// dialWebSocket opens a WebSocket and returns how to end it, or the status of
// the refusal.
func dialWebSocket(t *testing.T, p *running, origin string) (end func(), status int) {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	dialer := ws.Dialer{Header: ws.HandshakeHeaderHTTP(header)}
	connection, buffered, _, err := dialer.Dial(t.Context(),
		strings.Replace(p.URL(), "http://", "ws://", 1)+"/socket.io/?EIO=4&transport=websocket")
	var refused ws.StatusError
	if errors.As(err, &refused) {
		return nil, int(refused)
	}
	if err != nil {
		t.Fatal(err)
	}
	if buffered != nil {
		ws.PutReader(buffered)
	}
	end = func() { connection.Close() }
	t.Cleanup(end)
	return end, http.StatusSwitchingProtocols
}

// CORS does not hold for WebSocket, so the server looks at the origin itself;
// and the caps hold for it as for polling.
func TestWebSocketOriginsAndCaps(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.MaxConnections = 2 })
	for _, origin := range []string{"http://evil.example", "null"} {
		if _, status := dialWebSocket(t, p, origin); status == http.StatusSwitchingProtocols {
			t.Errorf("a page of %s got in", origin)
		}
	}
	first, status := dialWebSocket(t, p, "http://localhost:3000")
	if first == nil {
		t.Fatalf("the development page was refused: %d", status)
	}
	if _, status := dialWebSocket(t, p, p.URL()); status != http.StatusSwitchingProtocols {
		t.Fatalf("the server's own page was refused: %d", status)
	}
	if _, status := dialWebSocket(t, p, p.URL()); status != http.StatusServiceUnavailable {
		t.Fatalf("one too many: %d", status)
	}
	first()
	for { // the place is free once the server has noticed
		if _, status := dialWebSocket(t, p, p.URL()); status == http.StatusSwitchingProtocols {
			break
		}
	}
}
