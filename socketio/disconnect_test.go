package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// farewells reports what happens at the end of every socket.
func farewells(into chan<- string) func(*socketio.Socket) {
	return func(socket *socketio.Socket) {
		answerSync(socket)
		socket.Join("room")
		socket.OnDisconnecting(func(r socketio.Reason) {
			into <- fmt.Sprintf("disconnecting %s: %s %v", socket.Namespace().Name(), r, socket.Rooms())
		})
		socket.OnDisconnect(func(r socketio.Reason) {
			into <- fmt.Sprintf("disconnect %s: %s %v", socket.Namespace().Name(), r, socket.Rooms())
		})
	}
}

func TestDisconnectReasons(t *testing.T) {
	for name, tc := range map[string]struct {
		end    func(*served, *client)
		reason string
	}{
		"client leaves":       {func(_ *served, c *client) { c.send("41") }, "client namespace disconnect"},
		"client closes":       {func(_ *served, c *client) { c.send("1") }, "transport close"},
		"connection is lost":  {func(_ *served, c *client) { c.conn.Close() }, "transport close"},
		"server disconnects":  {func(s *served, _ *client) { s.Of("/").Sockets()[0].Disconnect(false) }, "server namespace disconnect"},
		"server closes":       {func(s *served, _ *client) { s.Of("/").Sockets()[0].Disconnect(true) }, "server namespace disconnect"},
		"malformed packet":    {func(_ *served, c *client) { c.send("4abc") }, "forced close"},
		"no Engine.IO packet": {func(_ *served, c *client) { c.send("abc") }, "parse error"},
		"server shuts down":   {func(s *served, _ *client) { _ = s.Close(context.Background()) }, "server shutting down"},
	} {
		t.Run(name, func(t *testing.T) {
			events := make(chan string, 4)
			server := serve(t, nil, func(s *socketio.Server) { s.OnConnection(farewells(events)) })
			c := server.connect(t)
			c.sync("/")
			tc.end(server, c)
			for _, want := range []string{"disconnecting /: " + tc.reason + " [room]", "disconnect /: " + tc.reason + " []"} {
				if got := receive(t, events); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			if n := len(server.Of("/").Sockets()); n != 0 {
				t.Errorf("%d sockets are left", n)
			}
		})
	}
}

func TestPingTimeout(t *testing.T) {
	events := make(chan string, 4)
	server := serve(t, engineOptions(shortPing()), func(s *socketio.Server) { s.OnConnection(farewells(events)) })
	server.connect(t) // and answer no ping from now on
	if got, want := receive(t, events), "disconnecting /: ping timeout [room]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestServerDisconnectTellsTheClient(t *testing.T) {
	events := make(chan string, 9)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(farewells(events))
		s.Of("/other").OnConnection(farewells(events))
	})
	c := server.connect(t, "/", "/other")
	c.sync("/")
	c.sync("/other")
	socket := server.Of("/").Sockets()[0]
	if err := socket.Emit("last words"); err != nil {
		t.Fatal(err)
	}
	socket.Disconnect(false)
	if err := socket.Emit("too late"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("Emit afterwards: %v", err)
	}
	if err := server.Emit("too late"); err != nil {
		t.Fatal(err)
	}
	socket.Disconnect(false) // once is enough
	c.want(`42["last words"]`, "41")
	// What the client sent before it heard of it does no harm.
	c.send(`42["late"]`)
	c.send("431[]")
	c.sync("/other")
	for _, want := range []string{"disconnecting /: server namespace disconnect [room]", "disconnect /: server namespace disconnect []"} {
		if got := receive(t, events); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	c.join("/", "")
	c.sync("/")
	server.Of("/other").Sockets()[0].Disconnect(true)
	got := []string{c.read(), c.read()}
	if !(got[0] == "41" && got[1] == "41/other," || got[0] == "41/other," && got[1] == "41") {
		t.Errorf("got %q", got)
	}
	c.wantClosed()
}

// Clients take a DISCONNECT packet as final and stay away; a server that goes must
// not send it.
func TestCloseDoesNotTellClientsToStayAway(t *testing.T) {
	events := make(chan string, 4)
	server := serve(t, nil, func(s *socketio.Server) { s.OnConnection(farewells(events)) })
	c := server.connect(t)
	c.sync("/")
	if err := server.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Close has waited for the handlers.
	if len(events) != 2 {
		t.Errorf("%d disconnect handlers ran before Close returned, want 2", len(events))
	}
	for {
		message, err := c.next()
		if err != nil {
			break
		}
		if strings.HasPrefix(message, "41") {
			t.Errorf("client was told %q", message)
		}
	}
	if err := server.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("hang", func(*socketio.Event) { close(entered); <-release })
		})
	})
	c := server.connect(t)
	c.send(`42["hang"]`)
	receive(t, entered)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	close(release)
}

func TestEventsAfterDisconnectAreDropped(t *testing.T) {
	calls := make(chan string, 9)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("kick me", func(e *socketio.Event) {
				socket.Disconnect(false)
				calls <- "kicked"
			})
			socket.On("kick me", func(*socketio.Event) { calls <- "second handler of the same event" })
			socket.On("x", func(*socketio.Event) { calls <- "x" })
			socket.OnDisconnect(func(socketio.Reason) { calls <- "disconnect" })
		})
	})
	c := server.connect(t)
	c.send(`42["kick me"]`)
	c.send(`42["x"]`)
	c.want("41")
	for _, want := range []string{"kicked", "second handler of the same event", "disconnect"} {
		if got := receive(t, calls); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	wantNothing(t, calls)
}

func TestPanicEndsItsSocketOnly(t *testing.T) {
	for name, setUp := range map[string]func(*socketio.Socket){
		"in a handler":            func(s *socketio.Socket) { s.On("x", func(*socketio.Event) { panic("oh no") }) },
		"in a catch-all":          func(s *socketio.Socket) { s.OnAny(func(*socketio.Event) { panic("oh no") }) },
		"in a middleware":         func(s *socketio.Socket) { s.Use(func(*socketio.Event) error { panic("oh no") }) },
		"in a connection handler": func(*socketio.Socket) { panic("oh no") },
		"in a disconnect handler": func(s *socketio.Socket) {
			s.OnDisconnect(func(socketio.Reason) { panic("oh no") })
			s.Disconnect(false)
		},
	} {
		t.Run(name, func(t *testing.T) {
			events := make(chan string, 9)
			server := serve(t, nil, func(s *socketio.Server) {
				s.Of("/weak").OnConnection(func(socket *socketio.Socket) {
					farewells(events)(socket)
					setUp(socket)
				})
				s.OnConnection(answerSync)
			})
			c := server.connect(t, "/", "/weak")
			bystander := server.connect(t)
			c.send(`42/weak,["x"]`)
			c.want("41/weak,")
			c.sync("/")
			bystander.sync("/")
			receive(t, events)
			if got, want := receive(t, events), "disconnect /weak: server namespace disconnect []"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			c.join("/weak", "")
			if !strings.Contains(server.log.String(), "oh no") {
				t.Error("the panic is not in the log")
			}
		})
	}
}

func TestContextEndsWithTheSocket(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, nil, func(s *socketio.Server) { s.OnConnection(func(s *socketio.Socket) { sockets <- s }) })
	c := server.connect(t)
	socket := receive(t, sockets)
	ctx := socket.Context()
	if ctx.Err() != nil || !socket.Connected() {
		t.Fatal("ended at once")
	}
	c.send("41")
	receive(t, ctx.Done())
	if cause := context.Cause(ctx); !errors.Is(cause, socketio.ErrDisconnected) || !strings.Contains(cause.Error(), "client namespace disconnect") {
		t.Errorf("cause = %v", cause)
	}
	if context.Cause(socket.Context()) != context.Cause(ctx) {
		t.Error("two contexts, two causes")
	}
}

// A slow handler holds back its own client's events, no matter how many it sends;
// nothing is lost, and the client's other packets are not misread meanwhile.
func TestSlowHandlerHoldsItsClientBack(t *testing.T) {
	const events = 100
	release := make(chan struct{})
	seen := make(chan int, events)
	server := serve(t, &socketio.Options{MaxQueuedEvents: 3}, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			socket.On("n", func(e *socketio.Event) {
				<-release
				var n int
				_ = e.Decode(&n)
				seen <- n
			})
		})
	})
	c := server.connect(t)
	for i := range events {
		c.send(event(`["n",%d]`, i))
	}
	other := server.connect(t)
	other.sync("/")
	if len(seen) != 0 {
		t.Error("a handler did not wait")
	}
	close(release)
	c.sync("/")
	for i := range events {
		if got := receive(t, seen); got != i {
			t.Fatalf("event %d came as number %d", got, i)
		}
	}
}

func TestClientGoesWhileItsEventsWait(t *testing.T) {
	entered, release := make(chan struct{}, 10), make(chan struct{})
	done := make(chan socketio.Reason, 1)
	server := serve(t, &socketio.Options{MaxQueuedEvents: 1}, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("hang", func(*socketio.Event) { entered <- struct{}{}; <-release })
			socket.OnDisconnect(func(r socketio.Reason) { done <- r })
		})
	})
	c := server.connect(t)
	for range 10 {
		c.send(`42["hang"]`)
	}
	receive(t, entered)
	ctx := server.Of("/").Sockets()[0].Context()
	c.conn.Close()
	// The connection's end is noticed although its events fill the queue: by
	// reading, which waits, or by the shutdown below.
	go func() { _ = server.Close(context.Background()) }()
	receive(t, ctx.Done())
	close(release)
	receive(t, done)
	if len(entered) > 0 {
		t.Error("events were handled after the disconnection")
	}
}

func shortPing() engineio.Options {
	return engineio.Options{PingInterval: 50_000_000, PingTimeout: 50_000_000}
}
