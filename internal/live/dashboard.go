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
	d.live.check(d.live.io.To(roomNumbers).Emit("dashboardStats", stats))
	d.sending.Unlock()
	d.live.emitted("dashboardStats", slog.String("position", stats.Position), slog.Int("owners", stats.ConnectedOwners))
}

func (d *dashboard) sendStatus() {
	d.sending.Lock()
	status := d.live.status()
	d.live.check(d.live.io.To(roomPeople).Emit("userStatus", status))
	d.sending.Unlock()
	d.live.emitted("userStatus", slog.Int("total", status.Total))
}

// welcome lets a client hear of both from now on, and tells it both: at once
// the first time, then within the pace of the room, however often it joins and
// leaves. An answer takes the place of the room's next event, or is that event.
func (d *dashboard) welcome(c *client) {
	d.sending.Lock()
	defer d.sending.Unlock()
	first := !c.welcomed
	c.welcomed = true
	d.welcomeTo(c, roomNumbers, d.numbers, first, "dashboardStats", func() any { return d.stats() })
	d.welcomeTo(c, roomPeople, d.status, first, "userStatus", func() any { return d.live.status() })
}

func (d *dashboard) welcomeTo(c *client, room string, pace *pacer, first bool, event string, state func() any) {
	if !d.live.policy.Hears(c.actor.Role, event) {
		return
	}
	c.socket.Join(room)
	if !pace.claim() && !first {
		pace.mark()
		return
	}
	d.live.check(c.socket.Emit(event, state()))
	d.live.emitted(event, slog.String("socket", c.socket.ID()))
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
	c.socket.Leave(roomNumbers)
	c.socket.Leave(roomPeople)
	if l.people.unwatch(c) {
		l.watchersChanged()
	}
	if l.memory != nil && l.memory.Remembers(l.watchName(c)) {
		l.forgetWatch(c)
	}
}
