package socketio

import (
	"context"

	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Local is the sockets of one server, and the Adapter of a server that is alone. An
// adapter of a cluster is made with its server's Local and does through it what
// concerns this server. What is meant for a namespace that does not exist here is
// meant for nobody, without an error. All methods are safe for concurrent use; only
// BroadcastWithAck waits, and only those that send an event can fail.
type Local struct{ server *Server }

var _ Adapter = (*Local)(nil)

// target returns whom an audience means on this server. It reports false when the
// namespace does not exist here.
func (l *Local) target(a Audience) (Broadcast, bool) {
	n := l.server.lookup(a.Namespace)
	return Broadcast{namespace: n, rooms: a.Rooms, except: a.Except, local: true}, n != nil
}

func (e *Emission) packet() *packet.Packet {
	return &packet.Packet{Type: packet.Event, Event: e.Event, Args: e.Args, Attachments: e.Attachments}
}

// Broadcast sends an event to the sockets of this server. They share its bytes. It
// fails only when the event cannot be encoded.
func (l *Local) Broadcast(e Emission) error {
	b, ok := l.target(e.Audience)
	if !ok {
		return nil
	}
	b.volatile, b.uncompressed = e.Volatile, e.Uncompressed
	return b.deliver(e.packet())
}

// BroadcastWithAck sends an event to the sockets of this server and waits for
// their acknowledgements. When ctx ends first, it returns the replies that have come,
// with ctx's cause.
func (l *Local) BroadcastWithAck(ctx context.Context, e Emission) ([]Reply, error) {
	b, ok := l.target(e.Audience)
	if !ok {
		return nil, nil
	}
	return b.request(ctx, e.packet())
}

// Ask is BroadcastWithAck for an adapter that passes replies on as they come:
// answered is called for each socket once, perhaps before Ask returns, with
// ErrDisconnected for one that is gone. It must not block. clients is how many
// calls there will be, unless forget is called, which has to be done when nobody
// waits any more. It fails only when the event cannot be encoded.
func (l *Local) Ask(e Emission, answered func(Reply, error)) (clients int, forget func(), err error) {
	b, ok := l.target(e.Audience)
	if !ok {
		return 0, func() {}, nil
	}
	return b.ask(e.packet(), answered)
}

// FetchSockets describes sockets of this server.
func (l *Local) FetchSockets(_ context.Context, a Audience) ([]SocketInfo, error) {
	b, ok := l.target(a)
	if !ok {
		return nil, nil
	}
	return b.infos(), nil
}

// SocketsJoin makes sockets of this server join rooms.
func (l *Local) SocketsJoin(a Audience, rooms []string) error {
	b, ok := l.target(a)
	if !ok {
		return nil
	}
	return b.SocketsJoin(rooms...)
}

// SocketsLeave makes sockets of this server leave rooms.
func (l *Local) SocketsLeave(a Audience, rooms []string) error {
	b, ok := l.target(a)
	if !ok {
		return nil
	}
	return b.SocketsLeave(rooms...)
}

// DisconnectSockets disconnects sockets of this server.
func (l *Local) DisconnectSockets(a Audience, closeTransport bool) error {
	b, ok := l.target(a)
	if !ok {
		return nil
	}
	return b.DisconnectSockets(closeTransport)
}

// ServerSideEmit does nothing: there is no other server.
func (l *Local) ServerSideEmit(ServerEmission) error { return nil }

// ServerSideEmitWithAck returns nothing: there is no other server.
func (l *Local) ServerSideEmitWithAck(context.Context, ServerEmission) ([]Args, error) {
	return nil, nil
}

// ServerCount is 1.
func (l *Local) ServerCount(context.Context) (int, error) { return 1, nil }

// Close does nothing.
func (l *Local) Close(context.Context) error { return nil }

// lookup returns the namespace of a name, nil when there is none.
func (s *Server) lookup(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}
