package engineio

import (
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Transport is how a session's packets travel.
type Transport string

// The transports that this server speaks.
const (
	Polling   Transport = "polling"
	WebSocket Transport = "websocket"
)

// Options configure a Server. The zero value is ready to use, and equals the official
// server's defaults where that has the option.
type Options struct {
	// Path is the prefix of the requests that are served, others get 404. A trailing
	// slash is added. Default "/engine.io/".
	Path string
	// PingInterval is the time from a pong to the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long a client may take to answer a ping. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade to WebSocket may take; then only the
	// upgrade is given up, the session goes on by polling. Default 10 s.
	UpgradeTimeout time.Duration
	// MaxPayload is the largest polling body or WebSocket message that is accepted, in
	// bytes. Clients are told. Default 1e6.
	MaxPayload int
	// Transports are those on offer. Default Polling and WebSocket.
	Transports []Transport
	// DisableUpgrades leaves sessions on the transport that they opened with.
	DisableUpgrades bool
	// CheckOrigin decides by the Origin header, on every request. It is the only guard
	// of the WebSocket transport, which browsers exempt from CORS. nil allows all.
	CheckOrigin func(*http.Request) bool
	// CORS lets browsers use the polling transport from other origins. nil: off.
	CORS *CORS
	// AllowRequest may refuse a handshake (a request that would open a session). A
	// *RequestError sets the answer; any other error is logged and answered 403. It
	// runs on the request's goroutine, with the request's context. The handshake may still
	// fail after it: count sessions in Handler and Closed, not here.
	AllowRequest func(*http.Request) error
	// Cookie returns a cookie for the answer that opens a session, for load balancers
	// with sticky sessions. nil, or a nil result: none.
	Cookie func(*Session) *http.Cookie
	// Headers may add headers to every answer; session is nil when the request is
	// refused. It must not block.
	Headers func(h http.Header, r *http.Request, session *Session)
	// Refused is told of every refused request, for logs and metrics. It must not block.
	Refused func(*http.Request, *RequestError)
	// KeepHeaders names the request headers that Handshake.Header keeps for the life of
	// a session. They are most of the memory of an idle one. nil keeps all.
	KeepHeaders []string
	// MaxPendingBytes bounds what waits for one client, beyond one frame. A client over
	// it is closed with ReasonSlowClient. Default 1 MB.
	MaxPendingBytes int
	// MaxPendingAge bounds how long something may wait for one client. A client over it
	// is closed with ReasonSlowClient. Default 20 s.
	MaxPendingAge time.Duration
	// SocketBuffer asks the kernel to hold at most about this many bytes for one WebSocket,
	// besides MaxPendingBytes. 0 leaves it to the kernel, which may go to megabytes.
	SocketBuffer int
	// MaxQueuedBytes bounds what waits in each shard to be handed to its sessions. A
	// publisher over it waits. Default 8 MB.
	MaxQueuedBytes int
	// Shards is the number of workers that write. Default runtime.GOMAXPROCS(0).
	Shards int
	// DisableCompression turns off gzip for polling answers of 1 kB and more.
	DisableCompression bool
	// Logger gets what an operator should know. Default: nothing is logged.
	Logger *slog.Logger
	// Handler makes the handler of a new session, before any of its packets is read. It
	// may send. It must not block: the client waits for its handshake. Required.
	Handler func(*Session) Handler
}

// Handler receives what happens on one session. Calls for one session never overlap and
// come in order, on a goroutine of the session; a call that takes long holds back this
// session only. A panic is logged and ends the session.
type Handler interface {
	// Message is called for each message of the client. The data belongs to the callee.
	Message(m packet.Message)
	// Closed is called exactly once, last. err is the cause where one is known.
	Closed(reason Reason, err error)
}

// withDefaults returns a copy of o with every default filled in.
func (o Options) withDefaults() Options {
	if o.Path == "" {
		o.Path = "/engine.io/"
	}
	o.Path = strings.TrimSuffix(o.Path, "/") + "/"
	setDefault(&o.PingInterval, 25*time.Second)
	setDefault(&o.PingTimeout, 20*time.Second)
	setDefault(&o.UpgradeTimeout, 10*time.Second)
	setDefault(&o.MaxPayload, 1_000_000)
	setDefault(&o.MaxPendingBytes, 1_000_000)
	setDefault(&o.MaxPendingAge, 20*time.Second)
	setDefault(&o.MaxQueuedBytes, 8_000_000)
	setDefault(&o.Shards, runtime.GOMAXPROCS(0))
	if o.Transports == nil {
		o.Transports = []Transport{Polling, WebSocket}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// setDefault replaces a value that is not positive.
func setDefault[T int | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}
