package live

import (
	"log/slog"
	"sync"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Stats is the payload of dashboardStats, and what GET /stats answers.
type Stats struct {
	TotalBooks      int                    `json:"totalBooks"`
	TotalFavorites  int                    `json:"totalFavorites"`
	ConnectedOwners int                    `json:"connectedOwners"` // people who watch, not sockets
	MostFavorited   *catalog.MostFavorited `json:"mostFavorited"`
	Position        string                 `json:"position"` // the state that the numbers show
}

// dashboard tells those who watch one about numbers and people. Both events
// carry the whole present state, so only the latest counts: they are
// coalesced, and nothing is computed while nobody watches.
type dashboard struct {
	live    *Live
	numbers *pacer
	status  *pacer

	// sending is held from reading a state until it is queued, so that no
	// client gets an older state after a newer one.
	sending sync.Mutex
}

func newDashboard(l *Live) *dashboard {
	d := &dashboard{live: l}
	d.numbers = newPacer(statsInterval, d.sendStats)
	d.status = newPacer(statusInterval, d.sendStatus)
	return d
}

func (d *dashboard) close() {
	d.numbers.close()
	d.status.close()
}

func (d *dashboard) stats() Stats {
	numbers := d.live.catalog.Stats()
	return Stats{
		TotalBooks:      numbers.TotalBooks,
		TotalFavorites:  numbers.TotalFavorites,
		ConnectedOwners: d.live.watching(),
		MostFavorited:   numbers.MostFavorited,
		Position:        numbers.Position.String(),
	}
}

// changed notes that the numbers may have changed.
func (d *dashboard) changed() {
	if d.live.people.watching() > 0 {
		d.numbers.mark()
	}
}

// showPeople notes that somebody came or went, here or on another node.
func (d *dashboard) showPeople() {
	if d.live.people.watching() > 0 {
		d.status.mark()
	}
}

func (d *dashboard) sendStats() {
	d.sending.Lock()
	stats := d.stats()
	d.live.check(d.live.io.To(roomDashboard).Emit("dashboardStats", stats))
	d.sending.Unlock()
	d.live.emitted("dashboardStats", slog.String("position", stats.Position), slog.Int("owners", stats.ConnectedOwners))
}

func (d *dashboard) sendStatus() {
	d.sending.Lock()
	status := d.live.status()
	d.live.check(d.live.io.To(roomDashboard).Emit("userStatus", status))
	d.sending.Unlock()
	d.live.emitted("userStatus", slog.Int("total", status.Total))
}

// welcome lets a client hear of both from now on, and tells it both: at once
// the first time, then within the pace of the room, however often it joins and
// leaves. An answer takes the place of the room's next event, or is that event.
func (d *dashboard) welcome(c *client) {
	d.sending.Lock()
	defer d.sending.Unlock()
	c.socket.Join(roomDashboard)
	first := !c.welcomed
	c.welcomed = true
	if d.numbers.claim() || first {
		d.live.check(c.socket.Emit("dashboardStats", d.stats()))
		d.live.emitted("dashboardStats", slog.String("socket", c.socket.ID()))
	} else {
		d.numbers.mark()
	}
	if d.status.claim() || first {
		d.live.check(c.socket.Emit("userStatus", d.live.status()))
		d.live.emitted("userStatus", slog.String("socket", c.socket.ID()))
	} else {
		d.status.mark()
	}
}

// joinDashboard lets an owner watch, and answers with the present state.
// Joining again changes nothing and is answered again, within the pace.
func (l *Live) joinDashboard(c *client) error {
	remember := l.memory != nil && !l.memory.Remembers(l.watchName(c))
	if remember { // joining and leaving in turn would store something each time
		if err := l.admit(c.actor, c.address); err != nil {
			return err
		}
	}
	l.watch(c)
	if remember {
		l.rememberWatch(c)
	}
	return nil
}

func (l *Live) watch(c *client) {
	oneMore := l.people.watch(c)
	l.dashboard.welcome(c)
	if oneMore {
		l.watchersChanged() // the others see it
	}
}

func (l *Live) leaveDashboard(c *client) {
	c.socket.Leave(roomDashboard)
	if l.people.unwatch(c) {
		l.watchersChanged()
	}
	if l.memory != nil && l.memory.Remembers(l.watchName(c)) {
		l.forgetWatch(c)
	}
}
