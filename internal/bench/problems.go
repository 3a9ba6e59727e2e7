package bench

import (
	"context"
	"errors"
	"sync"
)

// maxProblems is how many different problems are kept.
const maxProblems = 20

// problems collects what went wrong, each text once. Safe for concurrent use.
type problems struct {
	mu    sync.Mutex
	texts []string
	known map[string]bool
}

func (p *problems) add(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	text := err.Error()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[text] || len(p.texts) == maxProblems {
		return
	}
	if p.known == nil {
		p.known = make(map[string]bool)
	}
	p.known[text] = true
	p.texts = append(p.texts, text)
}

// take returns the problems since the last call.
func (p *problems) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := p.texts
	p.texts, p.known = nil, nil
	return texts
}
