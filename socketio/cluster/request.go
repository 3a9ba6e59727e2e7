package cluster

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// request is what this server asked the others. Its methods may be called while
// Adapter.mu is held; mu is a leaf.
type request struct {
	id   string
	done chan struct{} // closed when everybody has answered, or err is set

	mu      sync.Mutex           // guards what follows
	peers   map[string]*progress // those that have not answered in full
	servers int                  // that have
	asked   int
	replies []socketio.Reply
	sockets []socketio.SocketInfo
	acks    []socketio.Args
	err     error
	over    bool
}

// progress is how far one server has answered.
type progress struct {
	left    int // sockets, or parts, that have not come; negative until they are counted
	counted bool
}

// remaining counts down to zero from a number that may come late.
type remaining struct {
	mu       sync.Mutex // guards what follows
	left     int        // negative until expect
	expected bool
	finished func() // called once, without mu
}

func (r *remaining) expect(n int) {
	r.mu.Lock()
	r.expected = true
	r.countAndUnlock(n)
}

func (r *remaining) add(n int) {
	r.mu.Lock()
	r.countAndUnlock(n)
}

func (r *remaining) countAndUnlock(n int) {
	r.left += n
	finished := r.expected && r.left == 0
	r.mu.Unlock()
	if finished && r.finished != nil {
		r.finished()
	}
}

// start registers a request to all servers that are known.
func (a *Adapter) start() (*request, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, ErrClosed
	}
	a.last++
	r := &request{
		id:    strconv.FormatUint(a.last, 36),
		done:  make(chan struct{}),
		peers: make(map[string]*progress, len(a.peers)),
	}
	for peer := range a.peers {
		r.peers[peer] = &progress{}
	}
	r.asked = len(r.peers)
	if r.asked == 0 {
		r.over = true
		close(r.done)
	}
	a.requests[r.id] = r
	return r, nil
}

// finish forgets a request.
func (a *Adapter) finish(r *request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.requests, r.id)
}

// answered takes an answer to a request of this server. One that comes too late is
// nobody's.
func (a *Adapter) answered(m *message) error {
	a.mu.Lock()
	r := a.requests[m.Request]
	a.mu.Unlock()
	if r == nil {
		return nil
	}
	if m.Kind != kindSockets {
		r.take(m, nil)
		return nil
	}
	sockets, err := m.sockets()
	if err == nil {
		r.take(m, sockets)
	}
	return err
}

func (r *request) take(m *message, sockets []socketio.SocketInfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	peer := r.peers[m.From]
	if peer == nil || r.over {
		return
	}
	switch m.Kind {
	case kindClients:
		peer.left += m.Clients
		peer.counted = true
	case kindReply:
		peer.left--
		if m.Socket != "" {
			r.replies = append(r.replies, socketio.Reply{Socket: m.Socket, Args: m.payload.arguments()})
		}
	case kindSockets:
		if !peer.counted {
			peer.left += m.Parts
			peer.counted = true
		}
		peer.left--
		r.sockets = append(r.sockets, sockets...)
	case kindAck:
		r.acks = append(r.acks, m.payload.arguments())
		peer.counted = true
	}
	if peer.counted && peer.left == 0 {
		r.servers++
		r.doneWithLocked(m.From)
	}
}

// lose stops waiting for a server.
func (r *request) lose(peer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.peers[peer] != nil {
		r.doneWithLocked(peer)
	}
}

func (r *request) doneWithLocked(peer string) {
	delete(r.peers, peer)
	if len(r.peers) == 0 && !r.over {
		r.over = true
		close(r.done)
	}
}

func (r *request) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over, r.err = true, err
		close(r.done)
	}
}

// wait returns when every server has answered, is gone, or ctx ends.
func (r *request) wait(ctx context.Context) error {
	select {
	case <-r.done:
	case <-ctx.Done():
		cause := context.Cause(ctx)
		r.mu.Lock()
		answered := r.servers
		r.mu.Unlock()
		r.fail(fmt.Errorf("cluster: only %d of %d other servers have answered: %w", answered, r.asked, cause))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// BroadcastWithAck sends an event everywhere and gathers the replies.
func (a *Adapter) BroadcastWithAck(ctx context.Context, e socketio.Emission) ([]socketio.Reply, error) {
	r, err := a.start()
	if err != nil {
		return nil, err
	}
	defer a.finish(r)
	ask := message{Kind: kindAsk, Request: r.id}.withEmission(e)
	if deadline, bounded := ctx.Deadline(); bounded {
		ask.Wait = time.Until(deadline)
	}
	published := a.publish("", ask)
	if published != nil {
		r.fail(published)
	}
	replies, err := a.local.BroadcastWithAck(ctx, e)
	err = firstOf(published, r.wait(ctx), err)
	if err != nil && published == nil {
		a.tell("", message{Kind: kindForget, Request: r.id})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(replies, r.replies...), err
}

// FetchSockets describes the sockets of all servers.
func (a *Adapter) FetchSockets(ctx context.Context, audience socketio.Audience) ([]socketio.SocketInfo, error) {
	local, err := a.local.FetchSockets(ctx, audience)
	if err != nil {
		return nil, err
	}
	r, err := a.start()
	if err != nil {
		return local, err
	}
	defer a.finish(r)
	if err := a.publish("", message{Kind: kindFetch, Request: r.id, Audience: &audience}); err != nil {
		return local, err
	}
	err = r.wait(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(local, r.sockets...), err
}

// ServerSideEmitWithAck asks the other servers' handlers.
func (a *Adapter) ServerSideEmitWithAck(ctx context.Context, e socketio.ServerEmission) ([]socketio.Args, error) {
	r, err := a.start()
	if err != nil {
		return nil, err
	}
	defer a.finish(r)
	if err := a.publish("", message{Kind: kindServerSide, Request: r.id}.withServerSide(e)); err != nil {
		return nil, err
	}
	err = r.wait(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.acks, err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
