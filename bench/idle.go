package main

import (
	"context"
	"time"
)

// settling is how long a crowd idles before memory is read: what connecting left behind is garbage
// that a server may return first.
const settling = 12 * time.Second

// idle has 10,000 clients that are connected and do nothing but answer pings.
func idle() scenario {
	const clients = 10_000
	s := scenario{
		name:        "memory-10k",
		title:       "10,000 clients that wait",
		about:       "Resident memory of the server's process with 10,000 idle WebSocket clients, less what it had before they came. What the kernel holds for each socket is not in it.",
		metrics:     []metric{memoryPerClient, memory, refused},
		comparisons: []comparison{between("RSS per idle WebSocket client at 10,000, over the empty server", memoryPerClient, shelfcast.name, "", atMost(6, 4))},
		charts:      []chart{{"memory-10k", "Memory per idle client", memoryPerClient}},
	}
	for _, one := range []contender{shelfcast, node, centrifuge} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, one, 0)
			if err != nil {
				return nil, err
			}
			before, err := served.usage()
			if err != nil {
				return nil, err
			}
			crowd, err := connect(ctx, on, served, clients)
			if err != nil {
				return nil, err
			}
			defer crowd.Close()
			if err := crowd.Idle(ctx, on.lasts(settling)); err != nil {
				return nil, err
			}
			after, err := served.usage()
			if err != nil {
				return nil, err
			}
			return reading{
				memoryPerClient: (float64(after.rss) - float64(before.rss)) / 1024 / float64(on.clients(clients)),
				memory:          megabytes(float64(after.rss)),
				refused:         float64(crowd.Connecting().Refused),
			}, nil
		}})
	}
	return s
}

// megabytes of 1,048,576 bytes.
func megabytes(bytes float64) float64 { return bytes / (1 << 20) }
