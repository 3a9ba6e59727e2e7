package main

import (
	"context"
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// reconnect cuts 10,000 clients off and has all of them connect again in the same moment.
func reconnect() scenario {
	const clients = 10_000
	s := scenario{
		name:    "reconnect-10k",
		title:   "10,000 clients reconnect at once",
		about:   "All connections are cut and opened again in the same moment; the time is until the last client is connected.",
		metrics: []metric{connectedAfter, serverCPU, refused},
		comparisons: []comparison{
			between("10,000 clients reconnect at once: time until all are connected, against Node", connectedAfter, shelfcast.name, node.name, atMost(0.5, 0)),
			between("10,000 clients reconnect at once: connections refused", refused, shelfcast.name, "", atMost(0, 0)),
		},
		charts: []chart{{"reconnect-10k", "10,000 clients reconnect at once: time until all are connected", connectedAfter}},
	}
	for _, one := range []contender{shelfcast, node} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, one, 0)
			if err != nil {
				return nil, err
			}
			options := one.options(served.url(), on.clients(clients))
			options.Recovery = bench.RecoverNot // nothing is missed here; connecting alone is measured
			crowd, err := bench.Connect(ctx, options)
			if err != nil {
				return nil, err
			}
			defer crowd.Close()
			before, err := served.usage()
			if err != nil {
				return nil, err
			}
			refusedBefore := crowd.Counters().Refused
			took, err := crowd.ReconnectAtOnce(ctx)
			if err != nil {
				return nil, err
			}
			after, err := served.usage()
			if err != nil {
				return nil, err
			}
			return reading{
				connectedAfter: took.Seconds(),
				serverCPU:      (after.cpu - before.cpu).Seconds(),
				refused:        float64(crowd.Counters().Refused - refusedBefore),
			}, nil
		}})
	}
	return s
}

// restart kills a server with 10,000 clients, starts it again and changes 20 books at once, while
// the clients come back: Shelfcast's get what they missed, the handbook's fetch all books.
func restart() scenario {
	const clients, books, changes = 10_000, 5_000, 20
	s := scenario{
		name:    "restart-10k",
		title:   "10,000 clients after a restart",
		about:   fmt.Sprintf("%s books; the server is killed (SIGKILL) and started again on its data, and %d changes follow at once. Clients come back after the official client's pauses (1 s, doubling, half of it more or less). Shelfcast's recover from the log; the handbook's fetch `GET /books`. The time is from the kill until every client knows of every change.", thousands(books), changes),
		metrics: []metric{inStepAfter, bytesSent, serverCPU},
		comparisons: []comparison{
			between("10,000 clients after a restart: time until all are in step, against Node", inStepAfter, shelfcast.name, node.name, atMost(1.0/3, 0)),
			between("10,000 clients after a restart: time until all are in step", inStepAfter, shelfcast.name, "", bound{Direction: reportOnly}),
			between("10,000 clients after a restart: bytes sent, against Node", bytesSent, shelfcast.name, node.name, atMost(0.1, 0)),
			between("10,000 clients after a restart: server CPU, against Node", serverCPU, shelfcast.name, node.name, atMost(0.2, 0)),
		},
		charts: []chart{{"restart-10k", "10,000 clients after a restart: time until all are in step", inStepAfter}},
	}
	for _, one := range []contender{shelfcast, node} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, one, books)
			if err != nil {
				return nil, err
			}
			crowd, err := connect(ctx, on, served, clients)
			if err != nil {
				return nil, err
			}
			defer crowd.Close()
			// One event for all, so that every client has a position to come back with.
			first, err := crowd.Post(ctx, bench.Load{Count: 1}, 0)
			if err != nil {
				return nil, err
			}
			if err := complete(first); err != nil {
				return nil, err
			}
			received := crowd.Counters().BytesReceived
			cut := time.Now()
			served.kill()
			if served, err = on.restart(ctx, served); err != nil {
				return nil, err
			}
			// Whoever is not back yet learns of them later: WaitInStep waits for that.
			soon := bench.Load{Count: changes, WaitFor: bench.WaitAnswered, Patience: time.Millisecond}
			if _, err := crowd.Post(ctx, soon, 0); err != nil {
				return nil, err
			}
			if err := crowd.WaitInStep(ctx, 0); err != nil {
				return nil, fmt.Errorf("%+v: %w", crowd.Counters(), err)
			}
			took := time.Since(cut)
			used, err := served.usage()
			if err != nil {
				return nil, err
			}
			seen := crowd.Counters()
			if seen.Lost != 0 || seen.Duplicates != 0 {
				return nil, fmt.Errorf("%d deliveries lost, %d twice", seen.Lost, seen.Duplicates)
			}
			return reading{
				inStepAfter: took.Seconds(),
				bytesSent:   megabytes(float64(seen.BytesReceived - received)),
				serverCPU:   used.cpu.Seconds(),
			}, nil
		}})
	}
	return s
}
