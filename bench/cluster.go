package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// formation is a catalogue and the nodes that serve it.
type formation struct {
	name        string
	natsServers int // 0: SQLite
	nodes       int
}

var (
	alone       = formation{name: "shelfcast, SQLite", nodes: 1}
	aloneOnNATS = formation{name: "shelfcast, one node on one NATS server", natsServers: 1, nodes: 1}
	threeNodes  = formation{name: "shelfcast, three nodes on three NATS servers", natsServers: 3, nodes: 3}
)

// cluster sets three nodes on three NATS servers beside a single one: what a delivery costs a node,
// how far the others are behind the one that took a change, and what a write waits for.
func cluster() scenario {
	const clients = 1_000
	s := scenario{
		name:  "cluster",
		title: "Three nodes and a single one",
		about: fmt.Sprintf("%s clients on each node, all on one machine; one node takes all posts, %d a second, so that each has reached all before the next. "+
			"Every change is synced before it is acknowledged: by SQLite, by the NATS server, or by two of the three. CPU time is that of the busiest node's process, what it does between the posts included; that of the NATS servers stands apart. Three nodes, three NATS servers and 3,000 clients share the cores here, so an event takes longer to reach its clients than on machines of their own; how far the other nodes are behind the one that took the post shows in the columns beside each other. Requests are those of one writer once the clients have left.",
			thousands(clients), postsPerSecond),
		metrics: []metric{cpuPerDelivery, nodeMean, clientP50, clientP99, followerP50, followerP99, requestP50, requestP99, natsCPU},
		comparisons: []comparison{
			between("three nodes: CPU per delivery of the busiest node, against a single node on SQLite", cpuPerDelivery, threeNodes.name, alone.name, atMost(1.15, 0)),
			between("three nodes: CPU per delivery of the busiest node, against a single node on NATS", cpuPerDelivery, threeNodes.name, aloneOnNATS.name, bound{}),
			between("three nodes: mean CPU per delivery of the nodes, against a single node on SQLite", nodeMean, threeNodes.name, alone.name, bound{}),
			between("three nodes: a write, p50, against SQLite", requestP50, threeNodes.name, alone.name, bound{}),
			between("three nodes: a write, p99, against SQLite", requestP99, threeNodes.name, alone.name, bound{}),
		},
		charts: []chart{{"cluster-cpu", "CPU per delivery of the busiest node, 1,000 clients on each", cpuPerDelivery}},
	}
	for _, one := range []formation{alone, aloneOnNATS, threeNodes} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			nodes, natsServers, err := one.start(ctx, on)
			if err != nil {
				return nil, err
			}
			values, err := one.deliver(ctx, on, nodes, natsServers, on.clients(clients), postsPerSecond)
			if err != nil {
				return nil, err
			}
			written, err := writing(nodes[0], 1, on.lasts(3*time.Second)).run(ctx)
			if err != nil {
				return nil, err
			}
			values[requestP50] = milliseconds(written.quantile(0.5))
			values[requestP99] = milliseconds(written.quantile(0.99))
			return values, nil
		}})
	}
	return s
}

// clusterLag has so few clients that what is measured is the way of a change to the nodes, and not
// how nodes on one machine wait for each other.
func clusterLag() scenario {
	const clients = 10
	s := scenario{
		name:    "cluster-lag",
		title:   "How far nodes are behind the one that takes a change",
		about:   fmt.Sprintf("%d clients on each node; one node takes all posts, one at a time: the next begins when the clients that are looked at have the one before. The times are from the post to each client, storing and syncing included.", clients),
		metrics: []metric{clientP50, clientP99, followerP50, followerP99},
		comparisons: []comparison{
			between("three nodes: post to each client of another node, p50", followerP50, threeNodes.name, "", bound{}),
			between("three nodes: post to each client of another node, p99", followerP99, threeNodes.name, "", bound{}),
		},
	}
	for _, one := range []formation{alone, aloneOnNATS, threeNodes} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			nodes, natsServers, err := one.start(ctx, on)
			if err != nil {
				return nil, err
			}
			return one.deliver(ctx, on, nodes, natsServers, clients, 0)
		}})
	}
	return s
}

// postsPerSecond leaves two cores that serve 3,000 clients, and play them, most of their time: were
// events to queue up, one write would carry several, and a delivery would seem cheap.
const postsPerSecond = 15

// posting is how long posts are measured, by the crowds of all nodes one after the other.
const posting = 9 * time.Second

// deliver connects a crowd to each node. The crowds post in turn, all to the first node: each knows
// of its own posts when they reach its own clients. A rate of 0 is one post at a time.
func (f formation) deliver(ctx context.Context, on *stage, nodes, natsServers []*server, clients int, rate float64) (reading, error) {
	var crowds []*bench.Crowd
	defer func() {
		for _, crowd := range crowds {
			crowd.Close()
		}
	}()
	for _, node := range nodes {
		options := node.contender.options(node.url(), clients)
		options.PostURL = nodes[0].url() + "/books"
		crowd, err := bench.Connect(ctx, options)
		if err != nil {
			return nil, err
		}
		crowds = append(crowds, crowd)
	}
	if err := crowds[0].Idle(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	before, err := usageOfAll(nodes, natsServers)
	if err != nil {
		return nil, err
	}
	received := receivedBy(crowds)

	load := bench.Load{Rate: rate, Warmup: time.Second, Duration: on.lasts(posting) / time.Duration(f.nodes)}
	var phases []*bench.Phase
	var deliveries uint64 // of each node: all crowds are of one size
	for _, crowd := range crowds {
		phase, err := crowd.Post(ctx, load, 0)
		if err != nil {
			return nil, err
		}
		if err := complete(phase); err != nil {
			return nil, err
		}
		phases = append(phases, phase)
		deliveries += crowd.Counters().Deliveries
	}
	// The last event may still be on its way to clients of the other nodes.
	if err := crowds[0].Idle(ctx, time.Second/2); err != nil {
		return nil, err
	}
	after, err := usageOfAll(nodes, natsServers)
	if err != nil {
		return nil, err
	}
	if err := alike(received, receivedBy(crowds)); err != nil {
		return nil, err
	}
	return f.read(before, after, deliveries, float64(clients), phases), nil
}

// start starts the NATS servers and the nodes.
func (f formation) start(ctx context.Context, on *stage) (nodes, natsServers []*server, err error) {
	who := shelfcast
	if f.natsServers > 0 {
		var url string
		if url, natsServers, err = on.startNATS(ctx, f.natsServers); err != nil {
			return nil, nil, err
		}
		who.command = func(programs programs, port int, data string) []string {
			return append(shelfcast.command(programs, port, data), "--nats-url", url, "--replicas", strconv.Itoa(f.natsServers))
		}
	}
	for range f.nodes {
		node, err := on.start(ctx, who, 0)
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, natsServers, nil
}

// processes is the CPU time that processes have used.
type processes struct {
	nodes []time.Duration
	nats  time.Duration // of all
}

func usageOfAll(nodes, natsServers []*server) (processes, error) {
	var all processes
	for _, node := range nodes {
		used, err := node.usage()
		if err != nil {
			return all, err
		}
		all.nodes = append(all.nodes, used.cpu)
	}
	for _, natsServer := range natsServers {
		used, err := natsServer.usage()
		if err != nil {
			return all, err
		}
		all.nats += used.cpu
	}
	return all, nil
}

func receivedBy(crowds []*bench.Crowd) []uint64 {
	var received []uint64
	for _, crowd := range crowds {
		received = append(received, crowd.Counters().BytesReceived)
	}
	return received
}

// alike refuses a measurement in which the clients of some node received less than others: a crowd
// cannot tell when it misses events that another one posted.
func alike(before, after []uint64) error {
	const tolerance = 0.02 // pings
	for i := range after {
		if ratio := float64(after[i]-before[i]) / float64(after[0]-before[0]); ratio < 1-tolerance || ratio > 1+tolerance {
			return fmt.Errorf("the clients of node %d received %.2f times the bytes that those of node 1 did", i+1, ratio)
		}
	}
	return nil
}

// read makes the figures. deliveries are those of each node, one for each event and client.
func (f formation) read(before, after processes, deliveries uint64, clients float64, phases []*bench.Phase) reading {
	var busiest, sum time.Duration
	for i := range after.nodes {
		used := after.nodes[i] - before.nodes[i]
		busiest, sum = max(busiest, used), sum+used
	}
	values := reading{
		cpuPerDelivery: microseconds(busiest) / float64(deliveries),
		nodeMean:       microseconds(sum) / float64(f.nodes) / float64(deliveries),
		clientP50:      phases[0].Latency.Each.P50,
		clientP99:      phases[0].Latency.Each.P99,
	}
	for _, phase := range phases[1:] {
		values[followerP50] = max(values[followerP50], phase.Latency.Each.P50)
		values[followerP99] = max(values[followerP99], phase.Latency.Each.P99)
	}
	if f.natsServers > 0 {
		values[natsCPU] = microseconds(after.nats-before.nats) / (float64(deliveries) / clients)
	}
	return values
}
