package socketio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

const clientFolder = "testdata/client"

// The official clients work unmodified, with their default options and on either
// transport alone.
func TestOfficialClients(t *testing.T) {
	installClients(t)
	for _, version := range []string{"4.8", "4.5", "4.0"} {
		for _, transport := range []string{"default", "websocket", "polling"} {
			t.Run(version+" "+transport, func(t *testing.T) { runClient(t, version, transport) })
		}
	}
}

func installClients(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(clientFolder + "/node_modules/socket.io-msgpack-parser/package.json"); err == nil {
		return
	}
	command := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund")
	command.Dir = clientFolder
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
}

// runClient runs all scenarios of suite.mjs as subtests.
func runClient(t *testing.T, version, transport string) {
	host := startHost(t)
	config, err := json.Marshal(map[string]string{"version": version, "transport": transport, "url": host.url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "suite.mjs", string(config))
	command.Dir = clientFolder
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var message struct {
			Name, Error, Ask string
			OK               bool
		}
		if err := json.Unmarshal(lines.Bytes(), &message); err != nil {
			t.Errorf("client printed %q", lines.Text())
			continue
		}
		if message.Ask != "" {
			host.restart(t)
			fmt.Fprintln(input, "done")
			continue
		}
		ran++
		t.Run(message.Name, func(t *testing.T) {
			if !message.OK {
				t.Error(message.Error)
			}
		})
	}
	if err := command.Wait(); err != nil || ran == 0 {
		t.Errorf("client ran %d scenarios: %v", ran, err)
	}
}

// host serves one address that outlives the server behind it.
type host struct {
	address string
	url     string
	server  *socketio.Server
	front   *http.Server
	served  chan error
}

func startHost(t *testing.T) *host {
	t.Helper()
	h := &host{address: "127.0.0.1:0"}
	h.start(t)
	t.Cleanup(func() { h.stop(t) })
	return h
}

func (h *host) start(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	h.address = listener.Addr().String()
	h.url = "http://" + h.address
	h.server = socketio.NewServer(nil)
	setUpScenarios(h.server)
	h.front = &http.Server{Handler: h.server, ReadHeaderTimeout: patience}
	h.served = make(chan error, 1)
	go func() { h.served <- h.front.Serve(listener) }()
}

func (h *host) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.server.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := h.front.Close(); err != nil {
		t.Errorf("Close of the HTTP server: %v", err)
	}
	if err := <-h.served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func (h *host) restart(t *testing.T) {
	t.Helper()
	h.stop(t)
	h.start(t)
}

// setUpScenarios is the server's side of suite.mjs.
func setUpScenarios(s *socketio.Server) {
	s.OnConnection(func(socket *socketio.Socket) {
		_ = socket.Emit("hello", socket.ID())
		echo(socket)
		basicScenarios(socket)
		roomScenarios(socket)
	})
	s.Of("/chat").OnConnection(func(socket *socketio.Socket) {
		socket.On("where", func(e *socketio.Event) { _ = e.Ack(socket.Namespace().Name()) })
	})
	guarded := s.Of("/guarded")
	guarded.Use(func(socket *socketio.Socket) error {
		if strings.Contains(string(socket.Handshake().Auth), "wrong") {
			return &socketio.ConnectError{Message: "not authorized", Data: map[string]any{"code": 401, "hint": "token"}}
		}
		return nil
	})
}

func basicScenarios(socket *socketio.Socket) {
	socket.On("echo", func(e *socketio.Event) { _ = e.Ack(e.Args[0]) })
	socket.On("who", func(e *socketio.Event) {
		query := socket.Handshake().Query
		_ = e.Ack(map[string]any{
			"auth": socket.Handshake().Auth, "userId": query.Get("userId"), "role": query.Get("role"),
		})
	})
	socket.On("ask me", func(e *socketio.Event) {
		var sum int
		var who map[string]string
		answer, err := socket.EmitWithAck(e.Context(), "question", 2, 3)
		if err == nil {
			err = answer.Decode(&sum, &who)
		}
		if err != nil {
			_ = e.Ack(err.Error())
			return
		}
		_ = e.Ack(map[string]any{"sum": sum, "from": who["from"]})
	})
	socket.On("stream", func(e *socketio.Event) {
		var count int
		if err := e.Decode(&count); err != nil {
			return
		}
		for i := range count {
			if err := socket.Emit("n", i); err != nil {
				return
			}
		}
	})
	collected := []int{}
	socketio.On(socket, "collect", func(_ context.Context, n int) error {
		collected = append(collected, n)
		return nil
	})
	socket.On("collected", func(e *socketio.Event) { _ = e.Ack(collected) })
	socket.On("send volatile", func(e *socketio.Event) {
		_ = socket.EmitVolatile("volatile")
		_ = e.Ack()
	})
	socketio.On(socket, "kick", func(_ context.Context, closeTransport bool) error {
		socket.Disconnect(closeTransport)
		return nil
	})
	socket.On("break", func(*socketio.Event) { panic("asked for") })
}

func roomScenarios(socket *socketio.Socket) {
	socketio.On(socket, "join", func(_ context.Context, room string) error {
		socket.Join(room)
		return nil
	})
	socket.On("tell", func(e *socketio.Event) {
		var room, text string
		_ = e.Decode(&room, &text)
		_ = socket.Namespace().To(room).Emit("news", text)
		_ = e.Ack()
	})
	socket.On("tell others", func(e *socketio.Event) {
		var room, text string
		_ = e.Decode(&room, &text)
		_ = socket.To(room).Emit("news", text)
		_ = e.Ack()
	})
	socket.OnDisconnect(func(reason socketio.Reason) {
		_ = socket.Namespace().To("monitors").Emit("gone", socket.ID(), reason)
	})
}
