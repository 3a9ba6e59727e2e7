package connections

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/socketio"
)

// freshness is for how long one look at all connections answers everybody who asks.
const freshness = time.Second

// Options are what a View needs: all but Now are required.
type Options struct {
	IO     *socketio.Server
	Live   *live.Live
	Blocks *guard.Blocks
	Now    func() time.Time // nil: time.Now
}

// View tells who is connected from where, and ends connections. Its methods are safe for
// concurrent use.
//
// mu is held while somebody looks at all connections, which takes the locks of engineio, socketio
// and live one after the other, each for a moment; it is not held while an answer is put together
// or encoded. A look costs in proportion to the connections, so there is one a second at most.
type View struct {
	options  Options
	attempts *attempts

	mu      sync.Mutex
	traffic traffic
	taken   time.Time
	seen    *snapshot
}

// New makes a View.
func New(options Options) *View {
	if options.Now == nil {
		options.Now = time.Now
	}
	return &View{options: options, attempts: newAttempts()}
}

// Attempt counts somebody who tries to connect; remote is as in http.Request.
func (v *View) Attempt(remote string) { v.attempts.add(guard.Sender(remote), v.options.Now()) }

// connection is one open connection at the moment of a look.
type connection struct {
	session   *engineio.Session
	socket    *socketio.Socket // nil before there is one
	status    engineio.SessionStatus
	who       live.Who
	perSecond float64 // bytes
}

// snapshot is what one look has seen. It never changes.
type snapshot struct {
	connections []connection // those for which something waits longest first
	attempts    map[string]float64
}

// look sees all connections, or gives what was seen a moment ago.
func (v *View) look() *snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.options.Now()
	if v.seen != nil && now.Sub(v.taken) < freshness {
		return v.seen
	}
	sockets := make(map[*engineio.Session]*socketio.Socket)
	for _, socket := range v.options.IO.Of("/").Sockets() {
		sockets[socket.Session()] = socket
	}
	sessions := v.options.IO.Engine().Sessions()
	seen := &snapshot{connections: make([]connection, 0, len(sessions)), attempts: v.attempts.rates(now)}
	bytes := make(map[*engineio.Session]int64, len(sessions))
	for _, session := range sessions {
		c := connection{session: session, socket: sockets[session], status: session.Status()}
		if !c.status.Open {
			continue
		}
		if c.socket != nil {
			c.who, _ = v.options.Live.WhoIs(c.socket)
		}
		total := c.status.Sent + c.status.Received
		bytes[session] = total
		c.perSecond = v.traffic.perSecond(session, total, c.status.Opened, now)
		seen.connections = append(seen.connections, c)
	}
	v.traffic.note(now, bytes)
	slices.SortFunc(seen.connections, func(a, b connection) int {
		return cmp.Or(cmp.Compare(b.status.Lag, a.status.Lag), cmp.Compare(b.perSecond, a.perSecond),
			b.status.Opened.Compare(a.status.Opened))
	})
	v.taken, v.seen = now, seen
	return seen
}

// View answers a query.
func (v *View) View(query httpapi.ConnectionQuery) httpapi.ConnectionView {
	seen := v.look()
	view := httpapi.ConnectionView{Connections: make([]httpapi.Connection, 0), Nodes: make([]httpapi.ConnectionNode, 0)}
	addresses := make(map[string]*httpapi.ConnectionAddress)
	users := make(map[string]*httpapi.ConnectionUser)
	for i := range seen.connections {
		c := &seen.connections[i]
		if query.Address != "" && query.Address != c.status.Address || query.UserID != "" && query.UserID != c.who.UserID {
			continue
		}
		view.Total++
		if c.status.Transport == engineio.Polling {
			view.ByTransport.Polling++
		} else {
			view.ByTransport.WebSocket++
		}
		c.addTo(addresses, users)
		if len(view.Connections) < query.Limit {
			view.Connections = append(view.Connections, c.shown())
		}
	}
	if query.UserID == "" {
		for address, rate := range seen.attempts {
			if query.Address == "" || query.Address == address {
				addressOf(addresses, address).PerSecond = rate
			}
		}
	}
	view.Addresses, view.Users = topAddresses(addresses, query.Limit), topUsers(users, query.Limit)
	for i := range view.Addresses {
		if prefix, err := guard.ParseBlock(view.Addresses[i].Address); err == nil {
			view.Addresses[i].Blocked = v.options.Blocks.Contains(prefix)
		}
	}
	return view
}

func addressOf(addresses map[string]*httpapi.ConnectionAddress, name string) *httpapi.ConnectionAddress {
	address := addresses[name]
	if address == nil {
		address = &httpapi.ConnectionAddress{Address: name}
		addresses[name] = address
	}
	return address
}

func userOf(users map[string]*httpapi.ConnectionUser, id string) *httpapi.ConnectionUser {
	user := users[id]
	if user == nil {
		user = &httpapi.ConnectionUser{UserID: id, Role: string(catalog.RoleReader)}
		users[id] = user
	}
	return user
}

func (c *connection) addTo(addresses map[string]*httpapi.ConnectionAddress, users map[string]*httpapi.ConnectionUser) {
	address := addressOf(addresses, c.status.Address)
	address.Connections++
	address.BytesPerSecond += c.perSecond
	if c.who.UserID == "" {
		return
	}
	user := userOf(users, c.who.UserID)
	user.Connections++
	user.BytesPerSecond += c.perSecond
	if c.who.Role == catalog.RoleOwner {
		user.Role = string(catalog.RoleOwner)
	}
}

func (c *connection) shown() httpapi.Connection {
	return httpapi.Connection{
		ID: c.id(), UserID: c.who.UserID, Role: string(c.who.Role), Address: c.status.Address,
		Transport: string(c.status.Transport), ConnectedAt: c.status.Opened.UTC(),
		BytesSent: c.status.Sent, BytesReceived: c.status.Received, BytesPerSecond: c.perSecond,
		PendingBytes: c.status.Pending, LagMilliseconds: c.status.Lag.Milliseconds(), Recovered: c.who.Recovered,
	}
}

func topAddresses(table map[string]*httpapi.ConnectionAddress, limit int) []httpapi.ConnectionAddress {
	return topOf(table, limit, func(a, b *httpapi.ConnectionAddress) int {
		return cmp.Or(b.Connections-a.Connections, cmp.Compare(b.PerSecond, a.PerSecond), strings.Compare(a.Address, b.Address))
	})
}

func topUsers(table map[string]*httpapi.ConnectionUser, limit int) []httpapi.ConnectionUser {
	return topOf(table, limit, func(a, b *httpapi.ConnectionUser) int {
		return cmp.Or(b.Connections-a.Connections, cmp.Compare(b.BytesPerSecond, a.BytesPerSecond), strings.Compare(a.UserID, b.UserID))
	})
}

// topOf gives the first entries of a table in an order.
func topOf[T any](table map[string]*T, limit int, order func(a, b *T) int) []T {
	sorted := make([]*T, 0, len(table))
	for _, entry := range table {
		sorted = append(sorted, entry)
	}
	slices.SortFunc(sorted, order)
	top := make([]T, 0, min(limit, len(sorted)))
	for _, entry := range sorted[:min(limit, len(sorted))] {
		top = append(top, *entry)
	}
	return top
}
