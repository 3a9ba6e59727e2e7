package live

import (
	"log/slog"
	"time"
)

// ServiceStatus is what clients should know of the node that serves them. The zero value means that
// changes are refused.
type ServiceStatus struct {
	Writable bool
	// AsOf is when what this node shows was last known to be the newest there is; zero: it is now.
	AsOf time.Time
	// Detail says to anybody what is wrong, as far as that gives nothing away.
	Detail string
}

// good reports whether there is nothing to say.
func (s ServiceStatus) good() bool { return s.Writable && s.AsOf.IsZero() }

// serviceStatus is the payload of the event of that name.
type serviceStatus struct {
	Writable bool    `json:"writable"`
	AsOf     *string `json:"asOf"` // RFC 3339 with milliseconds; null: what is shown is the newest
	Detail   string  `json:"detail,omitempty"`
}

func (s ServiceStatus) payload() serviceStatus {
	payload := serviceStatus{Writable: s.Writable, Detail: s.Detail}
	if !s.AsOf.IsZero() {
		asOf := s.AsOf.UTC().Format("2006-01-02T15:04:05.000Z07:00")
		payload.AsOf = &asOf
	}
	return payload
}

// Announce tells every client of this node how it does, and whoever connects later, until it is
// called again. It is meant to be called when that changes.
func (l *Live) Announce(status ServiceStatus) {
	l.order.Lock()
	l.service = status
	l.check(l.io.Local().Emit("serviceStatus", status.payload()))
	l.order.Unlock()
	l.emitted("serviceStatus", slog.Bool("writable", status.Writable), slog.String("detail", status.Detail))
}

// sayWhatIsWrong tells a client that has just connected, which may take silence for good news.
func (l *Live) sayWhatIsWrong(c *client) {
	l.order.Lock()
	status := l.service
	if !status.good() {
		l.check(c.socket.Emit("serviceStatus", status.payload()))
	}
	l.order.Unlock()
	if !status.good() {
		l.emitted("serviceStatus", slog.String("socket", c.socket.ID()))
	}
}
