package bench

// Counters are what the crowd has seen so far.
type Counters struct {
	Connected     int    // clients that are connected now, stalled ones included
	InStep        int    // those of them that read and know of every accepted post
	Stalled       int    // clients that were told to stop reading
	StalledClosed int    // those of them that the server has closed; counted on Linux without TLS only
	BytesReceived uint64 // by clients, handshakes and refetched snapshots included
	RefetchBytes  uint64 // of these, snapshots, as they came: compressed if the server compresses
	Refetches     uint64 // snapshots
	Deliveries    uint64
	Lost          uint64 // deliveries of accepted posts that have not come (yet)
	Duplicates    uint64
	Connects      uint64 // of the first time
	Disconnects   uint64
	Left          uint64 // connections that clients ended themselves (Options.Stay); not among the former
	Reconnects    uint64
	Recovered     uint64 // of these, the ones whose pid the server knew
	Refused       uint64 // attempts to connect that failed
}

// Counters may be read at any time, after Close too. InStep and Lost take a walk over all clients.
func (c *Crowd) Counters() Counters {
	counters := c.count()
	all := c.ledger.accepted()
	for _, l := range c.loops {
		l.askOrRead(func() {
			for _, member := range l.clients {
				if member.stalled {
					continue
				}
				if member.inStep(all) {
					counters.InStep++
				}
				counters.Lost += member.lost(all)
			}
		})
	}
	return counters
}

// count is Counters without what needs a walk.
func (c *Crowd) count() Counters {
	var sum Counters
	for _, l := range c.loops {
		l.askOrRead(func() {
			n := &l.counters
			sum.Connected += n.joined
			sum.Stalled += n.stalled
			sum.StalledClosed += n.stalledClosed
			sum.BytesReceived += n.received
			sum.RefetchBytes += n.refetchBytes
			sum.Refetches += n.refetches
			sum.Deliveries += n.deliveries
			sum.Duplicates += n.duplicates
			sum.Connects += n.connects
			sum.Disconnects += n.disconnects
			sum.Left += n.left
			sum.Reconnects += n.reconnects
			sum.Recovered += n.recovered
			sum.Refused += n.refused
		})
	}
	return sum
}
