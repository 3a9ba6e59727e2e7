package engineio

import (
	"net/http"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// farewells remembers, for a moment, the polling sessions that their client closed while no
// poll waited. The close travels in a POST, on another connection than the poll, so either
// may arrive first; a poll that comes second is answered a noop, as it would have been had
// it come first, instead of an error that some clients report. mu is a leaf.
type farewells struct {
	mu      sync.Mutex
	expires map[string]int64 // session ID to server time
}

const (
	farewellTime = time.Second
	maxFarewells = 10_000 // bounds memory; beyond it a late poll gets the error
)

func (f *farewells) add(id string, now int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.expires == nil {
		f.expires = make(map[string]int64)
	}
	if len(f.expires) < maxFarewells {
		f.expires[id] = now + int64(farewellTime)
	}
}

// take says whether id is among them, once.
func (f *farewells) take(id string, now int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	expires, found := f.expires[id]
	delete(f.expires, id)
	return found && now < expires
}

func (f *farewells) expire(now int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, expires := range f.expires {
		if now >= expires {
			delete(f.expires, id)
		}
	}
}

// serveFarewell answers a poll that comes after its session's end, if that is expected.
func (s *Server) serveFarewell(w http.ResponseWriter, r *http.Request, id string) bool {
	if r.Method != http.MethodGet || isUpgrade(r) || !s.farewells.take(id, s.now()) {
		return false
	}
	noop := []byte{'0' + byte(packet.TypeNoop)}
	_, _ = s.writePollingBody(w, r, nil, [][]byte{noop}, false) // the session is over either way
	return true
}
