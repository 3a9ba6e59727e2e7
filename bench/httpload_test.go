package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

func TestAnswerReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("b", 300)
	for _, test := range []struct {
		name   string
		text   string
		status int
		fails  bool
	}{
		{name: "with content", text: "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + long, status: 200},
		{name: "the name in any case", text: "HTTP/1.1 201 Created\r\nX: y\r\ncontent-length:2\r\n\r\n{}", status: 201},
		{name: "never with content", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 300\r\n\r\n", status: 304},
		{name: "no length", text: "HTTP/1.1 200 OK\r\n\r\n", fails: true},
		{name: "a broken length", text: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", fails: true},
		{name: "another protocol", text: "SSH-2.0-OpenSSH\r\n\r\n", fails: true},
		{name: "cut in the head", text: "HTTP/1.1 200 OK\r\nContent-Le", fails: true},
		{name: "cut in the content", text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", fails: true},
		{name: "more than announced", text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", fails: true},
		{name: "an endless head", text: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 600), fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for name, from := range map[string]io.Reader{
				"at once":      strings.NewReader(test.text),
				"byte by byte": iotest.OneByteReader(strings.NewReader(test.text)),
			} {
				if test.name == "more than announced" && name == "byte by byte" {
					continue // the rest would be the next answer
				}
				reader := answerReader{from: from, buffer: make([]byte, 512)}
				status, size, err := reader.next()
				if test.fails != (err != nil) {
					t.Fatalf("%s: error %v", name, err)
				}
				if err == nil && (status != test.status || size != int64(len(test.text))) {
					t.Errorf("%s: %d with %d bytes of %d", name, status, size, len(test.text))
				}
			}
		})
	}
}

func TestHTTPLoad(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Path == "/missing" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "an answer")
	}))
	defer server.Close()
	load := httpLoad{
		address:     server.Listener.Addr().String(),
		connections: 3,
		length:      50 * time.Millisecond,
		request:     func(int64) []byte { return []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n") },
		status:      http.StatusOK,
	}
	done, err := load.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done.answers == 0 || int64(done.answers) != asked.Load() || len(done.waits) != done.answers {
		t.Errorf("%d answers and %d times for %d requests", done.answers, len(done.waits), asked.Load())
	}
	if done.bytes <= int64(done.answers*len("an answer")) {
		t.Errorf("%d bytes in %d answers", done.bytes, done.answers)
	}
	if low, high := done.quantile(0), done.quantile(1); low <= 0 || high < low {
		t.Errorf("waits from %s to %s", low, high)
	}

	load.request = func(int64) []byte { return []byte("GET /missing HTTP/1.1\r\nHost: x\r\n\r\n") }
	if _, err := load.run(t.Context()); err == nil {
		t.Error("404 was taken for 200")
	}
}

// With a pace, requests are numbered one after the other and begin no earlier than their turn.
func TestTurnstileKeepsThePace(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	turns := turnstile{every: 5 * time.Millisecond, next: begin}
	for want := range int64(4) {
		number, ok := turns.pass(t.Context())
		if !ok || number != want {
			t.Fatalf("turn %d, %v; want %d", number, ok, want)
		}
		if early := time.Duration(want)*turns.every - time.Since(begin); early > 0 {
			t.Errorf("turn %d came %s early", number, early)
		}
	}
}
