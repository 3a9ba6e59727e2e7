package bench

import (
	"context"
	"errors"
	"time"
)

// errUnfinished is returned until the loop is there.
var errUnfinished = errors.New("not yet")

// Run connects a crowd, posts Options.Load, and says how it went. The report is there with an error
// too, once the crowd was connected.
func Run(ctx context.Context, options Options) (*Report, error) {
	crowd, err := Connect(ctx, options)
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(errUnfinished, crowd.Close())
}

// Crowd is clients that stay connected and take note of what arrives. Its methods are safe for
// concurrent use, but Post is for one at a time.
type Crowd struct{}

// Connect connects Options.Clients and returns when all are in. After an error nobody is.
func Connect(ctx context.Context, options Options) (*Crowd, error) { return nil, errUnfinished }

// Connecting says how the crowd came in.
func (c *Crowd) Connecting() Connecting { return Connecting{} }

// Post posts a load and waits until its events have reached all clients that read, or Load.Patience
// is over. pid is the server's process, whose CPU time is counted; 0 for none. (The server may have
// been restarted since Connect.)
func (c *Crowd) Post(ctx context.Context, load Load, pid int) (*Phase, error) {
	return nil, errUnfinished
}

// Idle lets the crowd do nothing but answer pings.
func (c *Crowd) Idle(ctx context.Context, d time.Duration) error { return errUnfinished }

// Counters are what the crowd has seen so far.
type Counters struct {
	Connected     int    // clients that are connected now
	InStep        int    // those of them that know of every accepted post
	Stalled       int    // clients that were told to stop reading
	StalledClosed int    // those of them that the server has closed
	BytesReceived uint64 // by clients, handshakes and refetched snapshots included
	RefetchBytes  uint64 // of these, snapshots
	Refetches     uint64 // snapshots
	Deliveries    uint64
	Lost          uint64 // deliveries of accepted posts that have not come (yet)
	Duplicates    uint64
	Connects      uint64 // of the first time
	Disconnects   uint64
	Reconnects    uint64
	Recovered     uint64 // of these, the ones whose pid the server knew
	Refused       uint64 // attempts to connect that failed
}

// Counters may be read at any time. InStep and Lost take a walk over all clients.
func (c *Crowd) Counters() Counters { return Counters{} }

// Stall makes n clients stop reading, for good; they do not come back when the server closes them.
// Later posts are not expected to reach them.
func (c *Crowd) Stall(n int) error { return errUnfinished }

// ReconnectAtOnce cuts all connections and connects all again in the same moment, without pauses
// or a bound on how many connect at a time. It returns how long it took until the last was in.
func (c *Crowd) ReconnectAtOnce(ctx context.Context) (time.Duration, error) { return 0, errUnfinished }

// WaitInStep waits until n clients (0: all that read) are connected and know of every accepted post,
// by events or by a snapshot. It returns ctx's error if they never are.
func (c *Crowd) WaitInStep(ctx context.Context, n int) error { return errUnfinished }

// Close ends all connections. The Crowd is of no use afterwards, but for Counters.
func (c *Crowd) Close() error { return nil }
