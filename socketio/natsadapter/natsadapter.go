package natsadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/cluster"
)

var (
	// ErrNotConnected is returned when the connection to NATS has been interrupted for
	// HeartbeatTimeout: other servers were not told.
	ErrNotConnected = errors.New("natsadapter: not connected to NATS")
	// ErrTooLarge is returned for a message that the NATS server would not take: other
	// servers were not told.
	ErrTooLarge = errors.New("natsadapter: message is larger than NATS takes")
)

// Options configure a Cluster. The zero value is ready to use. New copies them.
type Options struct {
	// Prefix begins the subjects that the servers of this cluster use: Prefix.all, and
	// Prefix.to.ID for each. It must be the same for all of them, and another one for
	// another cluster on the same NATS. Dots may part it. Default "socket.io".
	Prefix string
	// HeartbeatInterval is how often a server says that it lives. Default 5 s.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is after how long a silent server counts as gone. Default 10 s. All
	// servers should have the same.
	HeartbeatTimeout time.Duration
	// Logger gets what an operator should know. nil: nothing is logged.
	Logger *slog.Logger
}

// Stats counts messages since New, for all servers that joined through one Cluster.
type Stats struct {
	cluster.Stats
	// Dropped are those that came while too many waited already, so they were not even
	// counted as received.
	Dropped uint64
}

// Cluster is where servers join each other. Its methods are safe for concurrent use.
type Cluster struct {
	conn    *nats.Conn
	options Options
	log     *slog.Logger

	mu     sync.Mutex // a leaf, guards what follows
	joined map[*member]struct{}
	past   Stats // of those that have left
}

// New prepares to join the cluster that is reached by a connection. Nil options are the
// defaults. It fails when the connection is closed for good, or the prefix cannot be
// one; that NATS does not answer yet is no error.
func New(conn *nats.Conn, options *Options) (*Cluster, error) {
	c := &Cluster{conn: conn, joined: make(map[*member]struct{})}
	if options != nil {
		c.options = *options
	}
	if c.options.Prefix == "" {
		c.options.Prefix = "socket.io"
	}
	if err := checkPrefix(c.options.Prefix); err != nil {
		return nil, err
	}
	if conn.IsClosed() {
		return nil, fmt.Errorf("natsadapter: %w", nats.ErrConnectionClosed)
	}
	if c.options.HeartbeatTimeout <= 0 {
		c.options.HeartbeatTimeout = 10 * time.Second
	}
	if c.log = c.options.Logger; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// checkPrefix says whether a text can begin a subject.
func checkPrefix(prefix string) error {
	for token := range strings.SplitSeq(prefix, ".") {
		if token == "" || strings.ContainsFunc(token, func(r rune) bool {
			return r <= ' ' || r > '~' || r == '*' || r == '>'
		}) {
			return fmt.Errorf("natsadapter: %q cannot begin a NATS subject", prefix)
		}
	}
	return nil
}

// Join makes a server one of the cluster; it is meant for socketio.Options.Adapter. What
// goes wrong is logged: the server then is alone, and its emissions return the error.
func (c *Cluster) Join(local *socketio.Local) socketio.Adapter {
	m := &member{
		cluster: c,
		changes: c.conn.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.CLOSED),
		done:    make(chan struct{}),
	}
	m.bus = newBus(c.conn, c.options.Prefix, c.options.HeartbeatTimeout)
	m.Adapter = cluster.New(local, m.bus, &cluster.Options{
		HeartbeatInterval: c.options.HeartbeatInterval, HeartbeatTimeout: c.options.HeartbeatTimeout, Logger: c.log,
	})
	c.mu.Lock()
	c.joined[m] = struct{}{}
	c.mu.Unlock()
	m.watching.Go(m.watch)
	return m
}

// Stats returns the counts.
func (c *Cluster) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.past
	for m := range c.joined {
		all.add(m.stats())
	}
	return all
}

func (s *Stats) add(more Stats) {
	s.Sent += more.Sent
	s.Received += more.Received
	s.Lost += more.Lost
	s.Ignored += more.Ignored
	s.Dropped += more.Dropped
}

// leave keeps the counts of a server that is closed.
func (c *Cluster) leave(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, found := c.joined[m]; found {
		delete(c.joined, m)
		c.past.add(m.stats())
	}
}

// member is one server's adapter. Its goroutine, from Join to Close, watches the
// connection.
type member struct {
	*cluster.Adapter
	cluster  *Cluster
	bus      *bus
	changes  chan nats.Status
	done     chan struct{}
	watching sync.WaitGroup
	closing  sync.Once
}

func (m *member) stats() Stats { return Stats{m.Adapter.Stats(), m.bus.droppedCount()} }

// watch tells the bus of interruptions, the others that this server is back, and the
// operator what is dropped.
func (m *member) watch() {
	report := time.NewTicker(m.cluster.options.HeartbeatTimeout)
	defer report.Stop()
	var reported uint64
	for {
		select {
		case <-m.done:
			return
		case status := <-m.changes:
			if status != nats.CONNECTED {
				m.bus.interruption.begin()
				continue
			}
			m.bus.interruption.end()
			m.Greet()
		case <-report.C:
			if dropped := m.bus.droppedCount(); dropped > reported {
				m.cluster.log.Warn("messages of the cluster came faster than this server reads them, some are dropped",
					slog.Uint64("count", dropped-reported))
				reported = dropped
			}
		}
	}
}

// flushTimeout bounds how long Close waits for the farewell to be sent, besides its
// context.
const flushTimeout = 2 * time.Second

// Close leaves the cluster; see cluster.Adapter.Close. It waits until NATS has taken the
// farewell.
func (m *member) Close(ctx context.Context) error {
	err := m.Adapter.Close(ctx)
	m.closing.Do(func() {
		if m.cluster.conn.IsConnected() {
			ctx, cancel := context.WithTimeout(ctx, flushTimeout)
			defer cancel()
			err = errors.Join(err, m.cluster.conn.FlushWithContext(ctx))
		}
		close(m.done)
		m.watching.Wait()
		m.cluster.conn.RemoveStatusListener(m.changes)
		m.cluster.leave(m)
	})
	return err
}
