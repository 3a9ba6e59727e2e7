package live

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// presence is what a node tells of the people on it.
type presence struct {
	People   crowd         `json:"people"`
	Watchers crowd         `json:"watchers"` // of a dashboard
	Users    []presentUser `json:"users"`    // those with a name, who came first; at most maxListed
}

// presentUser is somebody with a name on one node.
type presentUser struct {
	onlineUser
	Since time.Time `json:"since"`
}

var errPresence = errors.New("that does not describe a node's people")

// maxUserID bounds a user id, in bytes (contract, Book: 128 characters).
const maxUserID = 4 * 128

func readPresence(description []byte) (*presence, error) {
	told := new(presence)
	if err := json.Unmarshal(description, told); err != nil {
		return nil, err
	}
	if err := errors.Join(told.People.check(), told.Watchers.check()); err != nil {
		return nil, err
	}
	if len(told.Users) > maxListed {
		return nil, errPresence
	}
	for _, user := range told.Users {
		if user.UserID == "" || len(user.UserID) > maxUserID || user.Connections < 1 || user.Connections > maxCrowd ||
			user.Role != catalog.RoleReader && user.Role != catalog.RoleOwner {
			return nil, errPresence
		}
	}
	return told, nil
}

// elsewhere is what the other nodes have told last. How many there may be is their package's
// affair. Safe for concurrent use; mu is a leaf.
type elsewhere struct {
	mu    sync.Mutex
	nodes map[string]*presence // none of which ever changes
}

func newElsewhere() *elsewhere { return &elsewhere{nodes: make(map[string]*presence)} }

// set takes what a node tells, and says what of it is new.
func (e *elsewhere) set(node string, told *presence) (watchers, people bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := e.nodes[node]
	if before == nil {
		before = &presence{}
	}
	e.nodes[node] = told
	return !before.Watchers.equal(told.Watchers),
		!before.People.equal(told.People) || !slices.EqualFunc(before.Users, told.Users, presentUser.equal)
}

// remove forgets a node, and says whether it was known.
func (e *elsewhere) remove(node string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.nodes[node]
	delete(e.nodes, node)
	return known
}

// all gives what every other node has told.
func (e *elsewhere) all() []*presence {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]*presence, 0, len(e.nodes)+1)
	for _, told := range e.nodes {
		all = append(all, told)
	}
	return all
}

// watched tells whether somebody watches a dashboard on another node.
func (e *elsewhere) watched() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, told := range e.nodes {
		if told.Watchers.Count > 0 {
			return true
		}
	}
	return false
}

func (c crowd) equal(other crowd) bool {
	return c.Count == other.Count && bytes.Equal(c.Lowest, other.Lowest)
}

func (u presentUser) equal(other presentUser) bool {
	return u.onlineUser == other.onlineUser && u.Since.Equal(other.Since)
}

// watching is the number of people who watch a dashboard on any node.
func (l *Live) watching() int {
	others := l.elsewhere.all()
	if len(others) == 0 {
		return l.people.watching()
	}
	crowds := []crowd{l.people.watcherCrowd()}
	for _, told := range others {
		crowds = append(crowds, told.Watchers)
	}
	return countTogether(crowds)
}

// status is who is connected to any node.
func (l *Live) status() userStatus {
	others := l.elsewhere.all()
	if len(others) == 0 {
		return l.people.status()
	}
	var crowds []crowd
	together := make(map[string]*presentUser)
	for _, told := range append(others, l.people.presence()) {
		crowds = append(crowds, told.People)
		for _, user := range told.Users {
			known := together[user.UserID]
			if known == nil {
				together[user.UserID] = &user
				continue
			}
			known.Connections += user.Connections
			if user.Role == catalog.RoleOwner {
				known.Role = user.Role
			}
			if user.Since.Before(known.Since) {
				known.Since = user.Since
			}
		}
	}
	users := make([]*presentUser, 0, len(together))
	for _, user := range together {
		users = append(users, user)
	}
	slices.SortFunc(users, func(a, b *presentUser) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.UserID, b.UserID))
	})
	status := userStatus{Total: countTogether(crowds), Users: make([]onlineUser, 0, min(len(users), maxListed))}
	for _, user := range users[:min(len(users), maxListed)] {
		status.Users = append(status.Users, user.onlineUser)
	}
	return status
}
