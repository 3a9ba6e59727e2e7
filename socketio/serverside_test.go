package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// lone is a server with a hand on what adapters have.
func lone(t *testing.T) (*served, *socketio.Local) {
	t.Helper()
	var local *socketio.Local
	server := serve(t, &socketio.Options{Adapter: func(l *socketio.Local) socketio.Adapter {
		local = l
		return l
	}}, nil)
	return server, local
}

// A handler of server-side events that panics is logged and takes nobody along; one
// that hangs holds back no more than the bound.
func TestServerSideHandlersThatFail(t *testing.T) {
	server, local := lone(t)
	release, started := make(chan struct{}), make(chan struct{})
	server.OnServerSideEmit("panics", func(*socketio.ServerEvent) { panic("on purpose") })
	server.OnServerSideEmit("hangs", func(*socketio.ServerEvent) {
		close(started)
		<-release
	})
	count := make(chan int, 2000)
	server.OnServerSideEmit("counts", func(e *socketio.ServerEvent) {
		if e.HasAck() || !errors.Is(e.Ack(), socketio.ErrNoAck) {
			t.Error("an event without a reply has an acknowledgement")
		}
		count <- 1
	})
	hand := func(event string) bool {
		return local.ServerSideEvent(socketio.ServerEmission{Namespace: "/", Event: event}, nil)
	}
	if !hand("panics") || !hand("nobody listens") || !local.ServerSideEvent(socketio.ServerEmission{Namespace: "/none"}, nil) {
		t.Error("an event was dropped")
	}
	hand("hangs")
	receive(t, started)
	taken := 0
	for hand("counts") {
		taken++
	}
	if taken != 1000 {
		t.Errorf("%d events wait", taken)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if err := server.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close while a handler hangs: %v", err)
	}
	close(release)
	for range taken {
		receive(t, count)
	}
	if hand("counts") {
		t.Error("a closed server takes events")
	}
	if !strings.Contains(server.log.String(), "on purpose") {
		t.Error("the panic is not logged")
	}
}

// What other servers send about namespaces that are not here means nobody.
func TestLocalOfAnUnknownNamespace(t *testing.T) {
	_, local := lone(t)
	nobody := socketio.Audience{Namespace: "/none"}
	emission := socketio.Emission{Audience: nobody, Event: "e"}
	must(t, local.Broadcast(emission))
	must(t, local.SocketsJoin(nobody, []string{"room"}))
	must(t, local.SocketsLeave(nobody, []string{"room"}))
	must(t, local.DisconnectSockets(nobody, true))
	if replies, err := local.BroadcastWithAck(t.Context(), emission); err != nil || len(replies) != 0 {
		t.Errorf("replies = %v, %v", replies, err)
	}
	if sockets, err := local.FetchSockets(t.Context(), nobody); err != nil || len(sockets) != 0 {
		t.Errorf("sockets = %v, %v", sockets, err)
	}
	clients, forget, err := local.Ask(emission, func(socketio.Reply, error) { t.Error("somebody answered") })
	if forget(); err != nil || clients != 0 {
		t.Errorf("Ask: %d, %v", clients, err)
	}
}

// What another server sends is not trusted to be sendable.
func TestLocalRefusesWhatClientsWouldRefuse(t *testing.T) {
	_, local := lone(t)
	everyone := socketio.Audience{Namespace: "/"}
	for name, e := range map[string]socketio.Emission{
		"reserved":    {Audience: everyone, Event: "connect"},
		"attachments": {Audience: everyone, Event: "e", Attachments: make([][]byte, 11)},
	} {
		if err := local.Broadcast(e); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := local.BroadcastWithAck(t.Context(), e); err == nil {
			t.Errorf("%s with acknowledgements: no error", name)
		}
	}
	if _, err := json.Marshal(socketio.Emission{Audience: everyone, Event: "e", Args: []json.RawMessage{json.RawMessage(`1`)}}); err != nil {
		t.Errorf("an emission does not travel: %v", err)
	}
}

// pair is an adapter whose broadcasts reach another server too.
type pair struct {
	*socketio.Local
	other *socketio.Local
}

func (p *pair) Broadcast(e socketio.Emission) error {
	return errors.Join(p.Local.Broadcast(e), p.other.Broadcast(e))
}

// What another server emitted while a client was away is replayed like one's own,
// with offsets of this server.
func TestRecoveryOfWhatOtherServersEmit(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	here := server.LocalAdapter()
	elsewhere := serve(t, &socketio.Options{Adapter: func(l *socketio.Local) socketio.Adapter { return &pair{l, here} }}, nil)
	g := &guest{server: server}
	g.enter(t, sockets)
	g.socket.Join("room")
	must(t, elsewhere.Emit("seen"))
	g.wantEvents(`"seen"`)
	g.lose()
	must(t, elsewhere.To("room").Emit("missed", 1))
	must(t, elsewhere.Except("room").Emit("not mine"))
	must(t, elsewhere.To(g.sid).Emit("missed", 2))
	g.enter(t, sockets)
	g.wantEvents(`"missed" 1`, `"missed" 2`)
	g.sync("/")
}

// A client that comes back is not kept out by handlers of its former socket that
// hang, and one that gives up meanwhile can try again.
func TestTakeoverGivenUp(t *testing.T) {
	server, sockets := recovering(t, socketio.StateRecovery{}, engineio.Options{})
	g := &guest{server: server}
	g.enter(t, sockets)
	release := make(chan struct{})
	hanging := make(chan struct{})
	g.socket.OnDisconnect(func(socketio.Reason) {
		close(hanging)
		<-release
	})
	sid, pid := g.sid, g.pid
	impatient := server.dial(t)
	impatient.send(`40{"pid":"` + pid + `"}`)
	receive(t, hanging) // the former socket is being ended for the new one
	impatient.conn.Close()
	close(release)
	g.enter(t, sockets)
	if g.sid != sid || !g.socket.Recovered() {
		t.Errorf("sid %q, recovered %v", g.sid, g.socket.Recovered())
	}
}
