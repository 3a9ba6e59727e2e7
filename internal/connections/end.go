package connections

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/guard"
)

// id is the socket's public id. A session without a socket has none: its own is a secret, of which
// a hash tells nothing.
func (c *connection) id() string {
	if c.socket != nil {
		return c.socket.ID()
	}
	return sessionID(c.session)
}

func sessionID(session *engineio.Session) string {
	sum := sha256.Sum256([]byte(session.ID()))
	return "session-" + hex.EncodeToString(sum[:10])
}

// End closes the connection that has an id of View, and tells the client to stay away until
// somebody asks it to come back. It says false when there is no such connection.
func (v *View) End(id string) bool {
	if socket := v.options.IO.Of("/").Socket(id); socket != nil {
		socket.Disconnect(true)
		return true
	}
	for _, session := range v.options.IO.Engine().Sessions() {
		if sessionID(session) == id {
			session.Close(engineio.ReasonForcedClose)
			return true
		}
	}
	return false
}

// EndFrom cuts every connection that comes from a network, and says how many there were. Clients
// that reconnect by themselves will try.
func (v *View) EndFrom(network netip.Prefix) int {
	ended := 0
	for _, session := range v.options.IO.Engine().Sessions() {
		status := session.Status()
		if status.Open && network.Contains(guard.Peer(status.Remote)) {
			session.Abort(engineio.ReasonForcedClose)
			ended++
		}
	}
	return ended
}
