package live

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// DefaultMaxReplay is the default of NewRecovery's bound: half of what may wait for one client
// (engineio.Options.MaxPendingBytes).
const DefaultMaxReplay = 500_000

// Recovery fulfils connection state recovery from the catalogue: a client that presents a
// genuine private id and a position from which on the catalogue can tell what it missed goes on
// from there, whichever process it was connected to before. Safe for concurrent use.
type Recovery struct {
	*PrivateIDs
	// MaxLag is for how long a client is let wait whose offset this node has not come to yet: it was
	// connected to one that is ahead. Zero, for a single node: not at all. It may be set before use.
	MaxLag   time.Duration
	catalog  *catalog.Catalog
	maxBytes int
}

var _ socketio.SocketRecovery = (*Recovery)(nil)

// NewRecovery makes a Recovery with a log's key (catalog.Log.Key). maxBytes bounds what is
// replayed to one client; 0: DefaultMaxReplay.
func NewRecovery(key []byte, c *catalog.Catalog, maxBytes int) *Recovery {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxReplay
	}
	return &Recovery{PrivateIDs: NewPrivateIDs(key), catalog: c, maxBytes: maxBytes}
}

// PrivateIDFor is the private id of a socket whose client sees less than everything, too.
func (r *Recovery) PrivateIDFor(s *socketio.Socket, sid string) (pid string) {
	c, known := s.Get(clientKey{}).(*client)
	if !known { // cannot happen: identify is the namespace's middleware
		return ""
	}
	return r.privateID(sid, c.view)
}

// Resume computes what the client has missed since its offset, the position of the last event
// that it received, and keeps it for Live.connect.
func (r *Recovery) Resume(ctx context.Context, s *socketio.Socket, pid, offset string) (sid string, genuine, ok bool) {
	c, known := s.Get(clientKey{}).(*client)
	if !known { // cannot happen: identify is the namespace's middleware
		return "", false, false
	}
	// Nobody has a private id on a first visit. One that is not ours is of a log that was lost, most
	// likely, and its client shows that log's books until it is told.
	c.known = true
	if !r.genuine(pid, c.view) {
		return "", false, false
	}
	c.formerID = r.sid(pid)
	position, err := catalog.ParsePosition(offset)
	if err != nil {
		return "", true, false
	}
	r.awaitPosition(ctx, position)
	missed, err := r.catalog.CatchUp(position, r.maxBytes, c.view)
	if err != nil {
		return "", true, false
	}
	c.missed = &missed
	return c.formerID, true, true
}

// awaitPosition waits as long as MaxLag for a position; CatchUp finds out whether it has come.
func (r *Recovery) awaitPosition(ctx context.Context, position catalog.Position) {
	if r.MaxLag <= 0 || position.Epoch != r.catalog.Epoch() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.MaxLag)
	defer cancel()
	_ = r.catalog.Await(ctx, position)
}

// maxPrivateID bounds what a client may present, in bytes; ours are shorter.
const maxPrivateID = 256

// PrivateIDs are the secrets by which clients of version 4.6 and later show
// that they have been here before: the socket's public id with a keyed hash of
// it. The key lives in the log's store, so a private id is recognised after a
// restart and on every node, and nothing has to be kept for each client.
//
// Safe for concurrent use.
type PrivateIDs struct{ key []byte }

// NewPrivateIDs makes PrivateIDs with a log's key (catalog.Log.Key).
func NewPrivateIDs(key []byte) *PrivateIDs { return &PrivateIDs{key: key} }

// PrivateID gives the secret that belongs to a socket's id.
func (p *PrivateIDs) PrivateID(sid string) string { return p.privateID(sid, catalog.WholeView()) }

// privateID is bound to a view: who comes back seeing something else has not just missed changes,
// and is to fetch everything.
func (p *PrivateIDs) privateID(sid string, view catalog.View) string {
	return sid + "." + p.hash(sid, view)
}

func (p *PrivateIDs) genuine(pid string, view catalog.View) bool {
	if len(pid) > maxPrivateID {
		return false
	}
	end := strings.LastIndexByte(pid, '.')
	return end > 0 && hmac.Equal([]byte(pid[end+1:]), []byte(p.hash(pid[:end], view)))
}

// sid is the public id of a genuine private one.
func (p *PrivateIDs) sid(pid string) string { return pid[:strings.LastIndexByte(pid, '.')] }

// hash is bound to its purpose, so that no other use of the same key can be
// made to produce a private id.
func (p *PrivateIDs) hash(sid string, view catalog.View) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte("shelfcast private id\x00"))
	mac.Write([]byte(sid))
	if tag := view.Tag(); tag != "" {
		mac.Write([]byte("\x00" + tag))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
