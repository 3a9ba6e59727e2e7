package bench

import (
	"crypto/x509"
	"net/netip"
	"time"
)

// Protocol is what the clients speak.
type Protocol string

// The protocols.
const (
	// SocketIO is Engine.IO 4 and Socket.IO 5 as the official client 4.x speaks them. An event
	// "bookAdded" whose book's title holds a post's marker is a delivery.
	SocketIO Protocol = "socketio"
	// WebSocket is a WebSocket and nothing above it: every text message that holds posts'
	// markers is a delivery of each. A message without one is ignored.
	WebSocket Protocol = "websocket"
)

// Transport is how Socket.IO clients connect.
type Transport string

// The transports.
const (
	TransportWebSocket Transport = "websocket" // from the handshake on
	TransportPolling   Transport = "polling"   // and never upgraded
	TransportMixed     Transport = "mixed"     // every other client polls
)

// Recovery is what a client does about the events that it missed when its connection broke.
type Recovery string

// The ways to recover.
const (
	// RecoverOffset sends pid and offset with the next CONNECT, as the official client does.
	RecoverOffset Recovery = "offset"
	// RecoverRefetch gets SnapshotURL after each reconnect, as the handbook's client does. Posts
	// that were answered before the request began count as known to the client from then on.
	RecoverRefetch Recovery = "refetch"
	// RecoverNot does nothing; what was missed is lost.
	RecoverNot Recovery = "none"
)

// WaitFor is what a poster waits for before its next post.
type WaitFor string

// What to wait for.
const (
	WaitDelivered WaitFor = "delivered" // the post's event has reached every client
	WaitAnswered  WaitFor = "answered"  // the HTTP answer
)

// Options says whom to load and how. Zero values mean the defaults that are named here.
type Options struct {
	// URL is the server's base: http://host:port or https://host:port. Required.
	URL string
	// Protocol is SocketIO by default.
	Protocol Protocol
	// Path is where clients connect, with a query if the server wants one: "/socket.io/" by
	// default, and "/" for WebSocket.
	Path string
	// Greeting is the first text message of each client that speaks WebSocket, for servers whose
	// own protocol wants one, such as centrifuge's `{"connect":{},"id":1}`; empty for none.
	Greeting string
	// PostURL takes the posts: URL + "/books" by default.
	PostURL string
	// PostBody makes a post's body of a title, which it must hold unchanged: a JSON book by
	// default. It is called by several goroutines at once.
	PostBody func(title string) []byte
	// SnapshotURL is what RecoverRefetch gets: URL + "/books" by default.
	SnapshotURL string
	// Token authenticates clients (auth.token) and posts (Authorization: Bearer); empty with
	// --auth demo.
	Token string

	// RootCAs are the authorities to trust if URL is https; nil for the system's.
	RootCAs *x509.CertPool

	// Clients is how many connect; 100 by default.
	Clients int
	// Transport is TransportWebSocket by default. WebSocket, the protocol, knows no other.
	Transport Transport
	// Recovery is RecoverOffset by default.
	Recovery Recovery
	// StayAway makes clients whose connection broke not come back. By default they do, after the
	// official client's pauses: 1 s, doubling up to 5 s, half of it more or less.
	StayAway bool
	// Stay is how long a client stays before it leaves, on average: it may leave at any moment,
	// and half of them say so. 0: to the end. After a pause it comes back, with RecoverNot as
	// somebody else: each such client is four people in turn.
	Stay time.Duration

	// Sources are the local addresses to connect from, in turn; each gives as many connections
	// as the system has ports for clients (about 28,000). Empty: if the server is on IPv4
	// loopback, one address of 127.0.0.0/8 for each 20,000 clients; otherwise the system chooses.
	Sources []netip.Addr
	// ConnectRate bounds new connections a second; 0 is as fast as they are accepted.
	ConnectRate float64
	// ConnectAtOnce is how many clients may be connecting at the same time; 256 by default.
	ConnectAtOnce int
	// ConnectTimeout is how long Connect waits for all clients; 2 minutes by default. One
	// attempt gets 20 s, as the official client gives it.
	ConnectTimeout time.Duration

	// Load is what Run posts.
	Load Load
	// PID is the server's process on this machine, 0 if it shall not be watched. Linux only.
	PID int
	// Settle is how long Run leaves the connected crowd alone before it reads the server's
	// memory; 2 s by default if PID is set, else 0.
	Settle time.Duration

	// Cleanup makes Run delete what it posted, by the Location of each answer, once the crowd has
	// left.
	Cleanup bool

	// Progress is called about four times a second while something goes on, from a goroutine of
	// this package, never twice at once. nil for none.
	Progress func(Progress)
}

// Load is how to post.
type Load struct {
	// Rate is posts a second, evenly spread and however long they take (an open loop). 0: each of
	// Posters sends its next post when WaitFor has come (a closed loop).
	Rate float64
	// Posters is how many posts are under way at most: 1 by default, and 1,024 with a Rate.
	Posters int
	// WaitFor is WaitDelivered by default. It has no meaning with a Rate.
	WaitFor WaitFor
	// Warmup is posted like the rest and not measured; 0 by default.
	Warmup time.Duration
	// Duration is how long to measure; 10 s by default if Count is 0.
	Duration time.Duration
	// Count ends the measurement after so many posts, if not 0.
	Count int
	// Patience is how long to wait for the deliveries of what was posted, for one post in a
	// closed loop and for all of them at the end; 30 s by default. What has not come by then is
	// lost.
	Patience time.Duration
}

// Progress is what there is to say while a measurement goes on.
type Progress struct {
	Stage      Stage
	Elapsed    time.Duration // in this stage
	Connected  int           // clients
	Clients    int
	Posts      uint64
	Deliveries uint64
	// PerSecond is deliveries a second since the last call. Each is the time to each client in the
	// latest piece of the timeline; empty unless measuring.
	PerSecond float64
	Each      Quantiles
}

// Stage is a part of a measurement.
type Stage string

// The stages, in order.
const (
	StageIdle       Stage = "idle" // between the others, of a Crowd
	StageConnecting Stage = "connecting"
	StageSettling   Stage = "settling"
	StageWarmup     Stage = "warmup"
	StageMeasuring  Stage = "measuring"
	StageDraining   Stage = "draining" // waiting for the last deliveries
	StageCleaning   Stage = "cleaning" // deleting what was posted
)
