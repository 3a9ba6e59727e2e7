package live

import (
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// maxRemembered bounds the sockets whose ends are remembered: about a megabyte.
const maxRemembered = 8192

// losses remembers why the last sockets ended, by their ids, so that of a client that comes back
// it can be told why it had to. It is for metrics alone: what it has forgotten is "unknown". Safe
// for concurrent use; mu is a leaf.
type losses struct {
	graceEnd time.Time // until which clients are likely those of the last process; zero: never

	mu      sync.Mutex
	reasons map[string]socketio.Reason
	order   []string // a ring of the ids in reasons, the oldest at next
	next    int
}

func newLosses(start time.Time, hadLog bool) *losses {
	l := &losses{reasons: make(map[string]socketio.Reason)}
	if hadLog {
		l.graceEnd = start.Add(afterStart)
	}
	return l
}

func (l *losses) add(id string, reason socketio.Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.order) < maxRemembered {
		l.order = append(l.order, id)
	} else {
		delete(l.reasons, l.order[l.next])
		l.order[l.next] = id
		l.next = (l.next + 1) % maxRemembered
	}
	l.reasons[id] = reason
}

// of gives why the socket with an id ended. The id may be "", of a client that cannot say who it
// was.
func (l *losses) of(id string, now time.Time) socketio.Reason {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reason, known := l.reasons[id]; known {
		return reason
	}
	if now.Before(l.graceEnd) {
		return LostRestart
	}
	return LostUnknown
}
