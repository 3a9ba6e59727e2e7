package engineio

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"
)

// Sessions end one by one over the whole time.
func TestHandOver(t *testing.T) {
	ts := serve(t, Options{})
	query, _ := ts.openPolling()
	polling := ts.next()
	var sockets []*socketClient
	recorders := []*recorder{polling}
	for range 4 {
		sockets = append(sockets, ts.openSocket())
		recorders = append(recorders, ts.next())
	}
	poll := ts.later(http.MethodGet, query, "")
	eventually(t, "poll waits", polling.session.Writable)

	const over = 300 * time.Millisecond
	begun := time.Now()
	ended := make(chan error, 1)
	go func() { ended <- ts.HandOver(t.Context(), over) }()
	for _, r := range recorders[1:] {
		r.session.Send(text("last"))
	}
	if a := receive(t, poll); a.body != "1" {
		t.Errorf("poll: %q", a.body)
	}
	for _, socket := range sockets {
		socket.wantClose(1001)
		socket.conn.Close()
	}
	for _, r := range recorders {
		r.wantClosed(t, ReasonServerShuttingDown)
	}
	if err := receive(t, ended); err != nil {
		t.Errorf("HandOver: %v", err)
	}
	if took := time.Since(begun); took < over-handOverPause {
		t.Errorf("it took %s, less than %s", took, over)
	}
}

// Nobody new gets in from the start; an end to the waiting ends nothing else.
func TestHandOverEndsWithItsContext(t *testing.T) {
	ts := serve(t, Options{})
	ts.openSocket()
	r := ts.next()
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ts.HandOver(ctx, time.Hour) }()
	eventually(t, "new sessions are refused", func() bool {
		a := ts.get("transport=polling")
		if a.status == http.StatusOK {
			ts.next() // it came before the hand-over began
		}
		return a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != ""
	})
	if ts.Count() == 0 {
		t.Error("everybody has gone at once")
	}
	enough := errors.New("enough")
	cancel(enough)
	if err := receive(t, ended); !errors.Is(err, enough) {
		t.Errorf("HandOver: %v", err)
	}
	r.session.Send(text("x")) // who has not been told goes on until Close
	if err := ts.HandOver(t.Context(), 0); err != nil {
		t.Errorf("HandOver at once: %v", err)
	}
	r.wantClosed(t, ReasonServerShuttingDown)
}
