package engineio

import (
	"net/http"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// upgrade is a client's attempt to go over from polling to a WebSocket:
//
//	client, on the WebSocket    server
//	2probe                      3probe; from now on a waiting poll is ended by a noop
//	(waits for its poll to end)
//	5                           everything goes by WebSocket
//
// Until the 5, data goes on by polling, so each message travels on exactly one transport.
// What waits at the 5 leaves by WebSocket first, under Session.mu, so the order holds.
type upgrade struct {
	session  *Session
	socket   *webSocket
	deadline time.Time
	timer    *time.Timer // runs tick; one per upgrade, not per connection
	probed   bool        // guarded by Session.mu, as is timer
}

// noopInterval is how often a waiting poll is ended during an upgrade. Once is not enough:
// the client may have begun another poll before it read the 3probe.
const noopInterval = 100 * time.Millisecond

// probeData is what the probe's ping and pong carry.
const probeData = "probe"

// serveUpgrade serves the WebSocket of a session that exists.
func (s *Server) serveUpgrade(w http.ResponseWriter, r *http.Request, session *Session) {
	if s.upgrades.Add(1) > int64(s.options.MaxUpgrades) {
		s.upgrades.Add(-1)
		s.refuse(w, r, errBusy(http.StatusServiceUnavailable, "Too many upgrades"))
		return
	}
	socket, received, err := s.hijack(w, r, session)
	if err != nil {
		s.upgrades.Add(-1)
		return // answered by hijack; the session polls on
	}
	u := &upgrade{session: session, socket: socket, deadline: time.Now().Add(s.options.UpgradeTimeout)}
	socket.upgrade = u
	// A session that has upgraded, or is about to, has no use for a second WebSocket.
	socket.unwanted = !u.begin()
	socket.start(received)
}

func (u *upgrade) begin() bool {
	s := u.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != stateOpen || s.transport != Polling || s.upgrade != nil {
		return false
	}
	s.upgrade = u
	u.timer = time.AfterFunc(u.waitLocked(), u.tick)
	return true
}

// waitLocked is how long it is until tick has something to do.
func (u *upgrade) waitLocked() time.Duration {
	wait := max(0, time.Until(u.deadline))
	if u.probed {
		wait = min(noopInterval, wait)
	}
	return wait
}

// probe begins to end waiting polls, noopInterval from now.
func (u *upgrade) probe() {
	u.session.mu.Lock()
	defer u.session.mu.Unlock()
	if u.session.upgrade == u && !u.probed {
		u.probed = true
		u.timer.Reset(u.waitLocked())
	}
}

// tick ends a waiting poll, or the upgrade when it takes too long.
func (u *upgrade) tick() {
	s := u.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.upgrade != u {
		return
	}
	if !time.Now().Before(u.deadline) {
		s.upgrade = nil
		u.socket.drop()
		return
	}
	if u.probed {
		s.noopLocked()
	}
	u.timer.Reset(u.waitLocked())
}

// abandon gives the upgrade up. The session goes on by polling.
func (u *upgrade) abandon() {
	u.session.mu.Lock()
	defer u.session.mu.Unlock()
	if u.session.upgrade == u {
		u.session.upgrade = nil
		u.timer.Stop()
	}
}

// receive acts on a packet that came by the WebSocket. It runs on its reader.
func (u *upgrade) receive(p packet.Packet) bool {
	switch {
	case p.Type == packet.TypePing && string(p.Data) == probeData:
		u.socket.writeNow(newPacketFrame(packet.Packet{Type: packet.TypePong, Data: p.Data}).socket)
		u.probe()
		return true
	case p.Type == packet.TypeUpgrade && u.complete():
		return true
	}
	u.socket.refuseProbe(closeNormal)
	return false
}

// complete switches the session over. It says false when that is no longer wanted.
func (u *upgrade) complete() bool {
	_ = u.socket.conn.SetWriteDeadline(time.Time{})
	s := u.session
	w := s.server.writers.Get().(*writer)
	defer s.server.writers.Put(w)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.upgrade != u || s.state == stateClosed {
		return false
	}
	s.upgrade = nil
	u.timer.Stop()
	u.socket.endProbe()
	s.transport = WebSocket
	s.useSocketLocked(u.socket)
	if s.poll != nil {
		// A client that follows the protocol waits for its poll before it sends the 5.
		s.poll.answerLocked(pollRefuse)
	}
	s.flushLocked(w)
	if s.server.options.Meter != nil {
		s.server.options.Meter.SessionUpgraded()
	}
	return true
}
