package catalog

import (
	"context"
	"sync"
)

// pause keeps the commands of this node out while a restore decides about all keys at once.
// Otherwise whoever changes one of them meanwhile would make the whole restore start again.
// Reads do not come here. The zero value lets commands in. Its lock is a leaf.
type pause struct {
	mu      sync.Mutex
	running int           // commands inside
	over    chan struct{} // while paused: closed when the pause ends
	empty   chan struct{} // while paused: closed when no command is inside any more
}

// enter lets a command in, after the pause if there is one. The command must leave.
// Errors: CodeUnavailable when ctx ends first.
func (p *pause) enter(ctx context.Context) error {
	for {
		p.mu.Lock()
		over := p.over
		if over == nil {
			p.running++
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return Unavailable(context.Cause(ctx))
		}
	}
}

func (p *pause) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	if p.running == 0 && p.over != nil {
		close(p.empty)
	}
}

// begin lets no more commands in and returns when those inside have left; two that begin take
// turns. The caller ends the pause, if there is no error.
// Errors: CodeUnavailable when ctx ends first.
func (p *pause) begin(ctx context.Context) (end func(), err error) {
	for {
		p.mu.Lock()
		if p.over == nil {
			break
		}
		over := p.over
		p.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return nil, Unavailable(context.Cause(ctx))
		}
	}
	p.over, p.empty = make(chan struct{}), make(chan struct{})
	if p.running == 0 {
		close(p.empty)
	}
	empty := p.empty
	p.mu.Unlock()

	select {
	case <-empty:
		return p.end, nil
	case <-ctx.Done():
		p.end()
		return nil, Unavailable(context.Cause(ctx))
	}
}

func (p *pause) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.over)
	p.over, p.empty = nil, nil
}
