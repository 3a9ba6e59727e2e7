package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// crowd connects clients from one loopback address.
func (p *running) crowd(clients int, from string) *bench.Crowd {
	p.t.Helper()
	crowd, err := bench.Connect(p.t.Context(), bench.Options{
		URL: strings.Replace(p.URL(), "localhost", "127.0.0.1", 1), Clients: clients, StayAway: true,
		Sources: []netip.Addr{netip.MustParseAddr(from)}, ConnectTimeout: time.Minute,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = crowd.Close() })
	return crowd
}

// view asks for the connections until they are as wanted: a look may be a second old.
func (p *running) view(query string, want func(*httpapi.ConnectionView) bool) httpapi.ConnectionView {
	p.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-again.C {
		status, _, body := p.do(http.MethodGet, "/connections"+query, "")
		var view httpapi.ConnectionView
		if err := json.Unmarshal([]byte(body), &view); err != nil || status != http.StatusOK {
			p.t.Fatalf("%d %s", status, body)
		}
		if want(&view) {
			return view
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the connections stay %s", body)
		}
	}
}

// A crowd from one address is seen, and one block ends it and nobody else.
func TestOneBlockEndsACrowd(t *testing.T) {
	t.Parallel()
	const clients = 60
	p := boot(t, t.TempDir(), func(s *Settings) { s.HandshakeRatePerAddress = 200; s.RequestRatePerAddress = perSecond(2000) })
	p.crowd(clients, "127.0.0.9")
	honest := sockettest.Dial(t, p.URL(), sockettest.Handshake{})
	honest.Await("synced")

	view := p.view("?limit=10", func(v *httpapi.ConnectionView) bool { return v.Total == clients+1 })
	if top := view.Addresses[0]; top.Address != "127.0.0.9" || top.Connections != clients || top.PerSecond < 1 || top.BytesPerSecond <= 0 || top.Blocked {
		t.Errorf("on top: %+v", top)
	}
	if len(view.Connections) != 10 || view.ByTransport.WebSocket < clients {
		t.Errorf("%d connections are listed; %+v", len(view.Connections), view.ByTransport)
	}
	code, table, complaint := execute(t, "", "connections", "--data", p.settings.Data, "--limit", "3")
	if code != 0 || !strings.Contains(table, fmt.Sprintf("127.0.0.9  %d", clients)) {
		t.Errorf("connections: %d %s %s", code, table, complaint)
	}

	code, said, complaint := execute(t, "", "block", "127.0.0.9", "--for", "1h", "--data", p.settings.Data)
	if code != 0 || !strings.Contains(said, "127.0.0.9 is blocked until") {
		t.Fatalf("block: %d %s %s", code, said, complaint)
	}
	p.view("?limit=10", func(v *httpapi.ConnectionView) bool { return v.Total == 1 })
	if _, err := getFrom(p.URL(), "127.0.0.9"); err == nil {
		t.Error("a blocked address is answered")
	}
	p.add("Middlemarch")
	honest.Await("bookAdded")
	if status, _, refusals := p.do(http.MethodGet, "/refusals", ""); status != http.StatusOK || !strings.Contains(refusals, `"kind":"address","address":"127.0.0.9"`) {
		t.Errorf("refusals: %s", refusals)
	}
	p.awaitMetric(`shelfcast_blocked_addresses`, 1)

	// It holds over a restart, and the operator's way in stays open.
	p.stop()
	code, said, _ = execute(t, "", "block", "--data", p.settings.Data, "--json")
	if code != 0 || !strings.Contains(said, `"address": "127.0.0.9"`) {
		t.Errorf("blocks without a server: %d %s", code, said)
	}
	p = boot(t, p.settings.Data, nil)
	if _, err := getFrom(p.URL(), "127.0.0.9"); err == nil {
		t.Error("after a restart the address is answered")
	}
	if code, _, complaint = execute(t, "", "block", "0.0.0.0/0", "--data", p.settings.Data); code == 0 || !strings.Contains(complaint, "--force") {
		t.Errorf("everybody is blocked: %d %s", code, complaint)
	}
	if code, _, complaint = execute(t, "", "block", "0.0.0.0/0", "--force", "--data", p.settings.Data); code != 0 {
		t.Errorf("by force: %d %s", code, complaint)
	}
	for _, address := range []string{"0.0.0.0/0", "127.0.0.9"} {
		if code, _, complaint = execute(t, "", "unblock", address, "--data", p.settings.Data); code != 0 {
			t.Errorf("unblock %s: %d %s", address, code, complaint)
		}
	}
	if _, err := getFrom(p.URL(), "127.0.0.9"); err != nil {
		t.Errorf("after the block: %v", err)
	}
}

// getFrom asks /healthz from a loopback address.
func getFrom(base, address string) (int, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, to string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(to)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	}}
	response, err := (&http.Client{Transport: transport}).Get(base + "/healthz")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func TestBlocksOverREST(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	typed := []string{"Content-Type", "application/json", "X-User-Id", "olga"}
	for _, test := range []struct {
		method, target, body string
		status               int
		answer               string
	}{
		{http.MethodPost, "/blocks", `{"address":"192.0.2.0/24","for":"1h"}`, 201, `"by":"olga"`},
		{http.MethodGet, "/blocks", "", 200, `"address":"192.0.2.0/24"`},
		{http.MethodPost, "/blocks", `{"address":"192.0.2.1/24"}`, 400, "the network is 192.0.2.0/24"},
		{http.MethodPost, "/blocks", `{"address":"somewhere"}`, 400, `"field":"address"`},
		{http.MethodPost, "/blocks", `{"address":"96.0.0.0/3"}`, 400, "locked out"},
		{http.MethodPost, "/blocks", `{"address":"127.0.0.0/8"}`, 400, "locked out"},
		{http.MethodPost, "/blocks", `{"address":"128.0.0.0/1"}`, 400, "one part in 256"},
		{http.MethodDelete, "/blocks?address=192.0.2.0/24", "", 200, "No longer blocked"},
		{http.MethodDelete, "/blocks?address=192.0.2.0/24", "", 404, "Block not found"},
		{http.MethodDelete, "/blocks?address=x", "", 400, `"field":"address"`},
		{http.MethodDelete, "/connections/nobody", "", 404, "Connection not found"},
	} {
		status, _, body := p.do(test.method, strings.Replace(test.target, "localhost", "127.0.0.1", 1), test.body, typed...)
		if status != test.status || !strings.Contains(body, test.answer) {
			t.Errorf("%s %s %s: %d %s", test.method, test.target, test.body, status, body)
		}
	}
	client := sockettest.Dial(t, p.URL(), sockettest.Handshake{})
	client.Await("synced")
	view := p.view("", func(v *httpapi.ConnectionView) bool { return v.Total == 1 && v.Connections[0].Role != "" })
	if status, _, body := p.do(http.MethodDelete, "/connections/"+view.Connections[0].ID, ""); status != http.StatusOK {
		t.Errorf("ending a connection: %d %s", status, body)
	}
	client.AwaitEnd()
}

// Behind a trusted proxy each client counts for itself, whatever it says; a client without one
// cannot pretend.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		trusted []string
		blocked int // what the blocked client gets through the proxy
	}{
		{"trusted", []string{"127.0.0.0/8", "::1"}, http.StatusForbidden},
		{"not trusted", nil, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := boot(t, t.TempDir(), func(s *Settings) { s.TrustedProxies = test.trusted })
			if code, _, complaint := execute(t, "", "block", "198.51.100.7", "--data", p.settings.Data); code != 0 {
				t.Fatal(complaint)
			}
			for _, path := range []string{"/books", "/socket.io/?EIO=4&transport=polling"} {
				status, _, body := p.do(http.MethodGet, path, "", "X-Forwarded-For", "203.0.113.1, 198.51.100.7")
				if status != test.blocked {
					t.Errorf("%s of the blocked client: %d %s", path, status, body)
				}
				if status, _, body := p.do(http.MethodGet, path, "", "X-Forwarded-For", "198.51.100.7, 203.0.113.1"); status != http.StatusOK {
					t.Errorf("%s of one who names it: %d %s", path, status, body)
				}
			}
		})
	}
}

// Connections that never become sockets are bounded for each address, too.
func TestHTTPConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.MaxConnectionsPerAddress = 2 })
	// A connection that is turned away is reset, perhaps before its client has seen it open.
	cut := 0
	for range 8 {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.9")}}
		connection, err := dialer.DialContext(t.Context(), "tcp4", fmt.Sprint("127.0.0.1:", portOfURL(t, p.URL())))
		if err != nil {
			cut++
			continue
		}
		defer connection.Close()
		if err := connection.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Read(make([]byte, 1)); !os.IsTimeout(err) {
			cut++
		}
	}
	if cut != 4 {
		t.Errorf("%d of 8 are cut", cut)
	}
	p.awaitMetric(`shelfcast_limit_hits_total{limit="HTTP connections per address"}`, 4)
}

// New connections of an address are counted before anything is read of them, and who was refused a
// socket is counted for more. Nobody else, and no trusted proxy, is held back.
func TestNewConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) {
		s.ConnectionRatePerAddress, s.HandshakeRatePerAddress, s.TrustedProxies = 1, 1, []string{"127.0.0.8"}
	})
	reset := func(address string) (after int) {
		for after < 50 {
			if _, err := getFrom(p.URL(), address); err != nil {
				return after
			}
			after++
		}
		return after
	}
	if after := reset("127.0.0.9"); after < arrivalBurst || after > 4*arrivalBurst { // the rate lets in some meanwhile
		t.Errorf("reset after %d connections", after)
	}
	if after := reset("127.0.0.8"); after != 50 {
		t.Errorf("a trusted proxy is reset after %d connections", after)
	}
	if after := reset("127.0.0.7"); after < arrivalBurst {
		t.Errorf("somebody else is reset after %d connections", after)
	}
	p.awaitMetric(`shelfcast_limit_hits_total{limit="new connections per address"}`, 2)
	if status, _, refusals := p.do(http.MethodGet, "/refusals", ""); status != http.StatusOK || !strings.Contains(refusals, `"address":"127.0.0.9","userId":"","detail":"new connections per address"`) {
		t.Errorf("refusals: %s", refusals)
	}
}

// A refused handshake counts for more than the connection that it came by.
func TestRefusedHandshakesCountForMore(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) {
		s.ConnectionRatePerAddress, s.MaxConnectionsPerAddress = 1, 1
	})
	address := strings.Replace(p.URL(), "localhost", "127.0.0.1", 1) + "/socket.io/?EIO=4&transport=polling"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answers := map[int]int{}
	for range arrivalBurst + 5 {
		response, err := client.Get(address)
		if err != nil {
			answers[0]++
			continue
		}
		response.Body.Close()
		answers[response.StatusCode]++
	}
	if answers[http.StatusOK] != 1 || answers[http.StatusTooManyRequests] > 6 || answers[0] == 0 {
		t.Errorf("by status, 0 for a reset: %v", answers)
	}
}
