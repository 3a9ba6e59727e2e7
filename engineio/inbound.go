package engineio

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// inbound holds the messages of one session that its handler has not seen, and calls the
// handler on a goroutine that exists only while there are any. So an idle session costs no
// second goroutine, readers keep shallow stacks, and whoever closes a session waits for no
// handler. mu is a leaf.
type inbound struct {
	handler Handler
	session *Session

	// held says that a reader waits for the handler: then pongs cannot be read, and their
	// absence must not count against the client.
	held atomic.Bool

	mu       sync.Mutex
	queue    []packet.Message
	bytes    int
	room     chan struct{} // closed when there is room; nil while nobody waits
	running  bool          // a dispatcher runs, or the handler is still being made
	dropping bool          // this side closes: no further messages to the handler
	closed   bool
}

// maxInboundMessages bounds the messages that wait for a handler; their bytes are bounded
// by Options.MaxPayload.
const maxInboundMessages = 256

// put adds a message, waiting for room. It says false when the session has ended.
func (in *inbound) put(m packet.Message) bool {
	for {
		in.mu.Lock()
		if in.closed || in.dropping {
			in.mu.Unlock()
			return false
		}
		if len(in.queue) == 0 || (len(in.queue) < maxInboundMessages && in.bytes+len(m.Data) <= in.session.server.options.MaxPayload) {
			in.queue = append(in.queue, m)
			in.bytes += len(m.Data)
			in.startLocked()
			in.mu.Unlock()
			return true
		}
		if in.room == nil {
			in.room = make(chan struct{})
		}
		room := in.room
		in.mu.Unlock()
		in.held.Store(true)
		<-room
		in.held.Store(false)
	}
}

// discard drops what the handler has not seen and will be called when this side closes.
func (in *inbound) discard() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dropping = true
	in.queue, in.bytes = nil, 0
	in.makeRoomLocked()
}

// close lets the handler see what was received before, then its end. It is called once.
func (in *inbound) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.closed = true
	in.makeRoomLocked()
	in.startLocked()
}

// open is called once the handler exists; until then nothing is dispatched.
func (in *inbound) open(h Handler) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.handler = h
	in.running = false
	if len(in.queue) > 0 || in.closed {
		in.startLocked()
	}
}

func (in *inbound) makeRoomLocked() {
	if in.room != nil {
		close(in.room)
		in.room = nil
	}
}

func (in *inbound) startLocked() {
	if !in.running {
		in.running = true
		go in.dispatch()
	}
}

// dispatch calls the handler until nothing is left. The session counts as work of the
// server until Closed has returned.
func (in *inbound) dispatch() {
	for {
		in.mu.Lock()
		if len(in.queue) == 0 {
			if !in.closed {
				in.running = false
				in.mu.Unlock()
				return
			}
			in.mu.Unlock() // running stays set: nothing follows
			reason, err := in.session.cause()
			in.guard(func() { in.handler.Closed(reason, err) })
			in.session.server.work.Done()
			return
		}
		batch := in.queue
		in.queue, in.bytes = nil, 0
		in.makeRoomLocked()
		in.mu.Unlock()
		for _, m := range batch {
			if !in.wanted() {
				break
			}
			in.guard(func() { in.handler.Message(m) })
		}
	}
}

func (in *inbound) wanted() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.dropping
}

// guard ends the session when its handler panics, so that the other sessions live on.
func (in *inbound) guard(call func()) {
	defer func() {
		if cause := recover(); cause != nil {
			in.session.server.options.Logger.Error("handler panics, its session is closed",
				slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			in.session.Close(ReasonForcedClose)
		}
	}()
	call()
}
