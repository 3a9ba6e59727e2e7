package socketio_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// The official client is recovered, also where the official server fails it.
func TestOfficialClientIsRecovered(t *testing.T) {
	installClients(t)
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			server := serve(t, &socketio.Options{StateRecovery: &socketio.StateRecovery{}}, setUpRecovery)
			config, err := json.Marshal(map[string]string{"transport": transport, "url": server.url})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, "node", "recovery.mjs", string(config))
			command.Dir = clientFolder
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func setUpRecovery(server *socketio.Server) {
	server.Of("/control").OnConnection(func(s *socketio.Socket) {
		s.On("emit", func(e *socketio.Event) {
			var count int
			_ = e.Decode(&count)
			for i := range count {
				_ = server.Emit("missed", i)
			}
			_ = e.Ack()
		})
		s.On("emit last", func(e *socketio.Event) {
			_ = server.Emit("last")
			_ = e.Ack()
		})
		s.On("emit volatile", func(e *socketio.Event) {
			_ = server.Volatile().Emit("volatile", "a string")
			_ = e.Ack()
		})
	})
}
