package natslog

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// maxClientStates bounds what is remembered of clients: a few megabytes at worst.
	maxClientStates = 16384
	// forgottenFor is how long the stream keeps that a state has ended, for nodes that have not heard.
	forgottenFor = time.Hour
)

// storedState is the content of a client state's message.
type storedState struct {
	Until time.Time `json:"until"`
}

// clientStates mirrors the states of all nodes' clients, so that looking something up never asks
// the cluster. What another node has stored is here a moment later. Its lock is a leaf.
type clientStates struct {
	mu     sync.Mutex
	states map[string]clientState // by subject
}

type clientState struct {
	until    time.Time
	sequence catalog.Sequence
}

// set takes what a message says, unless a later one was heard of.
func (c *clientStates) set(subject string, sequence catalog.Sequence, until, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, found := c.states[subject]
	if found && known.sequence >= sequence {
		return
	}
	if !found && len(c.states) >= maxClientStates {
		c.makeRoomLocked(now)
	}
	c.states[subject] = clientState{until, sequence}
}

// makeRoomLocked forgets what has expired, and one state if none has: the first to expire.
func (c *clientStates) makeRoomLocked(now time.Time) {
	first, ends := "", time.Time{}
	for subject, state := range c.states {
		if !state.until.After(now) {
			delete(c.states, subject)
		} else if first == "" || state.until.Before(ends) {
			first, ends = subject, state.until
		}
	}
	if len(c.states) >= maxClientStates {
		delete(c.states, first)
	}
}

func (c *clientStates) until(subject string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states[subject].until
}

// Remember stores that something holds until a time, under a name of at most 128 bytes; it
// survives restarts and is known to all nodes. Of very many names, those that would expire first
// give way. Calls for one name must come one after the other.
// Errors: CodeInvalidInput, CodeUnavailable.
func (l *Log) Remember(ctx context.Context, name string, until time.Time) error {
	if name == "" || len(name) > 128 {
		return &catalog.Error{Code: catalog.CodeInvalidInput, Field: "name"}
	}
	return l.storeState(ctx, name, until, until.Sub(l.now()))
}

// Forget ends what Remember began, if it did.
// Errors: CodeUnavailable.
func (l *Log) Forget(ctx context.Context, name string) error {
	if !l.Remembers(name) {
		return nil
	}
	return l.storeState(ctx, name, time.Time{}, forgottenFor)
}

func (s subjects) stateMessage(name string, until time.Time, lifetime time.Duration) (*nats.Msg, error) {
	content, err := json.Marshal(storedState{until.UTC()})
	if err != nil {
		return nil, err
	}
	message := newMessage(s.client(name), content)
	expireAfter(message, lifetime)
	return message, nil
}

func (l *Log) storeState(ctx context.Context, name string, until time.Time, lifetime time.Duration) error {
	message, err := l.subjects.stateMessage(name, until, lifetime)
	if err != nil {
		return catalog.Unavailable(err)
	}
	sequence, err := l.store(ctx, newStoring([]*nats.Msg{message}, 0))
	if err == nil {
		l.clients.set(message.Subject, sequence, until, l.now())
	}
	return err
}

// Remembers tells whether something still holds.
func (l *Log) Remembers(name string) bool {
	return l.clients.until(l.subjects.client(name)).After(l.now())
}

// takeState notes what a message says of a client; one that cannot be read says nothing.
func (l *Log) takeState(subject string, sequence catalog.Sequence, content []byte) {
	var stored storedState
	if json.Unmarshal(content, &stored) == nil {
		l.clients.set(subject, sequence, stored.Until, l.now())
	}
}
