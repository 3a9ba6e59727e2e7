package cluster

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/shelfcast/shelfcast/socketio"
)

// kind is what a message asks for or says.
type kind string

const (
	kindHello     kind = "hello"     // greets, and is answered by a heartbeat
	kindHeartbeat kind = "heartbeat" // the sender lives
	kindFarewell  kind = "farewell"  // the sender goes

	kindBroadcast  kind = "broadcast"
	kindJoin       kind = "join"
	kindLeave      kind = "leave"
	kindDisconnect kind = "disconnect"
	kindServerSide kind = "serverside" // with a request: wants an acknowledgement

	kindAsk    kind = "ask"    // a broadcast with acknowledgements
	kindForget kind = "forget" // the sender waits no more for its request
	kindFetch  kind = "fetch"

	kindClients kind = "clients" // answers ask: how many sockets were asked
	kindReply   kind = "reply"   // of one socket; without one: the socket is gone
	kindSockets kind = "sockets" // answers fetch
	kindAck     kind = "ack"     // answers serverside
)

// message is what travels on the bus, as JSON. Only the members that a kind needs
// are set.
type message struct {
	Kind kind
	From string
	To   string `json:",omitempty"` // of answers: the server that asked; others ignore them
	// Request tells the requests of one server apart.
	Request string `json:",omitempty"`

	Emission   *socketio.Emission       `json:",omitempty"`
	Audience   *socketio.Audience       `json:",omitempty"`
	Rooms      []string                 `json:",omitempty"`
	Transport  bool                     `json:",omitempty"` // of disconnect: close it
	ServerSide *socketio.ServerEmission `json:",omitempty"`
	Clients    int                      `json:",omitempty"`
	Reply      *socketio.Reply          `json:",omitempty"`
	Sockets    []socketio.SocketInfo    `json:",omitempty"`
	Args       socketio.Args            `json:",omitempty"`
}

// handle takes a message of the bus. It is called by the bus.
func (a *Adapter) handle(data []byte) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		a.log.Warn("message of the cluster cannot be read", slog.Any("error", err))
		return
	}
	if m.From == a.id || m.From == "" || (m.To != "" && m.To != a.id) {
		return
	}
	if m.Kind == kindFarewell {
		a.lose(m.From)
		return
	}
	if a.heard(m.From) || m.Kind == kindHello {
		a.tell(message{Kind: kindHeartbeat}) // whoever is new learns who is there
	}
	if err := a.carryOut(&m); err != nil {
		a.log.Warn("message of the cluster cannot be carried out", slog.String("kind", string(m.Kind)), slog.Any("error", err))
	}
}

// carryOut does what another server asks for, on this one.
func (a *Adapter) carryOut(m *message) error {
	switch {
	case m.Kind == kindBroadcast && m.Emission != nil:
		return a.local.Broadcast(*m.Emission)
	case m.Kind == kindJoin && m.Audience != nil:
		return a.local.SocketsJoin(*m.Audience, m.Rooms)
	case m.Kind == kindLeave && m.Audience != nil:
		return a.local.SocketsLeave(*m.Audience, m.Rooms)
	case m.Kind == kindDisconnect && m.Audience != nil:
		return a.local.DisconnectSockets(*m.Audience, m.Transport)
	case m.Kind == kindServerSide && m.ServerSide != nil:
		a.serverSide(m)
	case m.Kind == kindAsk && m.Emission != nil:
		return a.ask(m)
	case m.Kind == kindForget:
		a.forget(m)
	case m.Kind == kindFetch && m.Audience != nil:
		sockets, err := a.local.FetchSockets(context.Background(), *m.Audience)
		a.tell(message{Kind: kindSockets, To: m.From, Request: m.Request, Sockets: sockets})
		return err
	case m.Kind == kindClients, m.Kind == kindReply, m.Kind == kindSockets, m.Kind == kindAck:
		a.answered(m)
	}
	return nil
}

func (a *Adapter) serverSide(m *message) {
	var reply func(socketio.Args)
	if m.Request != "" {
		to, request := m.From, m.Request
		reply = func(args socketio.Args) {
			a.tell(message{Kind: kindAck, To: to, Request: request, Args: args})
		}
	}
	if !a.local.ServerSideEvent(*m.ServerSide, reply) {
		a.log.Warn("server-side event is dropped, too many wait", slog.String("event", m.ServerSide.Event))
	}
}

// ask has this server's sockets answer another one's broadcast, one message per
// socket, until the other one has enough.
func (a *Adapter) ask(m *message) error {
	to, request, key := m.From, m.Request, servedKey(m.From, m.Request)
	left := &remaining{finished: func() { a.takeServed(key) }}
	clients, forget, err := a.local.Ask(*m.Emission, func(reply socketio.Reply, err error) {
		answer := message{Kind: kindReply, To: to, Request: request}
		if err == nil {
			answer.Reply = &reply
		}
		a.tell(answer)
		left.add(-1)
	})
	if err != nil {
		clients, forget = 0, func() {}
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		forget()
		return ErrClosed
	}
	a.served[key] = forget
	a.mu.Unlock()
	a.tell(message{Kind: kindClients, To: to, Request: request, Clients: clients})
	left.expect(clients)
	return err
}

func (a *Adapter) forget(m *message) {
	if forget := a.takeServed(servedKey(m.From, m.Request)); forget != nil {
		forget()
	}
}

func (a *Adapter) takeServed(key string) func() {
	a.mu.Lock()
	defer a.mu.Unlock()
	forget := a.served[key]
	delete(a.served, key)
	return forget
}

func servedKey(peer, request string) string { return peer + " " + request }

func isOf(key, peer string) bool { return strings.HasPrefix(key, peer+" ") }
