package live

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/shelfcast/shelfcast/socketio"
)

// maxPrivateID bounds what a client may present, in bytes; ours are shorter.
const maxPrivateID = 256

// PrivateIDs are the secrets by which clients of version 4.6 and later show
// that they have been here before: the socket's public id with a keyed hash of
// it. The key lives in the log's store, so a private id is recognised after a
// restart and on every node, and nothing has to be kept for each client.
//
// It fulfils socketio.Recovery. For now a private id only proves that its
// bearer is returning; what it missed is not replayed, so Resume never
// recovers, and the client is told to fetch afresh. Safe for concurrent use.
type PrivateIDs struct{ key []byte }

var _ socketio.Recovery = (*PrivateIDs)(nil)

// NewPrivateIDs makes PrivateIDs with a log's key (catalog.Log.Key).
func NewPrivateIDs(key []byte) *PrivateIDs { return &PrivateIDs{key: key} }

// PrivateID gives the secret that belongs to a socket's id.
func (p *PrivateIDs) PrivateID(sid string) string { return sid + "." + p.hash(sid) }

// Resume tells whether pid is one of ours.
func (p *PrivateIDs) Resume(_ context.Context, _ *socketio.Socket, pid, _ string) (sid string, genuine, ok bool) {
	return "", p.genuine(pid), false
}

func (p *PrivateIDs) genuine(pid string) bool {
	if len(pid) > maxPrivateID {
		return false
	}
	end := strings.LastIndexByte(pid, '.')
	return end > 0 && hmac.Equal([]byte(pid[end+1:]), []byte(p.hash(pid[:end])))
}

// hash is bound to its purpose, so that no other use of the same key can be
// made to produce a private id.
func (p *PrivateIDs) hash(sid string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte("shelfcast private id\x00"))
	mac.Write([]byte(sid))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
