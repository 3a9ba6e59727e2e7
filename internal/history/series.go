package history

import "math"

// Reading is what a source of indicators says at one moment. The names of its values are those
// that Series lists with the same kind; what is missing becomes a gap.
type Reading struct {
	Gauges   map[string]float64 // as they are now
	Counters map[string]float64 // rising since the process started; kept as a rate per second
	Timings  map[string]Timing  // likewise; kept as a quantile, in milliseconds
}

// Timing is a cumulative histogram of seconds: how many were at or below each bound. What is above
// the last bound is only in Count.
type Timing struct {
	Bounds []float64 // rising; the same in every Reading
	Below  []uint64  // as many
	Count  uint64
}

// Kind says how a series is made from readings, and how many of its values become one.
type Kind uint8

// The kinds.
const (
	Gauge    Kind = iota // a reading's; several become their mean
	Rate                 // by how much a counter rose in a second; several become their mean
	Timing95             // what 95 % of a timing's values are at or below; several become the largest
	Median               // the same with 50 %
)

// Series is one indicator.
type Series struct {
	Name string // in answers and in the store; never given to another indicator
	From string // the name in a Reading; "": Name
	Kind Kind
	Help string // in one sentence, with the unit
}

func (s Series) from() string {
	if s.From == "" {
		return s.Name
	}
	return s.From
}

// AllSeries are the indicators, in the order in which a page may show them.
func AllSeries() []Series {
	return []Series{
		{Name: "connections", Kind: Gauge, Help: "Open connections."},
		{Name: "websocket", Kind: Gauge, Help: "Open connections by WebSocket."},
		{Name: "polling", Kind: Gauge, Help: "Open connections by polling."},
		{Name: "readers", Kind: Gauge, Help: "Sockets of readers."},
		{Name: "owners", Kind: Gauge, Help: "Sockets of owners."},
		{Name: "eventsPerSecond", Kind: Rate, Help: "Events emitted, each to one client or to many."},
		{Name: "bookAddedPerSecond", Kind: Rate, Help: "bookAdded events emitted."},
		{Name: "bookUpdatedPerSecond", Kind: Rate, Help: "bookUpdated events emitted."},
		{Name: "bookDeletedPerSecond", Kind: Rate, Help: "bookDeleted events emitted."},
		{Name: "favoriteUpdatedPerSecond", Kind: Rate, Help: "favoriteUpdated events emitted."},
		{Name: "clientEventsPerSecond", Kind: Rate, Help: "Events that clients sent."},
		{Name: "memoryBytes", Kind: Gauge, Help: "Memory that the process has from the system."},
		{Name: "heapBytes", Kind: Gauge, Help: "Memory in use on Go's heap."},
		{Name: "goroutines", Kind: Gauge, Help: "Goroutines."},
		{Name: "actionToScreenMedianMilliseconds", From: "actionToScreen", Kind: Median, Help: "From an action until its event was on the screen, as web clients report it: half of them were faster."},
		{Name: "actionToScreenMilliseconds", From: "actionToScreen", Kind: Timing95, Help: "The same: 95 % were faster."},
		{Name: "reconnectionsPerSecond", Kind: Rate, Help: "Clients that came back."},
		{Name: "recoveredPerSecond", Kind: Rate, Help: "Clients that came back and got exactly what they had missed."},
		{Name: "replayedPerSecond", Kind: Rate, Help: "Missed events replayed to them."},
		{Name: "disconnectionsPerSecond", Kind: Rate, Help: "Connections that ended."},
		{Name: "slowClientsPerSecond", Kind: Rate, Help: "Connections closed because the client read too slowly."},
		{Name: "refusedPerSecond", Kind: Rate, Help: "Connections and their requests that were refused."},
		{Name: "limitHitsPerSecond", Kind: Rate, Help: "What limits refused."},
		{Name: "fanOutLagMilliseconds", From: "fanOutLag", Kind: Timing95, Help: "From an event being queued until every recipient had it; 95 % were faster."},
		{Name: "mergedPerSecond", Kind: Rate, Help: "Events that left in one write with the one before."},
		{Name: "pendingBytes", Kind: Gauge, Help: "Bytes that wait for clients to read."},
		{Name: "sentBytesPerSecond", Kind: Rate, Help: "Bytes sent to clients' connections."},
		{Name: "receivedBytesPerSecond", Kind: Rate, Help: "Bytes received from clients' connections."},
		{Name: "writesPerSecond", Kind: Rate, Help: "Changes stored."},
		{Name: "logAppendMilliseconds", From: "logAppend", Kind: Timing95, Help: "Until a change was durable; 95 % were faster."},
		{Name: "logSyncMilliseconds", From: "logSync", Kind: Timing95, Help: "How long a sync of the disk took; 95 % were faster."},
		{Name: "projectionLagMilliseconds", From: "projectionLag", Kind: Timing95, Help: "From a change being durable until it was applied and broadcast; 95 % were faster."},
		{Name: "requestsPerSecond", Kind: Rate, Help: "HTTP requests answered, polls of sockets left out."},
		{Name: "requestMilliseconds", From: "request", Kind: Timing95, Help: "How long they took; 95 % were faster."},
		{Name: "errorsPerSecond", Kind: Rate, Help: "HTTP requests answered with a status of 500 or more."},
		{Name: "books", Kind: Gauge, Help: "Books in the catalogue."},
	}
}

// between makes a series' value from two readings that lie some seconds apart; NaN when one of
// them lacks it, or nothing happened that could be measured.
func (s Series) between(before, after *Reading, seconds float64) float64 {
	name := s.from()
	switch s.Kind {
	case Gauge:
		if value, ok := after.Gauges[name]; ok {
			return value
		}
	case Rate:
		first, was := before.Counters[name]
		last, is := after.Counters[name]
		if was && is && last >= first && seconds > 0 {
			return (last - first) / seconds
		}
	case Timing95:
		return quantile(before.Timings[name], after.Timings[name], 0.95) * 1000
	case Median:
		return quantile(before.Timings[name], after.Timings[name], 0.5) * 1000
	}
	return math.NaN()
}

// quantile estimates below which value a share of what came between two readings lies: linear
// within a bucket, as Prometheus does, and the last bound for what is above it.
func quantile(before, after Timing, share float64) float64 {
	if len(after.Below) == 0 || after.Count <= before.Count {
		return math.NaN()
	}
	wanted := share * float64(after.Count-before.Count)
	lower, below := 0.0, 0.0
	for i, bound := range after.Bounds {
		count := float64(after.Below[i])
		if i < len(before.Below) {
			count -= float64(before.Below[i])
		}
		if count >= wanted {
			return lower + (bound-lower)*(wanted-below)/max(count-below, 1)
		}
		lower, below = bound, count
	}
	return lower
}

// merge makes one value of several; NaNs are left out.
func (s Series) merge(values []float32) float32 {
	sum, largest, count := 0.0, math.Inf(-1), 0
	for _, value := range values {
		if math.IsNaN(float64(value)) {
			continue
		}
		sum += float64(value)
		largest = max(largest, float64(value))
		count++
	}
	switch {
	case count == 0:
		return float32(math.NaN())
	case s.Kind == Timing95 || s.Kind == Median:
		return float32(largest)
	}
	return float32(sum / float64(count))
}
