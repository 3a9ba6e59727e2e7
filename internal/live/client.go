package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// client is one socket and who is behind it.
type client struct {
	socket  *socketio.Socket
	address string // the connection's, with its port
	// actor and expiry belong to the socket's handlers, which run one at a time.
	actor   catalog.Actor
	expiry  expiry
	person  string       // one for all sockets of a user id; see people
	key     string       // by which returns knows the person
	view    catalog.View // what the client sees; never changes
	batched bool         // wants batchUpdate
	since   time.Time
	role    catalog.Role // as the meter was told on arrival; the actor's may change

	// All are set by Recovery.Resume, before connect.
	known    bool             // showed a private id: it was here before, and will show one again
	formerID string           // that a genuine private id names
	missed   *catalog.CatchUp // what a recovered client has missed until then; nil once it has it

	class    *class           // guarded by Live.order: of its view, since it joined
	joined   catalog.Position // guarded by Live.order: of its `synced`
	watching bool             // guarded by people.mu
	moved    atomic.Bool      // its client has come back on another node
	welcomed bool             // guarded by dashboard.sending: was told of the dashboard before
}

// clientKey is where a socket keeps its client.
type clientKey struct{}

// identify is the middleware that decides who a socket is. Its refusal is what
// the client gets as connect_error.
func (l *Live) identify(s *socketio.Socket) error {
	h := s.Handshake()
	identity, err := l.authenticator.Handshake(s.Context(), auth.Handshake{Query: h.Query, Header: h.Headers, Auth: h.Auth})
	if err == nil {
		err = l.mayConnect(identity.Actor)
	}
	if err != nil {
		l.meter.Refused(catalog.ErrorCode(err))
		if code := catalog.ErrorCode(err); code == catalog.CodeUnauthenticated || code == catalog.CodeForbidden {
			l.refused(h.Address, "", "connection", err)
		}
		l.logger.Info("connection refused", "address", h.Address, "error", err)
		return &socketio.ConnectError{Message: catalog.ErrorText(err)}
	}
	actor := identity.Actor
	name := "user:" + actor.UserID
	c := &client{
		socket:  s,
		address: h.Address,
		actor:   actor,
		expiry:  expiry{ends: identity.Ends()},
		person:  name,
		key:     name,
		view:    l.policy.View(actor.Role),
		batched: wantsBatches(h) && l.policy.Hears(actor.Role, "batchUpdate"),
		since:   l.now(),
	}
	if actor.UserID == "" {
		c.person, c.key = "socket:"+s.ID(), "address:"+host(h.Address)
	}
	s.Set(clientKey{}, c)
	return nil
}

// mayConnect refuses a role that may not hear what every connection brings:
// that goes to all sockets, whoever is behind them.
func (l *Live) mayConnect(actor catalog.Actor) error {
	for _, object := range []string{"synced", "serviceStatus"} {
		if err := l.policy.CheckWhole(actor, object); err != nil {
			return err
		}
	}
	return l.policy.Check(actor, auth.ActionConnect)
}

// connect welcomes a client. The socket's other handlers run after it, one at a
// time, disconnect last. After CONNECT the client gets what it missed, if it is
// recovered, then `synced` with the position from which on it receives every
// change, then `reconnect` if it has to fetch what it missed.
func (l *Live) connect(s *socketio.Socket) {
	c, ok := s.Get(clientKey{}).(*client)
	if !ok { // cannot happen: identify is the namespace's middleware
		s.Disconnect(true)
		return
	}
	if s.Returning() {
		l.endFormer(c)
	}
	l.endElsewhere(c)
	l.people.join(c)
	returning := l.returns.connected(c, c.known, l.now())
	s.OnDisconnect(func(reason socketio.Reason) { l.disconnect(c, reason) })
	l.listen(c)
	c.expiry.start(s, l.now)

	state := l.join(c)
	switch {
	case state.Recovered:
		l.watchAgain(c)
	case returning:
		l.sendReconnect(c)
	}
	l.sayWhatIsWrong(c)
	l.peopleChanged()
	l.noteArrival(c, returning, state)
}

func (l *Live) noteArrival(c *client, returning bool, state synced) {
	a := Arrival{Role: c.actor.Role, Returning: returning || state.Recovered, Recovered: state.Recovered, Missed: state.Missed}
	if a.Returning {
		a.Lost = l.losses.of(c.formerID, l.now())
	}
	c.role = a.Role
	l.meter.Connected(a)
	l.logger.Info("connection", "socket", c.socket.ID(), "user", c.actor.UserID, "role", c.actor.Role,
		"address", c.address, "transport", c.socket.Transport(),
		"returning", returning, "recovered", state.Recovered, "missed", state.Missed, "lost", a.Lost)
}

// endFormer ends the socket that a client had before, if its loss has not been
// noticed yet. For a recovered client, package socketio has done that.
func (l *Live) endFormer(c *client) {
	if former := c.socket.Namespace().Socket(c.formerID); former != nil {
		former.Disconnect(true)
	}
}

// synced is the payload of the event of that name. Recovered and Missed are
// for clients whose missed events were replayed.
type synced struct {
	Position  string `json:"position"`
	Recovered bool   `json:"recovered"`
	Missed    int    `json:"missed"`
}

// sendReconnect makes the handbook's clients fetch: they listen for it on the
// socket, where a 4.x client never fires it by itself.
func (l *Live) sendReconnect(c *client) {
	l.check(c.socket.Emit("reconnect", 1))
	l.emitted("reconnect", slog.String("socket", c.socket.ID()))
}

func (l *Live) disconnect(c *client, reason socketio.Reason) {
	c.expiry.stop()
	if c.batched {
		l.leaveBatches(c)
	}
	if l.people.leave(c) {
		l.watchersChanged()
	}
	l.peopleChanged()
	if reason == socketio.ReasonClientDisconnect {
		l.forgetWatch(c)
	}
	switch {
	case reason == socketio.ReasonClientDisconnect, reason == socketio.ReasonServerDisconnect:
		l.returns.gone(c) // on purpose: the client does not come back by itself
	case c.moved.Load():
		l.returns.gone(c) // it has come back already
	default:
		cameBack, remembered := l.returns.lost(c, l.now())
		if cameBack != nil {
			l.sendReconnect(cameBack)
		}
		if remembered {
			l.tellLoss(c)
		}
	}
	l.losses.add(c.socket.ID(), reason)
	l.meter.Disconnected(c.role, reason)
	l.logger.Info("disconnect", "socket", c.socket.ID(), "user", c.actor.UserID, "reason", reason,
		"duration", l.now().Sub(c.since).Round(time.Millisecond), "transport", c.socket.Transport(),
		"sent", c.socket.BytesSent(), "received", c.socket.BytesReceived())
}

// wantsBatches reads batch=1 from the query or from auth, where it may be a
// number or true as well.
func wantsBatches(h *socketio.Handshake) bool {
	if h.Query.Get("batch") == "1" {
		return true
	}
	var given struct {
		Batch json.RawMessage `json:"batch"`
	}
	if err := json.Unmarshal(h.Auth, &given); err != nil {
		return false
	}
	switch string(bytes.TrimSpace(given.Batch)) {
	case `1`, `"1"`, `true`:
		return true
	}
	return false
}

func host(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

const invalidEventText = "Invalid event data"

// invalidEvent is the refusal of an event whose data is not what it must be.
func invalidEvent(detail string) error {
	return &catalog.Error{Code: catalog.CodeInvalidInput, Text: invalidEventText, Field: "data", Detail: detail}
}

var errUnnamed = errors.New("the client has no user id")

// requireName refuses what belongs to a user to a client that names none.
func requireName(actor catalog.Actor) error {
	if actor.UserID == "" {
		return &catalog.Error{Code: catalog.CodeForbidden, Text: "Unauthorized access", Err: fmt.Errorf("favourite: %w", errUnnamed)}
	}
	return nil
}
