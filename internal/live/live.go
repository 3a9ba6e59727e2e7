package live

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// The paces of the contract (Events).
const (
	// DefaultBatchInterval is the default of Options.BatchInterval.
	DefaultBatchInterval = time.Second

	statsInterval  = 100 * time.Millisecond
	statusInterval = time.Second
)

// The rooms of those who watch a dashboard: its numbers, and who is connected.
// Those of changes are the classes' own.
const (
	roomNumbers = "dashboard-numbers"
	roomPeople  = "dashboard-people"
)

// Options of a Live. Catalog, IO, Recovery, Authenticator and Policy are required.
type Options struct {
	Catalog       *catalog.Catalog
	IO            *socketio.Server // made with Recovery as its Recovery
	Recovery      *Recovery
	Authenticator auth.Authenticator
	Policy        auth.Policy

	// Admit is asked before each event that would change something: an error is
	// the answer to who sends too many of them. The address is the connection's,
	// with its port. Nil: everything is admitted. Called from many goroutines.
	Admit func(actor catalog.Actor, address string) error

	// Refused is told of every client and event that is refused because of who it
	// is: the error is a *catalog.Error with CodeUnauthenticated or CodeForbidden.
	// Nil: nobody is. It must not block.
	Refused func(address, userID, what string, err error)

	// Memory keeps which clients watch a dashboard, for when they come back after
	// a restart. nil: that is forgotten when they disconnect.
	Memory Memory
	// HadLog tells that the log held changes before this process started, so
	// that clients of the last process may come back.
	HadLog bool
	// Noticing is the longest time after which a dead connection is noticed:
	// the server's ping interval and timeout together. Default 45 s.
	Noticing time.Duration
	// BatchInterval is the least time between two batchUpdate events. Default 1 s.
	BatchInterval time.Duration

	// Nodes are the other nodes of a cluster; nil: there are none. They are started when the Live is
	// made, and left before it is closed.
	Nodes Nodes

	Logger *slog.Logger     // nil: logs nothing
	Meter  Meter            // nil: nobody is told
	Now    func() time.Time // nil: time.Now
}

// Live connects a catalogue to a Socket.IO server. Its methods are safe for
// concurrent use.
type Live struct {
	catalog       *catalog.Catalog
	io            *socketio.Server
	recovery      *Recovery
	memory        Memory
	authenticator auth.Authenticator
	policy        auth.Policy
	sends         map[string]auth.Action // events that clients may send; never changes
	admit         func(actor catalog.Actor, address string) error
	refused       func(address, userID, what string, err error)
	logger        *slog.Logger
	meter         Meter
	now           func() time.Time

	nodes        Nodes
	elsewhere    *elsewhere
	tellWatchers *pacer // announces this node when somebody begins or ends to watch
	tellPeople   *pacer // announces it when somebody came or went, if anybody looks

	people    *people
	returns   *returns
	losses    *losses
	dashboard *dashboard
	flush     *pacer

	// order is held while anything that carries a position is queued, so that
	// each client gets rising positions, and an `error` repeats exactly that of
	// the event queued before it. Taken inside the catalogue's own lock.
	order   sync.Mutex
	classes []*class // guarded by order
	// service is guarded by order, so that nobody who connects misses a change of it.
	service ServiceStatus
}

// New registers with the catalogue and with the server's main namespace. Call
// it before catalog.Run and before the server serves; Close it after the
// server is closed.
func New(options Options) *Live {
	l := &Live{
		catalog:       options.Catalog,
		io:            options.IO,
		recovery:      options.Recovery,
		memory:        options.Memory,
		authenticator: options.Authenticator,
		policy:        options.Policy,
		sends:         sendable(),
		admit:         options.Admit,
		refused:       options.Refused,
		logger:        options.Logger,
		meter:         options.Meter,
		now:           options.Now,
		people:        newPeople(),
		elsewhere:     newElsewhere(),
		service:       ServiceStatus{Writable: true},
	}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	if l.meter == nil {
		l.meter = silentMeter{}
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.admit == nil {
		l.admit = func(catalog.Actor, string) error { return nil }
	}
	if l.refused == nil {
		l.refused = func(_, _, _ string, _ error) {}
	}
	interval := options.BatchInterval
	if interval <= 0 {
		interval = DefaultBatchInterval
	}
	noticing := options.Noticing
	if noticing <= 0 {
		noticing = 45 * time.Second
	}
	l.returns = newReturns(l.now(), options.HadLog, noticing)
	l.losses = newLosses(l.now(), options.HadLog)
	l.dashboard = newDashboard(l)
	l.flush = newPacer(interval, l.flushBatch)
	nodes := options.Nodes
	if nodes == nil {
		nodes = alone{}
	}
	l.tellWatchers = newPacer(statsInterval, nodes.Announce)
	l.tellPeople = newPacer(statusInterval, nodes.Announce)
	l.meet(nodes)
	l.catalog.Observe(l.broadcast)
	main := l.io.Of("/")
	main.Use(l.identify)
	main.OnConnection(l.connect)
	return l
}

// Close stops what is to be sent later and waits for what is being sent.
func (l *Live) Close() {
	l.flush.close()
	l.dashboard.close()
	l.tellWatchers.close()
	l.tellPeople.close()
}

// Stats are the numbers of the dashboard now.
func (l *Live) Stats() Stats { return l.dashboard.stats() }

// broadcast sends stored changes to everyone. It observes the catalogue, so it
// is called in log order, on one goroutine.
func (l *Live) broadcast(changes []catalog.Applied) {
	if l.queue(changes) {
		l.flush.mark()
	}
	l.dashboard.changed()
	for _, change := range changes {
		l.emitted(string(change.Event), slog.Int64("book", change.BookID),
			slog.String("position", change.Position.String()), slog.String("request", change.RequestID))
	}
}

// emitted notes an event that was queued: a line that the handbook's grep counts, and a metric.
func (l *Live) emitted(event string, attrs ...slog.Attr) {
	l.meter.Emitted(event)
	if l.logger.Enabled(context.Background(), slog.LevelInfo) {
		l.logger.LogAttrs(context.Background(), slog.LevelInfo, "emit", append([]slog.Attr{slog.String("event", event)}, attrs...)...)
	}
}

// queue hands changes to the engine, encoded once for all recipients of a
// class, and says whether a batch waits for its time.
func (l *Live) queue(changes []catalog.Applied) (batchWaits bool) {
	l.order.Lock()
	defer l.order.Unlock()
	for _, class := range l.classes {
		for i := range changes {
			l.queueLocked(class, &changes[i])
		}
		batchWaits = batchWaits || len(class.batch.entries) > 0
	}
	return batchWaits
}

// answer acknowledges a client's event if it asked for that; otherwise only an
// error is worth a message of its own.
func (l *Live) answer(c *client, e *socketio.Event, result any, err error) {
	if err == nil {
		if e.HasAck() {
			l.check(e.Ack(result))
		}
		return
	}
	text := catalog.ErrorText(err)
	if catalog.ErrorCode(err) == catalog.CodeInternal {
		l.logger.Error("an event of a client failed", "event", e.Name, "socket", c.socket.ID(), "error", err)
	}
	if e.HasAck() {
		l.check(e.Ack(refusal{Error: text}))
		return
	}
	l.sendError(c, text)
}

type refusal struct {
	Error string `json:"error"`
}

// sendError tells one client what is wrong. The official client keeps the last
// argument of any event, if it is a string, as the offset from which it wants
// to go on later. A text there would cost it its recovery, and the head's
// position would claim changes that it may never get; so the position of what
// was queued to it last comes after the text (contract, Events).
func (l *Live) sendError(c *client, text string) {
	l.order.Lock()
	l.check(c.socket.Emit("error", text, l.lastQueuedLocked(c).String()))
	l.order.Unlock()
	l.emitted("error", slog.String("socket", c.socket.ID()), slog.String("text", text))
}

// lastQueuedLocked is the position of the last event with one that was queued
// to a client: a change since it joined, or the `synced` of its joining.
func (l *Live) lastQueuedLocked(c *client) catalog.Position {
	last := c.class.sent
	if c.batched {
		last = c.class.batch.sent
	}
	if last.Sequence > c.joined.Sequence {
		return last
	}
	return c.joined
}

// check logs why something could not be queued. That the client is gone is its
// own affair.
func (l *Live) check(err error) {
	if err != nil && !errors.Is(err, socketio.ErrDisconnected) && !errors.Is(err, context.Canceled) {
		l.logger.Error("an event could not be sent", "error", err)
	}
}
