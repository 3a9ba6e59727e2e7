package engineio

import (
	"strings"
	"sync"
	"testing"
)

// tally is a Meter that counts.
type tally struct {
	mu       sync.Mutex
	opened   map[Transport]int
	upgraded int
	ends     []SessionEnd
	passes   Pass // summed up
}

func (m *tally) SessionOpened(t Transport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opened == nil {
		m.opened = make(map[Transport]int)
	}
	m.opened[t]++
}

func (m *tally) SessionUpgraded() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.upgraded++
}

func (m *tally) SessionClosed(e SessionEnd) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ends = append(m.ends, e)
}

func (m *tally) FannedOut(p Pass) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.passes.Sends += p.Sends
	m.passes.Merged += p.Merged
	m.passes.Lag += p.Lag
}

func (m *tally) end(t *testing.T) SessionEnd {
	t.Helper()
	var e SessionEnd
	eventually(t, "the meter hears of an end", func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.ends) == 0 {
			return false
		}
		e, m.ends = m.ends[0], m.ends[1:]
		return true
	})
	return e
}

// Every broadcast is part of a pass, merged ones included.
func TestMeterOfFanOut(t *testing.T) {
	var meter tally
	ts := serve(t, Options{Meter: &meter, Shards: 1})
	c := ts.openSocket()
	session := ts.next().session
	group := ts.NewGroup()
	group.Add(session)
	const broadcasts = 100
	for range broadcasts {
		group.Send(NewFrame(text("x")), SendOptions{})
	}
	for range broadcasts {
		c.want("4x")
	}
	eventually(t, "all passes are told of", func() bool {
		meter.mu.Lock()
		defer meter.mu.Unlock()
		return meter.passes.Sends == broadcasts && meter.passes.Lag > 0 && meter.passes.Merged < broadcasts
	})
}

func TestMeter(t *testing.T) {
	var meter tally
	ts := serve(t, Options{Meter: &meter, MaxPendingBytes: 1000})
	query, _ := ts.openPolling()
	r := ts.next()
	ts.post(query, "4hello")
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")
	c.send("5")
	eventually(t, "upgraded", func() bool { return r.session.Transport() == WebSocket })
	c.send("4hello")
	r.message(t)
	r.message(t)
	r.session.Send(text("hello"))
	c.want("4hello")

	before := ts.Stats()
	if before.Sessions != 1 || before.Received != 12 || before.Sent == 0 {
		t.Errorf("stats %+v", before)
	}
	c.send("1")
	e := meter.end(t)
	if e.Transport != WebSocket || e.Reason != ReasonTransportClose || e.Received != 13 || e.Sent != before.Sent || e.Lifetime <= 0 || e.Dropped != 0 {
		t.Errorf("end %+v, before %+v", e, before)
	}
	eventually(t, "no session", func() bool { return ts.Count() == 0 })
	if after := ts.Stats(); after.Sessions != 0 || after.Sent != before.Sent || after.Received != 13 {
		t.Errorf("stats %+v: bytes of closed sessions go on counting", after)
	}

	// A client for which too much waits.
	ts.openPolling()
	slow := ts.next()
	slow.session.Send(text(strings.Repeat("x", 900)))
	if pending := ts.Stats().PendingBytes; pending < 900 {
		t.Errorf("%d bytes wait", pending)
	}
	slow.session.Send(text(strings.Repeat("x", 900)))
	if e := meter.end(t); e.Reason != ReasonSlowClient || e.Dropped < 900 || e.Err == nil {
		t.Errorf("end %+v", e)
	}
	if meter.upgraded != 1 || meter.opened[Polling] != 2 {
		t.Errorf("%d upgraded, opened %v", meter.upgraded, meter.opened)
	}
}
