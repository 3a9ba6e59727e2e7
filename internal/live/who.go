package live

import (
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// Who is behind a socket.
type Who struct {
	UserID    string // "" when unnamed
	Role      catalog.Role
	Recovered bool // the socket goes on from a former connection
}

// WhoIs tells who is behind a socket of the main namespace, with the role of this moment; false
// when that is not known yet.
func (l *Live) WhoIs(s *socketio.Socket) (Who, bool) {
	c, ok := s.Get(clientKey{}).(*client)
	if !ok {
		return Who{}, false
	}
	l.people.mu.Lock()
	defer l.people.mu.Unlock()
	return Who{UserID: c.actor.UserID, Role: c.actor.Role, Recovered: s.Recovered()}, true
}
