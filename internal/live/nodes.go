package live

import (
	"encoding/json"
	"errors"
	"time"
)

// Nodes are the other nodes of the cluster that this one belongs to. A Live registers itself with
// them when it is made, before they are started; the functions that it registers are called on the
// nodes' goroutines. Announce and Tell are called from many goroutines and wait for nobody.
type Nodes interface {
	// Describe registers what gives this node's description, JSON of at most so many bytes. The
	// others are told regularly, and when Announce is called.
	Describe(describe func(maxBytes int) []byte)
	// Observe registers what is called with each description of another node, which is refused with
	// an error, and when a node has gone. silentSince is when a node was heard last that died or
	// cannot be reached; zero if it has said that it goes.
	Observe(heard func(node string, description []byte) error, gone func(node string, silentSince time.Time))
	Announce()
	// Tell sends a message to every other node that is there.
	Tell(topic string, message []byte)
	// Listen registers what is called with what the others tell, and refuses it with an error.
	Listen(topic string, hear func(message []byte) error)
}

// alone is the Nodes of a Live that has no others.
type alone struct{}

func (alone) Describe(func(int) []byte)                                   {}
func (alone) Observe(func(string, []byte) error, func(string, time.Time)) {}
func (alone) Announce()                                                   {}
func (alone) Tell(string, []byte)                                         {}
func (alone) Listen(string, func([]byte) error)                           {}

// What nodes tell each other.
const (
	// topicTakeover has the id of a socket whose client has come back on another node.
	topicTakeover = "takeover"
	// topicLost has a loss.
	topicLost = "lost"
)

func (l *Live) meet(nodes Nodes) {
	l.nodes = nodes
	nodes.Describe(l.describe)
	nodes.Observe(l.nodeHeard, l.nodeGone)
	nodes.Listen(topicTakeover, l.giveUp)
	nodes.Listen(topicLost, l.heardOfLoss)
}

// describe tells the other nodes who is on this one, of fewer users if it would be too long.
func (l *Live) describe(maxBytes int) []byte {
	own := l.people.presence()
	for {
		description, err := json.Marshal(own)
		if err != nil {
			l.logger.Error("the people on this node cannot be described", "error", err)
			return nil
		}
		if len(description) <= maxBytes || len(own.Users) == 0 {
			return description
		}
		own.Users = own.Users[:len(own.Users)/2]
	}
}

func (l *Live) nodeHeard(node string, description []byte) error {
	told, err := readPresence(description)
	if err != nil {
		return err
	}
	watchers, people := l.elsewhere.set(node, told)
	l.elsewhereChanged(watchers, people)
	return nil
}

func (l *Live) nodeGone(node string, silentSince time.Time) {
	if l.elsewhere.remove(node) {
		l.elsewhereChanged(true, true)
	}
	if silentSince.IsZero() {
		return // then it has told of each client that it lost
	}
	for _, cameBack := range l.returns.lostWith(silentSince.Add(-lastWords), l.now()) {
		l.sendReconnect(cameBack)
	}
}

// elsewhereChanged lets dashboards here show it.
func (l *Live) elsewhereChanged(watchers, people bool) {
	if watchers {
		l.dashboard.changed()
		// Who has begun to watch elsewhere wants to know who is here now.
		l.tellOfPeople()
	}
	if people {
		l.dashboard.showPeople()
	}
}

// watchersChanged notes that the number of people here who watch a dashboard has changed.
func (l *Live) watchersChanged() {
	l.dashboard.changed()
	l.tellWatchers.mark()
}

// peopleChanged notes that somebody came or went here.
func (l *Live) peopleChanged() {
	l.dashboard.showPeople()
	l.tellOfPeople()
}

// tellOfPeople describes this node soon, if anybody looks.
func (l *Live) tellOfPeople() {
	if l.elsewhere.watched() {
		l.tellPeople.mark()
	}
}

// endElsewhere ends the socket that a client had before, if that was on another node which has not
// noticed its loss yet.
func (l *Live) endElsewhere(c *client) {
	if c.formerID != "" {
		l.nodes.Tell(topicTakeover, []byte(c.formerID))
	}
}

var errTakeover = errors.New("that is no socket's id")

// giveUp ends a socket whose client has come back on another node: its connection, without a word
// to whoever may still be at its other end.
func (l *Live) giveUp(message []byte) error {
	if len(message) == 0 || len(message) > maxPrivateID {
		return errTakeover
	}
	socket := l.io.Of("/").Socket(string(message))
	if socket == nil {
		return nil
	}
	if c, ok := socket.Get(clientKey{}).(*client); ok {
		c.moved.Store(true)
	}
	l.meter.TakenOver()
	socket.CloseConnection()
	return nil
}

// loss is a connection that broke, of somebody who can say only by what they are called that they
// have been here before; see returns.
type loss struct {
	Key string        `json:"key"`
	Age time.Duration `json:"age"` // of the connection, in ns; the nodes' clocks may differ
}

// lastWords is how long before it was heard what a node said last may have been said.
const lastWords = time.Second

// maxKey bounds what others may tell: a user id of 128 characters and what stands before it.
const maxKey = 600

var errLoss = errors.New("that is no loss")

func (l *Live) tellLoss(c *client) {
	message, err := json.Marshal(loss{Key: c.key, Age: max(0, l.now().Sub(c.since))})
	if err == nil { // cannot fail
		l.nodes.Tell(topicLost, message)
	}
}

func (l *Live) heardOfLoss(message []byte) error {
	var told loss
	if err := json.Unmarshal(message, &told); err != nil {
		return err
	}
	if told.Key == "" || len(told.Key) > maxKey || told.Age < 0 {
		return errLoss
	}
	now := l.now()
	if cameBack := l.returns.lostElsewhere(told.Key, now.Add(-told.Age), now); cameBack != nil {
		l.sendReconnect(cameBack)
	}
	return nil
}
