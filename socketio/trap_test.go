package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// Vulnerabilities and traps that other Socket.IO servers had, each by its number.

// attacked is a server with a healthy client, which attack must not touch.
func attacked(t *testing.T, options *socketio.Options, attack func(*served)) {
	t.Helper()
	events := make(chan string, 100)
	server := serve(t, options, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			socket.OnAny(func(e *socketio.Event) {
				if e.Name != "sync" {
					events <- e.Name
				}
			})
		})
	})
	healthy := server.connect(t)
	attack(server)
	healthy.sync("/")
	must(t, server.Emit("all"))
	healthy.want(`42["all"]`)
	wantNothing(t, events)
}

// An attachment's number that is no index of an attachment.
func TestCVE_2022_2421_AttachmentNumber(t *testing.T) {
	attacked(t, nil, func(server *served) {
		for _, num := range []string{`"splice"`, `"length"`, `1`, `-1`, `0.5`, `1e9`, `null`, `{}`, `"0"`, `99999999999999999999`} {
			c := server.connect(t)
			c.send(`451-["hello",{"_placeholder":true,"num":` + num + `}]`)
			c.sendBin("x")
			c.wantClosed()
		}
	})
}

// An event name that is an object with a toString of its own, or anything else that
// is neither text nor number.
func TestCVE_2023_32695_NonStringEventName(t *testing.T) {
	attacked(t, nil, func(server *served) {
		for _, name := range []string{`{"toString":"foo"}`, `{}`, `[]`, `["a"]`, `null`, `true`, `{"_placeholder":true,"num":0}`} {
			c := server.connect(t)
			c.send(`42[` + name + `]`)
			c.wantClosed()
		}
	})
}

// An event "error" of the client ended the process when nobody listened. It is an
// event like any other.
func TestCVE_2024_38355_EventNamedError(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { answerSync(socket) })
	})
	c := server.connect(t)
	c.send(`42["error"]`)
	c.send(`42["error",{"message":"x"}]`)
	c.sync("/")
}

// A packet that announces more attachments than anybody needs.
func TestCVE_2026_33151_AttachmentCount(t *testing.T) {
	attacked(t, nil, func(server *served) {
		for _, count := range []string{"11", "1000", "4294967297", "99999999999999999999"} {
			c := server.connect(t)
			c.send("45" + count + `-["hello"]`)
			c.wantClosed()
		}
	})
}

// A packet that announces no attachment left the decoder waiting for some, and every
// later binary message was kept.
func TestCVE_2026_69185_NoAttachmentsAnnounced(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("hello", func(e *socketio.Event) { _ = socket.Emit("got it") })
		})
	})
	c := server.connect(t)
	c.send(`450-["hello"]`)
	c.want(`42["got it"]`)
	c.sendBin("kept?")
	c.wantClosed()
}

// Attachments that are many bytes together, each within the payload limit
// (GHSA-55mf-67qm-4wpg of socketioxide, CVE-2026-48804 of python-socketio).
func TestCVE_2026_48804_AttachmentBytes(t *testing.T) {
	attacked(t, &socketio.Options{MaxPacketBytes: 100_000}, func(server *served) {
		c := server.connect(t)
		c.send(`4510-["hello"]`)
		for range 2 {
			c.sendBin(strings.Repeat("x", 60_000))
		}
		c.wantClosed()
	})
}

// One attachment that is named many times would become many times its size.
func TestAttachmentIsUsedOnce(t *testing.T) {
	attacked(t, nil, func(server *served) {
		c := server.connect(t)
		c.send(`451-["hello"` + strings.Repeat(`,{"_placeholder":true,"num":0}`, 1000) + `]`)
		c.sendBin("x")
		c.wantClosed()
	})
}

// Packets out of turn end their connection and no other.
func TestPacketsOutOfTurn(t *testing.T) {
	attacked(t, nil, func(server *served) {
		for _, packet := range []string{
			`40`, `40{}`, `44{"message":"x"}`, `42/unknown,["hello"]`, `41/unknown,`, `43/unknown,1[]`, `40[]`, `40"x"`,
			`41{}`, `42`, `42{}`, `42[]`, `43[]`, `431{}`, `46`, `49`, `42["connect"]`, `42["newListener"]`, `421.5["x"]`,
			`42[`, `451-["hello"]` + "\x00", `4`, `42["x"`, `42 ["x"]x`,
		} {
			c := server.connect(t)
			c.send(packet)
			c.wantClosed()
		}
	})
}

// The events that arrive together with CONNECT find their handlers (zishang520
// #195, socket.io-client #1527).
func TestTrapZ195_EventsRightBehindConnect(t *testing.T) {
	got := make(chan string, 100)
	server := serve(t, nil, func(s *socketio.Server) {
		s.Use(func(*socketio.Socket) error { return nil })
		s.OnConnection(func(socket *socketio.Socket) {
			socket.On("early", func(e *socketio.Event) { got <- string(e.Args[0].JSON) })
		})
	})
	c := server.dial(t)
	c.send("40")
	c.read()
	for i := range 50 {
		c.send(event(`["early",%d]`, i))
	}
	for i := range 50 {
		if n := receive(t, got); n != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", n, i)
		}
	}
}

// A burst to a room arrives whole (zishang520 #101), by polling too.
func TestTrapZ101_BurstToARoom(t *testing.T) {
	server, enter := party(t)
	c, _ := enter("room")
	const count = 5000
	for i := range count {
		must(t, server.To("room").Emit("n", i))
	}
	for i := range count {
		c.want(fmt.Sprintf(`42["n",%d]`, i))
	}
}

// A client that does not read holds nobody up (googollee #355, #152).
func TestTrapG355_StuckPeerDoesNotBlockBroadcasts(t *testing.T) {
	sockets := make(chan *socketio.Socket, 2)
	server := serve(t, engineOptions(engineio.Options{MaxPendingBytes: 200_000, SocketBuffer: 10_000}), func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			sockets <- socket
		})
	})
	server.connect(t) // never reads again
	stuck := receive(t, sockets)
	reason := make(chan socketio.Reason, 1)
	stuck.OnDisconnect(func(r socketio.Reason) { reason <- r })
	healthy := server.connect(t)
	receive(t, sockets)
	payload := strings.Repeat("x", 10_000)
	for i := 0; stuck.Connected(); i++ {
		must(t, server.Emit("n", i, payload))
		healthy.want(fmt.Sprintf(`42["n",%d,"%s"]`, i, payload))
	}
	if r := receive(t, reason); r != socketio.ReasonSlowClient {
		t.Errorf("reason = %q", r)
	}
	healthy.sync("/")
}

// What waited for an acknowledgement is let go of when nobody waits any more
// (#4984).
func TestTrap4984_TimedOutAcksAreForgotten(t *testing.T) {
	server, enter := party(t)
	c, socket := enter("room")
	for range 20 {
		replies, err := server.To("room").Timeout(time.Millisecond).EmitWithAck(t.Context(), "ask")
		if !errors.Is(err, socketio.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || len(replies) != 0 {
			t.Fatalf("replies %v, %v", replies, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := socket.EmitWithAck(ctx, "ask"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("EmitWithAck: %v", err)
	}
	if n := socket.PendingAcks(); n != 0 {
		t.Errorf("%d acknowledgements are still waited for", n)
	}
	for range 21 {
		c.send("43" + ackID(c, `["ask"]`) + `["late"]`) // hurts nobody
	}
	c.sync("/")
}

// CONNECT packets without end: to namespaces that do not exist, and to one that is
// left again each time.
func TestConnectFloodIsCutOff(t *testing.T) {
	attacked(t, &socketio.Options{MaxNamespaces: 5, MaxConnectRate: 1}, func(server *served) {
		c := server.connect(t)
		refused := 0
		for i := range 1000 {
			c.trySend(fmt.Sprintf("40/none%d,", i))
		}
		for {
			message, err := c.next()
			if err != nil {
				break
			}
			if !strings.Contains(message, "Invalid namespace") {
				t.Fatalf("got %q", message)
			}
			refused++
		}
		if refused > 2*5+20 {
			t.Errorf("%d answers before the end", refused)
		}
	})
}

// A client that never acknowledges does not make the server remember without end.
func TestPendingAcksAreBounded(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, &socketio.Options{MaxPendingAcks: 3}, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { sockets <- socket })
	})
	c := server.connect(t)
	socket := receive(t, sockets)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := socket.EmitWithAck(ctx, "ask")
			ended <- err
		}()
		ackID(c, `["ask"]`)
	}
	if _, err := socket.EmitWithAck(ctx, "ask"); !errors.Is(err, socketio.ErrTooManyAcks) {
		t.Errorf("EmitWithAck: %v", err)
	}
	if replies, err := server.To().EmitWithAck(ctx, "ask"); err != nil || len(replies) != 0 {
		t.Errorf("a broadcast waits for one that has too many: %v, %v", replies, err)
	}
	cancel()
	for range 3 {
		if err := receive(t, ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
