package socketio

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Options configure a Server. The zero value is ready to use and equals the
// official server's defaults where that has the option. A number or duration that is
// not positive stands for the default, unless engineio.Options says otherwise.
// NewServer copies them. The functions in them are called from several goroutines at
// once.
type Options struct {
	// Options are those of the transports: CORS, payload size, heartbeat, limits
	// for slow clients, Logger and more. Path is "/socket.io/" unless set. Handler
	// is set by the Server.
	engineio.Options

	// ConnectTimeout is how long a new connection may take to join its first
	// namespace before it is closed. Default 45 s.
	ConnectTimeout time.Duration
	// MaxNamespaces is how many namespaces one connection may be a member of at
	// once; a further one is refused. Default 100.
	MaxNamespaces int
	// MaxPacketBytes bounds one packet with its attachments, each of which is
	// bound by MaxPayload besides. A client over it is disconnected.
	// Default 5,000,000.
	MaxPacketBytes int
	// PacketTimeout is how long the attachments of one packet may take to arrive
	// before the connection is closed. Default 60 s.
	PacketTimeout time.Duration
	// MaxQueuedEvents and MaxQueuedEventBytes bound the events that wait for the
	// handlers of one namespace of one connection. Beyond them the connection is
	// not read until the handlers catch up. Default 1,000 events, 1,000,000 bytes;
	// one event always fits.
	MaxQueuedEvents int
	// MaxQueuedEventBytes: see MaxQueuedEvents.
	MaxQueuedEventBytes int
	// MaxConnectRate is how many CONNECT packets per second one connection may send
	// on average, after MaxNamespaces and as many again at once. Each is answered and
	// asks the middlewares, so a client over it is disconnected. Default 10.
	MaxConnectRate int
	// MaxPendingAcks is how many acknowledgements of one socket may be waited for at
	// once. Default 1,000.
	MaxPendingAcks int
	// Recovery fulfils connection state recovery from a log of the application. nil:
	// clients get no private id, unless StateRecovery is set.
	Recovery Recovery
	// StateRecovery turns on connection state recovery from this server's memory. nil:
	// off. Recovery goes before it.
	StateRecovery *StateRecovery
	// Adapter makes this server one of several that share their namespaces. It is
	// called once, by NewServer. nil: this server is alone.
	Adapter func(*Local) Adapter
	// Parser is how packets travel; clients must use the same. nil: the protocol's
	// own, which clients use unless told otherwise.
	Parser Parser
	// ClientFiles holds the client's bundles, socket.io.js and so on as in the dist
	// folder of the npm package socket.io-client, to be served below Path to pages
	// that do not bundle it. nil: they are not served.
	ClientFiles fs.FS
	// ClientVersion is the version of ClientFiles, for caches. "": the one that their
	// first comment names, or a hash of each file that names none.
	ClientVersion string
}

// withDefaults returns a copy with every default filled in.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Path == "" {
		c.Path = "/socket.io/"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.PingInterval, 25*time.Second)
	setDefault(&c.PingTimeout, 20*time.Second)
	setDefault(&c.MaxPendingAge, 20*time.Second)
	setDefault(&c.ConnectTimeout, 45*time.Second)
	setDefault(&c.MaxNamespaces, 100)
	setDefault(&c.MaxPacketBytes, packet.DefaultMaxBytes)
	setDefault(&c.PacketTimeout, time.Minute)
	setDefault(&c.MaxQueuedEvents, 1000)
	setDefault(&c.MaxQueuedEventBytes, 1_000_000)
	setDefault(&c.MaxConnectRate, 10)
	setDefault(&c.MaxPendingAcks, 1000)
	if c.Parser == nil {
		c.Parser = standardParser{}
	}
	if c.Recovery != nil {
		c.StateRecovery = nil
	}
	c.StateRecovery = c.StateRecovery.withDefaults()
	return c
}

func setDefault[T int | time.Duration](value *T, to T) {
	if *value <= 0 {
		*value = to
	}
}
