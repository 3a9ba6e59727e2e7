package engineio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A shard owns a part of the sessions. Whatever is done to them (sending, joining and
// leaving groups, closing) is an operation in its queue, carried out in order by one
// worker goroutine. Hence the order in which one goroutine acts is the order that each
// client sees.
//
// The worker never waits for a client: writes that do not fit into the socket's buffer
// are left to a flusher goroutine of that session. Broadcasts that queued up for one
// group leave in one pass, as one write per client.
//
// The worker starts with the server and ends in Server.Close. mu is a leaf.
type shard struct {
	server *Server
	number int

	mu     sync.Mutex
	room   sync.Cond // publishers wait here while the queue is full
	queue  []operation
	since  int64 // server time when the queue was last empty; with a Meter only
	bytes  int   // of queue and of what the worker has taken but not finished
	closed bool
	wake   chan struct{} // holds one token when the queue is not empty

	enqueued atomic.Uint64 // written under mu
	done     atomic.Uint64 // written by the worker

	registry registry

	// The worker's own.
	writer   *writer
	frames   []*Frame   // being merged
	staged   recipients // with frames of this chunk to be flushed
	rotation int
	pause    *time.Timer
	pass     Pass // under way
}

type operationKind uint8

const (
	opBroadcast operationKind = iota // frame to group
	opSendList                       // frame to sessions
	opSend                           // frame to session
	opAdd                            // session to group
	opRemove                         // session from group
	opForget                         // closed session from all groups
	opClose                          // end session after what was sent before
)

type operation struct {
	kind     operationKind
	volatile bool
	group    *groupShard
	session  *Session
	sessions *recipients // of opSendList
	except   *Session    // left out of a send; nil for nobody
	frame    *Frame
	reason   Reason
}

// operationWeight is what an operation without a frame counts in the queue's bound.
const operationWeight = 96

func (o *operation) weight() int {
	if o.frame == nil {
		return operationWeight
	}
	weight := operationWeight + o.frame.Size()
	if o.sessions != nil {
		weight += 8 * o.sessions.len()
	}
	return weight
}

// sends says whether the operation hands a frame to sessions.
func (o *operation) sends() bool { return o.kind <= opSend }

// sameTarget says whether two operations may be merged into one.
func (o *operation) sameTarget(p *operation) bool {
	return o.kind == p.kind && o.volatile == p.volatile && o.group == p.group &&
		o.session == p.session && o.except == p.except && o.kind != opSendList
}

func newShard(server *Server, number int) *shard {
	sh := &shard{server: server, number: number, wake: make(chan struct{}, 1), writer: &writer{}, pause: time.NewTimer(0)}
	sh.room.L = &sh.mu
	return sh
}

// idle says whether all operations that the calling goroutine enqueued are done, so that
// a frame may be written past the queue without overtaking one of them.
func (sh *shard) idle() bool {
	enqueued := sh.enqueued.Load()
	return sh.done.Load() >= enqueued
}

// enqueue waits while the queue is full. After Server.Close operations are dropped.
func (sh *shard) enqueue(o operation) {
	weight := o.weight()
	sh.mu.Lock()
	// Forgetting a session frees memory and is asked for by goroutines that must not
	// wait; there is one at most per session.
	for o.kind != opForget && !sh.closed && sh.bytes > 0 && sh.bytes+weight > sh.server.options.MaxQueuedBytes {
		sh.room.Wait()
	}
	if sh.closed {
		sh.mu.Unlock()
		return
	}
	sh.queue = append(sh.queue, o)
	sh.bytes += weight
	sh.enqueued.Add(1)
	first := len(sh.queue) == 1
	if first && sh.server.options.Meter != nil {
		sh.since = sh.server.now()
	}
	sh.mu.Unlock()
	if first {
		select {
		case sh.wake <- struct{}{}:
		default:
		}
	}
}

// close lets waiting publishers go and drops what is queued.
func (sh *shard) close() {
	sh.mu.Lock()
	sh.closed = true
	sh.mu.Unlock()
	sh.room.Broadcast()
}

// run is the worker. It ends when stop is closed.
func (sh *shard) run(stop <-chan struct{}) {
	var batch []operation
	defer sh.pause.Stop()
	for {
		select {
		case <-stop:
			return
		case <-sh.wake:
		}
		began := sh.server.now()
		sh.mu.Lock()
		batch, sh.queue = sh.queue, batch[:0]
		since := sh.since
		sh.mu.Unlock()
		for rest := batch; len(rest) > 0; {
			n, weight := sh.chunk(rest)
			sh.carryOut(rest[:n])
			sh.measure(since)
			sh.done.Add(uint64(n))
			sh.mu.Lock()
			sh.bytes -= weight
			sh.mu.Unlock()
			sh.room.Broadcast()
			rest = rest[n:]
		}
		clear(batch) // let go of frames and sessions
		if cap(batch) > maxIdleQueue {
			batch = nil
		}
		if took := time.Duration(sh.server.now() - began); took >= minPause && sh.behind() {
			sh.rest(took)
		}
	}
}

// When operations were queued during a pass, the worker pauses for as long as that took, within
// these bounds: meanwhile more come that leave with the same writes, and those who make them
// get the processor. A lone event never waits.
const (
	minPause = 200 * time.Microsecond
	maxPause = 2 * time.Millisecond
)

// rest leaves the processor to others for a time, maxPause at most.
func (sh *shard) rest(d time.Duration) {
	sh.pause.Reset(min(d, maxPause))
	select {
	case <-sh.server.stop:
	case <-sh.pause.C:
	}
}

// behind says whether operations were queued during the last pass, unless there are so many
// that publishers will have to wait.
func (sh *shard) behind() bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return len(sh.queue) > 0 && sh.bytes < sh.server.options.MaxQueuedBytes/2
}

// measure tells the meter of the pass that has just ended, whose first operation was queued
// at server time since or later.
func (sh *shard) measure(since int64) {
	if meter := sh.server.options.Meter; meter != nil && sh.pass.Sends > 0 {
		sh.pass.Lag = time.Duration(sh.server.now() - since)
		meter.FannedOut(sh.pass)
	}
	sh.pass = Pass{}
}

// maxIdleQueue is the largest queue, in operations, whose memory is kept for the next one.
const maxIdleQueue = 4096

// maxChunkBytes bounds what one write carries, so that a client's socket buffer can take it
// and merging stays cheaper than the write.
const maxChunkBytes = 64 << 10

// chunk counts the operations that are carried out with one write per session.
func (sh *shard) chunk(ops []operation) (n, weight int) {
	// A staged chunk must not by itself look like a slow client.
	limit := min(maxChunkBytes, sh.server.options.MaxPendingBytes/2)
	for n < len(ops) {
		next := ops[n].weight()
		if n > 0 && weight+next > limit {
			break
		}
		weight += next
		n++
	}
	return n, weight
}

// carryOut performs the operations of one chunk in order. A single send is written at
// once; with several, each session's frames are staged first and then leave together.
func (sh *shard) carryOut(ops []operation) {
	for i := 0; i < len(ops); {
		o := &ops[i]
		if !o.sends() {
			sh.control(o)
			i++
			continue
		}
		end := i + 1
		for end < len(ops) && o.sameTarget(&ops[end]) {
			end++
		}
		frame := sh.merge(ops[i:end])
		sh.pass.Sends += end - i
		sh.pass.Merged += end - i - 1
		if sh.staged.len() == 0 && !anySends(ops[end:]) {
			sh.deliver(o, frame)
		} else {
			sh.stage(o, frame)
		}
		for j := i; j < end; j++ {
			if ops[j].kind == opSend {
				ops[j].session.unqueue(ops[j].frame)
			}
		}
		i = end
	}
	sh.firstThenLate(&sh.staged, func(list []*Session) {
		for i, s := range list {
			s.flushStaged(sh.writer)
			yieldEvery(i)
		}
	})
	sh.staged.clear()
}

// firstThenLate sends to both lists. Before the second one the worker rests for as long as the
// first has taken: those who have just been sent to, and those who come, get the processor before
// a crowd does.
func (sh *shard) firstThenLate(to *recipients, send func(list []*Session)) {
	if len(to.late) == 0 {
		send(to.first)
		return
	}
	began := sh.server.now()
	send(to.first)
	if took := time.Duration(sh.server.now() - began); len(to.first) > 0 {
		sh.rest(took)
	}
	send(to.late)
}

func anySends(ops []operation) bool {
	for i := range ops {
		if ops[i].sends() {
			return true
		}
	}
	return false
}

func (sh *shard) control(o *operation) {
	switch o.kind {
	case opAdd:
		o.group.add(o.session)
	case opRemove:
		o.group.remove(o.session)
	case opForget:
		removeFromAll(o.session)
	case opClose:
		o.session.closeNow(o.reason, sh.writer)
	}
}

func (sh *shard) merge(ops []operation) *Frame {
	for i := range ops {
		sh.frames = append(sh.frames, ops[i].frame)
	}
	frame := mergeFrames(sh.frames)
	clear(sh.frames)
	sh.frames = sh.frames[:0]
	return frame
}

// deliver writes a frame to the operation's sessions. It allocates nothing.
func (sh *shard) deliver(o *operation, f *Frame) {
	if o.kind == opSend {
		o.session.deliver(f, o.volatile, sh.writer)
		return
	}
	sh.rotation++
	sh.firstThenLate(o.recipients(), func(list []*Session) { sh.deliverAll(list, o, f) })
}

// deliverAll begins with another session each time: nobody is always the last one of a list.
func (sh *shard) deliverAll(list []*Session, o *operation, f *Frame) {
	if len(list) == 0 {
		return
	}
	start := sh.rotation % len(list)
	sh.deliverInOrder(list[start:], o, f)
	sh.deliverInOrder(list[:start], o, f)
}

func (sh *shard) deliverInOrder(list []*Session, o *operation, f *Frame) {
	for i, s := range list {
		if s != o.except {
			s.deliver(f, o.volatile, sh.writer)
		}
		yieldEvery(i)
	}
}

func (sh *shard) stage(o *operation, f *Frame) {
	if o.kind == opSend {
		sh.stageOne(o.session, f, o.volatile)
		return
	}
	to := o.recipients()
	for _, list := range [][]*Session{to.first, to.late} {
		for _, s := range list {
			if s != o.except {
				sh.stageOne(s, f, o.volatile)
			}
		}
	}
}

func (sh *shard) stageOne(s *Session, f *Frame, volatile bool) {
	if s.stage(f, volatile) {
		sh.staged.add(s)
	}
}

func (o *operation) recipients() *recipients {
	if o.kind == opBroadcast {
		return &o.group.members
	}
	return o.sessions
}

// yieldEvery lets other goroutines run now and then during a long pass, so that pongs are
// read and connections accepted even on a machine with few processors.
func yieldEvery(i int) {
	if i%128 == 127 {
		runtime.Gosched()
	}
}
