package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// state is how far a client has come.
type state int

const (
	stateAway      state = iota // no connection; perhaps one is planned
	stateDialing                // TCP, and TLS
	stateUpgrading              // the WebSocket handshake is sent
	stateOpening                // waits for the Engine.IO open packet
	stateJoining                // CONNECT is sent
	stateJoined
)

// client is one member of the crowd. It belongs to its loop's goroutine.
type client struct {
	loop    *loop
	number  int
	polling bool

	state      state
	connection *connection // nil when away
	response   response
	frames     frameReader

	began     time.Duration // this attempt, since the ledger's epoch
	alive     time.Duration // when the server last gave a sign of life
	heartbeat time.Duration // the longest time between pings; 0 if there are none
	attempts  int           // to reconnect since the last time that the engine opened
	session   string        // Engine.IO's, for polling

	visits      int    // which of people it is
	pid         string // Socket.IO's private id
	offset      []byte // position of the last event
	returning   bool   // was joined before
	synced      bool   // the server has said what it knows, after CONNECT
	refetching  int    // snapshots on their way
	stalled     bool
	closedStuck bool   // the server has closed it while it was stalled
	absorbed    uint64 // posts below were in a snapshot; their events may come besides

	seen seen
}

var (
	errHeartbeat = errors.New("no ping came in time")
	errAttempt   = fmt.Errorf("not connected within %s", attemptTimeout)
	// After a CONNECT_ERROR the official client does not try again by itself either.
	errRefused       = errors.New("the server refuses the connection")
	errServerClosed  = errors.New("the server closed the session")
	errAccept        = errors.New("the WebSocket handshake's answer does not fit its key")
	errOpenPacket    = errors.New("the first packet is not a whole Engine.IO open packet")
	errNotEngineIO   = errors.New("the server sends what is not an Engine.IO packet")
	errUpgradeBehind = errors.New("data came between HTTP and WebSocket")
)

// statusError is an HTTP answer that is not the one hoped for.
type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string {
	if e.body == "" {
		return fmt.Sprintf("HTTP status %d", e.status)
	}
	return fmt.Sprintf("HTTP status %d: %s", e.status, e.body)
}

func newStatusError(status int, body []byte) error {
	return &statusError{status: status, body: string(bytes.ToValidUTF8(body[:min(len(body), 200)], nil))}
}

// opened begins the handshake on a new TCP connection.
func (c *client) opened() {
	if c.polling {
		c.state = stateOpening
		c.loop.poll(c)
		return
	}
	c.state = stateUpgrading
	c.loop.upgrade(c)
}

// received takes what came on the connection.
func (c *client) received(data []byte) error {
	switch {
	case c.polling:
		_, err := c.response.feed(data, c.polled)
		return err
	case c.state != stateUpgrading:
		return c.frames.feed(data, c.frame)
	}
	behind, err := c.response.feed(data, c.upgraded)
	if err != nil {
		return err
	}
	switch {
	case len(behind) == 0:
		return nil
	case c.state == stateUpgrading:
		return errUpgradeBehind
	}
	return c.frames.feed(behind, c.frame)
}

// upgraded takes the answer to a WebSocket handshake.
func (c *client) upgraded(a answer) error {
	switch {
	case a.status != 101:
		return newStatusError(a.status, a.body)
	case a.accept != c.loop.accept:
		return errAccept
	}
	if !c.loop.plain {
		c.state = stateOpening
		return nil
	}
	if c.loop.greeting != "" {
		c.loop.sendFrame(c, opText, []byte(c.loop.greeting))
	}
	c.join()
	return nil
}

// polled takes the answer to a GET, which holds packets between record separators (Engine.IO
// protocol 4, HTTP long-polling), and sends the next.
func (c *client) polled(a answer) error {
	if a.status != 200 {
		return newStatusError(a.status, a.body)
	}
	for body, packet := a.body, []byte(nil); len(body) > 0; {
		packet, body, _ = bytes.Cut(body, []byte{0x1e})
		if err := c.packet(packet); err != nil {
			return err
		}
	}
	c.loop.poll(c)
	return nil
}

// frame takes a WebSocket message or control frame.
func (c *client) frame(op opcode, payload []byte) error {
	switch op {
	case opText:
		if c.loop.plain {
			c.delivery(payload)
			return nil
		}
		return c.packet(payload)
	case opPing:
		c.loop.sendFrame(c, opPong, payload)
	case opClose:
		if len(payload) > 2 {
			return fmt.Errorf("%w: %s", errServerClosed, payload[2:])
		}
		return errServerClosed
	}
	return nil
}

// packet takes an Engine.IO packet.
func (c *client) packet(packet []byte) error {
	if len(packet) == 0 {
		return errNotEngineIO
	}
	if c.state == stateOpening {
		return c.open(packet)
	}
	switch packet[0] {
	case '4':
		return c.message(packet[1:])
	case '2':
		c.alive = c.loop.ledger.now()
		c.loop.sendPacket(c, "3")
		return nil
	case '1':
		return errServerClosed
	case '0', '3', '6', 'b':
		return nil // nothing of it is for us
	}
	return errNotEngineIO
}

// open takes the Engine.IO handshake and asks for the namespace.
func (c *client) open(packet []byte) error {
	var data struct {
		SID                       string
		PingInterval, PingTimeout int64 // milliseconds
	}
	if packet[0] != '0' || json.Unmarshal(packet[1:], &data) != nil || data.SID == "" {
		return errOpenPacket
	}
	c.session = data.SID
	c.heartbeat = time.Duration(data.PingInterval+data.PingTimeout) * time.Millisecond
	c.alive = c.loop.ledger.now()
	c.attempts = 0 // as the official client does, which leaves CONNECT out of account
	c.state = stateJoining
	c.loop.sendPacket(c, "40"+c.auth())
	return nil
}

// auth is the payload of CONNECT: a token if there is one, and what the official client adds for
// recovery.
func (c *client) auth() string {
	auth := struct {
		PID    string `json:"pid,omitempty"`
		Offset string `json:"offset,omitempty"`
		Token  string `json:"token,omitempty"`
	}{Token: c.loop.token}
	if c.loop.recovery == RecoverOffset {
		auth.PID, auth.Offset = c.pid, string(c.offset)
	}
	if auth.PID == "" && auth.Token == "" {
		return ""
	}
	encoded, err := json.Marshal(auth)
	if err != nil {
		panic(err) // strings cannot fail
	}
	return string(encoded)
}

// message takes a Socket.IO packet of the namespace /.
func (c *client) message(packet []byte) error {
	if len(packet) == 0 {
		return errNotEngineIO
	}
	switch packet[0] {
	case '2':
		c.event(packet[1:])
	case '0':
		return c.connected(packet[1:])
	case '4':
		return fmt.Errorf("%w: %s", errRefused, packet[1:])
	case '1':
		return errServerClosed
	}
	return nil
}

// connected takes the answer to CONNECT.
func (c *client) connected(data []byte) error {
	var ids struct{ PID string }
	if err := json.Unmarshal(data, &ids); err != nil {
		return fmt.Errorf("the answer to CONNECT: %w", err)
	}
	if c.returning && ids.PID != "" && ids.PID == c.pid {
		c.loop.counters.recovered++
	}
	c.pid = ids.PID
	c.join()
	return nil
}

// join notes that the client is in.
func (c *client) join() {
	now := c.loop.ledger.now()
	c.state = stateJoined
	c.alive = now
	c.attempts = 0
	c.loop.joined(c, now)
	c.returning = true
}

// event takes an event: its JSON array, behind an acknowledgement id if it asks for one.
func (c *client) event(array []byte) {
	for len(array) > 0 && array[0] >= '0' && array[0] <= '9' {
		array = array[1:]
	}
	switch {
	case bytes.HasPrefix(array, []byte(`["bookAdded",`)):
		c.delivery(array)
	case bytes.HasPrefix(array, []byte(`["synced",`)):
		if !c.synced {
			c.synced = true
			c.loop.counters.synced++
		}
	}
	if c.pid != "" {
		c.remember(array)
	}
}

// remember keeps the last argument of an event if it is a string, as the official client does. One
// with escapes is no position of ours.
func (c *client) remember(array []byte) {
	end := len(array) - len(`"]`)
	if end < 0 || array[end] != '"' || array[end+1] != ']' {
		return
	}
	begin := bytes.LastIndexByte(array[:end], '"') + 1
	if begin == 0 || bytes.IndexByte(array[begin:end], '\\') >= 0 || begin > 1 && array[begin-2] == '\\' {
		return
	}
	c.offset = append(c.offset[:0], array[begin:end]...)
}

// delivery takes what may be the event of a post, or of several: centrifuge joins up to 16 messages
// in one frame.
func (c *client) delivery(message []byte) {
	for number, rest, found := c.loop.marker.find(message); found; number, rest, found = c.loop.marker.find(rest) {
		post := c.loop.ledger.find(number)
		switch {
		case post == nil: // not posted by this crowd
		case c.seen.add(number):
			c.loop.delivered(post, number)
		case number >= c.absorbed:
			c.loop.counters.duplicates++
		}
	}
}

// absorb notes that the client has a snapshot with all posts below end.
func (c *client) absorb(end uint64) {
	c.credit(end)
	c.seen.fill(end)
	c.absorbed = max(c.absorbed, end)
}

// credit ends the wait for posts below end to reach this client.
func (c *client) credit(end uint64) {
	c.seen.gaps(end, func(gap span) bool {
		for number := gap.begin; number < gap.end; number++ {
			if post := c.loop.ledger.find(number); post != nil {
				c.loop.ledger.reached(post)
			}
		}
		return true
	})
}

// inStep says whether the client is connected and knows of every accepted post.
func (c *client) inStep(all accepted) bool {
	if c.state != stateJoined || c.refetching > 0 {
		return false
	}
	complete := true
	c.seen.gaps(all.end, func(gap span) bool {
		complete = all.count(gap) == 0
		return complete
	})
	return complete
}

// lost is how many accepted posts the client does not know of.
func (c *client) lost(all accepted) uint64 {
	lost := c.seen.forgotten
	c.seen.gaps(all.end, func(gap span) bool {
		lost += all.count(gap)
		return true
	})
	return lost
}
