package cluster

import (
	"encoding/json"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/packet"
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
	kindSockets kind = "sockets" // answers fetch, perhaps in several parts
	kindAck     kind = "ack"     // answers serverside
)

// message is what travels on the bus; codec.go says in what form. Only the members
// that a kind needs are set.
type message struct {
	Kind kind
	From string `json:"-"`
	To   string `json:",omitempty"` // of answers: the server that asked; others ignore them
	// Request tells the requests of one server apart.
	Request string `json:",omitempty"`

	// Emission and ServerSide are without their arguments, which are the payload.
	Emission   *socketio.Emission       `json:",omitempty"`
	Audience   *socketio.Audience       `json:",omitempty"`
	Rooms      []string                 `json:",omitempty"`
	Transport  bool                     `json:",omitempty"` // of disconnect: close it
	ServerSide *socketio.ServerEmission `json:",omitempty"`
	Wait       time.Duration            `json:",omitempty"` // of ask: when forget is due at the latest; 0: unknown
	Clients    int                      `json:",omitempty"`
	Socket     string                   `json:",omitempty"` // of reply: who answers
	Parts      int                      `json:",omitempty"` // of sockets: how many messages the answer has

	payload payload
}

// payload is what a message carries as it is, so that neither text is escaped nor binary
// data grows on the way: the arguments of an event or an answer, or descriptions of
// sockets.
type payload struct {
	args        []json.RawMessage
	attachments [][]byte
}

func payloadOf(args socketio.Args) payload {
	var p payload
	for _, arg := range args {
		p.args = append(p.args, arg.JSON)
		p.attachments = arg.Attachments // those of the whole packet, in each
	}
	return p
}

func (p payload) arguments() socketio.Args {
	return packet.ArgsOf(&packet.Packet{Args: p.args, Attachments: p.attachments})
}

// withEmission adds an event for clients to a message.
func (m message) withEmission(e socketio.Emission) message {
	m.payload = payload{e.Args, e.Attachments}
	e.Args, e.Attachments = nil, nil
	m.Emission = &e
	return m
}

// emission is what withEmission added; there must be one.
func (m *message) emission() socketio.Emission {
	e := *m.Emission
	e.Args, e.Attachments = m.payload.args, m.payload.attachments
	return e
}

// withServerSide adds an event for servers to a message.
func (m message) withServerSide(e socketio.ServerEmission) message {
	m.payload = payload{e.Args, e.Attachments}
	e.Args, e.Attachments = nil, nil
	m.ServerSide = &e
	return m
}

// serverEmission is what withServerSide added; there must be one.
func (m *message) serverEmission() socketio.ServerEmission {
	e := *m.ServerSide
	e.Args, e.Attachments = m.payload.args, m.payload.attachments
	return e
}

// maxPartBytes bounds the sockets that one message describes: a thousand or so, well
// below what any bus carries.
const maxPartBytes = 256 << 10

// describe makes the messages of an answer to fetch, of which there is at least one.
func describe(sockets []socketio.SocketInfo) ([]message, error) {
	parts := []message{{Kind: kindSockets}}
	size := 0
	for _, socket := range sockets {
		description, err := json.Marshal(socket)
		if err != nil {
			return nil, err
		}
		if size > 0 && size+len(description) > maxPartBytes {
			parts = append(parts, message{Kind: kindSockets})
			size = 0
		}
		size += len(description)
		last := &parts[len(parts)-1]
		last.payload.args = append(last.payload.args, description)
	}
	for i := range parts {
		parts[i].Parts = len(parts)
	}
	return parts, nil
}

// sockets are those that a part of an answer to fetch describes.
func (m *message) sockets() ([]socketio.SocketInfo, error) {
	sockets := make([]socketio.SocketInfo, len(m.payload.args))
	for i, description := range m.payload.args {
		if err := json.Unmarshal(description, &sockets[i]); err != nil {
			return nil, err
		}
	}
	return sockets, nil
}
