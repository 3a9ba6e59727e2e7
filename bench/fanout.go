package main

import (
	"context"
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// fanOut has so many clients and one post at a time: the next begins when the last client has the
// one before. It is what a single change costs.
func fanOut(clients int, bars bool) scenario {
	s := scenario{
		name:  fmt.Sprintf("fanout-%dk", clients/1000),
		title: fmt.Sprintf("One change to %s clients", thousands(int64(clients))),
		about: "One post at a time; the next begins when the last client has its event. CPU time is that of the server's process alone, HTTP and storage included.",
		metrics: []metric{
			cpuPerDelivery, lastP50, lastP99, eventBytes,
		},
		charts: []chart{
			{fmt.Sprintf("fanout-%dk-cpu", clients/1000), fmt.Sprintf("Server CPU per delivery, %s clients", thousands(int64(clients))), cpuPerDelivery},
			{fmt.Sprintf("fanout-%dk-last", clients/1000), fmt.Sprintf("From the post to the last of %s clients, p99", thousands(int64(clients))), lastP99},
		},
	}
	load := bench.Load{Warmup: time.Second, Duration: 5 * time.Second}
	if clients > 1_000 {
		load = bench.Load{Warmup: 2 * time.Second, Duration: 8 * time.Second} // some ten events a second
	}
	for _, one := range []contender{shelfcast, bareLoop, node, centrifuge} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			return deliver(ctx, on, one, clients, load)
		}})
	}
	size := thousands(int64(clients)) + " clients, one post at a time: "
	toLoop, toNode, toLast := bound{}, bound{}, bound{}
	if bars {
		toLoop, toNode, toLast = atMost(1.25, 1.10), atMost(0.40, 0.30), atMost(0.75, 0.60)
	}
	s.comparisons = []comparison{
		between(size+"CPU per delivery against the bare loop", cpuPerDelivery, shelfcast.name, bareLoop.name, toLoop),
		between(size+"CPU per delivery against Node", cpuPerDelivery, shelfcast.name, node.name, toNode),
		between(size+"CPU per delivery against centrifuge", cpuPerDelivery, shelfcast.name, centrifuge.name, bound{}),
		between(size+"post to last client, p99, against Node", lastP99, shelfcast.name, node.name, toLast),
	}
	return s
}

// posters has 32 posters, each of which posts again as soon as it was answered: events queue up
// behind each other, and a server may send several with one write.
func posters() scenario {
	s := scenario{
		name:    "posters-32",
		title:   "32 posters, 1,000 clients",
		about:   "Each of 32 posters posts again as soon as its event has reached every client. Shelfcast syncs each change to disk (`--sync always`) before anybody hears of it; Node writes books.json as the handbook shows; centrifuge stores nothing. CPU time includes HTTP and the append.",
		metrics: []metric{cpuPerDelivery, eventRate, lastP50, lastP99, clientP99, eventsPerWrite},
		charts:  []chart{{"posters-32-cpu", "Server CPU per delivery, 1,000 clients, 32 posters", cpuPerDelivery}},
	}
	load := bench.Load{Posters: 32, Warmup: 2 * time.Second, Duration: 6 * time.Second}
	for _, one := range []contender{shelfcast, node, centrifuge} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			return deliver(ctx, on, one, 1_000, load)
		}})
	}
	s.comparisons = []comparison{
		between("1,000 clients, 32 posters: CPU per delivery against Node", cpuPerDelivery, shelfcast.name, node.name, atMost(1.0/20, 1.0/30)),
		between("1,000 clients, 32 posters: post to last client, p99, against Node", lastP99, shelfcast.name, node.name, atMost(1, 0)),
		between("1,000 clients, 32 posters: CPU per delivery against centrifuge", cpuPerDelivery, shelfcast.name, centrifuge.name, bound{}),
		between("1,000 clients, 32 posters: deliveries per write call of the server", eventsPerWrite, shelfcast.name, "", bound{}),
	}
	return s
}

// deliver connects a crowd, loads it and says what the deliveries cost. Anything that was lost or
// came twice fails the case.
func deliver(ctx context.Context, on *stage, who contender, clients int, load bench.Load) (_ reading, err error) {
	served, err := on.start(ctx, who, 0)
	if err != nil {
		return nil, err
	}
	crowd, err := connect(ctx, on, served, clients)
	if err != nil {
		return nil, err
	}
	defer crowd.Close()
	before, err := served.usage()
	if err != nil {
		return nil, err
	}
	load.Duration = on.lasts(load.Duration)
	phase, err := crowd.Post(ctx, load, served.pid())
	if err != nil {
		return nil, err
	}
	after, err := served.usage()
	if err != nil {
		return nil, err
	}
	if err := complete(phase); err != nil {
		return nil, err
	}
	// Warm-up counts on both sides here.
	everDelivered := float64(crowd.Counters().Deliveries)
	return reading{
		cpuPerDelivery: phase.CPUPerDelivery,
		lastP50:        phase.Latency.Last.P50,
		lastP99:        phase.Latency.Last.P99,
		clientP99:      phase.Latency.Each.P99,
		eventRate:      phase.PostsPerSecond,
		eventBytes:     float64(phase.BytesReceived) / everDelivered,
		eventsPerWrite: everDelivered / float64(after.writes-before.writes),
	}, nil
}

// connect connects a crowd and gives the server a moment to be done with it.
func connect(ctx context.Context, on *stage, served *server, clients int) (*bench.Crowd, error) {
	crowd, err := bench.Connect(ctx, served.contender.options(served.url(), on.clients(clients)))
	if err != nil {
		return nil, err
	}
	if err := crowd.Idle(ctx, time.Second); err != nil {
		crowd.Close()
		return nil, err
	}
	return crowd, nil
}

// complete refuses a measurement in which not everybody received everything once: it would
// compare a server that does its work with one that does not.
func complete(phase *bench.Phase) error {
	if !phase.Faultless() || phase.Accepted != phase.Posts || phase.Deliveries == 0 {
		return fmt.Errorf("of %d posts %d were accepted; %d deliveries, %d lost, %d twice; %q",
			phase.Posts, phase.Accepted, phase.Deliveries, phase.Lost, phase.Duplicates, phase.Problems)
	}
	return nil
}
