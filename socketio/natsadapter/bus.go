package natsadapter

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// What waits to be handled, on each of a server's two subjects.
const (
	maxPendingMessages = 65_536
	maxPendingBytes    = 32 << 20
)

// defaultMaxPayload is that of NATS servers. One hangs up on who sends more than its own.
const defaultMaxPayload = 1 << 20

// bus is a cluster.Bus on NATS. Messages to all and those to one server are two
// subscriptions, each with a goroutine of the connection; handling is held by one of
// them at a time.
type bus struct {
	conn         *nats.Conn
	prefix       string
	patience     time.Duration // with an interruption
	interruption interruption

	handling sync.Mutex // held while a message is handled; guards stopped
	stopped  bool

	mu            sync.Mutex // a leaf, guards what follows
	subscriptions []*nats.Subscription
	dropped       uint64 // by subscriptions that have ended
}

func newBus(conn *nats.Conn, prefix string, patience time.Duration) *bus {
	b := &bus{conn: conn, prefix: prefix, patience: patience}
	if !conn.IsConnected() {
		b.interruption.begin()
	}
	return b
}

func (b *bus) subject(to string) string {
	if to == "" {
		return b.prefix + ".all"
	}
	return b.prefix + ".to." + to
}

// Publish hands a message to the connection, which sends it soon.
func (b *bus) Publish(to string, data []byte) error {
	if b.interruption.lasted() > b.patience {
		return ErrNotConnected
	}
	limit := b.conn.MaxPayload()
	if limit <= 0 {
		limit = defaultMaxPayload // the server will tell when it is reached
	}
	if int64(len(data)) > limit {
		return fmt.Errorf("%w: %d bytes, its max_payload is %d", ErrTooLarge, len(data), limit)
	}
	if err := b.conn.Publish(b.subject(to), data); err != nil {
		return fmt.Errorf("natsadapter: %w", err)
	}
	return nil
}

// Subscribe listens to what is for all and what is for self.
func (b *bus) Subscribe(self string, handle func([]byte)) (func(), error) {
	receive := func(message *nats.Msg) {
		b.handling.Lock()
		defer b.handling.Unlock()
		if !b.stopped {
			handle(message.Data)
		}
	}
	for _, to := range []string{"", self} {
		subscription, err := b.conn.Subscribe(b.subject(to), receive)
		if err == nil {
			b.mu.Lock()
			b.subscriptions = append(b.subscriptions, subscription)
			b.mu.Unlock()
			err = subscription.SetPendingLimits(maxPendingMessages, maxPendingBytes)
		}
		if err != nil {
			b.stop()
			return nil, fmt.Errorf("natsadapter: %w", err)
		}
	}
	return b.stop, nil
}

// stop ends the subscriptions and waits for a message that is being handled.
func (b *bus) stop() {
	b.mu.Lock()
	for _, subscription := range b.subscriptions {
		b.dropped += droppedBy(subscription)
		_ = subscription.Unsubscribe() // the connection may be closed already
	}
	b.subscriptions = nil
	b.mu.Unlock()
	b.handling.Lock()
	defer b.handling.Unlock()
	b.stopped = true
}

// droppedCount is how many messages came while too many waited already.
func (b *bus) droppedCount() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	count := b.dropped
	for _, subscription := range b.subscriptions {
		count += droppedBy(subscription)
	}
	return count
}

func droppedBy(subscription *nats.Subscription) uint64 {
	count, err := subscription.Dropped()
	if err != nil {
		return 0 // closed with its connection
	}
	return uint64(count)
}

// interruption is a time without connection. Its methods are safe for concurrent use.
type interruption struct {
	mu    sync.Mutex // a leaf
	since time.Time  // zero: there is none
}

func (i *interruption) begin() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.since.IsZero() {
		i.since = time.Now()
	}
}

func (i *interruption) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.since = time.Time{}
}

func (i *interruption) lasted() time.Duration {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.since.IsZero() {
		return 0
	}
	return time.Since(i.since)
}
