package socketio_test

import (
	"testing"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

func TestSocketTellsAboutItself(t *testing.T) {
	sockets := make(chan *socketio.Socket, 2)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { answerSync(socket); sockets <- socket })
	})
	c := server.dial(t)
	sid := c.join("/", "")
	c.sync("/")
	socket := receive(t, sockets)
	if socket.ID() != sid || server.Of("/").Socket(sid) != socket {
		t.Errorf("id %q, the client was told %q", socket.ID(), sid)
	}
	if server.Of("/").Socket("nobody") != nil {
		t.Error("found a socket that is not there")
	}
	if socket.Namespace() != server.Of("/") || socket.Transport() != engineio.WebSocket {
		t.Errorf("namespace %q, transport %q", socket.Namespace().Name(), socket.Transport())
	}
	if socket.BytesReceived() < int64(len("40")) || socket.BytesSent() < int64(len(sid)) {
		t.Errorf("received %d bytes, sent %d", socket.BytesReceived(), socket.BytesSent())
	}
	if got := server.Engine().Count(); got != 1 {
		t.Errorf("%d connections", got)
	}
	type key struct{}
	if socket.Get(key{}) != nil {
		t.Error("a value from nowhere")
	}
	socket.Set(key{}, 7)
	if got := socket.Get(key{}); got != 7 {
		t.Errorf("Get = %v", got)
	}
	for _, b := range []socketio.Broadcast{server.Except("room"), server.Of("/").Volatile()} {
		if err := b.Emit("x"); err != nil {
			t.Fatal(err)
		}
		c.want(`42["x"]`)
	}
}

// A refusal whose data cannot be encoded is still an answer.
func TestConnectErrorWithUnencodableData(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.Use(func(*socketio.Socket) error {
			return &socketio.ConnectError{Message: "no", Data: make(chan int)}
		})
	})
	c := server.dial(t)
	c.send("40")
	c.want(`44{"message":"internal error"}`)
}
