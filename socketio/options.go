package socketio

import (
	"log/slog"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio/packet"
)

// Options configure a Server. The zero value is ready to use and equals the
// official server's defaults where that has the option.
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
	// MaxQueuedEvents and MaxQueuedBytes bound the events that wait for the
	// handlers of one namespace of one connection. Beyond them the connection is
	// not read until the handlers catch up. Default 1,000 events, 1,000,000 bytes;
	// one event always fits.
	MaxQueuedEvents int
	MaxQueuedBytes  int
	// Recovery fulfils connection state recovery. nil: clients get no private id.
	Recovery Recovery
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
	setDefault(&c.ConnectTimeout, 45*time.Second)
	setDefault(&c.MaxNamespaces, 100)
	setDefault(&c.MaxPacketBytes, packet.DefaultMaxBytes)
	setDefault(&c.PacketTimeout, time.Minute)
	setDefault(&c.MaxQueuedEvents, 1000)
	setDefault(&c.MaxQueuedBytes, 1_000_000)
	return c
}

func setDefault[T int | time.Duration](value *T, to T) {
	if *value <= 0 {
		*value = to
	}
}
