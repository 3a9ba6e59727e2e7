package socketio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

func TestOnce(t *testing.T) {
	server, enter := party(t)
	_ = server
	c, socket := enter()
	count := make(chan int, 10)
	socket.Once("e", func(e *socketio.Event) {
		var n int
		must(t, e.Decode(&n))
		count <- n
	})
	removed := socket.Once("e", func(*socketio.Event) { t.Error("a removed handler ran") })
	removed()
	for i := range 3 {
		c.send(event(`["e",%d]`, i))
	}
	c.sync("/")
	if n := receive(t, count); n != 0 {
		t.Errorf("got %d", n)
	}
	wantNothing(t, count)
}

func TestOnAnyOutgoing(t *testing.T) {
	server, enter := party(t)
	c, socket := enter("room")
	_, other := enter("room")
	told := make(chan string, 20)
	remove := socket.OnAnyOutgoing(func(event string, args socketio.Args) {
		told <- event + fmt.Sprint(len(args))
	})
	removeSilent := other.OnAnyOutgoing(func(string, socketio.Args) {})
	socket.On("e", func(e *socketio.Event) { _ = e.Ack("not told") })

	must(t, socket.Emit("alone", 1))
	must(t, server.To("room").Emit("room", 1, 2))
	must(t, server.Emit("all"))
	must(t, socket.Broadcast().Emit("not me"))
	must(t, server.Except("room").Emit("not me"))
	c.want(`42["alone",1]`, `42["room",1,2]`, `42["all"]`)
	c.send(`421["e"]`)
	c.want(`431["not told"]`)
	go func() { _, _ = server.To("room").Except(other.ID()).EmitWithAck(t.Context(), "asked") }()
	c.send("43" + ackID(c, `["asked"]`) + "[]")
	for _, want := range []string{"alone1", "room2", "all0", "asked0"} {
		if got := receive(t, told); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	remove()
	remove()
	removeSilent()
	must(t, server.Emit("after"))
	c.want(`42["after"]`)
	wantNothing(t, told)
}

func TestOnError(t *testing.T) {
	_, enter := party(t)
	c, socket := enter()
	failed := make(chan error, 1)
	refusal := errors.New("not allowed")
	socket.Use(func(e *socketio.Event) error {
		if e.Name == "bad" {
			return refusal
		}
		return nil
	})
	socket.OnError(func(err error) { failed <- err })
	c.send(`42["bad"]`)
	if err := receive(t, failed); !errors.Is(err, refusal) {
		t.Error(err)
	}
	c.sync("/")
}

func TestOnNewNamespace(t *testing.T) {
	named := make(chan string, 10)
	server := serve(t, nil, func(s *socketio.Server) {
		s.Of("/before")
		s.OnNewNamespace(func(n *socketio.Namespace) {
			n.OnConnection(answerSync)
			named <- n.Name()
		})
		s.Of("/static")
		s.Of("/static")
		s.OfRegexp(regexp.MustCompile(`^/d`))
	})
	clients := []*client{server.connect(t, "/d1"), server.connect(t, "/d1"), server.connect(t, "/d2")}
	clients[0].sync("/d1")
	clients[2].sync("/d2")
	for _, want := range []string{"/static", "/d1", "/d2"} {
		if got := receive(t, named); got != want {
			t.Errorf("told of %q, want %q", got, want)
		}
	}
	wantNothing(t, named)
}

// namespaced is a NamespaceRecovery.
type namespaced struct{ memory }

func (*namespaced) PrivateIDIn(namespace, _ string) string { return "secret of " + namespace }

func TestPrivateIDKnowsItsNamespace(t *testing.T) {
	server := serve(t, &socketio.Options{Recovery: &namespaced{}}, func(s *socketio.Server) { s.Of("/x") })
	c := server.dial(t)
	for _, namespace := range []string{"/", "/x"} {
		prefix := strings.TrimPrefix(namespace+",", "/,")
		c.send("40" + prefix)
		var reply struct{ PID string }
		must(t, json.Unmarshal([]byte(strings.TrimPrefix(c.read(), "40"+prefix)), &reply))
		if reply.PID != "secret of "+namespace {
			t.Errorf("pid = %q", reply.PID)
		}
	}
}

// An emission that leaves one socket out is one operation of the engine, and still
// exact when a room has the name of a socket.
func TestBroadcastButOne(t *testing.T) {
	server, enter := party(t)
	c1, s1 := enter("room")
	c2, s2 := enter("room", s1.ID())
	c3, _ := enter()
	must(t, s1.Broadcast().Emit("all but 1"))
	must(t, s1.To("room").Emit("room but 1"))
	must(t, server.Except(s2.ID()).Emit("all but 2"))
	must(t, server.To("room").Except(s2.ID()).Emit("room but 2"))
	must(t, server.Except(s1.ID()).Emit("but the room named like 1"))
	must(t, server.Except("nobody").Emit("end"))
	c1.want(`42["all but 2"]`, `42["room but 2"]`, `42["end"]`)
	c2.want(`42["all but 1"]`, `42["room but 1"]`, `42["end"]`)
	c3.want(`42["all but 1"]`, `42["all but 2"]`, `42["but the room named like 1"]`, `42["end"]`)
}

// compress(false) reaches the transport: a long poll is compressed unless all that
// it carries asked not to be.
func TestCompressFlag(t *testing.T) {
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, engineOptions(engineio.Options{}), func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { sockets <- socket })
	})
	_, opened := server.poll(t, "GET", "", "")
	sid := opened[len(`0{"sid":"`):][:26]
	server.poll(t, "POST", sid, "40")
	server.poll(t, "GET", sid, "")
	receive(t, sockets)
	for _, compress := range []bool{true, false} {
		must(t, server.Of("/").Compress(compress).Emit("e", strings.Repeat("x", 5000)))
		response, body := fetchFile(t, "GET", server.url+"/socket.io/?EIO=4&transport=polling&sid="+sid, map[string]string{"Accept-Encoding": "gzip"})
		if zipped := response.Header.Get("Content-Encoding") == "gzip"; zipped != compress || !strings.Contains(body, "xxx") {
			t.Errorf("compress %v: Content-Encoding %q, %.40q", compress, response.Header.Get("Content-Encoding"), body)
		}
	}
}

// The operators of a server that is alone.
func TestFetchSocketsAndServerCount(t *testing.T) {
	server, enter := party(t)
	_, s1 := enter("a", "b")
	enter("b")
	s1.SetData([]int{1})
	sockets, err := server.In("a").FetchSockets(t.Context())
	must(t, err)
	if len(sockets) != 1 || sockets[0].ID != s1.ID() || !slices.Equal(sockets[0].Rooms, []string{"a", "b"}) || string(sockets[0].Data) != "[1]" {
		t.Errorf("fetched %+v", sockets)
	}
	if all, err := server.FetchSockets(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("fetched %d, %v", len(all), err)
	}
	s1.SetData(func() {})
	if sockets, err = server.In("a").FetchSockets(t.Context()); err != nil || sockets[0].Data != nil {
		t.Errorf("data that JSON does not have: %s, %v", sockets[0].Data, err)
	}
	if count, err := server.ServerCount(t.Context()); err != nil || count != 1 {
		t.Errorf("ServerCount = %d, %v", count, err)
	}
	must(t, server.ServerSideEmit("nobody hears it"))
	if acks, err := server.Of("/").ServerSideEmitWithAck(t.Context(), "nobody"); err != nil || len(acks) != 0 {
		t.Errorf("acks = %v, %v", acks, err)
	}
}
