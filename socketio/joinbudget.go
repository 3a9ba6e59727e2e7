package socketio

import "time"

// joinBudget bounds the CONNECT packets of one connection: each is answered and
// asks middlewares, so they must not come without end. It belongs to the calls of
// the engine.
type joinBudget struct {
	spent float64
	at    time.Time
}

// spend reports false for a CONNECT that is one too many.
func (b *joinBudget) spend(now time.Time, o *Options) bool {
	if !b.at.IsZero() {
		b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*float64(o.MaxConnectRate))
	}
	b.at = now
	b.spent++
	return b.spent <= float64(2*o.MaxNamespaces)
}
