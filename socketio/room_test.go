package socketio_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// party is a server whose sockets join the rooms that their auth names.
func party(t *testing.T) (*served, func(rooms ...string) (*client, *socketio.Socket)) {
	t.Helper()
	sockets := make(chan *socketio.Socket, 1)
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			answerSync(socket)
			sockets <- socket
		})
	})
	return server, func(rooms ...string) (*client, *socketio.Socket) {
		t.Helper()
		c := server.connect(t)
		socket := receive(t, sockets)
		socket.Join(rooms...)
		return c, socket
	}
}

func TestBroadcastReachesWhomItNames(t *testing.T) {
	server, enter := party(t)
	names := []string{"a", "b", "ab", "none"}
	clients := make(map[string]*client)
	sockets := make(map[string]*socketio.Socket)
	for name, rooms := range map[string][]string{"a": {"A"}, "b": {"B"}, "ab": {"A", "B"}, "none": nil} {
		clients[name], sockets[name] = enter(rooms...)
	}
	main := server.Of("/")
	for name, tc := range map[string]struct {
		target socketio.Broadcast
		want   []string
	}{
		"everyone":                     {main.To(), names},
		"everyone, local":              {main.Local(), names},
		"one room":                     {main.To("A"), []string{"a", "ab"}},
		"two rooms, each once":         {main.To("A", "B"), []string{"a", "b", "ab"}},
		"two rooms, one by one":        {main.To("A").To("B"), []string{"a", "b", "ab"}},
		"all but a room":               {main.Except("A"), []string{"b", "none"}},
		"a room but another":           {main.To("A").Except("B"), []string{"a"}},
		"an empty room":                {main.To("C"), nil},
		"an empty room and another":    {main.To("C", "B"), []string{"b", "ab"}},
		"but an empty room":            {main.Except("C"), names},
		"a socket by its id":           {main.To(sockets["none"].ID()), []string{"none"}},
		"a room and a member's id":     {main.To("A", sockets["a"].ID()), []string{"a", "ab"}},
		"all but a socket by its id":   {main.Except(sockets["a"].ID()), []string{"b", "ab", "none"}},
		"a socket to everyone else":    {sockets["a"].Broadcast(), []string{"b", "ab", "none"}},
		"a socket to a room, not self": {sockets["a"].To("A"), []string{"ab"}},
		"a socket to all but a room":   {sockets["a"].Except("B"), []string{"none"}},
		"volatile to idle clients":     {main.To("A").Volatile(), []string{"a", "ab"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tc.target.Emit("hello", name); err != nil {
				t.Fatal(err)
			}
			for _, n := range names {
				clients[n].t = t
				if slices.Contains(tc.want, n) {
					clients[n].want(fmt.Sprintf(`42["hello",%q]`, name))
				}
				clients[n].sync("/")
			}
			var members []*socketio.Socket
			for _, n := range tc.want {
				members = append(members, sockets[n])
			}
			got := tc.target.Sockets()
			if len(got) != len(members) {
				t.Errorf("Sockets: %d, want %d", len(got), len(members))
			}
			for _, s := range members {
				if !slices.Contains(got, s) {
					t.Errorf("%s is missing in Sockets", s.ID())
				}
			}
		})
	}
}

func TestOperatorsDoNotChange(t *testing.T) {
	server, enter := party(t)
	c, _ := enter("A")
	base := server.To("A")
	_ = base.To("B").Except("A")
	_ = base.Except("A")
	many := base.To("x", "y", "z")
	left, right := many.Except("A"), many.Except("nobody")
	if err := left.Emit("not for A"); err != nil {
		t.Fatal(err)
	}
	for _, b := range []socketio.Broadcast{base, right} {
		if err := b.Emit("for A"); err != nil {
			t.Fatal(err)
		}
		c.want(`42["for A"]`)
	}
	c.sync("/")
}

func TestRooms(t *testing.T) {
	server, enter := party(t)
	c, socket := enter("b", "a", "a")
	if got, want := fmt.Sprint(socket.Rooms()), "[a b]"; got != want {
		t.Errorf("Rooms = %s, want %s", got, want)
	}
	socket.Leave("a", "never joined")
	if err := server.To("a").Emit("gone"); err != nil {
		t.Fatal(err)
	}
	server.To("b").SocketsJoin("c", "d")
	server.To("b").SocketsLeave("d")
	if got, want := fmt.Sprint(socket.Rooms()), "[b c]"; got != want {
		t.Errorf("Rooms = %s, want %s", got, want)
	}
	for _, room := range []string{"c", "d"} {
		if err := server.To(room).Emit("in", room); err != nil {
			t.Fatal(err)
		}
	}
	c.want(`42["in","c"]`)
	server.To("c").DisconnectSockets(false)
	c.want("41")
	if got := server.Of("/").Sockets(); len(got) != 0 {
		t.Errorf("%d sockets are left", len(got))
	}
	socket.Join("e") // nothing happens
	if err := server.To("e").Emit("x"); err != nil {
		t.Fatal(err)
	}
}

func TestRoomNamedLikeASocket(t *testing.T) {
	server, enter := party(t)
	c, socket := enter()
	other, _ := enter(socket.ID())
	if err := server.To(socket.ID()).Emit("both"); err != nil {
		t.Fatal(err)
	}
	c.want(`42["both"]`)
	other.want(`42["both"]`)
}

func TestNamespacesShareNoRooms(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		for _, name := range []string{"/a", "/b"} {
			s.Of(name).OnConnection(func(socket *socketio.Socket) { answerSync(socket); socket.Join("room") })
		}
	})
	c := server.connect(t, "/a", "/b")
	c.sync("/a") // CONNECT is answered before the handler joins
	c.sync("/b")
	if err := server.Of("/a").To("room").Emit("x"); err != nil {
		t.Fatal(err)
	}
	c.want(`42/a,["x"]`)
	if err := server.Of("/b").Emit("y"); err != nil {
		t.Fatal(err)
	}
	c.want(`42/b,["y"]`)
	c.send("41/a,")
	c.sync("/b")
	if err := server.Of("/a").To("room").Emit("z"); err != nil {
		t.Fatal(err)
	}
	c.sync("/b")
}

// What one goroutine does, each client sees in the same order, whether it goes to
// all, a room, a list or one socket, and whoever joins late gets nothing from
// before.
func TestOrderOfOneGoroutine(t *testing.T) {
	const rounds = 300
	server, enter := party(t)
	for range 20 { // company, so that the shards have work
		enter("room", "crowd")
	}
	c, socket := enter()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for i := range rounds {
		must(server.To("room").Emit("missed", i))
		socket.Join("room")
		must(server.To("room").Emit("room", i))
		must(socket.Emit("one", i))
		must(server.To("crowd").Emit("missed", i))
		must(server.To("room", "crowd").Emit("list", i))
		must(server.Emit("all", i))
		must(socket.Emit("two", i))
		must(server.To(socket.ID()).Emit("id", i))
		must(server.To("room").Except("nobody").Emit("list", i))
		socket.Leave("room")
		must(server.To("room").Emit("missed", i))
		for _, name := range []string{"room", "one", "list", "all", "two", "id", "list"} {
			want = append(want, event("[%q,%d]", name, i))
		}
	}
	c.want(want...)
	c.sync("/")
}

func TestSocketGetsNothingFromBeforeItJoined(t *testing.T) {
	server := serve(t, nil, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			// A client may have read enough, and left, before this runs.
			if err := socket.Emit("first"); err != nil && !errors.Is(err, socketio.ErrDisconnected) {
				t.Error(err)
			}
		})
	})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if err := server.Emit("n", i); err != nil {
					t.Error(err)
				}
			}
			if i%50 == 0 {
				// A round trip of another client, so as not to flood the one
				// under test before it has connected.
				server.poll(t, "GET", "no such session", "")
			}
		}
	}()
	for range 10 {
		c := server.connect(t) // fails if anything comes before CONNECT
		last := -1
		for range 20 {
			message := c.read()
			if message == `42["first"]` {
				continue // from another goroutine than the numbers: it may come any time
			}
			var n int
			if _, err := fmt.Sscanf(message, `42["n",%d]`, &n); err != nil {
				t.Fatalf("got %q", message)
			}
			if last >= 0 && n != last+1 {
				t.Fatalf("%d came after %d", n, last)
			}
			last = n
		}
		c.conn.Close()
	}
	close(stop)
	receive(t, stopped)
}

func TestVolatile(t *testing.T) {
	const events, size = 75, 200_000
	sockets := make(chan *socketio.Socket, 1)
	options := engineio.Options{MaxPendingBytes: 2 * events * size}
	server := serve(t, engineOptions(options), func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) { answerSync(socket); sockets <- socket })
	})
	c := server.connect(t)
	socket := receive(t, sockets)
	volatile := func(v string) {
		t.Helper()
		if err := socket.EmitVolatile("v", v); err != nil {
			t.Fatal(err)
		}
		if err := server.To(socket.ID()).Volatile().Emit("v", v); err != nil {
			t.Fatal(err)
		}
	}
	volatile("idle")
	c.want(`42["v","idle"]`, `42["v","idle"]`)

	// More than the kernel takes for a client that does not read: what is volatile
	// is dropped, the rest waits.
	big := strings.Repeat("x", size)
	for i := range events {
		if err := socket.Emit("big", i, big); err != nil {
			t.Fatal(err)
		}
	}
	volatile("busy")
	for i := range events {
		c.want(event("[\"big\",%d,%q]", i, big))
	}
	c.sync("/")
}

func TestBroadcastAck(t *testing.T) {
	server, enter := party(t)
	first, firstSocket := enter("room")
	second, secondSocket := enter("room")
	silent, _ := enter("room")
	outside, _ := enter()
	type result struct {
		replies []socketio.Reply
		err     error
	}
	done := make(chan result, 1)
	go func() {
		replies, err := server.To("room").EmitWithAck(t.Context(), "ask")
		done <- result{replies, err}
	}()
	ids := []string{ackID(first, `["ask"]`), ackID(second, `["ask"]`), ackID(silent, `["ask"]`)}
	if ids[0] != ids[1] || ids[0] != ids[2] {
		t.Errorf("ids = %v, want one for all", ids)
	}
	second.send("43" + ids[0] + `["two"]`)
	second.send("43" + ids[0] + `["ignored"]`)
	second.sync("/")
	first.send("43" + ids[0] + `["one"]`)
	first.sync("/")
	silent.send("41")
	r := receive(t, done)
	var text [2]string
	if r.err != nil || len(r.replies) != 2 || r.replies[0].Args.Decode(&text[0]) != nil || r.replies[1].Args.Decode(&text[1]) != nil {
		t.Fatalf("replies = %v, %v", r.replies, r.err)
	}
	if text != [2]string{"two", "one"} || r.replies[0].Socket != secondSocket.ID() || r.replies[1].Socket != firstSocket.ID() {
		t.Errorf("replies = %v of %v", text, r.replies)
	}
	outside.sync("/")
	if replies, err := server.To("nobody").EmitWithAck(t.Context(), "ask"); err != nil || len(replies) != 0 {
		t.Errorf("to nobody: %v, %v", replies, err)
	}
}
