package bench

import (
	"errors"
	"io"
	"net/netip"
	"time"
)

// poller moves bytes for a loop. All methods but wake are for the loop's goroutine alone.
type poller interface {
	// dial begins to connect a connection whose source and target are set. What comes of it is an
	// event, unless there is an error at once.
	dial(c *connection) error
	// wait waits for events, up to timeout (none if negative), and hands them over.
	wait(timeout time.Duration, to events) error
	// write sends or keeps all of p, which stays the caller's. Its errors come as events.
	write(c *connection, p []byte)
	// deafen makes a connection read no more. Its end is still noticed, if the system says so
	// without reading.
	deafen(c *connection)
	// close ends a connection, without an event. For one that ended it does nothing.
	close(c *connection)
	// wake makes wait return. Safe for concurrent use.
	wake()
	// stop frees what the poller holds. All connections must be closed.
	stop() error
}

// events is whoever a poller tells what happens.
type events interface {
	opened(c *connection)
	received(c *connection, data []byte) // data is the poller's again after the call
	ended(c *connection, err error)      // once, and nothing after it
}

// connection is one TCP connection of a client.
type connection struct {
	owner  *client
	source netip.Addr // invalid: the system chooses
	target netip.AddrPort

	descriptor int    // of the poller that works with descriptors
	unsent     []byte // what the peer did not take yet
	isOpen     bool
	isClosed   bool

	line *line // of the poller that works with goroutines
}

// maxUnsent bounds what waits for a server that does not read.
const maxUnsent = 1 << 20

var (
	errUnsent     = errors.New("the server does not read what a client sends")
	errPeerClosed = io.EOF
)
