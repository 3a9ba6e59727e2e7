package connections

import (
	"time"

	"github.com/shelfcast/shelfcast/engineio"
)

const (
	// shortestLook is the least time over which a rate is told.
	shortestLook = 2 * time.Second
	// longestLook is for how long the bytes of a former look are compared with.
	longestLook = time.Minute
)

// traffic knows how many bytes each session had moved at a former look, so that a rate is one of
// now and not of a connection's whole life. Nobody looks unless somebody asks. It belongs to its
// View, whose lock guards it.
type traffic struct {
	base, latest look
}

// look is what was seen at a moment.
type look struct {
	at    time.Time
	bytes map[*engineio.Session]int64
}

// note takes what is seen now as the latest look.
func (t *traffic) note(now time.Time, bytes map[*engineio.Session]int64) {
	if now.Sub(t.latest.at) >= shortestLook {
		t.base = t.latest
		t.latest = look{at: now, bytes: bytes}
	}
	if now.Sub(t.base.at) > longestLook {
		t.base = look{}
	}
}

// perSecond is a session's rate: since the look before, or since it was opened.
func (t *traffic) perSecond(session *engineio.Session, bytes int64, opened, now time.Time) float64 {
	since, before := opened, int64(0)
	if seen, ok := t.base.bytes[session]; ok {
		since, before = t.base.at, seen
	}
	return float64(bytes-before) / max(now.Sub(since), time.Second).Seconds()
}
