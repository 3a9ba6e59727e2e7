package engineio

import (
	"runtime"
	"testing"

	"github.com/gobwas/ws"
)

// A goroutine for each is more than half of the memory of idle clients.
func TestIdleSocketsHaveNoGoroutine(t *testing.T) {
	const clients = 40
	ts := serve(t, Options{})
	begun := runtime.NumGoroutine()
	sockets, received := make([]*socketClient, clients), make([]*recorder, clients)
	for i := range clients {
		sockets[i] = ts.openSocket()
		received[i] = ts.next()
	}
	atRest := func() bool { return runtime.NumGoroutine() <= begun+clients/4 }
	eventually(t, "idle sockets have no goroutine", atRest)

	// Half a frame waits for its rest without one too, and is not lost.
	frame := ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte("4whole"))))
	for _, c := range sockets {
		c.writeRaw(frame[:7])
	}
	eventually(t, "the halves have arrived", func() bool { return receiving(ts.Server) == clients })
	eventually(t, "sockets in the middle of a message have no goroutine", atRest)
	for i, c := range sockets {
		c.writeRaw(frame[7:])
		if m := received[i].message(t); string(m.Data) != "whole" {
			t.Errorf("received %q", m.Data)
		}
	}
	eventually(t, "the sockets rest again", atRest)
}

// receiving counts the sockets that are in the middle of a message.
func receiving(s *Server) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for socket := range s.sockets {
		if socket.receivingSince.Load() != 0 {
			n++
		}
	}
	return n
}
