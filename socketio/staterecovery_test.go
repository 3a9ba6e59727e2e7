package socketio_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// guest is what a client of a server with StateRecovery keeps: its ids and the last
// offset, by the official client's rule.
type guest struct {
	*client
	server   *served
	sid, pid string
	offset   string
	socket   *socketio.Socket
}

// recovering is a server with StateRecovery whose sockets are announced.
func recovering(t *testing.T, state socketio.StateRecovery, options engineio.Options) (*served, chan *socketio.Socket) {
	t.Helper()
	sockets := make(chan *socketio.Socket, 20)
	server := serve(t, &socketio.Options{StateRecovery: &state, Options: options}, func(s *socketio.Server) {
		for _, name := range []string{"/", "/other"} {
			s.Of(name).OnConnection(func(socket *socketio.Socket) {
				answerSync(socket)
				sockets <- socket
			})
		}
	})
	return server, sockets
}

// enter connects, with what the guest knows from before.
func (g *guest) enter(t *testing.T, sockets chan *socketio.Socket) {
	t.Helper()
	auth := ""
	if g.pid != "" {
		auth = `{"pid":"` + g.pid + `"`
		if g.offset != "" {
			auth += `,"offset":"` + g.offset + `"`
		}
		auth += "}"
	}
	g.client = g.server.dial(t)
	g.send("40" + auth)
	var reply struct{ SID, PID string }
	if err := json.Unmarshal([]byte(g.read()[2:]), &reply); err != nil || reply.SID == "" || reply.PID == "" {
		t.Fatalf("CONNECT reply: %+v, %v", reply, err)
	}
	g.sid, g.pid = reply.SID, reply.PID
	g.socket = receive(t, sockets)
}

// event reads one event and returns it without its offset, which it keeps.
func (g *guest) event() string {
	g.t.Helper()
	packet := g.read()
	var members []json.RawMessage
	if err := json.Unmarshal([]byte(strings.TrimLeft(packet, "0123456789")), &members); err != nil {
		g.t.Fatalf("%q: %v", packet, err)
	}
	last := members[len(members)-1]
	var offset string
	if json.Unmarshal(last, &offset) == nil {
		g.offset = offset
		members = members[:len(members)-1]
	}
	var texts []string
	for _, m := range members {
		texts = append(texts, string(m))
	}
	return strings.Join(texts, " ")
}

func (g *guest) wantEvents(events ...string) {
	g.t.Helper()
	for _, want := range events {
		if got := g.event(); got != want {
			g.t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// lose breaks the connection and waits until the server has noticed.
func (g *guest) lose() {
	g.t.Helper()
	g.conn.Close()
	<-g.socket.Context().Done()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStateRecovery(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	sid, pid := g.sid, g.pid
	if g.socket.Recovered() {
		t.Error("a new socket is recovered")
	}
	g.socket.Join("room", "left")
	g.socket.SetData("data")
	g.socket.Set("key", "value")
	must(t, server.Emit("first", 1))
	must(t, g.socket.Emit("direct"))
	g.wantEvents(`"first" 1`, `"direct"`)
	g.socket.Leave("left")
	old := g.socket
	g.lose()

	must(t, server.Emit("missed", 1))
	must(t, server.To("room").Emit("missed", []byte{1}))
	must(t, server.To("left").Emit("not mine"))
	must(t, server.To("elsewhere").Emit("not mine"))
	must(t, server.Except("room").Emit("not mine"))
	must(t, server.To(sid).Emit("missed", "by id"))
	must(t, server.Volatile().Emit("volatile"))
	must(t, old.Emit("direct", "late"))
	if err := old.EmitVolatile("volatile"); err == nil {
		t.Error("a volatile event is kept")
	}

	g.enter(t, sockets)
	if g.sid != sid || g.pid != pid || !g.socket.Recovered() {
		t.Fatalf("ids %q %q, recovered %v", g.sid, g.pid, g.socket.Recovered())
	}
	if g.socket.Data() != "data" || g.socket.Get("key") != "value" || fmt.Sprint(g.socket.Rooms()) != "[room]" {
		t.Errorf("data %v, value %v, rooms %v", g.socket.Data(), g.socket.Get("key"), g.socket.Rooms())
	}
	g.wantEvents(`"missed" 1`)
	binary := g.read()
	if !strings.HasPrefix(binary, `451-["missed",{"_placeholder":true,"num":0},"`) {
		t.Errorf("got %q", binary)
	}
	g.want("b:\x01")
	g.wantEvents(`"missed" "by id"`, `"direct" "late"`)
	must(t, server.To("room").Emit("goes on"))
	g.wantEvents(`"goes on"`)
	if err := old.Emit("direct"); err == nil {
		t.Error("the former socket still emits")
	}
	g.sync("/")

	// One that said goodbye does not come back, nor does one that was told to go.
	g.send("41")
	<-g.socket.Context().Done()
	g.enter(t, sockets)
	if g.sid == sid || g.socket.Recovered() || g.socket.Returning() {
		t.Error("a client that left was recovered")
	}
	g.socket.Disconnect(true)
	g.want("41")
	g.enter(t, sockets)
	if g.socket.Recovered() {
		t.Error("a client that was told to go was recovered")
	}
}

// Nothing was received yet, so the client has no offset to present (#5538, #4888).
func TestTrap5538_RecoveryWithoutAnEvent(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	must(t, server.Emit("before"))
	g := &guest{server: server}
	g.enter(t, sockets)
	sid := g.sid
	g.lose()
	must(t, server.Emit("missed"))
	g.enter(t, sockets)
	if g.sid != sid || !g.socket.Recovered() {
		t.Fatal("not recovered")
	}
	g.wantEvents(`"missed"`)
	g.sync("/")
}

// An offset of another life of the server is no offset: the official client keeps
// it when it gets a new private id.
func TestTrap5538_OffsetOfAnotherServer(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	for _, offset := range []string{"MzUPkW0", "zzzzzzzzzzzz", strings.Repeat("9", 100), "\\u0000"} {
		g := &guest{server: server}
		g.enter(t, sockets)
		g.lose()
		must(t, server.To(g.sid).Emit("missed"))
		g.offset = offset
		g.enter(t, sockets)
		if !g.socket.Recovered() {
			t.Fatal("not recovered")
		}
		g.wantEvents(`"missed"`)
		g.sync("/")
	}
}

// A client that was quiet for longer than the events are kept is recovered (#5282).
func TestTrap5282_QuietClientIsRecovered(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{MaxDisconnectionDuration: 150 * time.Millisecond},
		engineio.Options{PingInterval: 100 * time.Millisecond, PingTimeout: time.Second, MaxPendingAge: 50 * time.Millisecond})
	g := &guest{server: server}
	g.enter(t, sockets)
	must(t, server.To(g.sid).Emit("long ago"))
	g.wantEvents(`"long ago"`)
	// Others are busy meanwhile, so that the log moves on.
	for server.Oldest("/") == 1 {
		must(t, server.To("others").Emit("noise"))
		g.sync("/")
	}
	g.lose()
	must(t, server.To(g.sid).Emit("missed"))
	g.enter(t, sockets)
	if !g.socket.Recovered() {
		t.Fatal("not recovered")
	}
	g.wantEvents(`"missed"`)
	g.sync("/")
}

// The client is back before the server has seen that it was gone (#4880).
func TestTrap4880_LivePrivateIDIsTakenOver(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	g.socket.Join("room")
	must(t, server.Emit("seen"))
	g.wantEvents(`"seen"`)
	must(t, server.To("room").Emit("sent into the void"))
	lost, ghost, sid := g.client, g.socket, g.sid
	ended := make(chan socketio.Reason, 1)
	ghost.OnDisconnect(func(r socketio.Reason) { ended <- r })

	g.enter(t, sockets)
	if g.sid != sid || !g.socket.Recovered() || fmt.Sprint(g.socket.Rooms()) != "[room]" {
		t.Fatalf("sid %q, recovered %v, rooms %v", g.sid, g.socket.Recovered(), g.socket.Rooms())
	}
	g.wantEvents(`"sent into the void"`)
	if reason := receive(t, ended); reason != socketio.ReasonForcedServerClose {
		t.Errorf("the ghost ended with %q", reason)
	}
	lost.read() // what it was sent
	lost.wantClosed()
	must(t, server.Emit("once"))
	g.wantEvents(`"once"`)
	g.sync("/")
}

// A volatile event that ends in a string must not overwrite the client's offset
// (#5539).
func TestTrap5539_VolatileEventKeepsTheOffset(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	must(t, server.Emit("seen"))
	g.wantEvents(`"seen"`)
	seen := g.offset
	must(t, server.Volatile().Emit("position", "a string"))
	must(t, g.socket.EmitVolatile("position", 1, "a string"))
	must(t, g.socket.EmitVolatile("position", 7))
	g.wantEvents(`"position" "a string"`, `"position" 1 "a string"`, `"position" 7`)
	if g.offset != seen {
		t.Errorf("offset = %q, want still %q", g.offset, seen)
	}
	must(t, server.Local().Emit("local", "a string"))
	g.wantEvents(`"local" "a string"`)
	if g.offset == seen {
		t.Error("a local event has no offset of its own")
	}
	g.lose()
	must(t, server.Emit("missed"))
	g.enter(t, sockets)
	g.wantEvents(`"missed"`)
	g.sync("/")
}

// What was missed is replayed with its offsets, so that the next recovery does not
// repeat it (#5419).
func TestTrap5419_ReplayDoesNotRepeat(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	for round := range 3 {
		g.lose()
		for i := range 3 {
			must(t, server.Emit("missed", round, i))
		}
		g.enter(t, sockets)
		for i := range 3 {
			g.wantEvents(fmt.Sprintf(`"missed" %d %d`, round, i))
		}
		g.sync("/")
	}
}

// Events of a room from before the client joined it are none that it missed.
func TestRecoveryKnowsWhenARoomWasJoined(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	must(t, server.To("room").Emit("before"))
	g.socket.Join("room")
	g.lose()
	must(t, server.To("room").Emit("after"))
	g.enter(t, sockets)
	g.wantEvents(`"after"`)
	g.sync("/")
}

// An event that asks for an acknowledgement is not repeated: nobody waits any more.
func TestRecoveryLeavesAcknowledgedEventsOut(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	g.lose()
	if _, err := server.Timeout(time.Minute).EmitWithAck(t.Context(), "ask"); err != nil {
		t.Error(err)
	}
	must(t, server.Emit("missed"))
	g.enter(t, sockets)
	g.wantEvents(`"missed"`)
	g.sync("/")
}

func TestRecoveryEndsInTimeAndSpace(t *testing.T) {
	t.Run("time", func(t *testing.T) {
		server, sockets := recovering(t, socketio.StateRecovery{MaxDisconnectionDuration: time.Millisecond}, engineio.Options{})
		g := &guest{server: server}
		g.enter(t, sockets)
		g.lose()
		for tick := time.NewTicker(5 * time.Millisecond); server.Waiting("/") > 0; <-tick.C {
			must(t, server.Emit("time passes"))
			other := server.connect(t)
			receive(t, sockets)
			other.conn.Close()
		}
		g.enter(t, sockets)
		if g.socket.Recovered() {
			t.Error("recovered too late")
		}
	})
	t.Run("sessions", func(t *testing.T) {
		server, sockets := recovering(t, socketio.StateRecovery{MaxSessions: 2}, engineio.Options{})
		guests := make([]*guest, 3)
		for i := range guests {
			guests[i] = &guest{server: server}
			guests[i].enter(t, sockets)
			guests[i].lose()
		}
		for i, g := range guests {
			g.enter(t, sockets)
			if g.socket.Recovered() != (i > 0) {
				t.Errorf("guest %d recovered: %v", i, g.socket.Recovered())
			}
		}
	})
	t.Run("bytes", func(t *testing.T) {
		server, sockets := recovering(t, socketio.StateRecovery{MaxBytes: 10_000}, engineio.Options{})
		g := &guest{server: server}
		g.enter(t, sockets)
		g.lose()
		for range 20 {
			must(t, server.Emit("missed", strings.Repeat("x", 1000)))
		}
		g.enter(t, sockets)
		if g.socket.Recovered() || !g.socket.Returning() {
			t.Errorf("recovered %v, returning %v", g.socket.Recovered(), g.socket.Returning())
		}
		g.sync("/")
		g.lose()
		must(t, server.Emit("too large for the log", strings.Repeat("x", 20_000)))
		g.enter(t, sockets)
		if g.socket.Recovered() {
			t.Error("recovered without what was missed")
		}
	})
}

func TestRecoveryAsksTheMiddlewaresUnlessTold(t *testing.T) {
	for _, skip := range []bool{false, true} {
		server, sockets := recovering(t, socketio.StateRecovery{SkipMiddlewares: skip}, engineio.Options{})
		asked := make(chan string, 10)
		server.Use(func(s *socketio.Socket) error {
			s.Set("user", "new")
			asked <- s.ID()
			return nil
		})
		g := &guest{server: server}
		g.enter(t, sockets)
		receive(t, asked)
		g.socket.Set("user", "old")
		g.socket.Set("kept", true)
		g.lose()
		g.enter(t, sockets)
		if !g.socket.Recovered() || g.socket.Get("kept") != true {
			t.Error("not recovered")
		}
		want := "new"
		if skip {
			want = "old"
			wantNothing(t, asked)
		} else {
			receive(t, asked)
		}
		if got := g.socket.Get("user"); got != want {
			t.Errorf("skip %v: user = %v, want %v", skip, got, want)
		}
	}
}

// A private id is of one namespace and of one client at a time.
func TestRecoveryIsPerNamespaceAndSingle(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	g.lose()
	thief := server.dial(t)
	thief.send(`40/other,{"pid":"` + g.pid + `"}`)
	thief.read()
	if s := receive(t, sockets); s.Recovered() || s.Returning() {
		t.Error("the private id of another namespace works")
	}
	pid := g.pid
	g.enter(t, sockets)
	if !g.socket.Recovered() || g.pid != pid {
		t.Error("not recovered")
	}
}

// What a dynamic namespace keeps outlives it, and ends.
func TestRecoveryInADynamicNamespace(t *testing.T) {
	sockets := make(chan *socketio.Socket, 5)
	server := serve(t, &socketio.Options{StateRecovery: &socketio.StateRecovery{}}, func(s *socketio.Server) {
		s.OfMatching(func(string, json.RawMessage) bool { return true }).OnConnection(func(socket *socketio.Socket) {
			sockets <- socket
		})
	})
	c := server.dial(t)
	c.send("40/d,")
	var reply struct{ SID, PID string }
	must(t, json.Unmarshal([]byte(strings.TrimPrefix(c.read(), "40/d,")), &reply))
	first := receive(t, sockets)
	c.conn.Close()
	<-first.Context().Done()
	c = server.dial(t)
	c.send(`40/d,{"pid":"` + reply.PID + `"}`)
	c.read()
	if s := receive(t, sockets); !s.Recovered() || s.ID() != reply.SID {
		t.Error("not recovered")
	}
	c.send("41/d,")
	for tick := time.NewTicker(time.Millisecond); server.Histories() > 1; <-tick.C {
	}
}
