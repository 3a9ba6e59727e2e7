package live

import (
	"container/list"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxListed bounds the people in one userStatus event (contract, Events).
const maxListed = 200

// people knows who is connected, by person and not by socket: three tabs are
// one person. Somebody without a user id is a person for each socket. Safe for
// concurrent use.
type people struct {
	mu       sync.Mutex
	online   map[string]*list.Element
	order    *list.List     // of *person, who came first comes first
	watchers map[string]int // person → sockets that watch a dashboard
}

type person struct {
	userID string // "" when unnamed
	hash   uint64
	since  time.Time
	owners int // sockets with the role owner
	others int
}

func newPeople() *people {
	return &people{online: make(map[string]*list.Element), order: list.New(), watchers: make(map[string]int)}
}

func (p *people) join(c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	element, ok := p.online[c.person]
	if !ok {
		element = p.order.PushBack(&person{userID: c.actor.UserID, hash: hashOf(c.person), since: c.since})
		p.online[c.person] = element
	}
	element.Value.(*person).count(c.actor.Role, 1)
}

// leave forgets a socket, and its watching with it: a disconnect counts as
// leaving the dashboard. It says whether that changed the number of watchers.
func (p *people) leave(c *client) (watchersChanged bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if element, ok := p.online[c.person]; ok {
		who := element.Value.(*person)
		who.count(c.actor.Role, -1)
		if who.owners+who.others == 0 {
			p.order.Remove(element)
			delete(p.online, c.person)
		}
	}
	return p.unwatchLocked(c)
}

// setRole notes that a socket has another role from now on.
func (p *people) setRole(c *client, role catalog.Role) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if element, ok := p.online[c.person]; ok {
		who := element.Value.(*person)
		who.count(c.actor.Role, -1)
		who.count(role, 1)
	}
	c.actor.Role = role
}

// watch counts a socket as watching, once however often it is called. It says
// whether the number of people who watch changed.
func (p *people) watch(c *client) (watchersChanged bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.watching {
		return false
	}
	c.watching = true
	p.watchers[c.person]++
	return p.watchers[c.person] == 1
}

func (p *people) unwatch(c *client) (watchersChanged bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unwatchLocked(c)
}

func (p *people) unwatchLocked(c *client) bool {
	if !c.watching {
		return false
	}
	c.watching = false
	if p.watchers[c.person]--; p.watchers[c.person] > 0 {
		return false
	}
	delete(p.watchers, c.person)
	return true
}

// watching is the number of people who watch a dashboard.
func (p *people) watching() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.watchers)
}

// userStatus is the payload of the event of that name.
type userStatus struct {
	Total int          `json:"total"` // people connected, unnamed ones included
	Users []onlineUser `json:"users"` // of those with a name, who came first; at most maxListed
}

type onlineUser struct {
	UserID      string       `json:"userId"`
	Role        catalog.Role `json:"role"` // owner when any of the connections has it
	Connections int          `json:"connections"`
}

func (p *people) status() userStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := userStatus{Total: p.order.Len(), Users: make([]onlineUser, 0, min(p.order.Len(), maxListed))}
	for element := p.order.Front(); element != nil && len(status.Users) < maxListed; element = element.Next() {
		if who := element.Value.(*person); who.userID != "" {
			status.Users = append(status.Users, who.shown())
		}
	}
	return status
}

// presence is what the other nodes are told of them.
func (p *people) presence() *presence {
	p.mu.Lock()
	everyone := make([]uint64, 0, p.order.Len())
	users := make([]presentUser, 0, min(p.order.Len(), maxListed))
	for element := p.order.Front(); element != nil; element = element.Next() {
		who := element.Value.(*person)
		everyone = append(everyone, who.hash)
		if who.userID != "" && len(users) < maxListed {
			users = append(users, presentUser{onlineUser: who.shown(), Since: who.since.UTC()})
		}
	}
	p.mu.Unlock()
	return &presence{People: newCrowd(everyone), Watchers: p.watcherCrowd(), Users: users}
}

// watcherCrowd is who watches a dashboard.
func (p *people) watcherCrowd() crowd {
	p.mu.Lock()
	hashes := make([]uint64, 0, len(p.watchers))
	for name := range p.watchers {
		hashes = append(hashes, hashOf(name))
	}
	p.mu.Unlock()
	return newCrowd(hashes)
}

func (p *person) shown() onlineUser {
	role := catalog.RoleReader
	if p.owners > 0 {
		role = catalog.RoleOwner
	}
	return onlineUser{UserID: p.userID, Role: role, Connections: p.owners + p.others}
}

func (p *person) count(role catalog.Role, by int) {
	if role == catalog.RoleOwner {
		p.owners += by
	} else {
		p.others += by
	}
}
