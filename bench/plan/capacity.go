package main

import "time"

// What the plan assumes beside what was measured.
const (
	planClients  = 1_000_000
	planNodes    = 20
	nodeCores    = 8
	balancers    = 3
	balancerCore = 16
	planRate     = 5.0 // changes a second that the nodes are made for
	// eventBytes is a delivery as docs/benchmarks.md counts it; packetBytes are the headers of Ethernet,
	// IP and TCP around it.
	eventBytes  = 272
	packetBytes = 66
)

// delivery is the CPU of one delivery: the most that any load on the largest crowd took.
func (m *measured) delivery() time.Duration {
	largest := m.Sizes[len(m.Sizes)-1]
	var most float64
	for _, one := range largest.Loads {
		most = max(most, one.MicrosPerDelivery)
	}
	return micros(most)
}

// ClientBytes, which the page calls, is what one idle client takes of a node's memory.
func (m *measured) ClientBytes() float64 {
	largest := m.Sizes[len(m.Sizes)-1]
	return (largest.RSSMegabytes - m.EmptyMegabytes) * 1e6 / float64(largest.Clients)
}

// fanOut is what a rate of changes costs when a million clients hear of each.
type fanOut struct {
	Rate         float64
	Cores        float64 // of all nodes
	CoresPerNode float64
	Gigabits     float64 // a second, of all nodes
	NATSBytes    float64 // a second, of all servers
}

func (m *measured) fanOut(rate float64) fanOut {
	deliveries := rate * planClients
	cores := deliveries*m.delivery().Seconds() + rate*planNodes*m.FollowMicros/1e6
	return fanOut{
		Rate: rate, Cores: cores, CoresPerNode: cores / planNodes,
		Gigabits:  deliveries * (eventBytes + packetBytes) * 8 / 1e9,
		NATSBytes: rate * 3 * m.NATSOutBytes * planNodes / 3, // as if all of it grew with the nodes
	}
}

// nodes is the stage of count nodes that take clients who have missed so many changes, while
// planRate goes on.
func (m *measured) nodes(count int, missed float64) stage {
	connect := micros(m.ConnectMicros)
	return stage{
		Machines: count, Cores: nodeCores - m.fanOut(planRate).CoresPerNode,
		Work: connect + micros(missed*m.CatchUpMicros), Opens: connect,
	}
}

// front is the stage of count load balancers that end TLS.
func (m *measured) front(count int) stage {
	return stage{Machines: count, Cores: balancerCore, Work: micros(m.TLSMicros)}
}
