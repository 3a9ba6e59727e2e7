package engineio

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// Session is one client, on whichever transport. All methods are safe for concurrent use.
// None waits for the client, except Drain; those that send may wait as Group describes.
//
// Goroutines: polling has those of its requests. Besides there are, only while there is work,
// the reader of a WebSocket (socket_reader.go), the dispatcher that calls the handler
// (inbound) and a flusher (outbox.go). The server waits for all of them in Close.
type Session struct {
	// mu guards what follows, down to inbound. Nothing waits for the client while holding
	// it: writes under mu do not block.
	mu    sync.Mutex
	state state
	form  form // of frames on the WebSocket
	// What a delivery needs ends with the first fields of outbox, on one cache line.
	outbox

	transport Transport
	socket    *webSocket      // the WebSocket in use
	upgrade   *upgrade        // under way
	poll      *poll           // the waiting GET
	post      *post           // the POST being read
	closing   ending          // why, once state is not stateOpen
	context   *sessionContext // nil until somebody asks

	inbound   inbound
	heartbeat heartbeat
	slot      int           // index in the shard's registry, guarded by its lock
	groups    []*groupShard // belongs to the shard's worker

	received atomic.Int64
	queued   atomic.Int64 // bytes of frames for this session alone in the shard's queue

	// These never change.
	server  *Server
	shard   *shard
	id      string
	request keptRequest
	address string // see Options.ClientAddress
	// late says that the address had many sessions already. Frames for many reach those who are
	// late after all others, so that a crowd from one address keeps nobody else waiting.
	late bool
}

type state uint8

const (
	stateOpen    state = iota
	stateClosing       // nothing more is sent or read; what was sent before leaves first
	stateClosed
)

// ending says how a session ends.
type ending struct {
	reason Reason
	err    error
	code   ws.StatusCode // what the WebSocket close frame says
	poll   pollAnswer    // what the waiting poll is answered
	abort  bool          // the connection is dead or not worth a close handshake
}

// errSessionClosed is returned by Drain.
var errSessionClosed = errors.New("engineio: session closed")

// ID is the session's secret, the sid of Engine.IO protocol, Handshake: who knows it can act
// as the client. Never show it to other clients.
func (s *Session) ID() string { return s.id }

// Handshake describes the request that opened the session. It is put together anew for each
// call, from what little of the request is kept.
func (s *Session) Handshake() *Handshake { return s.request.handshake(s.server.started) }

// Transport is the transport in use now.
func (s *Session) Transport() Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.transport
}

// Send sends messages as one unit: nothing comes between them. On a closed session it does
// nothing.
func (s *Session) Send(msgs ...packet.Message) {
	if len(msgs) > 0 {
		s.send(NewFrame(msgs...), false)
	}
}

// SendFrame sends a frame. On a closed session it does nothing.
func (s *Session) SendFrame(f *Frame) { s.send(f, false) }

// SendVolatile sends a frame only if the client can take it at once; see
// SendOptions.Volatile.
func (s *Session) SendVolatile(f *Frame) { s.send(f, true) }

// send writes at once when that overtakes nothing, and through the shard's queue otherwise.
func (s *Session) send(f *Frame, volatile bool) {
	if s.shard.idle() {
		w := s.server.writers.Get().(*writer)
		s.deliver(f, volatile, w)
		s.server.writers.Put(w)
		return
	}
	s.queued.Add(int64(f.Size()))
	s.shard.enqueue(operation{kind: opSend, session: s, frame: f, volatile: volatile})
}

// unqueue is called by the shard's worker once it has handed f on.
func (s *Session) unqueue(f *Frame) {
	s.queued.Add(-int64(f.Size()))
	s.mu.Lock()
	s.drainedLocked()
	s.mu.Unlock()
}

// Writable says whether a message sent now would leave at once, which may have changed when
// it returns; SendVolatile asks and sends in one. It is true when nothing waits for the
// client and, by polling, a request is open.
func (s *Session) Writable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writableLocked()
}

// Drain waits until at most atMost bytes wait for the client, for senders of more than
// Options.MaxPendingBytes. It returns the context's error, or an error when the session
// closes.
func (s *Session) Drain(ctx context.Context, atMost int) error {
	for {
		s.mu.Lock()
		if s.state != stateOpen {
			s.mu.Unlock()
			return errSessionClosed
		}
		if s.pendingBytes+int(s.queued.Load()) <= atMost {
			s.mu.Unlock()
			return nil
		}
		if s.drained == nil {
			s.drained = make(chan struct{})
		}
		drained := s.drained
		s.mu.Unlock()
		select {
		case <-drained:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Close ends the session after what was sent before has left, for which it has
// Options.MaxPendingAge. The handler gets no further message; Handler.Closed gets reason.
// Closing twice does nothing.
func (s *Session) Close(reason Reason) {
	s.inbound.discard()
	if s.shard.idle() {
		w := s.server.writers.Get().(*writer)
		s.closeNow(reason, w)
		s.server.writers.Put(w)
		return
	}
	s.shard.enqueue(operation{kind: opClose, session: s, reason: reason})
}

// closeNow begins to close. w belongs to the caller.
func (s *Session) closeNow(reason Reason, w *writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen {
		return
	}
	s.state = stateClosing
	s.closing = ending{reason: reason, code: ws.StatusNormalClosure, poll: pollClose}
	if reason == ReasonServerShuttingDown {
		s.closing.code = closeGoingAway
	}
	s.stallLocked() // bounds how long the rest may take
	if !s.staged {
		s.flushLocked(w)
	}
}

// Context ends when the session does. It carries no values of the request.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.context == nil {
		s.context = &sessionContext{}
		s.context.Context, s.context.cancel = context.WithCancel(context.Background())
		if s.state == stateClosed {
			s.context.cancel()
		}
	}
	return s.context.Context
}

type sessionContext struct {
	context.Context
	cancel context.CancelFunc
}

// BytesSent counts the bytes handed to the transport: WebSocket frames and polling bodies.
func (s *Session) BytesSent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// BytesReceived counts the bytes of packets received.
func (s *Session) BytesReceived() int64 { return s.received.Load() }

// cause says why the session has ended.
func (s *Session) cause() (Reason, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing.reason, s.closing.err
}

func (s *Session) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosed
}

// end ends the session at once, dropping what waits for the client. Only the first of all
// calls counts.
func (s *Session) end(e ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(e)
}

func (s *Session) endLocked(e ending) {
	if s.state == stateClosed {
		return
	}
	if s.state == stateClosing {
		// Whatever ends it now, this side had decided to.
		e.reason, e.err = s.closing.reason, s.closing.err
	}
	s.state = stateClosed
	s.closing = e
	// A close frame may only stand between frames.
	boundary := s.offset == 0 && !s.flushing
	end := SessionEnd{
		Transport: s.transport, Reason: e.reason, Err: e.err, Lifetime: time.Duration(s.server.now() - s.request.opened),
		Sent: s.sent, Received: s.received.Load(), Dropped: s.pendingBytes,
	}
	s.clearPendingLocked()
	if s.poll != nil {
		s.poll.answerLocked(e.poll)
	}
	if s.post != nil {
		s.post.abort()
	}
	socket, upgrade := s.socket, s.upgrade
	s.upgrade = nil
	if s.context != nil {
		s.context.cancel()
	}
	s.server.work.Add(1)
	// The rest takes other locks and may write, so it cannot happen under mu.
	go func() {
		defer s.server.work.Done()
		s.server.logEnd(e)
		s.server.remove(s, end)
		s.shard.registry.remove(s)
		s.shard.enqueue(operation{kind: opForget, session: s})
		s.inbound.close()
		if upgrade != nil {
			upgrade.timer.Stop()
			upgrade.socket.drop()
		}
		if socket != nil {
			if e.abort || !boundary {
				socket.abort()
			} else {
				socket.closeHandshake(e.code)
			}
		}
	}()
}

// receive acts on a packet of the client. It waits while the handler is behind. It says
// false when the session has ended.
func (s *Session) receive(p packet.Packet) bool {
	switch p.Type {
	case packet.TypeMessage:
		return s.inbound.put(packet.Message{Data: p.Data, Binary: p.Binary})
	case packet.TypePong:
		s.heartbeat.pong(s.server.now())
	case packet.TypeClose:
		s.closedByClient()
		return false
	case packet.TypePing:
		// In version 4 only the server pings.
		s.end(ending{reason: ReasonTransportError, err: errHeartbeatDirection, code: ws.StatusPolicyViolation, poll: pollClose})
		return false
	default:
		// Open, upgrade and noop mean nothing here; the official server ignores them too.
	}
	return true
}

func (s *Session) closedByClient() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.transport == Polling && s.poll == nil && s.state != stateClosed {
		s.server.farewells.add(s.id, s.server.now())
	}
	s.endLocked(ending{reason: ReasonTransportClose, code: ws.StatusNormalClosure, poll: pollNoop})
}

var errHeartbeatDirection = errors.New("engineio: client sent a ping")
