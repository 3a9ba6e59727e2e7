package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// handle takes a message of the bus. It is called by the bus.
func (a *Adapter) handle(data []byte) {
	from, rest, err := sender(data)
	if err != nil {
		a.fault(&a.ignored, err)
		return
	}
	if string(from) == a.id {
		return
	}
	m, err := decode(from, rest)
	if err != nil {
		a.fault(&a.ignored, err)
		return
	}
	if m.To != "" && m.To != a.id {
		return
	}
	defer a.received.Add(1)
	if m.Kind == kindFarewell {
		a.lose(m.From)
		return
	}
	if a.heard(m.From, m.isAnswer()) || m.Kind == kindHello {
		a.tell(m.From, message{Kind: kindHeartbeat}) // whoever is new learns who is there
	}
	if err := a.carryOut(m); err != nil {
		a.fault(&a.ignored, fmt.Errorf("%s: %w", m.Kind, err))
	}
}

// carryOut does what another server asks for, on this one.
func (a *Adapter) carryOut(m *message) error {
	switch {
	case m.Kind == kindHello, m.Kind == kindHeartbeat:
		return nil
	case m.isAnswer():
		return a.answered(m)
	case m.Kind == kindForget:
		a.forget(m.asked())
		return nil
	case m.Kind == kindServerSide && m.ServerSide != nil:
		return a.serverSide(m)
	case m.Kind == kindBroadcast && m.Emission != nil:
		return a.local.Broadcast(m.emission())
	case m.Kind == kindAsk && m.Emission != nil:
		return a.ask(m)
	case m.Audience == nil:
		return errMalformed
	}
	switch m.Kind {
	case kindJoin:
		return a.local.SocketsJoin(*m.Audience, m.Rooms)
	case kindLeave:
		return a.local.SocketsLeave(*m.Audience, m.Rooms)
	case kindDisconnect:
		return a.local.DisconnectSockets(*m.Audience, m.Transport)
	case kindFetch:
		return a.fetch(m)
	}
	return errMalformed
}

func (m *message) isAnswer() bool {
	switch m.Kind {
	case kindClients, kindReply, kindSockets, kindAck:
		return true
	}
	return false
}

var errTooManyEvents = errors.New("too many server-side events wait")

func (a *Adapter) serverSide(m *message) error {
	var reply func(socketio.Args)
	if m.Request != "" {
		to, request := m.From, m.Request
		reply = func(args socketio.Args) {
			a.tell(to, message{Kind: kindAck, Request: request, payload: payloadOf(args)})
		}
	}
	if !a.local.ServerSideEvent(m.serverEmission(), reply) {
		return errTooManyEvents
	}
	return nil
}

// fetch answers who of this server's sockets is meant.
func (a *Adapter) fetch(m *message) error {
	sockets, err := a.local.FetchSockets(context.Background(), *m.Audience)
	if err != nil {
		return err
	}
	parts, err := describe(sockets)
	if err != nil {
		return err
	}
	for _, part := range parts {
		part.Request = m.Request
		a.tell(m.From, part)
	}
	return nil
}

// requestKey names another server's request.
type requestKey struct{ server, request string }

func (m *message) asked() requestKey { return requestKey{m.From, m.Request} }

// served is what another server waits for.
type served struct {
	forget func()
	due    time.Time // when the other one has given up for sure; zero: unknown
}

// ask has this server's sockets answer another one's broadcast, one message per
// socket, until the other one has enough.
func (a *Adapter) ask(m *message) error {
	to, request, key := m.From, m.Request, m.asked()
	left := &remaining{finished: func() { a.takeServed(key) }}
	clients, forget, err := a.local.Ask(m.emission(), func(reply socketio.Reply, err error) {
		answer := message{Kind: kindReply, Request: request}
		if err == nil {
			answer.Socket, answer.payload = reply.Socket, payloadOf(reply.Args)
		}
		a.tell(to, answer)
		left.add(-1)
	})
	if err != nil {
		clients, forget = 0, func() {}
	}
	s := served{forget: forget}
	if m.Wait > 0 {
		s.due = time.Now().Add(m.Wait + a.dead)
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		forget()
		return ErrClosed
	}
	a.served[key] = s
	a.mu.Unlock()
	a.tell(to, message{Kind: kindClients, Request: request, Clients: clients})
	left.expect(clients)
	return err
}

// forget waits no more for what another server asked.
func (a *Adapter) forget(key requestKey) {
	if s, found := a.takeServed(key); found {
		s.forget()
	}
}

func (a *Adapter) takeServed(key requestKey) (served, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, found := a.served[key]
	delete(a.served, key)
	return s, found
}

// forgetOverdue makes up for messages "forget" that were lost.
func (a *Adapter) forgetOverdue(now time.Time) {
	a.mu.Lock()
	var overdue []requestKey
	for key, s := range a.served {
		if !s.due.IsZero() && now.After(s.due) {
			overdue = append(overdue, key)
		}
	}
	a.mu.Unlock()
	for _, key := range overdue {
		a.forget(key)
	}
}
