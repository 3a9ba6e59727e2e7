package main

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

const socketPath = "/socket.io/"

// route sends socket requests to the Socket.IO server and all others to REST
// and the web app. The bounds on one exchange are set per request and not on the
// server, whose timeouts would also end long polls: net/http cancels a request
// when the read deadline passes while its handler waits.
func route(s *Settings, sockets, rest http.Handler, tracker *inFlight) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			// Whoever sends chunks and a length may mean to smuggle a request past a proxy that
			// believes the other one, and such a connection must end (RFC 9112, section 6.1). Package
			// http drops the length without a word, so every chunked request ends its connection;
			// browsers and the official clients send none.
			w.Header().Set("Connection", "close")
		}
		controller := http.NewResponseController(w)
		now := time.Now()
		if strings.HasPrefix(r.URL.Path, socketPath) {
			// A poll waits as long as it likes. The connection may carry the
			// deadlines of a REST request before it. Errors mean that the
			// connection has no deadlines, as in tests.
			_ = controller.SetWriteDeadline(time.Time{})
			if r.Method == http.MethodPost {
				_ = controller.SetReadDeadline(now.Add(s.BodyTimeout))
			} else {
				_ = controller.SetReadDeadline(time.Time{})
			}
			sockets.ServeHTTP(w, r)
			return
		}
		defer tracker.begin()()
		_ = controller.SetReadDeadline(now.Add(s.BodyTimeout))
		_ = controller.SetWriteDeadline(now.Add(s.AnswerTimeout))
		rest.ServeHTTP(w, r)
	})
}

// inFlight knows when the requests that were there before a stop are done.
// Safe for concurrent use.
type inFlight struct {
	mu       sync.Mutex
	count    int
	draining bool
	idle     chan struct{} // closed once draining and none is left
}

func newInFlight() *inFlight { return &inFlight{idle: make(chan struct{})} }

// begin counts a request; the returned function ends it. Requests that come
// while draining are answered but not waited for.
func (f *inFlight) begin() (end func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.draining {
		return func() {}
	}
	f.count++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.count--
		f.settleLocked()
	}
}

// drain says when everything that has begun is done.
func (f *inFlight) drain() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.draining {
		f.draining = true
		f.settleLocked()
	}
	return f.idle
}

func (f *inFlight) settleLocked() {
	if f.draining && f.count == 0 {
		close(f.idle)
	}
}
