package main

import (
	"context"
	"fmt"
	"time"
)

// startLarge measures how long a large catalogue keeps people waiting after a restart.
func startLarge() scenario {
	const books = 1_000_000
	return scenario{
		name:        "start-1m",
		title:       "Start with 1,000,000 books",
		about:       "From the start of the process until `/readyz` says that a write would succeed.",
		metrics:     []metric{readyAfter, memory},
		comparisons: []comparison{between("start with 1,000,000 books to ready", readyAfter, shelfcast.name, "", atMost(4, 2))},
		cases: []measured{{shelfcast.name, func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, shelfcast, on.books(books))
			if err != nil {
				return nil, err
			}
			used, err := served.usage()
			if err != nil {
				return nil, err
			}
			return reading{readyAfter: served.readyIn.Seconds(), memory: megabytes(float64(used.rss))}, nil
		}}},
	}
}

// appends measures synced writes: many writers at once share the syncs that one has to wait for.
func appends() scenario {
	s := scenario{
		name:    "appends",
		title:   "Synced writes over REST",
		about:   "Writers that post a book as soon as the last was answered, each answer after its change was synced to disk; nobody listens.",
		metrics: []metric{writeRate, requestP50, cpuPerRequest},
		charts:  []chart{{"appends", "Synced writes a second", writeRate}},
	}
	name := func(writers int) string {
		if writers == 1 {
			return "1 writer"
		}
		return fmt.Sprintf("%d writers", writers)
	}
	const one, many = 1, 64
	for _, writers := range []int{one, many} {
		s.cases = append(s.cases, measured{name(writers), func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, shelfcast, 0)
			if err != nil {
				return nil, err
			}
			if _, err := writing(served, writers, time.Second).run(ctx); err != nil {
				return nil, err
			}
			before, err := served.usage()
			if err != nil {
				return nil, err
			}
			done, err := writing(served, writers, on.lasts(5*time.Second)).run(ctx)
			if err != nil {
				return nil, err
			}
			after, err := served.usage()
			if err != nil {
				return nil, err
			}
			return reading{
				writeRate:     done.perSecond(),
				requestP50:    milliseconds(done.quantile(0.5)),
				cpuPerRequest: microseconds(after.cpu-before.cpu) / float64(done.answers),
			}, nil
		}})
	}
	s.comparisons = []comparison{
		between("synced appends a second over REST: 64 writers against 1", writeRate, name(many), name(one), atLeast(5, 8)),
	}
	return s
}
