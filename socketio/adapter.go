package socketio

import (
	"context"
	"encoding/json"
	"time"
)

// ClusterTimeout is how long Broadcast.FetchSockets and
// Namespace.ServerSideEmitWithAck wait for other servers when their context has no
// deadline, as the official server does.
const ClusterTimeout = 5 * time.Second

// Adapter makes several servers act as one: what is emitted on one reaches the
// sockets of all. The default is the server's own Local, which knows no other
// server and costs nothing; Options.Adapter sets another one. The package cluster
// makes an Adapter of anything that carries messages between servers, and the
// package adaptertest holds the tests that any Adapter must pass.
//
// An Adapter serves all namespaces. It does each thing on this server through the
// Local that it was made with, and has the other servers' adapters do it there:
//
//   - Broadcast, SocketsJoin, SocketsLeave and DisconnectSockets happen here before
//     the call returns, and elsewhere soon after, in the order in which one
//     goroutine called them. They do not wait for other servers.
//   - BroadcastWithAck and FetchSockets ask every server, count this one in, and
//     wait for as many answers as there are servers.
//   - ServerSideEmit reaches every other server and never this one.
//   - A server that goes is not waited for any longer than it takes to notice.
//
// Emissions that are Local never reach an Adapter. What one returns is given to the
// application as it is. The methods are called from several goroutines at once.
type Adapter interface {
	// Broadcast sends an event. An error says that other servers were not told; this
	// server's sockets get it all the same.
	Broadcast(e Emission) error
	// BroadcastWithAck sends an event and waits until each socket has acknowledged it
	// or is gone. When ctx ends first, or a server cannot be asked, it returns the
	// replies that have come, with an error.
	BroadcastWithAck(ctx context.Context, e Emission) ([]Reply, error)
	// FetchSockets describes the sockets. When not all servers answer before ctx ends,
	// it returns those that are known, with an error.
	FetchSockets(ctx context.Context, a Audience) ([]SocketInfo, error)
	// SocketsJoin makes the sockets join rooms.
	SocketsJoin(a Audience, rooms []string) error
	// SocketsLeave makes the sockets leave rooms.
	SocketsLeave(a Audience, rooms []string) error
	// DisconnectSockets disconnects the sockets; see Socket.Disconnect.
	DisconnectSockets(a Audience, closeTransport bool) error
	// ServerSideEmit hands an event to every other server's Local.ServerSideEvent.
	ServerSideEmit(e ServerEmission) error
	// ServerSideEmitWithAck does so and waits for an acknowledgement of each. When ctx
	// ends first, it returns those that have come, with an error.
	ServerSideEmitWithAck(ctx context.Context, e ServerEmission) ([]Args, error)
	// ServerCount is how many servers there are, this one included.
	ServerCount(ctx context.Context) (int, error)
	// Close is called once, by Server.Close, when all sockets are gone: this server is
	// no longer one of the cluster. ctx bounds how long it may take.
	Close(ctx context.Context) error
}

// Audience says which sockets of a namespace something is for. All its fields are
// meant to travel between servers.
type Audience struct {
	// Namespace is the name, with its leading slash.
	Namespace string
	// Rooms are those whose members are meant, each of them once; none: everyone.
	Rooms []string `json:",omitempty"`
	// Except are the rooms whose members are left out.
	Except []string `json:",omitempty"`
}

// Emission is an event on its way to many sockets. All its fields are meant to
// travel between servers; it must not be changed.
type Emission struct {
	Audience
	// Event is the event's name.
	Event string
	// Args are its arguments: JSON in which binary data is represented by the
	// placeholders that number Attachments.
	Args []json.RawMessage `json:",omitempty"`
	// Attachments are the binary data.
	Attachments [][]byte `json:",omitempty"`
	// Volatile skips clients that still have to take something else.
	Volatile bool `json:",omitempty"`
	// Uncompressed keeps the event from being compressed; see Broadcast.Compress.
	Uncompressed bool `json:",omitempty"`
}

// ServerEmission is an event from one server to the others. All its fields are
// meant to travel between servers.
type ServerEmission struct {
	// Namespace is the name, with its leading slash.
	Namespace string
	// Event is the event's name.
	Event string
	// Args are its arguments; see Emission.
	Args []json.RawMessage `json:",omitempty"`
	// Attachments are the binary data.
	Attachments [][]byte `json:",omitempty"`
}

// SocketInfo is what servers tell each other about a socket.
type SocketInfo struct {
	// ID is the socket's id.
	ID string
	// Handshake is how the socket came. It must not be changed.
	Handshake *Handshake
	// Rooms are those that it is in, in alphabetical order, its own id left out.
	Rooms []string `json:",omitempty"`
	// Data is what Socket.SetData kept, as JSON; nil when nothing was.
	Data json.RawMessage `json:",omitempty"`
}

// ErrTimeout is what waiting for acknowledgements or for other servers ends with
// when it took longer than Broadcast.Timeout or ClusterTimeout allow. It is a
// context.DeadlineExceeded.
var ErrTimeout error = timeoutError{}

type timeoutError struct{}

func (timeoutError) Error() string { return "socketio: operation has timed out" }

func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// withClusterTimeout bounds waiting for other servers.
func withClusterTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, bounded := ctx.Deadline(); bounded {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, ClusterTimeout, ErrTimeout)
}
