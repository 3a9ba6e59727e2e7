package socketio_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/msgpack"
)

// The official client with the parser of its makers.
func TestOfficialMessagePackClient(t *testing.T) {
	installClients(t)
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			server := serve(t, &socketio.Options{Parser: msgpack.Parser{}}, setUpMessagePack)
			config, err := json.Marshal(map[string]string{"transport": transport, "url": server.url})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, "node", "msgpack.mjs", string(config))
			command.Dir = clientFolder
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func setUpMessagePack(server *socketio.Server) {
	server.Of("/refused").Use(func(*socketio.Socket) error {
		return &socketio.ConnectError{Message: "no", Data: map[string][]string{"why": {"because"}}}
	})
	server.OnConnection(func(s *socketio.Socket) {
		s.Join("room")
		_ = s.Emit("hello", s.Handshake().Auth)
		s.On("echo", func(e *socketio.Event) { _ = e.Ack(e.Args[0]) })
		s.On("ask me", func(e *socketio.Event) {
			answer, err := socketio.Request[int](e.Context(), s, "ask", 21)
			if err == nil {
				_ = s.Emit("answered", answer)
			}
		})
		s.On("shout", func(e *socketio.Event) { _ = server.To("room").Emit("shouted", e.Args[0]) })
		s.On("bye", func(*socketio.Event) { s.Disconnect(false) })
	})
}
