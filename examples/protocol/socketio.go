package main

import (
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// newSocketServer tells each socket the auth object that it came with; in the main namespace it
// sends messages back, as an event or as the acknowledgement.
func newSocketServer(transports engineio.Options) *socketio.Server {
	io := socketio.NewServer(&socketio.Options{Options: transports, ConnectTimeout: time.Second})
	tellAuth := func(s *socketio.Socket) { _ = s.Emit("auth", s.Handshake().Auth) }
	io.OnConnection(func(s *socketio.Socket) {
		tellAuth(s)
		s.On("message", func(e *socketio.Event) { _ = s.Emit("message-back", anys(e.Args)...) })
		s.On("message-with-ack", func(e *socketio.Event) { _ = e.Ack(anys(e.Args)...) })
	})
	io.Of("/custom").OnConnection(tellAuth)
	return io
}

// anys makes received arguments fit to be sent on as they are, binary data included.
func anys(args socketio.Args) []any {
	result := make([]any, len(args))
	for i, arg := range args {
		result[i] = arg
	}
	return result
}
