package metrics

import (
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/history"
	"github.com/shelfcast/shelfcast/internal/live"
	"github.com/shelfcast/shelfcast/socketio"
)

// What the meters are told is what the history reads, every series of it.
func TestReading(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.Engine.Observe(func() engineio.Stats { return engineio.Stats{Sent: 1000, PendingBytes: 7} })
	m.Catalog.Observe(func() catalog.Stats { return catalog.Stats{TotalBooks: 3} })
	m.Engine.SessionOpened(engineio.Polling)
	m.Engine.SessionOpened(engineio.Polling)
	m.Engine.SessionUpgraded()
	m.Engine.SessionClosed(engineio.SessionEnd{Transport: engineio.Polling, Reason: engineio.ReasonSlowClient, Lifetime: time.Second})
	m.Engine.Refused(nil, &engineio.RequestError{Code: engineio.CodeForbidden, Message: "Too many handshakes"})
	m.Engine.FannedOut(engineio.Pass{Sends: 5, Merged: 4, Lag: 30 * time.Millisecond})
	m.Live.Connected(live.Arrival{Role: catalog.RoleOwner})
	m.Live.Connected(live.Arrival{Role: catalog.RoleReader, Returning: true, Recovered: true, Missed: 6, Lost: socketio.ReasonPingTimeout})
	m.Live.Connected(live.Arrival{Role: "made up", Returning: true, Lost: "made up"})
	m.Live.Disconnected(catalog.RoleOwner, "made up")
	m.Live.Emitted("bookAdded")
	m.Live.Emitted("made up")
	m.Live.Received("made up")
	m.Log.Committed(8, time.Millisecond)
	m.Log.Synced(time.Millisecond)
	m.Catalog.ChangeStored(2*time.Millisecond, time.Millisecond)
	m.HTTP.Answered("/books", "GET", 200, time.Millisecond)
	m.HTTP.Answered("/books", "MADE-UP", 503, time.Second)
	m.HTTP.Limited("timings")
	m.HTTP.OnScreen("bookAdded", 40*time.Millisecond)

	reading := m.Read()
	for name, want := range map[string]float64{
		"connections": 1, "polling": 0, "websocket": 1, "readers": 1, "owners": 0, "pendingBytes": 7, "books": 3,
	} {
		if got := reading.Gauges[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]float64{
		"eventsPerSecond": 2, "bookAddedPerSecond": 1, "clientEventsPerSecond": 1, "reconnectionsPerSecond": 2, "recoveredPerSecond": 1,
		"replayedPerSecond": 6, "disconnectionsPerSecond": 1, "slowClientsPerSecond": 1, "refusedPerSecond": 1, "limitHitsPerSecond": 2,
		"mergedPerSecond": 4, "sentBytesPerSecond": 1000, "writesPerSecond": 8, "requestsPerSecond": 2, "errorsPerSecond": 1,
	} {
		if got := reading.Counters[name]; got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, timing := range reading.Timings {
		want := uint64(1)
		if name == "request" {
			want = 2
		}
		if timing.Count != want || len(timing.Bounds) == 0 || len(timing.Below) != len(timing.Bounds) {
			t.Errorf("%s: %+v", name, timing)
		}
	}
	for _, series := range history.AllSeries() {
		name := series.From
		if name == "" {
			name = series.Name
		}
		_, gauge := reading.Gauges[name]
		_, counter := reading.Counters[name]
		_, timing := reading.Timings[name]
		if gauge != (series.Kind == history.Gauge) || counter != (series.Kind == history.Rate) || timing != (series.Kind >= history.Timing95) {
			t.Errorf("the reading has nothing of its kind for the series %s", series.Name)
		}
	}
}
