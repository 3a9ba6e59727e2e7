package live

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// tally is a Meter that keeps what it is told.
type tally struct {
	mu        sync.Mutex
	arrivals  []Arrival
	gone      []socketio.Reason
	refused   []catalog.Code
	emitted   []string
	takenOver int
	received  []string
}

func (m *tally) Connected(a Arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrivals = append(m.arrivals, a)
}

func (m *tally) Disconnected(_ catalog.Role, reason socketio.Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = append(m.gone, reason)
}

func (m *tally) Refused(code catalog.Code) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = append(m.refused, code)
}

func (m *tally) TakenOver() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takenOver++
}

func (m *tally) Emitted(event string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.emitted = append(m.emitted, event)
}

func (m *tally) Received(event string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.received = append(m.received, event)
}

// await returns the arrival with a number, once it is told.
func (m *tally) await(t *testing.T, number int) Arrival {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		m.mu.Lock()
		if len(m.arrivals) > number {
			defer m.mu.Unlock()
			return m.arrivals[number]
		}
		m.mu.Unlock()
	}
	t.Fatalf("arrival %d was never told", number)
	return Arrival{}
}

// Reconnections are told with the reason for which the connection before was lost.
func TestMeterKnowsWhyClientsComeBack(t *testing.T) {
	t.Parallel()
	dir, meter := t.TempDir(), &tally{}
	metered := func(o *Options, _ *socketio.Options) { o.Meter = meter }
	h := open(t, dir, metered)
	h.add("Middlemarch")
	client := h.dial("anna", "owner")
	offset := lastOffset("", client.Drain()...)
	if a := meter.await(t, 0); a != (Arrival{Role: catalog.RoleOwner}) {
		t.Errorf("a first visit: %+v", a)
	}
	client.Ask("ownerJoinDashboard")
	client.Ask("made up by a client")
	client.Close()
	var reason socketio.Reason
	for reason == "" { // else it is taken over, which is another reason
		meter.mu.Lock()
		if len(meter.gone) > 0 {
			reason = meter.gone[0]
		}
		meter.mu.Unlock()
	}
	h.add("Walden")
	again := h.back(client, offset, "anna", "owner")
	offset = lastOffset(offset, again.Drain()...)
	want := Arrival{Role: catalog.RoleOwner, Returning: true, Recovered: true, Missed: 1, Lost: reason}
	if a := meter.await(t, 1); a != want || a.Lost != socketio.ReasonTransportClose && a.Lost != socketio.ReasonTransportError {
		t.Errorf("after a loss: %+v, want %+v", a, want)
	}
	h.close()

	h = open(t, dir, metered)
	h.back(again, offset, "anna", "owner").Drain()
	if a := meter.await(t, 2); !a.Recovered || a.Lost != LostRestart {
		t.Errorf("after a restart: %+v", a)
	}
	h.close()
	for _, event := range []string{"synced", "bookAdded", "dashboardStats", "userStatus"} {
		if !slices.Contains(meter.emitted, event) {
			t.Errorf("%s was not told of: %v", event, meter.emitted)
		}
	}
	slices.Sort(meter.received) // Drain asks for what nobody knows, too
	if !slices.Equal(slices.Compact(meter.received), []string{"ownerJoinDashboard", UnknownEvent}) {
		t.Errorf("received %v", meter.received)
	}
	if last := meter.gone[len(meter.gone)-1]; last != socketio.ReasonServerShuttingDown {
		t.Errorf("the last reason is %s", last)
	}
}

// What is remembered of sockets is bounded.
func TestLossesAreBounded(t *testing.T) {
	t.Parallel()
	l := newLosses(time.Time{}, false)
	for i := range maxRemembered + 10 {
		l.add(string(rune(i+1)), socketio.ReasonPingTimeout)
	}
	if len(l.reasons) != maxRemembered || len(l.order) != maxRemembered {
		t.Errorf("%d reasons of %d sockets are remembered", len(l.reasons), len(l.order))
	}
	if first, last := l.of(string(rune(1)), time.Now()), l.of(string(rune(maxRemembered+10)), time.Now()); first != LostUnknown || last != socketio.ReasonPingTimeout {
		t.Errorf("of the first %s, of the last %s", first, last)
	}
}
