package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

const (
	root = "nodes"
	// headerNode says which node a message is from.
	headerNode = "Shelfcast-Node"
	// headerError has the text of an error in the place of an answer.
	headerError = "Shelfcast-Error"

	// What may wait for each of a node's three readers; what does not fit is lost.
	maxWaiting      = 4096
	maxWaitingBytes = 16 << 20
	// lookEvery is how often a silence is looked for, at the least.
	lookEvery = 250 * time.Millisecond
	// leaveTimeout bounds how long a farewell may take.
	leaveTimeout = time.Second
)

// Options of [New]; Conn, Cluster and Name are required.
type Options struct {
	// Conn is where the nodes meet. It stays the caller's, who closes it after Leave.
	Conn *nats.Conn
	// Cluster names the nodes that belong together: letters, digits, - and _.
	Cluster string
	// Name is this node's, for people; up to 128 bytes.
	Name string

	Beat    time.Duration // between two signs of life; default DefaultBeat
	Silence time.Duration // after which a node is forgotten; default DefaultSilence
	Meter   Meter         // nil: nobody is told
	Logger  *slog.Logger  // nil: nothing is logged
}

// Meter is told of messages that were not obeyed, for metrics. It must not block.
type Meter interface {
	// Ignored is called with "malformed", "too large", "too many nodes", "late" or "refused", for a
	// message that its reader could make nothing of.
	Ignored(reason string)
}

// Nodes is one node's view of its cluster. Register what it is to call, Start it, Leave it; each
// once. The other methods are safe for concurrent use, before Start and after Leave too: then
// nobody hears, and nobody is there.
//
// Three goroutines, of Start and ended by Leave, read presence, tellings and questions; what is
// registered is called on them, so a slow reader delays its own kind alone. Locks: speaking, held
// while this node's description is made and sent, so that none overtakes a later one; mu, a leaf,
// guards the roster. Nothing registered is called under mu.
type Nodes struct {
	options Options
	id      string

	describe func(maxBytes int) []byte
	heard    func(id string, description []byte) error
	gone     func(id string, silentSince time.Time)
	hear     map[string]func(message []byte) error
	answer   map[string]func(request []byte) ([]byte, error)

	readers       sync.WaitGroup
	subscriptions []*nats.Subscription

	speaking sync.Mutex
	sequence uint64 // guarded by speaking
	silent   bool   // guarded by speaking: not started, or left

	mu     sync.Mutex
	roster *roster
}

// New makes a node that nobody knows yet.
func New(options Options) (*Nodes, error) {
	if options.Cluster == "" || options.Cluster == root || strings.ContainsAny(options.Cluster, ".*> \t\r\n") {
		return nil, fmt.Errorf("%q cannot name a cluster of nodes", options.Cluster)
	}
	if err := CheckName(options.Name); err != nil {
		return nil, err
	}
	if options.Beat <= 0 {
		options.Beat = DefaultBeat
	}
	if options.Silence <= 0 {
		options.Silence = DefaultSilence
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Nodes{
		options: options, id: nuid.Next(), silent: true,
		describe: func(int) []byte { return nil },
		heard:    func(string, []byte) error { return nil },
		gone:     func(string, time.Time) {},
		hear:     make(map[string]func([]byte) error),
		answer:   make(map[string]func([]byte) ([]byte, error)),
		roster:   newRoster(options.Silence),
	}, nil
}

// CheckName refuses what a node cannot be called.
func CheckName(name string) error {
	if !isName(name) {
		return fmt.Errorf("%q is no name for a node: it may have up to %d bytes, all of which can be printed", name, maxName)
	}
	return nil
}

// Describe registers what gives this node's description: JSON of at most so many bytes. It is
// called by Announce and from time to time, never twice at once.
func (n *Nodes) Describe(describe func(maxBytes int) []byte) { n.describe = describe }

// Observe registers what is called with each description of another node, and when a node has
// gone: silentSince is when it was heard last, zero if it has said that it leaves. An error of heard means that the description makes
// no sense; then it is as if it had not come.
func (n *Nodes) Observe(heard func(id string, description []byte) error, gone func(id string, silentSince time.Time)) {
	n.heard, n.gone = heard, gone
}

// Listen registers what is called with what other nodes Tell about a topic, a token of a subject.
// An error means that the message makes no sense.
func (n *Nodes) Listen(topic string, hear func(message []byte) error) { n.hear[topic] = hear }

// Answer registers what answers other nodes that Ask about a topic. Its error's text goes to the
// node that asks. An answer of more than MaxMessage is an error.
func (n *Nodes) Answer(topic string, answer func(request []byte) ([]byte, error)) {
	n.answer[topic] = answer
}

// Name is this node's.
func (n *Nodes) Name() string { return n.options.Name }

// Start lets the others know of this node and begins to listen.
func (n *Nodes) Start() error {
	for _, each := range []struct {
		subject string
		read    func(*nats.Subscription)
	}{
		{n.subject("presence", "*"), n.readPresence},
		{n.subject("tell", "*"), n.readTellings},
		{n.subject("ask", "*"), n.readQuestions},
	} {
		subscription, err := subscribe(n.options.Conn, each.subject)
		if err != nil {
			n.stopReading()
			return fmt.Errorf("listening to the other nodes: %w", err)
		}
		n.subscriptions = append(n.subscriptions, subscription)
		n.readers.Go(func() { each.read(subscription) })
	}
	n.speaking.Lock()
	n.silent = false
	n.speaking.Unlock()
	n.Announce()
	return nil
}

func subscribe(conn *nats.Conn, subject string) (*nats.Subscription, error) {
	subscription, err := conn.SubscribeSync(subject)
	if err != nil {
		return nil, err
	}
	if err := subscription.SetPendingLimits(maxWaiting, maxWaitingBytes); err != nil {
		_ = subscription.Unsubscribe() // the first error says more
		return nil, err
	}
	return subscription, nil
}

// Leave tells the others that this node goes, and stops listening. It waits for what was
// registered to return.
func (n *Nodes) Leave() {
	n.speaking.Lock()
	if !n.silent {
		n.silent = true
		n.sayLocked(beat{Leaving: true})
	}
	n.speaking.Unlock()
	if err := n.options.Conn.FlushTimeout(leaveTimeout); err != nil {
		n.options.Logger.Info("the other nodes may learn only by its silence that this one has gone", "error", err)
	}
	n.stopReading()
	n.mu.Lock()
	n.roster = newRoster(n.options.Silence)
	n.mu.Unlock()
}

func (n *Nodes) stopReading() {
	for _, subscription := range n.subscriptions {
		_ = subscription.Unsubscribe() // fails when the connection is closed, which ends it too
	}
	n.readers.Wait()
}

// MaxMessage is how many bytes a message, a question or an answer may have.
func (n *Nodes) MaxMessage() int {
	limit := maxMessage
	if most := n.options.Conn.MaxPayload(); most > 0 {
		limit = min(limit, int(most))
	}
	return limit - envelope
}

// Announce sends this node's description now. Without a connection nobody hears.
func (n *Nodes) Announce() {
	n.speaking.Lock()
	defer n.speaking.Unlock()
	if n.silent {
		return
	}
	n.sayLocked(beat{Description: n.describe(n.MaxMessage())})
}

func (n *Nodes) sayLocked(b beat) {
	n.sequence++
	b.Name, b.Sequence = n.options.Name, n.sequence
	content, err := json.Marshal(b)
	if err == nil {
		err = n.options.Conn.Publish(n.subject("presence", n.id), content)
	}
	if err != nil {
		n.options.Logger.Debug("the other nodes do not hear this one", "error", err)
	}
}

func (n *Nodes) subject(kind, name string) string {
	return root + "." + n.options.Cluster + "." + kind + "." + name
}

// Others gives the other nodes that are there, by name.
func (n *Nodes) Others() []Node {
	n.mu.Lock()
	defer n.mu.Unlock()
	others := make([]Node, 0, len(n.roster.members))
	for _, each := range n.roster.members {
		others = append(others, each.Node)
	}
	slices.SortFunc(others, func(a, b Node) int {
		return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID)
	})
	return others
}

// readPresence hears who is there, says that this node is, and notices silence.
func (n *Nodes) readPresence(subscription *nats.Subscription) {
	look := min(lookEvery, n.options.Beat/2)
	beatAt := time.Now().Add(n.options.Beat)
	for {
		message, err := subscription.NextMsg(look)
		if err == nil {
			n.ignore(n.take(message), message.Subject)
		} else if ended(err) {
			return
		}
		now := time.Now()
		n.mu.Lock()
		silent := n.roster.expire(now)
		n.mu.Unlock()
		for _, node := range silent {
			n.options.Logger.Warn("a node is silent and taken for gone", "node", node.Name, "silent", now.Sub(node.Heard).Round(time.Millisecond))
			n.gone(node.ID, node.Heard)
		}
		if !now.Before(beatAt) {
			beatAt = now.Add(n.options.Beat)
			n.Announce()
		}
	}
}

// ended tells whether a subscription gives nothing any more.
func ended(err error) bool {
	return errors.Is(err, nats.ErrBadSubscription) || errors.Is(err, nats.ErrConnectionClosed)
}

// take hears one beat.
func (n *Nodes) take(message *nats.Msg) error {
	id := topicOf(message)
	if id == n.id {
		return nil
	}
	b, err := readBeat(message.Data)
	if err != nil {
		return err
	}
	if !validID.MatchString(id) {
		return fmt.Errorf("%w: its node's id", errMalformed)
	}
	if b.Leaving {
		n.mu.Lock()
		node, known := n.roster.leave(id)
		n.mu.Unlock()
		if known {
			n.options.Logger.Info("a node has left", "node", node.Name)
			n.gone(id, time.Time{})
		}
		return nil
	}
	n.mu.Lock()
	isNew, err := n.roster.hear(id, &b, time.Now())
	n.mu.Unlock()
	if err != nil {
		return err
	}
	if isNew {
		n.options.Logger.Info("a node is there", "node", b.Name)
		n.Announce() // it does not know this one either, most likely
	}
	return n.heard(id, b.Description)
}

// ignore counts a message that was not obeyed; nil is none.
func (n *Nodes) ignore(err error, subject string) {
	if err == nil {
		return
	}
	reason := "refused"
	for _, each := range []struct {
		err  error
		name string
	}{
		{errMalformed, "malformed"}, {errTooLarge, "too large"}, {errTooMany, "too many nodes"}, {errLate, "late"},
	} {
		if errors.Is(err, each.err) {
			reason = each.name
		}
	}
	n.options.Logger.Debug("a message of another node is ignored", "subject", subject, "error", err)
	if n.options.Meter != nil {
		n.options.Meter.Ignored(reason)
	}
}
