package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// conversation is a connection on which a test says and hears single bytes.
type conversation struct {
	t *testing.T
	net.Conn
}

func (p *running) converse() conversation {
	p.t.Helper()
	connection, err := (&net.Dialer{}).DialContext(p.t.Context(), "tcp4", fmt.Sprint("127.0.0.1:", portOfURL(p.t, p.URL())))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { connection.Close() })
	return conversation{p.t, connection}
}

func (c conversation) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// hear returns what comes until the end, and how long that took.
func (c conversation) hear() (string, time.Duration) {
	c.t.Helper()
	began := time.Now()
	if err := c.SetReadDeadline(began.Add(30 * time.Second)); err != nil {
		c.t.Fatal(err)
	}
	heard, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("the connection stays open after %q", heard)
	}
	return string(heard), time.Since(began) // a reset is an end, too
}

// What takes longer than the settings allow is ended, and what does not is answered.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	const post = "POST /books HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
	slow := []time.Duration{time.Second, time.Minute}
	for _, test := range []struct {
		name   string
		change func(*Settings)
		say    string
		heard  string // what the connection's last answer begins with
	}{
		{"header", func(s *Settings) { s.HeaderTimeout = slow[0] }, "GET /stats HTTP/1.1\r\nHost: loc", ""},
		{"idle", func(s *Settings) { s.IdleTimeout = slow[0] }, "GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200"},
		{"body", func(s *Settings) { s.BodyTimeout = slow[0] }, post + `{"title":`, "HTTP/1.1 400"},
		{"body of a socket", func(s *Settings) { s.BodyTimeout = slow[0] }, "", "HTTP/1.1 408"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := boot(t, t.TempDir(), func(s *Settings) {
				s.HeaderTimeout, s.IdleTimeout, s.BodyTimeout = slow[1], slow[1], slow[1]
				test.change(s)
			})
			say := test.say
			if say == "" {
				_, _, body := p.do("GET", "/socket.io/?EIO=4&transport=polling", "")
				_, rest, _ := strings.Cut(body, `"sid":"`)
				id, _, _ := strings.Cut(rest, `"`)
				say = "POST /socket.io/?EIO=4&transport=polling&sid=" + id + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n40"
			}
			c := p.converse()
			c.say(say)
			heard, took := c.hear()
			if !strings.HasPrefix(heard, test.heard) || test.heard == "" && heard != "" {
				t.Errorf("heard %q", heard)
			}
			if took < slow[0]/2 {
				t.Errorf("ended after %s", took)
			}
		})
	}
}

// Who is slow, but not that slow, is served.
func TestSlowRequestsAreServed(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	c := p.converse()
	body := `{"title":"Middlemarch","author":"Eliot"}`
	for _, piece := range strings.SplitAfter("POST /books HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"+
		fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))+body, "e") {
		c.say(piece)
	}
	if heard, _ := c.hear(); !strings.HasPrefix(heard, "HTTP/1.1 201") {
		t.Errorf("heard %q", heard)
	}
}
