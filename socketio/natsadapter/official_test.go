package natsadapter_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

const clientFolder = "testdata/client"

// Official clients of two servers see what those of one server do.
func TestOfficialClientsOfTwoServers(t *testing.T) {
	installClient(t)
	brokers := startNATS(t, 2, nil)
	nodes := []*node{join(t, connect(t, brokers[0]), nil), join(t, connect(t, brokers[1]), nil)}
	var urls []string
	for _, n := range nodes {
		n.OnConnection(func(s *socketio.Socket) { converse(t, n, s) })
		urls = append(urls, n.url)
	}
	for _, n := range nodes {
		n.knows(2)
	}
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			config, err := json.Marshal(map[string]any{"transport": transport, "urls": urls})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			command := exec.CommandContext(ctx, "node", "two_servers.mjs", string(config))
			command.Dir = clientFolder
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func installClient(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(clientFolder + "/node_modules/.package-lock.json"); err == nil {
		return
	}
	command := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
	command.Dir = clientFolder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
}

// converse is the servers' side of two_servers.mjs.
func converse(t *testing.T, n *node, s *socketio.Socket) {
	var auth struct{ Name string }
	if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil {
		t.Error(err)
	}
	s.SetData(auth.Name)
	check := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	s.On("to all", func(e *socketio.Event) { check(n.Emit("said", auth.Name, e.Args[0])) })
	s.On("to room", func(e *socketio.Event) {
		var room string
		check(e.Args[0].Decode(&room))
		check(s.To(room).Emit("said", auth.Name, e.Args[1]))
	})
	socketio.OnAck(s, "enter", func(_ context.Context, room string) (bool, error) {
		s.Join(room)
		return true, nil
	})
	socketio.OnAck(s, "ask all", func(ctx context.Context, question string) ([]string, error) {
		replies, err := n.To().EmitWithAck(ctx, "confirm", question)
		answers := make([]string, len(replies))
		for i, reply := range replies {
			check(reply.Args.Decode(&answers[i]))
		}
		return answers, err
	})
	socketio.OnAck(s, "who is in", func(ctx context.Context, room string) ([]string, error) {
		sockets, err := n.In(room).FetchSockets(ctx)
		names := make([]string, len(sockets))
		for i, socket := range sockets {
			check(json.Unmarshal(socket.Data, &names[i]))
		}
		return names, err
	})
	s.On("move", func(e *socketio.Event) {
		var id, from, to string
		check(e.Decode(&id, &from, &to))
		check(n.In(id).SocketsLeave(from))
		check(n.In(id).SocketsJoin(to))
		check(e.Ack())
	})
	s.On("expel", func(e *socketio.Event) {
		var id string
		check(e.Decode(&id))
		check(n.In(id).DisconnectSockets(false))
		check(e.Ack())
	})
}
