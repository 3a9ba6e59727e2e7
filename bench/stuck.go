package main

import (
	"context"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

const (
	allRead  = "all read"
	someHang = "100 of 1,000 do not read"
)

// stuck has clients that stop reading while events come in: they must not be felt by the others.
func stuck() scenario {
	const clients, hang = 1_000, 100
	s := scenario{
		name:    "stuck-100",
		title:   "100 of 1,000 clients stop reading",
		about:   "80 events of about 1.3 KB a second to 1,000 clients, of which none or 100 stop reading. Whoever leaves 1 MB or 20 s of events unread is closed as a slow client; memory is bounded by what may wait for the stuck ones (100 MB here, were nothing shared; events are shared by all who wait for them).",
		metrics: []metric{clientP99, lastP99, memory, stuckClosed},
		comparisons: []comparison{
			between("100 of 1,000 clients stop reading: p99 of the others against all reading", clientP99, someHang, allRead, atMost(1.2, 1.0)),
			between("100 of 1,000 clients stop reading: server RSS against all reading", memory, someHang, allRead, bound{}),
			between("100 of 1,000 clients stop reading: closed as slow", stuckClosed, someHang, "", atLeast(hang, 0)),
		},
		charts: []chart{{"stuck-100", "p99 to each client that reads", clientP99}},
	}
	load := bench.Load{Rate: 80, Warmup: 2 * time.Second, Duration: 24 * time.Second}
	measure := func(stalled int) func(context.Context, *stage) (reading, error) {
		return func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, shelfcast, 0)
			if err != nil {
				return nil, err
			}
			options := shelfcast.options(served.url(), clients)
			long := strings.Repeat("𝔸", 255) // an author of 255 characters takes 1,020 bytes
			options.PostBody = func(title string) []byte { return bookBody(title, long) }
			crowd, err := bench.Connect(ctx, options)
			if err != nil {
				return nil, err
			}
			defer crowd.Close()
			if err := crowd.Stall(stalled); err != nil {
				return nil, err
			}
			load := load
			if on.quick {
				load.Duration /= 2 // too short for some to be closed
			}
			phase, err := crowd.Post(ctx, load, served.pid())
			if err != nil {
				return nil, err
			}
			if err := complete(phase); err != nil {
				return nil, err
			}
			used, err := served.usage()
			if err != nil {
				return nil, err
			}
			closed, err := closedAsSlow(ctx, served)
			if err != nil {
				return nil, err
			}
			return reading{
				clientP99:   phase.Latency.Each.P99,
				lastP99:     phase.Latency.Last.P99,
				memory:      megabytes(float64(used.rss)),
				stuckClosed: closed,
			}, nil
		}
	}
	s.cases = []measured{{allRead, measure(0)}, {someHang, measure(hang)}}
	return s
}
