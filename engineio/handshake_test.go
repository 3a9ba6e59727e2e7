package engineio

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestHandshakeHasExactlyTheFiveKeys(t *testing.T) {
	ts := serve(t, Options{PingInterval: 3 * time.Second, PingTimeout: 2 * time.Second, MaxPayload: 5000})
	check := func(t *testing.T, packet, upgrades string) {
		var keys map[string]json.RawMessage
		if err := json.Unmarshal([]byte(packet[1:]), &keys); err != nil {
			t.Fatal(err)
		}
		want := []string{"maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"}
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, want) {
			t.Errorf("keys %v, want %v", got, want)
		}
		for key, want := range map[string]string{"upgrades": upgrades, "pingInterval": "3000", "pingTimeout": "2000", "maxPayload": "5000"} {
			if string(keys[key]) != want {
				t.Errorf("%s = %s, want %s", key, keys[key], want)
			}
		}
	}
	t.Run("polling", func(t *testing.T) {
		a := ts.get("transport=polling")
		check(t, a.body, `["websocket"]`)
		if got := a.header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
			t.Errorf("Content-Type %q", got)
		}
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
	})
	t.Run("websocket", func(t *testing.T) {
		check(t, ts.dial("transport=websocket").text(), `[]`)
	})
}

func TestHandshakeWithoutUpgrades(t *testing.T) {
	for name, options := range map[string]Options{
		"disabled":     {DisableUpgrades: true},
		"polling only": {Transports: []Transport{Polling}},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, options)
			if _, data := ts.openPolling(); len(data.Upgrades) != 0 {
				t.Errorf("upgrades %v", data.Upgrades)
			}
		})
	}
}

func TestSessionIDsAreLongAndDiffer(t *testing.T) {
	ts := serve(t, Options{})
	seen := map[string]bool{}
	for range 50 {
		_, data := ts.openPolling()
		if len(data.SID) < 20 || seen[data.SID] {
			t.Fatalf("session ID %q", data.SID)
		}
		seen[data.SID] = true
	}
}

// The order of the checks shows where a request breaks several rules.
func TestRefusals(t *testing.T) {
	refuseAll := func(*http.Request) error { return errors.New("secret cause") }
	ts := serve(t, Options{AllowRequest: refuseAll})
	open := serve(t, Options{})
	query, _ := open.openPolling()
	socket := open.dial("transport=websocket")
	socketQuery := "sid=" + socket.openPacket().SID

	tests := []struct {
		name    string
		ts      *testServer
		method  string
		path    string
		status  int
		code    int
		message string
	}{
		{"no transport", ts, "GET", "EIO=4", 400, 0, "Transport unknown"},
		{"unknown transport before everything", ts, "PUT", "transport=abc&sid=x", 400, 0, "Transport unknown"},
		{"prototype name as transport", ts, "GET", "EIO=4&transport=constructor", 400, 0, "Transport unknown"},
		{"unknown session before method", ts, "PUT", "EIO=4&transport=polling&sid=x", 400, 1, "Session ID unknown"},
		{"unknown session, odd name", ts, "GET", "EIO=4&transport=polling&sid=__proto__", 400, 1, "Session ID unknown"},
		{"POST opens nothing", ts, "POST", "EIO=4&transport=polling", 400, 2, "Bad handshake method"},
		{"PUT opens nothing", ts, "PUT", "EIO=4&transport=polling", 400, 2, "Bad handshake method"},
		{"websocket without upgrade", ts, "GET", "EIO=4&transport=websocket", 400, 3, "Bad request"},
		{"allowRequest before version", ts, "GET", "EIO=3&transport=polling", 403, 4, "Forbidden"},
		{"version 3", open, "GET", "EIO=3&transport=polling", 400, 5, "Unsupported protocol version"},
		{"no version", open, "GET", "transport=polling", 400, 5, "Unsupported protocol version"},
		{"odd version", open, "GET", "EIO=abc&transport=polling", 400, 5, "Unsupported protocol version"},
		{"other transport than the session's", open, "GET", "EIO=4&transport=websocket&" + strings.TrimPrefix(query, "transport=polling&"), 400, 3, "Bad request"},
		{"polling after websocket", open, "GET", "EIO=4&transport=polling&" + socketQuery, 400, 3, "Bad request"},
		{"POST after websocket", open, "POST", "EIO=4&transport=polling&" + socketQuery, 400, 3, "Bad request"},
		{"unknown method on a session", open, "DELETE", "EIO=4&" + query, 405, 3, "Bad request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.ts.do(tt.method, tt.ts.http.URL+"/engine.io/?"+tt.path, "", nil)
			var body struct {
				Code    int
				Message string
			}
			if err := json.Unmarshal([]byte(a.body), &body); err != nil {
				t.Fatalf("%d %q: %v", a.status, a.body, err)
			}
			if a.status != tt.status || body.Code != tt.code || body.Message != tt.message {
				t.Errorf("%d %+v, want %d %d %q", a.status, body, tt.status, tt.code, tt.message)
			}
			if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("header %v", a.header)
			}
		})
	}
}

func TestAllowRequestChoosesTheAnswer(t *testing.T) {
	full := &RequestError{
		Code: CodeForbidden, Message: "Server full", Status: http.StatusServiceUnavailable,
		Header: http.Header{"Retry-After": {"5"}},
	}
	ts := serve(t, Options{AllowRequest: func(*http.Request) error { return fmt.Errorf("limits: %w", full) }})
	a := ts.get("transport=polling")
	if a.status != 503 || a.header.Get("Retry-After") != "5" || strings.TrimSpace(a.body) != `{"code":4,"message":"Server full"}` {
		t.Errorf("%d %v %q", a.status, a.header, a.body)
	}
	_, err := ts.tryDial("transport=websocket")
	var status ws.StatusError
	if !errors.As(err, &status) || int(status) != 503 {
		t.Errorf("dial: %v, want status 503", err)
	}
}

// AllowRequest is about new sessions; asking it about each poll would end those that live.
func TestAllowRequestIsForHandshakesOnly(t *testing.T) {
	calls := 0
	ts := serve(t, Options{AllowRequest: func(*http.Request) error { calls++; return nil }})
	query, _ := ts.openPolling()
	ts.post(query, "4a")
	socket := ts.dial(strings.Replace(query, "polling", "websocket", 1))
	socket.send("2probe")
	socket.want("3probe")
	if calls != 1 {
		t.Errorf("asked %d times", calls)
	}
}

func TestRefusedUpgradeIsText(t *testing.T) {
	ts := serve(t, Options{})
	header := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	a := ts.do("GET", ts.http.URL+"/engine.io/?EIO=3&transport=websocket", "", header)
	if a.status != 400 || strings.TrimSpace(a.body) != "Unsupported protocol version" {
		t.Errorf("%d %q", a.status, a.body)
	}
}

// A request that looks like an upgrade and is none must be answered and must not leave a
// session behind.
func TestDamagedUpgradeIsAnswered(t *testing.T) {
	ts := serve(t, Options{})
	for _, header := range []http.Header{
		{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}},
		{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"x"}, "Sec-Websocket-Version": {"13"}},
		{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="}, "Sec-Websocket-Version": {"12"}},
	} {
		if a := ts.do("GET", ts.url("transport=websocket"), "", header); a.status < 400 || a.status >= 500 {
			t.Errorf("%v: status %d %q", header, a.status, a.body)
		}
	}
	eventually(t, "no sessions", func() bool { return ts.Count() == 0 })
	if len(ts.recorded) != 0 {
		t.Error("a handler was made")
	}
}

func TestCheckOrigin(t *testing.T) {
	ts := serve(t, Options{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") != "https://evil.example" }})
	a := ts.do("GET", ts.url("transport=polling"), "", http.Header{"Origin": {"https://evil.example"}})
	if a.status != 403 {
		t.Errorf("status %d", a.status)
	}
	ts.openPolling()
}

func TestPath(t *testing.T) {
	ts := serve(t, Options{Path: "/live"})
	for path, want := range map[string]int{
		"/live/": 200, "/live": 200, "/live/x": 200, "/lively/": 404, "/": 404, "/engine.io/": 404,
	} {
		a := ts.do("GET", ts.http.URL+path+"?EIO=4&transport=polling", "", nil)
		if a.status != want {
			t.Errorf("%s: %d, want %d", path, a.status, want)
		}
	}
}

func TestHandshakeDescribesTheRequest(t *testing.T) {
	ts := serve(t, Options{KeepHeaders: []string{"X-Kept"}})
	ts.do("GET", ts.url("transport=polling&token=abc"), "", http.Header{"X-Kept": {"yes"}, "X-Dropped": {"no"}})
	h := ts.next().session.Handshake()
	if h.Header.Get("X-Kept") != "yes" || h.Header.Get("X-Dropped") != "" {
		t.Errorf("header %v", h.Header)
	}
	if h.Query.Get("token") != "abc" || h.Secure || h.RemoteAddr == "" || h.Time.IsZero() {
		t.Errorf("%+v", h)
	}
	if u, err := url.Parse(h.URL); err != nil || u.Path != "/engine.io/" {
		t.Errorf("URL %q", h.URL)
	}
}

func TestCookie(t *testing.T) {
	ts := serve(t, Options{Cookie: func(s *Session) *http.Cookie {
		return &http.Cookie{Name: "io", Value: s.ID(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	}})
	a := ts.get("transport=polling")
	id := ts.next().session.ID()
	if got, want := a.header.Get("Set-Cookie"), "io="+id+"; Path=/; HttpOnly; SameSite=Lax"; got != want {
		t.Errorf("Set-Cookie %q, want %q", got, want)
	}
	if a := ts.post("transport=polling&sid="+id, "3"); a.header.Get("Set-Cookie") != "" {
		t.Error("a cookie on a later answer")
	}
}

func TestHooks(t *testing.T) {
	refused := make(chan int, 1)
	ts := serve(t, Options{
		Headers: func(h http.Header, _ *http.Request, s *Session) { h.Set("X-Known", fmt.Sprint(s != nil)) },
		Refused: func(_ *http.Request, e *RequestError) { refused <- e.Code },
	})
	if a := ts.get("transport=polling"); a.header.Get("X-Known") != "true" {
		t.Errorf("header %v", a.header)
	}
	if a := ts.get("transport=abc"); a.header.Get("X-Known") != "false" || receive(t, refused) != CodeUnknownTransport {
		t.Errorf("header %v", a.header)
	}
}

// A panic while the handler is made must end that session only.
func TestHandlerThatCannotBeMade(t *testing.T) {
	first := true
	ts := serve(t, Options{Handler: func(s *Session) Handler {
		if first {
			first = false
			panic("no handler")
		}
		return newRecorder(s)
	}})
	query, _ := ts.openPolling()
	if a := ts.get(query); a.body != "1" {
		t.Errorf("poll: %q", a.body)
	}
	ts.openPolling()
	eventually(t, "one session", func() bool { return ts.Count() == 1 })
}
