package engineio

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func withDefaults(o Options) *Options {
	o = o.withDefaults()
	return &o
}

func TestHandshakesPerAddressAndSecond(t *testing.T) {
	o := withDefaults(Options{HandshakesPerSecond: 2})
	var a admission
	allowed := func(address string, now time.Duration) (n int) {
		for range 100 {
			if a.handshake(o, address, int64(now)) == nil {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		address string
		at      time.Duration
		want    int
	}{
		{"a", 0, 20},
		{"b", 0, 20},
		{"a", 999 * time.Millisecond, 1},
		{"a", 2 * time.Second, 3},
		{"a", time.Hour, 20},
		{"", time.Hour, 100},
	} {
		if got := allowed(step.address, step.at); got != step.want {
			t.Errorf("%q at %v: %d handshakes, want %d", step.address, step.at, got, step.want)
		}
	}
	o.HandshakesPerSecond = -1
	if got := allowed("a", time.Hour); got != 100 {
		t.Errorf("without a limit: %d", got)
	}
}

// Nothing is remembered of an address that is at rest, and of few others at once.
func TestAddressesAreForgotten(t *testing.T) {
	o := withDefaults(Options{})
	var a admission
	for i := range 1000 {
		_ = a.handshake(o, fmt.Sprint(i), 0)
	}
	if _, err := a.enter(o, "0", 0); err != nil {
		t.Fatal(err)
	}
	a.sweep(o, int64(time.Hour))
	if len(a.addresses) != 1 {
		t.Errorf("%d addresses, want the one with a session", len(a.addresses))
	}
	a.leave("0")
	a.sweep(o, int64(2*time.Hour))
	if len(a.addresses) != 0 || a.open != 0 {
		t.Errorf("%d addresses, %d open", len(a.addresses), a.open)
	}
	for i := range maxIdleAddresses + 1000 {
		_ = a.handshake(o, fmt.Sprint(i), 0)
	}
	if len(a.addresses) > maxIdleAddresses {
		t.Errorf("%d addresses", len(a.addresses))
	}
}

func TestClientAddress(t *testing.T) {
	tests := []struct{ remote, fallback, peer string }{
		{"127.0.0.1:80", "", "127.0.0.1"},
		{"[::1]:80", "", "::/64"},
		{"10.1.2.3:80", "", "10.1.2.3"},
		{"[fd00::1]:80", "", "fd00::/64"},
		{"[fe80::1%eth0]:80", "", "fe80::/64"},
		{"203.0.113.9:80", "203.0.113.9", "203.0.113.9"},
		{"[::ffff:203.0.113.9]:80", "203.0.113.9", "203.0.113.9"},
		{"[2001:db8:1:2:3::4]:80", "2001:db8:1:2::/64", "2001:db8:1:2::/64"},
		{"@", "", "@"},
	}
	for _, tt := range tests {
		r := &http.Request{RemoteAddr: tt.remote}
		if got := (&Options{}).clientAddress(r); got != tt.fallback {
			t.Errorf("%s is counted as %q, want %q", tt.remote, got, tt.fallback)
		}
		if got := PeerAddress(r); got != tt.peer {
			t.Errorf("PeerAddress of %s is %q, want %q", tt.remote, got, tt.peer)
		}
	}
}

// byHeader stands for a proxy that tells the client's address.
func byHeader(r *http.Request) string { return r.Header.Get("X-Client") }

func TestCapsOnSessions(t *testing.T) {
	ts := serve(t, Options{MaxSessions: 4, MaxSessionsPerAddress: 2, ClientAddress: byHeader})
	open := func(client string) answer {
		return ts.do("GET", ts.url("transport=polling"), "", http.Header{"X-Client": {client}})
	}
	for _, step := range []struct {
		client string
		status int
	}{{"a", 200}, {"a", 200}, {"a", 429}, {"b", 200}, {"", 200}, {"", 503}, {"b", 503}} {
		a := open(step.client)
		if a.status != step.status {
			t.Fatalf("client %q: %d %q, want %d", step.client, a.status, a.body, step.status)
		}
		if a.status != 200 && a.header.Get("Retry-After") == "" {
			t.Errorf("no Retry-After with %d", a.status)
		}
	}
	if _, err := ts.tryDial("transport=websocket"); err == nil {
		t.Error("a WebSocket passes the cap")
	}
	ts.post("transport=polling&sid="+ts.next().session.ID(), "1")
	eventually(t, "the place is free", func() bool { return open("a").status == 200 })
	if a := open("a"); a.status == 200 {
		t.Error("more than one place came free")
	}
}

func TestCapOnHandshakes(t *testing.T) {
	asked := 0
	ts := serve(t, Options{HandshakesPerSecond: 1, ClientAddress: PeerAddress, AllowRequest: func(*http.Request) error {
		asked++
		return &RequestError{Code: CodeForbidden}
	}})
	for i := range handshakeBurst {
		if a := ts.get("transport=polling"); a.status != 403 {
			t.Fatalf("handshake %d: %d", i, a.status)
		}
	}
	refused := 0
	for range 3 { // the bucket may gain one meanwhile
		if ts.get("transport=polling").status == 429 {
			refused++
		}
	}
	if refused < 2 || asked > handshakeBurst+1 {
		t.Errorf("%d of 3 refused, AllowRequest asked %d times", refused, asked)
	}
}

func TestCapOnUpgrades(t *testing.T) {
	ts := serve(t, Options{MaxUpgrades: 2})
	var queries []string
	var probes []*socketClient
	for range 2 {
		query, _ := ts.openPolling()
		queries = append(queries, query)
		probes = append(probes, ts.dial(socketQuery(query)))
	}
	third, _ := ts.openPolling()
	if _, err := ts.tryDial(socketQuery(third)); err == nil {
		t.Error("a third upgrade was accepted")
	}
	if a := ts.post(third, "4still by polling"); a.status != 200 {
		t.Errorf("POST: %d", a.status)
	}
	// One that completes and one that is given up make room.
	probes[0].send("2probe")
	probes[0].want("3probe")
	probes[0].send("5")
	probes[1].conn.Close()
	eventually(t, "no upgrades", func() bool { return ts.Stats().Upgrades == 0 })
	ts.dial(socketQuery(third)).send("2probe")
	ts.dial(socketQuery(queries[1])).send("2probe")
}

func TestCapOnHandshakeBytes(t *testing.T) {
	ts := serve(t, Options{MaxHandshakeBytes: 2000})
	header := http.Header{}
	for range 40 {
		header["X-Large"] = append(header["X-Large"], "0123456789012345678901234567890123456789")
	}
	if a := ts.do("GET", ts.url("transport=polling"), "", header); a.status != 431 {
		t.Errorf("%d %q", a.status, a.body)
	}
	query, _ := ts.openPolling()
	if a := ts.do("POST", ts.url(query), "4a", header); a.status != 200 {
		t.Errorf("only handshakes are kept, yet a POST gets %d", a.status)
	}
}
