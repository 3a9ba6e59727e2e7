package socketio

import "sync"

// lane runs what happens in one namespace of one connection, in order and never
// two things at once: middlewares and connection handlers, then events, then the
// end of a socket, then perhaps the next socket of the same namespace. What
// waits for a handler waits here, so a slow handler of one namespace does not
// stop another, and an acknowledgement reaches a handler that waits for it.
//
// The goroutine exists only while there is work; the lane owns it. Only the
// goroutine of the engine's session adds bounded work.
type lane struct {
	conn      *conn
	namespace string
	// socket is the latest of this namespace; nil when it is finished with, and
	// then kicked tells whether this side ended it. Guarded by conn.mu.
	socket *Socket
	kicked bool

	mu      sync.Mutex // guards what follows; taken after conn.mu, before nothing
	queue   []task
	bytes   int
	running bool
	space   chan struct{} // closed when work was taken; nil when nobody waits
}

// task is one thing to run and how many bytes it holds on to.
type task struct {
	run  func()
	size int
}

// push adds a task of this server's own making, of which a socket has at most
// one.
func (l *lane) push(run func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(task{run: run})
}

// pushBounded adds a task that a client asked for. It waits while the lane is
// full, which keeps the client's further messages unread. It reports false when
// the session ended meanwhile.
func (l *lane) pushBounded(t task) bool {
	limits := &l.conn.server.options
	for {
		l.mu.Lock()
		full := len(l.queue) >= limits.MaxQueuedEvents || l.bytes+t.size > limits.MaxQueuedEventBytes
		if !full || len(l.queue) == 0 {
			l.add(t)
			l.mu.Unlock()
			return true
		}
		if l.space == nil {
			l.space = make(chan struct{})
		}
		space := l.space
		l.mu.Unlock()
		select {
		case <-space:
		case <-l.conn.session.Context().Done():
			return false
		}
	}
}

func (l *lane) add(t task) {
	l.queue = append(l.queue, t)
	l.bytes += t.size
	if !l.running {
		l.running = true
		go l.work()
	}
}

func (l *lane) work() {
	for {
		t, ok := l.next()
		if !ok {
			l.conn.laneIdle(l)
			return
		}
		t.run()
	}
}

func (l *lane) next() (task, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		l.running = false
		return task{}, false
	}
	t := l.queue[0]
	l.queue[0] = task{}
	l.queue = l.queue[1:]
	l.bytes -= t.size
	if l.space != nil {
		close(l.space)
		l.space = nil
	}
	return t, true
}

func (l *lane) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.running
}
