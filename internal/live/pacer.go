package live

import (
	"sync"
	"time"
)

// pacer calls emit soon after it is marked, but never twice within an
// interval: at once when the last call is long enough ago, otherwise when the
// interval is over. So the last mark is always followed by a call, however
// many marks came before it. Calls never overlap. Safe for concurrent use.
type pacer struct {
	interval time.Duration
	emit     func()

	mu      sync.Mutex
	timer   *time.Timer // of the call to come, nil when none is
	next    time.Time   // before which none may begin
	running bool        // a call is under way
	again   bool        // marked while one was
	closed  bool
	calls   sync.WaitGroup // a call to come or under way
}

func newPacer(interval time.Duration, emit func()) *pacer {
	return &pacer{interval: interval, emit: emit}
}

// mark asks for a call. It returns at once.
func (p *pacer) mark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed || p.timer != nil:
	case p.running:
		p.again = true
	default:
		p.armLocked()
	}
}

// claim lets the caller emit in the place of a call: it says whether one may
// begin now and none is to come, and then counts as one.
func (p *pacer) claim() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.closed || p.timer != nil || p.running || now.Before(p.next) {
		return false
	}
	p.next = now.Add(p.interval)
	return true
}

func (p *pacer) armLocked() {
	p.calls.Add(1)
	p.timer = time.AfterFunc(max(0, time.Until(p.next)), p.fire)
}

func (p *pacer) fire() {
	defer p.calls.Done()
	p.mu.Lock()
	p.timer, p.running = nil, true
	p.next = time.Now().Add(p.interval)
	p.mu.Unlock()

	p.emit()

	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	if p.again && !p.closed {
		p.again = false
		p.armLocked()
	}
}

// close forgets the call to come and waits for one under way.
func (p *pacer) close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil && p.timer.Stop() {
		p.timer = nil
		p.calls.Done()
	}
	p.mu.Unlock()
	p.calls.Wait()
}
