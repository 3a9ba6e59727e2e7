package engineio

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Whoever kept a connection, as http.Server.ConnState lets one do, cannot free the descriptor
// that is written to: the next connection would get it, and what is meant for this one.
func TestDescriptorIsTheEnginesOwn(t *testing.T) {
	kept := make(chan net.Conn, 1)
	ts := serveWith(t, Options{}, func(s *httptest.Server) {
		s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
			if state == http.StateNew {
				kept <- conn
			}
		}
		s.Start()
	})
	c := ts.openSocket()
	r := ts.next()
	if err := receive(t, kept).Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closing it once more: %v, want that it is closed already", err)
	}
	r.session.Send(text("to this one"))
	c.want("4to this one")
	c.send("4and back")
	if m := r.message(t); string(m.Data) != "and back" {
		t.Errorf("received %q", m.Data)
	}
}
