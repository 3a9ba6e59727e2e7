package socketio

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"
)

// RemoteSocket is a socket of this server or of another one, as it was when it was
// fetched. What its methods do is done by the server that holds the socket; they
// do nothing when it is gone. Their errors are those of the same methods of
// Broadcast. They are safe for concurrent use.
type RemoteSocket struct {
	SocketInfo
	namespace *Namespace
}

func (r RemoteSocket) target() Broadcast { return r.namespace.To(r.ID) }

// Emit sends an event to the socket; see Broadcast.Emit.
func (r RemoteSocket) Emit(event string, args ...any) error { return r.target().Emit(event, args...) }

// EmitWithAck sends an event and waits for the socket's acknowledgement. It gives
// up with ctx's cause when ctx ends, and with ErrDisconnected when the socket is
// gone.
func (r RemoteSocket) EmitWithAck(ctx context.Context, event string, args ...any) (Args, error) {
	replies, err := r.target().EmitWithAck(ctx, event, args...)
	if err != nil {
		return nil, err
	}
	if len(replies) == 0 {
		return nil, ErrDisconnected
	}
	return replies[0].Args, nil
}

// Join adds the socket to rooms.
func (r RemoteSocket) Join(rooms ...string) error { return r.target().SocketsJoin(rooms...) }

// Leave removes the socket from rooms.
func (r RemoteSocket) Leave(rooms ...string) error { return r.target().SocketsLeave(rooms...) }

// Disconnect disconnects the socket; see Socket.Disconnect.
func (r RemoteSocket) Disconnect(closeTransport bool) error {
	return r.target().DisconnectSockets(closeTransport)
}

// info describes the socket to other servers.
func (s *Socket) info() SocketInfo {
	info := SocketInfo{ID: s.ID(), Handshake: s.Handshake(), Rooms: s.Rooms()}
	if data := s.Data(); data != nil {
		encoded, err := json.Marshal(data)
		if err != nil {
			s.log().Error("data of a socket cannot be encoded", slog.Any("error", err))
		} else {
			info.Data = encoded
		}
	}
	return info
}

// The operators that Server and Namespace lend from Broadcast.

// In is To, for what is no emission: In("room").FetchSockets(ctx).
func (n *Namespace) In(rooms ...string) Broadcast { return n.To(rooms...) }

// Timeout starts an emission that waits no longer for acknowledgements.
func (n *Namespace) Timeout(d time.Duration) Broadcast { return Broadcast{namespace: n}.Timeout(d) }

// Compress starts an emission that the transport may, or may not, compress.
func (n *Namespace) Compress(compress bool) Broadcast {
	return Broadcast{namespace: n}.Compress(compress)
}

// FetchSockets describes all sockets of the namespace; see Broadcast.FetchSockets.
func (n *Namespace) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	return Broadcast{namespace: n}.FetchSockets(ctx)
}

// SocketsJoin makes all sockets of the namespace join rooms.
func (n *Namespace) SocketsJoin(rooms ...string) error {
	return Broadcast{namespace: n}.SocketsJoin(rooms...)
}

// SocketsLeave makes all sockets of the namespace leave rooms.
func (n *Namespace) SocketsLeave(rooms ...string) error {
	return Broadcast{namespace: n}.SocketsLeave(rooms...)
}

// DisconnectSockets disconnects all sockets of the namespace; see
// Socket.Disconnect.
func (n *Namespace) DisconnectSockets(closeTransport bool) error {
	return Broadcast{namespace: n}.DisconnectSockets(closeTransport)
}

// In is Of("/").In.
func (s *Server) In(rooms ...string) Broadcast { return s.main.In(rooms...) }

// Volatile is Of("/").Volatile.
func (s *Server) Volatile() Broadcast { return s.main.Volatile() }

// Local is Of("/").Local.
func (s *Server) Local() Broadcast { return s.main.Local() }

// Timeout is Of("/").Timeout.
func (s *Server) Timeout(d time.Duration) Broadcast { return s.main.Timeout(d) }

// FetchSockets is Of("/").FetchSockets.
func (s *Server) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	return s.main.FetchSockets(ctx)
}

// SocketsJoin is Of("/").SocketsJoin.
func (s *Server) SocketsJoin(rooms ...string) error { return s.main.SocketsJoin(rooms...) }

// SocketsLeave is Of("/").SocketsLeave.
func (s *Server) SocketsLeave(rooms ...string) error { return s.main.SocketsLeave(rooms...) }

// DisconnectSockets is Of("/").DisconnectSockets.
func (s *Server) DisconnectSockets(closeTransport bool) error {
	return s.main.DisconnectSockets(closeTransport)
}

// ServerSideEmit is Of("/").ServerSideEmit.
func (s *Server) ServerSideEmit(event string, args ...any) error {
	return s.main.ServerSideEmit(event, args...)
}

// OnServerSideEmit is Of("/").OnServerSideEmit.
func (s *Server) OnServerSideEmit(event string, run func(*ServerEvent)) {
	s.main.OnServerSideEmit(event, run)
}
