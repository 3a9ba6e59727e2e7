package engineio

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

func TestPollingCarriesMessagesBothWays(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	a := ts.post(query, "4hello\x1ebAQIDBA==\x1e4€")
	if a.status != 200 || a.body != "ok" || a.header.Get("Content-Type") != "text/html" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
	for _, want := range []packet.Message{text("hello"), {Data: []byte{1, 2, 3, 4}, Binary: true}, text("€")} {
		got := r.message(t)
		if string(got.Data) != string(want.Data) || got.Binary != want.Binary {
			t.Errorf("received %q, want %q", got.Data, want.Data)
		}
		r.session.Send(got)
	}
	a = ts.get(query)
	if a.body != "4hello\x1ebAQIDBA==\x1e4€" || a.header.Get("Content-Type") != "text/plain; charset=UTF-8" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%q %v", a.body, a.header)
	}
	if r.session.Transport() != Polling || r.session.BytesReceived() == 0 || r.session.BytesSent() == 0 {
		t.Errorf("%v %d %d", r.session.Transport(), r.session.BytesReceived(), r.session.BytesSent())
	}
}

func TestWaitingPollIsAnsweredWhenSomethingComes(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	poll := ts.later("GET", query, "")
	eventually(t, "writable", r.session.Writable)
	r.session.Send(text("now"), packet.Message{Data: []byte{0xff}, Binary: true})
	if a := receive(t, poll); a.body != "4now\x1eb/w==" {
		t.Errorf("%q", a.body)
	}
}

func TestPollOverlap(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	first := ts.later("GET", query, "")
	eventually(t, "first poll waits", r.session.Writable)
	if second := ts.get(query); second.status != 400 {
		t.Errorf("second poll: %d %q", second.status, second.body)
	}
	if a := receive(t, first); a.status != 200 || a.body != "1" {
		t.Errorf("first poll: %d %q", a.status, a.body)
	}
	r.wantClosed(t, ReasonTransportError)
	if a := ts.get(query); a.status != 400 {
		t.Errorf("after the end: %d", a.status)
	}
}

func TestPostOverlap(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	body, writeBody := io.Pipe()
	request, _ := http.NewRequest("POST", ts.url(query), body)
	first := make(chan answer, 1)
	go func() {
		response, err := ts.client.Do(request)
		if err != nil {
			first <- answer{}
			return
		}
		response.Body.Close()
		first <- answer{status: response.StatusCode}
	}()
	_, _ = writeBody.Write([]byte("4a"))
	eventually(t, "first POST is read", func() bool {
		r.session.mu.Lock()
		defer r.session.mu.Unlock()
		return r.session.post != nil
	})
	if second := ts.post(query, "4b"); second.status != 400 {
		t.Errorf("second POST: %d", second.status)
	}
	r.wantClosed(t, ReasonTransportError)
	// The end of the session interrupts the upload, whose client is told if it listens.
	if a := receive(t, first); a.status != 400 && a.status != 0 {
		t.Errorf("first POST: %d", a.status)
	}
	writeBody.Close()
}

func TestAbortedPollEndsTheSession(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	ctx, cancel := context.WithCancel(context.Background())
	request, _ := http.NewRequestWithContext(ctx, "GET", ts.url(query), nil)
	done := make(chan error, 1)
	go func() {
		_, err := ts.client.Do(request)
		done <- err
	}()
	eventually(t, "poll waits", r.session.Writable)
	cancel()
	r.wantClosed(t, ReasonTransportError)
	if receive(t, done) == nil {
		t.Error("the aborted poll was answered")
	}
	if a := ts.get(query); a.status != 400 {
		t.Errorf("after the end: %d", a.status)
	}
}

func TestPostsThatEndTheSession(t *testing.T) {
	binary := http.Header{"Content-Type": {"application/octet-stream"}}
	tests := []struct {
		name   string
		header http.Header
		body   string
		status int
		reason Reason
		before int // messages that still reach the handler
	}{
		{"octet-stream is answered too", binary, "4a", 400, ReasonTransportError, 0},
		{"unknown packet", nil, "abc", 400, ReasonParseError, 0},
		{"empty packet", nil, "4a\x1e\x1e4b", 400, ReasonParseError, 1},
		{"empty body", nil, "", 400, ReasonParseError, 0},
		{"bad base64", nil, "b%", 400, ReasonParseError, 0},
		{"not UTF-8", nil, "4\xff\xfe", 400, ReasonParseError, 0},
		{"ping of a client", nil, "4a\x1e2", 200, ReasonTransportError, 1},
		{"close", nil, "4a\x1e1\x1e4b", 200, ReasonTransportClose, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ts := serve(t, Options{})
			query, _ := ts.openPolling()
			r := ts.next()
			a := ts.do("POST", ts.url(query), tt.body, tt.header)
			if a.status != tt.status {
				t.Errorf("%d %q, want %d", a.status, a.body, tt.status)
			}
			r.wantClosed(t, tt.reason)
			if len(r.messages) != tt.before {
				t.Errorf("%d messages, want %d", len(r.messages), tt.before)
			}
			if ts.Count() != 0 {
				t.Error("the session is still there")
			}
		})
	}
}

func TestPostOverMaxPayload(t *testing.T) {
	ts := serve(t, Options{MaxPayload: 100})
	query, _ := ts.openPolling()
	r := ts.next()
	if a := ts.post(query, "4"+strings.Repeat("a", 99)); a.status != 200 {
		t.Errorf("at the limit: %d", a.status)
	}
	if a := ts.post(query, "4"+strings.Repeat("a", 100)); a.status != 413 {
		t.Errorf("over the limit: %d", a.status)
	}
	// Without a Content-Length only reading shows the size.
	request, _ := http.NewRequest("POST", ts.url(query), io.LimitReader(neverEnding('4'), 1000))
	response, err := ts.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 413 {
		t.Errorf("chunked: %d", response.StatusCode)
	}
	if len(r.message(t).Data) != 99 || len(r.messages) != 0 {
		t.Error("wrong messages")
	}
	if ts.Count() != 1 {
		t.Error("the session should live on")
	}
}

type neverEnding byte

func (b neverEnding) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func TestClientCloseAnswersTheWaitingPoll(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	r := ts.next()
	poll := ts.later("GET", query, "")
	eventually(t, "poll waits", r.session.Writable)
	if a := ts.post(query, "1"); a.status != 200 || a.body != "ok" {
		t.Errorf("POST: %d %q", a.status, a.body)
	}
	if a := receive(t, poll); a.status != 200 || a.body != "6" {
		t.Errorf("poll: %d %q", a.status, a.body)
	}
	r.wantClosed(t, ReasonTransportClose)
}

// The close may overtake the poll, as they use different connections.
func TestPollJustAfterClientClose(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	ts.post(query, "1")
	if a := ts.get(query); a.status != 200 || a.body != "6" {
		t.Errorf("first poll: %d %q", a.status, a.body)
	}
	if a := ts.get(query); a.status != 400 {
		t.Errorf("second poll: %d %q", a.status, a.body)
	}
}

func TestFarewellsExpireAndAreBounded(t *testing.T) {
	var f farewells
	f.add("a", 0)
	f.add("b", int64(time.Second))
	f.expire(int64(farewellTime))
	if f.take("a", 0) || !f.take("b", 0) || f.take("b", 0) {
		t.Error("wrong farewells")
	}
	for i := range maxFarewells + 10 {
		f.add(string(rune(i)), 0)
	}
	if len(f.expires) > maxFarewells {
		t.Errorf("%d farewells", len(f.expires))
	}
}

func TestServerCloseOfAPollingSession(t *testing.T) {
	t.Run("with a poll", func(t *testing.T) {
		ts := serve(t, Options{})
		query, _ := ts.openPolling()
		r := ts.next()
		poll := ts.later("GET", query, "")
		eventually(t, "poll waits", r.session.Writable)
		r.session.Close(ReasonForcedClose)
		if a := receive(t, poll); a.body != "1" {
			t.Errorf("%q", a.body)
		}
		r.wantClosed(t, ReasonForcedClose)
	})
	t.Run("what was sent before goes first", func(t *testing.T) {
		ts := serve(t, Options{})
		query, _ := ts.openPolling()
		r := ts.next()
		r.session.Send(text("bye"))
		r.session.Close("own reason")
		r.session.Send(text("too late"))
		for _, want := range []string{"4bye", "1"} {
			if a := ts.get(query); a.body != want {
				t.Errorf("%q, want %q", a.body, want)
			}
		}
		r.wantClosed(t, "own reason")
	})
	t.Run("without any poll", func(t *testing.T) {
		ts := serve(t, Options{MaxPendingAge: 50 * time.Millisecond})
		ts.openPolling()
		r := ts.next()
		r.session.Close(ReasonForcedClose)
		r.wantClosed(t, ReasonForcedClose)
	})
}

func TestCompression(t *testing.T) {
	ts := serve(t, Options{})
	long := strings.Repeat("long ", 400)
	ask := func(accept string) answer {
		query, _ := ts.openPolling()
		ts.next().session.Send(text(long), text("short"))
		return ts.do("GET", ts.url(query), "", http.Header{"Accept-Encoding": {accept}})
	}
	plain := "4" + long + "\x1e4short"
	if a := ask("br, gzip;q=0.5"); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("header %v", a.header)
	} else {
		z, err := gzip.NewReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != plain {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	for _, accept := range []string{"br", "gzip;q=0", "gzip; q=0.0", ""} {
		if a := ask(accept); a.header.Get("Content-Encoding") != "" || a.body != plain {
			t.Errorf("%q: %v", accept, a.header)
		}
	}
}
