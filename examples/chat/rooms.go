package main

import (
	"slices"
	"sync"
	"time"
)

const (
	maxRooms   = 100 // how many rooms there may be, so that nobody fills the memory with them
	maxHistory = 50  // how many messages each one remembers
)

// message is one that was said, as clients get it.
type message struct {
	ID   int       `json:"id"` // counts up within the room
	Room string    `json:"room"`
	From string    `json:"from"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// rooms are those that somebody opened. They stay until the program ends.
type rooms struct {
	mu     sync.Mutex // taken alone, never with a room's
	byName map[string]*room
}

func newRooms() *rooms { return &rooms{byName: make(map[string]*room)} }

// open returns the room of a name, which begins to exist unless there are too many.
func (all *rooms) open(name string) (*room, bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if r, found := all.byName[name]; found {
		return r, true
	}
	if len(all.byName) >= maxRooms {
		return nil, false
	}
	r := &room{name: name}
	all.byName[name] = r
	return r, true
}

func (all *rooms) find(name string) (*room, bool) {
	all.mu.Lock()
	defer all.mu.Unlock()
	r, found := all.byName[name]
	return r, found
}

// room is one room with its last messages.
type room struct {
	name    string
	mu      sync.Mutex // guards what follows, and the order of what is emitted
	last    int
	history []message
}

// add numbers a message, remembers it and sends it. Sending under the lock makes everybody see the
// order of the history; an emission waits for no client.
func (r *room) add(m message, send func(message) error) (message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	m.ID = r.last
	if len(r.history) == maxHistory {
		r.history = slices.Delete(r.history, 0, 1)
	}
	r.history = append(r.history, m)
	return m, send(m)
}

// whileQuiet runs a function while no message is added and returns those until then, oldest first.
func (r *room) whileQuiet(run func()) []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	run()
	return append([]message{}, r.history...)
}
