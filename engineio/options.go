package engineio

import (
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Transport is how a session's packets travel: the value of the query parameter transport.
type Transport string

// The transports that this server speaks.
const (
	// Polling is Engine.IO protocol, HTTP long-polling: a GET that waits for packets, a
	// POST for each batch of the client's.
	Polling Transport = "polling"
	// WebSocket is Engine.IO protocol, WebSocket: a message of RFC 6455 for each packet.
	WebSocket Transport = "websocket"
)

// Options configure a Server. Handler is required. The zero value of any other field is its
// default, that of the official server where that has the option; so is a negative number or
// duration, unless the field says otherwise. NewServer copies them. The functions in them are
// called from several goroutines at once.
type Options struct {
	// Path is the prefix of the requests that are served, others get 404 (Engine.IO
	// protocol, Request path). A trailing slash is added. Default "/engine.io/".
	Path string
	// PingInterval is the time from a pong to the next ping (Engine.IO protocol, Heartbeat).
	// Clients are told. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long a client may take to answer a ping; then its session ends with
	// ReasonPingTimeout. Clients are told. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade to WebSocket may take (Engine.IO protocol,
	// Upgrade); then only the upgrade is given up, the session goes on by polling.
	// Default 10 s.
	UpgradeTimeout time.Duration
	// MaxPayload is the largest polling body or WebSocket message that is accepted, in
	// bytes. A larger body is answered 413, a larger message ends its session with close code
	// 1009. Clients are told (Engine.IO protocol, Handshake). Default 1e6.
	MaxPayload int
	// Transports are those on offer. A request for another is answered 400. Default Polling
	// and WebSocket.
	Transports []Transport
	// DisableUpgrades leaves sessions on the transport that they opened with.
	DisableUpgrades bool
	// CheckOrigin decides by the Origin header (RFC 6454, 7), on every request; false is
	// answered 403. It is the only guard of the WebSocket transport, which browsers exempt
	// from CORS. nil allows all.
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
	// InitialHeaders may add headers to the answer that opens a session, before Headers,
	// as the official server's event initial_headers. It must not block.
	InitialHeaders func(h http.Header, r *http.Request, session *Session)
	// Headers may add headers to every answer; session is nil when the request is
	// refused. It must not block.
	Headers func(h http.Header, r *http.Request, session *Session)
	// Refused is told of every refused request, for logs and metrics, as the official
	// server's event connection_error. It must not block.
	Refused func(*http.Request, *RequestError)
	// Meter is told of sessions, for metrics. nil: nobody is.
	Meter Meter
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
	// DisableCompression turns off gzip and deflate for polling answers of 1 kB and more;
	// see Frame.Uncompressed for single frames.
	DisableCompression bool

	// The rest are caps. Each has a default that clients of the official kind do not
	// reach; those that say so are turned off by a negative value.

	// MaxSessions is how many sessions may be open. A handshake beyond is answered 503.
	// Default 100,000; negative: no limit.
	MaxSessions int
	// MaxSessionsPerAddress is how many sessions of one client address may be open. A
	// handshake beyond is answered 429 (RFC 6585, 4). Default 1,000; negative: no limit.
	MaxSessionsPerAddress int
	// HandshakesPerSecond is how many handshakes one client address may make per second
	// in the long run, with bursts of ten times as many. One beyond is answered 429.
	// Default 50; negative: no limit.
	HandshakesPerSecond int
	// ClientAddress names the client that a request comes from, for the caps per
	// address, such as from a header that your proxy sets and clients cannot. A request
	// for which it returns "" is not counted. Default: PeerAddress, but loopback, private
	// and link-local addresses are not counted, as behind such is most likely a proxy
	// that all clients share. Set PeerAddress to count these too.
	ClientAddress func(*http.Request) string
	// Secure tells whether a client spoke TLS, for Handshake.Secure, such as by a header that your
	// proxy sets and clients cannot. Default: to this server.
	Secure func(*http.Request) bool
	// MaxHandshakeBytes is how large a handshake's target and headers may be, which are
	// kept as long as the session (but see KeepHeaders). A larger one is answered 431.
	// Default 16,384, the limit of the official server's HTTP parser.
	MaxHandshakeBytes int
	// MaxUpgrades is how many upgrades to WebSocket may be under way at once. One beyond
	// is answered 503, and its session goes on by polling. Default 10,000.
	MaxUpgrades int
	// MaxPostPackets is how many packets one POST may carry. One with more is answered
	// 400 and ends its session. Default 10,000.
	MaxPostPackets int
	// MaxFragments is how many frames one WebSocket message may come in, as a client
	// could otherwise keep a processor busy with tiny ones. One with more ends its session
	// with close code 1008 (RFC 6455, 7.4.1). Default 1,024; browsers send one frame per 64 kB
	// or more.
	MaxFragments int
	// MaxReceiving bounds the bytes held of messages and bodies that have arrived in part,
	// of all clients together, not counting the first 4,096 of each. What would exceed it
	// ends its session with close code 1013, or 503 to a POST. Default 256 MB.
	MaxReceiving int
	// ReceiveTimeout is how long the body of a POST, or one WebSocket message with all of
	// its fragments, may take to arrive. One that takes longer ends its session, with
	// 408 to a POST and close code 1008. Default 30 s.
	ReceiveTimeout time.Duration

	// PerMessageDeflate compresses WebSocket messages of 1,024 bytes and more for clients
	// that offer it (RFC 7692), each by itself, so that compressing costs no memory between
	// messages, and a broadcast is compressed once. It costs time, and what is secret should
	// not be compressed together with what an attacker chose. Default: off, as in the
	// official server. MaxPayload bounds what a message decompresses to.
	PerMessageDeflate bool
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
	// Message is called for each message of the client (Engine.IO protocol, Message). The
	// data belongs to the callee.
	Message(m packet.Message)
	// Closed is called exactly once, last. err is the cause where one is known.
	Closed(reason Reason, err error)
}

const defaultMaxFragments = 1024

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
	setDefault(&o.MaxHandshakeBytes, 16_384)
	setDefault(&o.MaxUpgrades, 10_000)
	setDefault(&o.MaxPostPackets, 10_000)
	setDefault(&o.MaxFragments, defaultMaxFragments)
	setDefault(&o.MaxReceiving, 256_000_000)
	setDefault(&o.ReceiveTimeout, 30*time.Second)
	setCap(&o.MaxSessions, 100_000)
	setCap(&o.MaxSessionsPerAddress, 1_000)
	setCap(&o.HandshakesPerSecond, 50)
	setDefault(&o.Shards, runtime.GOMAXPROCS(0))
	if o.Transports == nil {
		o.Transports = []Transport{Polling, WebSocket}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// setCap replaces a zero; a negative value means no limit.
func setCap(value *int, fallback int) {
	if *value == 0 {
		*value = fallback
	}
}

// setDefault replaces a value that is not positive.
func setDefault[T int | time.Duration](value *T, fallback T) {
	if *value <= 0 {
		*value = fallback
	}
}
