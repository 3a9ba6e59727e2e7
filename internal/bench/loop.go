package bench

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// attemptTimeout is the official client's for one attempt to connect.
	attemptTimeout = 20 * time.Second
	// sweepInterval is how often attempts and heartbeats are looked at.
	sweepInterval = time.Second
)

// people is how many a client is in turn, if it comes back as somebody else.
const people = 4

// counters are a loop's own; others read copies of them.
type counters struct {
	received, refetchBytes, refetches                uint64
	deliveries, duplicates                           uint64
	connects, disconnects, reconnects, recovered     uint64
	left                                             uint64
	refused                                          uint64
	joined, synced, stalled, stalledClosed, attempts int
}

// loop owns clients and moves them on. One goroutine runs it; all fields belong to it but those
// of which it is said otherwise.
type loop struct {
	handshake
	poller   poller
	ledger   *ledger   // shared
	marker   marker    // shared
	requests *requests // shared
	problems *problems // shared
	sources  []netip.Addr
	target   netip.AddrPort

	clients  []*client
	waiting  []*client     // to connect for the first time, in order
	pace     time.Duration // between first attempts, if not 0
	nextDial time.Duration // the first moment for the next of these
	atOnce   int           // of these may be connecting at a time
	stay     time.Duration // of a client, on average; 0 until all are in, and if they stay to the end
	alarms   alarms        // of those that come back
	sweeping time.Duration // the next sweep

	counters counters
	arrival  time.Duration // of the bytes at hand; 0 until somebody wants to know
	recorder *recorder     // nil when nothing is measured
	each     *histogram    // time to connect
	latest   time.Duration // when a client came in last
	scratch  []byte
	stopping bool

	mu       sync.Mutex
	tasks    []func() // handed over by others; guarded by mu
	finished chan struct{}
	err      atomic.Pointer[error] // why the loop ended, if not because it was told to
	final    atomic.Pointer[error] // the last refusal for a reason that does not pass
}

// do hands the loop a function to run. Safe for concurrent use.
func (l *loop) do(task func()) {
	l.mu.Lock()
	l.tasks = append(l.tasks, task)
	l.mu.Unlock()
	l.poller.wake()
}

// ask runs a function on the loop and waits for it. Safe for concurrent use, but by the loop. It
// returns false when the loop has ended first.
func (l *loop) ask(task func()) bool {
	done := make(chan struct{})
	l.do(func() { task(); close(done) })
	select {
	case <-done:
		return true
	case <-l.finished:
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

// askOrRead is ask, or if the loop has ended, when nobody else touches what it had, a plain call.
func (l *loop) askOrRead(task func()) {
	if !l.ask(task) {
		task()
	}
}

// run is the loop's goroutine.
func (l *loop) run() {
	defer close(l.finished)
	var tasks []func()
	for !l.stopping {
		if err := l.poller.wait(l.rest(), l); err != nil {
			l.err.Store(&err)
			l.problems.add(err)
			break
		}
		l.mu.Lock()
		tasks, l.tasks = l.tasks, tasks[:0]
		l.mu.Unlock()
		for i, task := range tasks {
			task()
			tasks[i] = nil
		}
		now := l.ledger.now()
		l.ring(now)
		l.admit(now)
		if now >= l.sweeping {
			l.sweep(now)
			l.sweeping = now + sweepInterval
		}
	}
	for _, c := range l.clients {
		l.hangUp(c)
	}
	if err := l.poller.stop(); err != nil {
		l.problems.add(err)
	}
}

// rest is how long the poller may wait until something else is due.
func (l *loop) rest() time.Duration {
	due := l.sweeping
	if len(l.alarms) > 0 {
		due = min(due, l.alarms[0].at)
	}
	if len(l.waiting) > 0 && l.counters.attempts < l.atOnce {
		due = min(due, l.nextDial)
	}
	return max(due-l.ledger.now(), 0)
}

// admit starts first attempts, as far as pace and number allow.
func (l *loop) admit(now time.Duration) {
	for len(l.waiting) > 0 && l.counters.attempts < l.atOnce && now >= l.nextDial {
		c := l.waiting[0]
		l.waiting = l.waiting[1:]
		// A loop that came late does not make up for more than a moment.
		l.nextDial = max(l.nextDial+l.pace, now-100*time.Millisecond)
		l.dial(c, now)
	}
}

// dial starts an attempt of a client that is away.
func (l *loop) dial(c *client, now time.Duration) {
	if c.state != stateAway || c.stalled {
		return
	}
	c.state, c.began = stateDialing, now
	c.response, c.frames = response{}, frameReader{}
	c.connection = &connection{owner: c, target: l.target}
	if len(l.sources) > 0 {
		c.connection.source = l.sources[c.number%len(l.sources)]
	}
	l.counters.attempts++
	if err := l.poller.dial(c.connection); err != nil {
		c.connection = nil
		l.broke(c, err)
	}
}

// opened implements events.
func (l *loop) opened(connection *connection) { connection.owner.opened() }

// received implements events.
func (l *loop) received(connection *connection, data []byte) {
	l.counters.received += uint64(len(data))
	l.arrival = 0
	c := connection.owner
	if c.connection != connection {
		return
	}
	if err := c.received(data); err != nil {
		l.fail(c, err)
	}
}

// ended implements events.
func (l *loop) ended(connection *connection, err error) {
	if c := connection.owner; c.connection == connection {
		c.connection = nil
		l.broke(c, err)
	}
}

// fail ends a client's connection because of an error.
func (l *loop) fail(c *client, err error) {
	if c.connection == nil {
		return
	}
	l.poller.close(c.connection)
	c.connection = nil
	l.broke(c, err)
}

// hangUp ends a client's connection and plans no other.
func (l *loop) hangUp(c *client) {
	if c.connection != nil {
		l.poller.close(c.connection)
		c.connection = nil
	}
	l.leave(c)
}

// leave takes a client whose connection is gone out of the counts. It says whether it was joined.
func (l *loop) leave(c *client) bool {
	was := c.state
	c.state = stateAway
	switch was {
	case stateAway:
	case stateJoined:
		l.counters.joined--
		if c.synced {
			c.synced = false
			l.counters.synced--
		}
	default:
		l.counters.attempts--
	}
	return was == stateJoined
}

// broke plans what becomes of a client whose connection is gone.
func (l *loop) broke(c *client, err error) {
	now := l.ledger.now()
	joined := l.leave(c)
	if c.stalled {
		if !c.closedStuck {
			c.closedStuck = true
			l.counters.stalledClosed++
		}
		return
	}
	if joined {
		l.counters.disconnects++
		l.problems.add(fmt.Errorf("a connection broke: %w", err))
	} else {
		l.counters.refused++
		err = fmt.Errorf("connecting: %w", err)
		l.problems.add(err)
		if isFinal(err) {
			l.final.Store(&err)
		}
	}
	if l.stayAway && c.returning {
		return
	}
	heap.Push(&l.alarms, alarm{at: now + pause(c.attempts), client: c})
	c.attempts++
}

// isFinal says whether an attempt failed for a reason that is there as long as nobody changes
// something: a wrong address or token, say. Those that pass (RFC 9110, section 15.5.9; RFC 6585,
// section 4) do not count.
func isFinal(err error) bool {
	if errors.Is(err, errRefused) {
		return true
	}
	var answer *statusError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return answer.status/100 == 4
}

// ring starts the attempts that are due.
func (l *loop) ring(now time.Duration) {
	for len(l.alarms) > 0 && l.alarms[0].at <= now {
		l.dial(heap.Pop(&l.alarms).(alarm).client, now)
	}
}

// sweep ends attempts that take too long, connections without a heartbeat, and visits.
func (l *loop) sweep(now time.Duration) {
	for _, c := range l.clients {
		switch {
		case c.connection == nil || c.stalled:
		case c.state != stateJoined && now-c.began > attemptTimeout:
			l.fail(c, errAttempt)
		case c.state == stateJoined && c.heartbeat > 0 && now-c.alive > c.heartbeat:
			l.fail(c, errHeartbeat)
		case c.state == stateJoined && l.stay > 0 && rand.Float64() < sweepInterval.Seconds()/l.stay.Seconds():
			l.depart(c, now)
		}
	}
}

// depart ends a visit and plans the next.
func (l *loop) depart(c *client, now time.Duration) {
	if rand.IntN(2) == 0 && !l.plain {
		l.sendPacket(c, "41") // Socket.IO's DISCONNECT; the others just hang up
	}
	l.hangUp(c)
	l.counters.left++
	if l.recovery == RecoverNot {
		c.visits = (c.visits + 1) % people
	}
	c.attempts = 0
	heap.Push(&l.alarms, alarm{at: now + pause(0), client: c})
}

// joined notes that a client has come in, or back.
func (l *loop) joined(c *client, now time.Duration) {
	l.counters.attempts--
	l.counters.joined++
	l.latest = now
	if !c.returning {
		l.counters.connects++
		l.each.record(now - c.began)
		return
	}
	l.counters.reconnects++
	if l.recovery == RecoverRefetch {
		l.refetch(c)
	}
}

// refetch gets a snapshot for a client that came back.
func (l *loop) refetch(c *client) {
	c.refetching++
	end := l.ledger.known()
	l.requests.snapshot(func(size uint64, err error) {
		l.do(func() {
			c.refetching--
			l.counters.received += size
			l.counters.refetchBytes += size
			if err != nil {
				l.fail(c, fmt.Errorf("fetching a snapshot: %w", err))
				return
			}
			l.counters.refetches++
			c.absorb(end)
		})
	})
}

// delivered notes that a post's event has reached a client that had not seen it.
func (l *loop) delivered(p *post, number uint64) {
	l.counters.deliveries++
	completed := l.ledger.reached(p)
	if l.recorder == nil || !p.measured || number < l.recorder.first {
		return
	}
	if l.arrival == 0 {
		l.arrival = l.ledger.now()
	}
	l.recorder.delivered(l.arrival, l.arrival-p.sent)
	if completed {
		l.recorder.completed(l.arrival, l.arrival-p.sent)
	}
}

// stall makes a client read no more.
func (l *loop) stall(c *client) {
	c.stalled = true
	l.counters.stalled++
	c.credit(l.ledger.leave())
	if c.connection != nil {
		l.poller.deafen(c.connection)
	}
}

// reconnect cuts the connections of all clients that read, and dials for all at once.
func (l *loop) reconnect() {
	now := l.ledger.now()
	for _, c := range l.clients {
		if c.stalled {
			continue
		}
		if c.connection != nil {
			l.poller.close(c.connection)
			c.connection = nil
		}
		if l.leave(c) {
			l.counters.disconnects++
		}
		c.attempts = 0
	}
	l.alarms = nil
	for _, c := range l.clients {
		l.dial(c, now)
	}
}

// isOut says whether a client that ought to be connected is not.
func (c *client) isOut() bool { return !c.stalled && c.state != stateJoined }

// alarm is when a client tries to come back.
type alarm struct {
	at     time.Duration
	client *client
}

// alarms is a heap of them.
type alarms []alarm

func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].at < a[j].at }
func (a alarms) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)        { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
