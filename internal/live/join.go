package live

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

// join lets a client receive every change from now on and tells it from which
// position on that is. A recovered one gets what it missed before: most of it
// first, while others are served, and what has come meanwhile in the same
// moment as it joins, so that there is neither a gap nor anything twice. The
// bound on a replay is below that on what may wait for a client, so nothing
// here waits for it.
func (l *Live) join(c *client) synced {
	state := synced{Recovered: c.socket.Recovered()}
	if state.Recovered {
		l.replay(c, *c.missed)
		state.Missed = len(c.missed.Missed)
	}
	l.catalog.AtPosition(func(position catalog.Position) {
		if state.Recovered {
			rest, err := l.catalog.CatchUp(c.missed.Position, l.recovery.maxBytes-c.missed.Bytes, c.view)
			if err == nil {
				l.replay(c, rest)
				state.Missed += len(rest.Missed)
			} else { // a flood came meanwhile: what it got is right so far, the rest it has to fetch
				state.Recovered, state.Missed = false, 0
			}
		}
		l.order.Lock()
		defer l.order.Unlock()
		c.joined, c.class = position, l.classOfLocked(c.view)
		if c.batched {
			l.joinBatches(c)
		} else {
			c.socket.Join(c.class.changes)
		}
		state.Position = position.String()
		l.check(c.socket.Emit("synced", state, state.Position))
	})
	l.meter.Emitted("synced")
	c.missed = nil
	return state
}

// replay sends a client what it missed, in the form in which it wants changes.
func (l *Live) replay(c *client, missed catalog.CatchUp) {
	if !c.batched {
		for _, change := range missed.Missed {
			l.check(c.socket.Emit(string(change.Event), json.RawMessage(change.Payload(c.view)), change.Position.String()))
		}
		return
	}
	batch := batch{members: 1}
	for i := range missed.Missed {
		change := &missed.Missed[i]
		batch.add(change, change.Payload(c.view))
		if batch.full() || i == len(missed.Missed)-1 {
			l.check(c.socket.Emit("batchUpdate", batch.payload(0), change.Position.String()))
			batch.reset()
		}
	}
}

// Memory keeps, across restarts, names of things that hold of clients for a
// while. It must be safe for concurrent use.
type Memory interface {
	// Remember keeps a name of at most 128 bytes until a time.
	Remember(ctx context.Context, name string, until time.Time) error
	// Forget ends that.
	Forget(ctx context.Context, name string) error
	// Remembers tells whether a name is kept. It does not wait for anything.
	Remembers(name string) bool
}

// watchMemory is for how long an owner who watched a dashboard and comes back
// watches it again. The handbook's client says ownerJoinDashboard only once.
const watchMemory = 30 * 24 * time.Hour

// watchName is what is stored of a client that watches: nobody can come back
// with a hash.
func (l *Live) watchName(c *client) string {
	hash := sha256.Sum256([]byte(l.recovery.PrivateID(c.socket.ID())))
	return "watch." + base64.RawURLEncoding.EncodeToString(hash[:])
}

func (l *Live) rememberWatch(c *client) {
	if l.memory == nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.socket.Context(), commandTimeout)
	defer cancel()
	if err := l.memory.Remember(ctx, l.watchName(c), l.now().Add(watchMemory)); err != nil && c.socket.Connected() {
		l.logger.Warn("that an owner watches the dashboard will not outlast the connection", "socket", c.socket.ID(), "error", err)
	}
}

// forgetWatch also runs when the socket is gone already.
func (l *Live) forgetWatch(c *client) {
	if l.memory == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	if err := l.memory.Forget(ctx, l.watchName(c)); err != nil {
		l.logger.Warn("an owner who left the dashboard may see it again after coming back", "socket", c.socket.ID(), "error", err)
	}
}

// watchAgain lets a recovered client watch the dashboard if it did before and
// still may.
func (l *Live) watchAgain(c *client) {
	if l.memory == nil || l.policy.Check(c.actor, auth.ActionWatchDashboard) != nil || !l.memory.Remembers(l.watchName(c)) {
		return
	}
	l.watch(c)
	l.rememberWatch(c)
}
