package connections

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/nodes"
)

// askTimeout is how long the other nodes are waited for. One that has died makes everybody wait for
// so long, until it is taken for gone.
const askTimeout = time.Second

// What nodes ask each other.
const (
	topicView = "connections"
	topicEnd  = "end-connection"
)

// Everywhere is the View of every node of a cluster. Its methods are safe for concurrent use.
type Everywhere struct {
	view  *View
	nodes *nodes.Nodes
}

// NewEverywhere makes an Everywhere, and lets the other nodes see and end the connections of view.
// Call it before the nodes are started. others is nil where this node is the only one.
func NewEverywhere(view *View, others *nodes.Nodes) *Everywhere {
	if others != nil {
		others.Answer(topicView, func(request []byte) ([]byte, error) { return answerView(view, request, others.MaxMessage()) })
		others.Answer(topicEnd, func(request []byte) ([]byte, error) { return json.Marshal(view.End(string(request))) })
	}
	return &Everywhere{view: view, nodes: others}
}

// answerView answers a query of another node, with shorter lists than it asked for if they would
// not fit.
func answerView(view *View, request []byte, maxBytes int) ([]byte, error) {
	var query httpapi.ConnectionQuery
	if err := json.Unmarshal(request, &query); err != nil {
		return nil, errors.New("that is no question about connections")
	}
	for {
		answer, err := json.Marshal(view.View(query))
		if err != nil || len(answer) <= maxBytes || query.Limit <= 0 {
			return answer, err
		}
		query.Limit /= 2
	}
}

// View answers a query about all nodes. What a node has that does not answer in time is missing,
// which the answer says.
func (e *Everywhere) View(ctx context.Context, query httpapi.ConnectionQuery) httpapi.ConnectionView {
	own := e.view.View(query)
	if e.nodes == nil {
		return own
	}
	request, err := json.Marshal(query)
	if err != nil { // cannot happen
		return own
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers, missing, _ := e.nodes.Ask(ctx, topicView, request) // after an error all are missing
	joined := newJoining(query.Limit)
	joined.add(e.nodes.Name(), &own)
	for _, answer := range answers {
		var view httpapi.ConnectionView
		if answer.Err != nil || json.Unmarshal(answer.Content, &view) != nil {
			missing = append(missing, answer.Node)
			continue
		}
		joined.add(answer.Node.Name, &view)
	}
	for _, node := range missing {
		joined.view.Nodes = append(joined.view.Nodes, httpapi.ConnectionNode{Name: node.Name})
	}
	return joined.done()
}

// End closes the connection that has an id, on whichever node it is; see View.End.
// Errors: CodeUnavailable when no node knows it that has answered, and some have not.
func (e *Everywhere) End(ctx context.Context, id string) (bool, error) {
	if e.view.End(id) {
		return true, nil
	}
	if e.nodes == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answers, missing, err := e.nodes.Ask(ctx, topicEnd, []byte(id))
	for _, answer := range answers {
		if string(answer.Content) == "true" {
			return true, nil
		}
	}
	if err == nil && len(missing) == 0 {
		return false, nil
	}
	var names []string
	for _, node := range missing {
		names = append(names, node.Name)
	}
	return false, &catalog.Error{
		Code: catalog.CodeUnavailable, Text: "Not every node answers", Err: err,
		Detail: fmt.Sprintf("it may be a connection to %s", strings.Join(names, ", ")),
	}
}

// joining makes one view of those of several nodes.
type joining struct {
	limit     int
	view      httpapi.ConnectionView
	addresses map[string]*httpapi.ConnectionAddress
	users     map[string]*httpapi.ConnectionUser
}

func newJoining(limit int) *joining {
	return &joining{
		limit: limit, addresses: make(map[string]*httpapi.ConnectionAddress), users: make(map[string]*httpapi.ConnectionUser),
		view: httpapi.ConnectionView{Connections: make([]httpapi.Connection, 0)},
	}
}

func (j *joining) add(node string, view *httpapi.ConnectionView) {
	j.view.Total += view.Total
	j.view.ByTransport.WebSocket += view.ByTransport.WebSocket
	j.view.ByTransport.Polling += view.ByTransport.Polling
	j.view.Nodes = append(j.view.Nodes, httpapi.ConnectionNode{Name: node, Connections: view.Total, Answered: true})
	for _, each := range view.Addresses {
		address := addressOf(j.addresses, each.Address)
		address.Connections += each.Connections
		address.PerSecond += each.PerSecond
		address.BytesPerSecond += each.BytesPerSecond
		address.Blocked = address.Blocked || each.Blocked
	}
	for _, each := range view.Users {
		user := userOf(j.users, each.UserID)
		user.Connections += each.Connections
		user.BytesPerSecond += each.BytesPerSecond
		if each.Role == string(catalog.RoleOwner) {
			user.Role = each.Role
		}
	}
	for _, each := range view.Connections {
		each.Node = node
		j.view.Connections = append(j.view.Connections, each)
	}
}

func (j *joining) done() httpapi.ConnectionView {
	j.view.Addresses, j.view.Users = topAddresses(j.addresses, j.limit), topUsers(j.users, j.limit)
	slices.SortFunc(j.view.Connections, func(a, b httpapi.Connection) int {
		return cmp.Or(cmp.Compare(b.LagMilliseconds, a.LagMilliseconds), cmp.Compare(b.BytesPerSecond, a.BytesPerSecond),
			b.ConnectedAt.Compare(a.ConnectedAt))
	})
	j.view.Connections = j.view.Connections[:min(j.limit, len(j.view.Connections))]
	return j.view
}
