package socketio

import (
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	enginepacket "github.com/shelfcast/shelfcast/engineio/packet"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// conn is one client: an engine session and the sockets of its namespaces. It is
// the session's handler, whose calls never overlap; decoder, partial and broken
// belong to those calls.
//
// Locks of this package, in the order in which they are taken; none is held
// while a handler of the application runs, nor while anything waits for a peer:
//
//	Socket.life → Namespace.gate → Socket.roomsMu → history.mu → Namespace.mu
//	Socket.life → lane.mu
//	conn.mu → lane.mu
//	Server.mu → history.mu, Namespace.mu
//	Socket.mu, serverQueue.mu, collector.mu: leaves
//
// The engine's queues are filled under the first four; they wait for the engine's
// workers at most, which take none of these.
type conn struct {
	server  *Server
	session *engineio.Session

	decoder PacketDecoder
	partial *time.Timer
	broken  bool
	joins   joinBudget

	mu           sync.Mutex
	lanes        []*lane     // one per namespace; few, so a slice
	connectTimer *time.Timer // nil once a socket was connected
	ended        bool        // no socket may be added any more
	closed       bool        // the engine's last call was made
}

func newConn(server *Server, session *engineio.Session) *conn {
	c := &conn{server: server, session: session}
	c.decoder = server.options.Parser.NewDecoder(server.options.MaxPacketBytes)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connectTimer = time.AfterFunc(server.options.ConnectTimeout, c.connectTimedOut)
	return c
}

// Message takes a message of the client. It is called by the engine.
func (c *conn) Message(m enginepacket.Message) {
	if c.broken {
		return
	}
	p, err := c.decode(m)
	if err != nil {
		c.server.log.Debug("socket.io packet refused", slog.Any("error", err))
		c.broken = true
		c.shutdown(ReasonForcedClose)
		return
	}
	if p == nil {
		return
	}
	if !c.route(p, len(m.Data)) {
		c.server.log.Debug("socket.io packet out of turn",
			slog.String("type", p.Type.String()), slog.String("namespace", p.Namespace))
		c.broken = true
		c.shutdown(ReasonForcedServerClose)
	}
}

// decode feeds the decoder and bounds the time that a packet may wait for its
// attachments.
func (c *conn) decode(m enginepacket.Message) (*packet.Packet, error) {
	p, err := c.decoder.Decode(m)
	switch {
	case c.decoder.Pending() && err == nil:
		if c.partial == nil {
			c.partial = time.AfterFunc(c.server.options.PacketTimeout, func() { c.shutdown(ReasonForcedServerClose) })
		}
	case c.partial != nil:
		c.partial.Stop()
		c.partial = nil
	}
	return p, err
}

// Closed ends the connection. It is called by the engine, last.
func (c *conn) Closed(reason engineio.Reason, _ error) {
	if c.partial != nil {
		c.partial.Stop()
	}
	c.endSockets(Reason(reason))
	c.mu.Lock()
	c.closed = true
	drained := c.drained()
	c.mu.Unlock()
	if drained {
		c.server.forget(c)
	}
}

// shutdown ends the sockets at once and the connection after what was sent has
// left.
func (c *conn) shutdown(reason Reason) {
	c.endSockets(reason)
	c.session.Close(engineio.Reason(reason))
}

func (c *conn) endSockets(reason Reason) {
	c.mu.Lock()
	c.ended = true
	c.stopConnectTimer()
	c.mu.Unlock()
	for _, s := range c.sockets() {
		s.close(reason, false)
	}
}

func (c *conn) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := make([]*Socket, 0, len(c.lanes))
	for _, l := range c.lanes {
		if l.socket != nil {
			sockets = append(sockets, l.socket)
		}
	}
	return sockets
}

// route hands a packet to where it belongs. It reports false when the client may
// not send such a packet now.
func (c *conn) route(p *packet.Packet, size int) bool {
	l, s, kicked := c.find(p.Namespace)
	switch {
	case p.Type == packet.Connect:
		return s == nil && c.joins.spend(time.Now(), &c.server.options) && c.join(p, size)
	case s == nil && kicked:
		// Disconnected by this side while the packet was on its way. The official
		// server closes the connection then, and with it the client's other
		// namespaces.
		return p.Type != packet.ConnectError
	case s == nil || !s.confirmed():
		return false
	case p.Type == packet.Event:
		e := &Event{Name: p.Event, Args: packet.ArgsOf(p), socket: s, id: p.ID, hasID: p.HasID}
		l.pushBounded(task{run: func() { s.dispatch(e) }, size: sizeOf(p, size)})
		return true
	case p.Type == packet.Ack:
		s.acknowledged(p.ID, packet.ArgsOf(p))
		return true
	case p.Type == packet.Disconnect:
		s.close(ReasonClientDisconnect, false)
		return true
	default:
		return false
	}
}

// sizeOf is what a packet holds on to, roughly. size is that of its last
// message.
func sizeOf(p *packet.Packet, size int) int {
	if len(p.Attachments) == 0 {
		return size
	}
	total := 0
	for _, arg := range p.Args {
		total += len(arg)
	}
	for _, attachment := range p.Attachments {
		total += len(attachment)
	}
	return total
}

// find returns a namespace's lane and its socket, nil when there is none that is
// open, and whether this side ended the last one.
func (c *conn) find(namespace string) (l *lane, s *Socket, kicked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lanes {
		if l.namespace != namespace {
			continue
		}
		if l.socket != nil && l.socket.state.Load() == stateClosed {
			return l, nil, l.socket.kicked.Load()
		}
		return l, l.socket, l.kicked
	}
	return nil, nil, false
}

// join starts to connect the client to a namespace.
func (c *conn) join(p *packet.Packet, size int) bool {
	namespace := c.server.acquire(p.Namespace, p.Data)
	if namespace == nil {
		c.refuse(p.Namespace, &ConnectError{Message: "Invalid namespace"})
		return true
	}
	s := newSocket(c, namespace, p.Data)
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		c.server.release(namespace)
		return true
	}
	l := c.laneFor(namespace.name)
	if l == nil {
		c.mu.Unlock()
		c.server.release(namespace)
		c.refuse(p.Namespace, &ConnectError{Message: "Too many namespaces"})
		return true
	}
	l.socket, l.kicked, s.lane = s, false, l
	c.mu.Unlock()
	if !l.pushBounded(task{run: s.connect, size: size}) {
		s.abandon()
	}
	return true
}

// laneFor finds or adds a lane; nil when the connection has too many. The caller
// holds c.mu.
func (c *conn) laneFor(namespace string) *lane {
	for _, l := range c.lanes {
		if l.namespace == namespace {
			return l
		}
	}
	c.lanes = slices.DeleteFunc(c.lanes, func(l *lane) bool { return l.socket == nil && l.idle() })
	members := 0
	for _, l := range c.lanes {
		if l.socket != nil && l.socket.state.Load() != stateClosed {
			members++
		}
	}
	// A namespace that was left counts as well while its disconnect handlers hang.
	if limit := c.server.options.MaxNamespaces; members >= limit || len(c.lanes) >= 2*limit {
		return nil
	}
	l := &lane{conn: c, namespace: namespace}
	c.lanes = append(c.lanes, l)
	return l
}

// joined is told when a socket is connected.
func (c *conn) joined() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopConnectTimer()
}

// stopConnectTimer also lets go of the timer, which is as large as the conn. The
// caller holds c.mu.
func (c *conn) stopConnectTimer() {
	if c.connectTimer != nil {
		c.connectTimer.Stop()
		c.connectTimer = nil
	}
}

// left is told when a socket is finished with.
func (c *conn) left(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.lane.socket == s {
		s.lane.socket, s.lane.kicked = nil, s.kicked.Load()
	}
}

// laneIdle is told when a lane has no more work.
func (c *conn) laneIdle(l *lane) {
	c.mu.Lock()
	if l.socket == nil && !l.kicked && l.idle() {
		c.lanes = slices.DeleteFunc(c.lanes, func(other *lane) bool { return other == l })
	}
	drained := c.drained()
	c.mu.Unlock()
	if drained {
		c.server.forget(c)
	}
}

// drained reports whether nothing of this connection runs any more or will. The
// caller holds c.mu.
func (c *conn) drained() bool {
	return c.closed && !slices.ContainsFunc(c.lanes, func(l *lane) bool { return !l.idle() })
}

func (c *conn) connectTimedOut() {
	c.mu.Lock()
	member := slices.ContainsFunc(c.lanes, func(l *lane) bool { return l.socket != nil && l.socket.isConnected() })
	c.mu.Unlock()
	if !member {
		c.server.log.Debug("socket.io client joined no namespace in time")
		c.shutdown(ReasonForcedServerClose)
	}
}

// refuse answers a CONNECT with a CONNECT_ERROR.
func (c *conn) refuse(namespace string, refusal *ConnectError) {
	data, err := json.Marshal(struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{refusal.Message, refusal.Data})
	if err != nil {
		c.server.log.Error("socket.io connect error cannot be encoded", slog.Any("error", err))
		data = []byte(`{"message":"internal error"}`)
	}
	c.write(&packet.Packet{Type: packet.ConnectError, Namespace: namespace, Data: data})
}

// write sends a packet without attachments whose parts are known to be valid.
func (c *conn) write(p *packet.Packet) {
	messages, err := c.server.options.Parser.Encode(p)
	if err != nil {
		c.server.log.Error("socket.io packet cannot be encoded", slog.Any("error", err))
		return
	}
	c.session.Send(messages...)
}
