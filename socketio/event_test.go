package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/socketio"
)

// echo sends every event back, as the official test suite's server does.
func echo(socket *socketio.Socket) {
	again := func(args socketio.Args) []any {
		out := make([]any, len(args))
		for i, arg := range args {
			out[i] = arg
		}
		return out
	}
	socket.On("message", func(e *socketio.Event) { _ = e.Socket().Emit("message-back", again(e.Args)...) })
	socket.On("message-with-ack", func(e *socketio.Event) { _ = e.Ack(again(e.Args)...) })
}

func TestEventsAndAcks(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(echo)
		s.Of("/custom").OnConnection(echo)
	})
	c := server.connect(t, "/", "/custom")
	c.send(`42["message",1,"2",{"3":[true]}]`)
	c.want(`42["message-back",1,"2",{"3":[true]}]`)
	c.send(`42/custom,["message"]`)
	c.want(`42/custom,["message-back"]`)
	c.send(`42456["message-with-ack",1,"2",{"3":[false]}]`)
	c.want(`43456[1,"2",{"3":[false]}]`)
	c.send(`42/custom,0["message-with-ack"]`)
	c.want(`43/custom,0[]`)
	c.send(`42["message-with-ack","nobody asked for an ack"]`)
	c.send(`42["nobody","listens"]`)

	c.send(`452-["message",{"_placeholder":true,"num":0},[{"x":{"_placeholder":true,"num":1}}]]`)
	c.sendBin("\x01\x02\x03")
	c.sendBin("\x04")
	c.want(`452-["message-back",{"_placeholder":true,"num":0},[{"x":{"_placeholder":true,"num":1}}]]`, "b:\x01\x02\x03", "b:\x04")
	c.send(`451-789["message-with-ack",{"_placeholder":true,"num":0}]`)
	c.sendBin("")
	c.want(`461-789[{"_placeholder":true,"num":0}]`, "b:")
	c.send(`450-["message","labelled binary, nothing follows"]`)
	c.want(`42["message-back","labelled binary, nothing follows"]`)
}

func TestEventsByPolling(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) { s.OnConnection(echo) })
	status, opening := server.poll(t, "GET", "", "")
	var handshake struct{ SID string }
	if err := json.Unmarshal([]byte(opening[1:]), &handshake); err != nil || status != 200 {
		t.Fatalf("handshake: %d %q", status, opening)
	}
	post := func(body string) {
		t.Helper()
		if status, answer := server.poll(t, "POST", handshake.SID, body); status != 200 || answer != "ok" {
			t.Fatalf("POST: %d %q", status, answer)
		}
	}
	get := func() string {
		t.Helper()
		status, answer := server.poll(t, "GET", handshake.SID, "")
		if status != 200 {
			t.Fatalf("GET: %d %q", status, answer)
		}
		return answer
	}
	post("40")
	if got := get(); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("answer to CONNECT = %q", got)
	}
	post("451-[\"message\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID")
	if got, want := get(), "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]\x1ebAQID"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEventsArriveInOrder(t *testing.T) {
	const events = 2000
	seen := make(chan int, events)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			socket.On("n", func(e *socketio.Event) {
				var n int
				if err := e.Decode(&n); err != nil {
					t.Errorf("Decode: %v", err)
				}
				seen <- n
			})
		})
	})
	c := server.connect(t)
	for i := range events {
		c.send(event(`["n",%d]`, i))
	}
	c.sync("/")
	for i := range events {
		if got := receive(t, seen); got != i {
			t.Fatalf("event %d came as number %d", got, i)
		}
	}
}

func TestListeners(t *testing.T) {
	calls := make(chan string, 20)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			note := func(text string) func(*socketio.Event) {
				return func(e *socketio.Event) {
					if e.Name != "sync" {
						calls <- text
					}
				}
			}
			removeAny := socket.OnAny(note("any 1"))
			socket.OnAny(note("any 2"))
			socket.Use(func(e *socketio.Event) error {
				if e.Name == "dropped" {
					return errors.New("no")
				}
				note("middleware")(e)
				return nil
			})
			removeFirst := socket.On("x", note("x 1"))
			socket.On("x", note("x 2"))
			socket.On("dropped", note("dropped"))
			socket.On("remove", func(*socketio.Event) { removeAny(); removeFirst() })
		})
	})
	c := server.connect(t)
	check := func(want ...string) {
		t.Helper()
		c.sync("/")
		for _, w := range want {
			if got := receive(t, calls); got != w {
				t.Fatalf("call = %q, want %q", got, w)
			}
		}
		wantNothing(t, calls)
	}
	c.send(`42["x"]`)
	check("any 1", "any 2", "middleware", "x 1", "x 2")
	c.send(`42["dropped"]`)
	check("any 1", "any 2")
	c.send(`42["remove"]`)
	c.send(`42["x"]`)
	check("any 1", "any 2", "middleware", "any 2", "middleware", "x 2")
}

func TestDecode(t *testing.T) {
	type upload struct {
		Name  string
		Photo []byte
	}
	results := make(chan string, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("e", func(e *socketio.Event) {
				var number int
				var file upload
				err := e.Decode(&number, nil, &file)
				results <- fmt.Sprintf("%d %s %s %v", number, file.Name, file.Photo, err)
			})
		})
	})
	c := server.connect(t)
	c.send(`451-["e",7,"skipped",{"name":"cat","photo":{"_placeholder":true,"num":0}},"more"]`)
	c.sendBin("meow")
	if got, want := receive(t, results), "7 cat meow <nil>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.send(`42["e",7]`)
	if got := receive(t, results); !strings.Contains(got, socketio.ErrMissingArgument.Error()) {
		t.Errorf("got %q", got)
	}
}

func TestAckIsSentAtMostOnce(t *testing.T) {
	results := make(chan error, 4)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			socket.On("twice", func(e *socketio.Event) {
				if !e.HasAck() {
					results <- e.Ack()
					return
				}
				results <- e.Ack(func() {}) // cannot be encoded: nothing sent yet
				results <- e.Ack("first")
				results <- e.Ack("second")
			})
		})
	})
	c := server.connect(t)
	c.send(`421["twice"]`)
	c.want(`431["first"]`)
	c.sync("/")
	if err := receive(t, results); err == nil || errors.Is(err, socketio.ErrAlreadyAcknowledged) {
		t.Errorf("acknowledging with a function: %v", err)
	}
	if err := receive(t, results); err != nil {
		t.Errorf("first: %v", err)
	}
	if err := receive(t, results); !errors.Is(err, socketio.ErrAlreadyAcknowledged) {
		t.Errorf("second: %v", err)
	}
	c.send(`42["twice"]`)
	if err := receive(t, results); !errors.Is(err, socketio.ErrNoAck) {
		t.Errorf("without an ack: %v", err)
	}
}

func TestEmitWithAck(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { answerSync(socket); sockets <- socket })
	})
	type result struct {
		args socketio.Args
		err  error
	}
	ask := func(ctx context.Context, socket *socketio.Socket, args ...any) <-chan result {
		done := make(chan result, 1)
		go func() {
			args, err := socket.EmitWithAck(ctx, "ask", args...)
			done <- result{args, err}
		}()
		return done
	}
	t.Run("answered", func(t *testing.T) {
		c := server.connect(t)
		done := ask(t.Context(), receive(t, sockets), "q")
		id := ackID(c, `["ask","q"]`)
		c.send(`43999999["nobody waits for this one"]`)
		c.send("461-" + id + `["a",{"_placeholder":true,"num":0}]`)
		c.sendBin("data")
		c.send("43" + id + `["again"]`) // ignored
		r := receive(t, done)
		var text string
		var data []byte
		if err := r.args.Decode(&text, &data); err != nil || r.err != nil || text != "a" || string(data) != "data" {
			t.Errorf("got %v, %v: %q %q", r.err, err, text, data)
		}
		c.sync("/")
	})
	t.Run("context ends", func(t *testing.T) {
		c := server.connect(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := ask(ctx, receive(t, sockets))
		id := ackID(c, `["ask"]`)
		cancel()
		if r := receive(t, done); !errors.Is(r.err, context.Canceled) {
			t.Errorf("error = %v", r.err)
		}
		c.send("43" + id + `["late"]`)
		c.sync("/")
	})
	t.Run("disconnected", func(t *testing.T) {
		c := server.connect(t)
		socket := receive(t, sockets)
		done := ask(t.Context(), socket)
		ackID(c, `["ask"]`)
		c.send("41")
		if r := receive(t, done); !errors.Is(r.err, socketio.ErrDisconnected) {
			t.Errorf("error = %v", r.err)
		}
		if _, err := socket.EmitWithAck(t.Context(), "ask"); !errors.Is(err, socketio.ErrDisconnected) {
			t.Errorf("afterwards: %v", err)
		}
	})
	t.Run("typed", func(t *testing.T) {
		c := server.connect(t)
		socket := receive(t, sockets)
		done := make(chan int, 1)
		go func() {
			n, err := socketio.Request[int](t.Context(), socket, "ask")
			if err != nil {
				t.Errorf("Request: %v", err)
			}
			done <- n
		}()
		c.send("43" + ackID(c, `["ask"]`) + "[42]")
		if n := receive(t, done); n != 42 {
			t.Errorf("Request = %d", n)
		}
	})
}

// ackID reads an event that asks for an acknowledgement and returns its id.
func ackID(c *client, payload string) string {
	c.t.Helper()
	text := c.read()
	id, ok := strings.CutSuffix(strings.TrimPrefix(text, "42"), payload)
	if !ok || id == "" {
		c.t.Fatalf("got %q, want %s with an id", text, payload)
	}
	return id
}

// A handler may wait for the client: acknowledgements do not queue behind it.
func TestEmitWithAckInsideHandler(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("start", func(e *socketio.Event) {
				answer, err := socket.EmitWithAck(e.Context(), "question")
				if err != nil {
					t.Errorf("EmitWithAck: %v", err)
					return
				}
				_ = e.Ack(answer[0])
			})
		})
	})
	c := server.connect(t)
	c.send(`425["start"]`)
	c.send("43" + ackID(c, `["question"]`) + `["answer"]`)
	c.want(`435["answer"]`)
}

func TestTypedHandlers(t *testing.T) {
	type order struct {
		Title  string
		Copies int
	}
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socketio.On(socket, "note", func(_ context.Context, o order) error {
				if o.Title == "" {
					return &socketio.EventError{Message: "title required", Err: errors.New("cause")}
				}
				return nil
			})
			socketio.OnAck(socket, "order", func(_ context.Context, o order) (int, error) {
				switch o.Title {
				case "":
					return 0, errors.New("database password is hunter2")
				case "gone":
					return 0, fmt.Errorf("wrapped: %w", &socketio.EventError{Message: "out of print"})
				}
				return o.Copies * 2, nil
			})
		})
	})
	c := server.connect(t)
	for _, tc := range []struct{ send, want string }{
		{`421["order",{"title":"Emma","copies":3}]`, `431[6]`},
		{`422["order"]`, `432[{"error":"internal error"}]`},
		{`423["order",{"title":"gone"}]`, `433[{"error":"out of print"}]`},
		{`424["order","not an object"]`, `434[{"error":"Invalid event data"}]`},
		{`425["note",{"title":"Emma"}]`, `435[]`},
		{`426["note",{}]`, `436[{"error":"title required"}]`},
	} {
		c.send(tc.send)
		c.want(tc.want)
	}
	c.send(`42["order",{"title":"Emma"}]`) // no ack asked for: no answer
	c.send(`42["note",1]`)
	c.send(`427["note",{"title":"Emma"}]`)
	c.want(`437[]`)
	if !strings.Contains(server.log.String(), "hunter2") {
		t.Error("the cause is not in the log")
	}
}

func TestReservedEventsAreRefused(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { answerSync(socket); sockets <- socket })
	})
	c := server.connect(t)
	socket := receive(t, sockets)
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		_, ackErr := socket.EmitWithAck(t.Context(), name)
		_, broadcastErr := server.To("x").EmitWithAck(t.Context(), name)
		for _, err := range []error{socket.Emit(name), server.Emit(name), socket.EmitVolatile(name), ackErr, broadcastErr} {
			if !errors.Is(err, socketio.ErrReservedEvent) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if err := socket.Emit("x", make(chan int)); err == nil {
		t.Error("a channel was sent")
	}
	if err := socket.Emit("x", json.RawMessage("{")); err == nil {
		t.Error("broken JSON was sent")
	}
	if err := socket.Emit("error", "an ordinary name on the wire"); err != nil {
		t.Error(err)
	}
	c.want(`42["error","an ordinary name on the wire"]`)
	c.sync("/")
}

func TestBinaryEmit(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { sockets <- socket })
	})
	c := server.connect(t)
	socket := receive(t, sockets)
	if err := socket.Emit("b", map[string]any{"in": []any{[]byte("one")}}, []byte("two")); err != nil {
		t.Fatal(err)
	}
	c.want(`452-["b",{"in":[{"_placeholder":true,"num":0}]},{"_placeholder":true,"num":1}]`, "b:one", "b:two")
	if err := server.Emit("b", []byte("three")); err != nil {
		t.Fatal(err)
	}
	c.want(`451-["b",{"_placeholder":true,"num":0}]`, "b:three")
	if err := socket.Emit("b", slices.Repeat([][]byte{{1}}, 11)); err == nil {
		t.Error("a list of eleven attachments was sent")
	}
	if err := socket.Emit("after"); err != nil {
		t.Fatal(err)
	}
	c.want(`42["after"]`)
}
