package main

import (
	"context"
	"errors"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// crowds are the clients: of each kind one crowd.
type crowds []*bench.Crowd

// kind is how some of the clients behave.
type kind struct {
	share     float64 // of all clients
	transport bench.Transport
	recovery  bench.Recovery
}

// connect brings all clients in.
func connect(ctx context.Context, p plan, url string, kinds []kind) (crowds, error) {
	var all crowds
	for _, k := range kinds {
		crowd, err := bench.Connect(ctx, bench.Options{
			URL: url, Clients: int(k.share * float64(p.Clients)), Transport: k.transport, Recovery: k.recovery,
			Stay: p.Stay, ConnectRate: 500,
		})
		if err != nil {
			return nil, errors.Join(err, all.close())
		}
		all = append(all, crowd)
	}
	return all, nil
}

func (c crowds) close() error {
	var errs []error
	for _, crowd := range c {
		errs = append(errs, crowd.Close())
	}
	return errors.Join(errs...)
}

// count is what all have seen together.
func (c crowds) count() (sum bench.Counters) {
	for _, crowd := range c {
		one := crowd.Counters()
		sum.Connected += one.Connected
		sum.BytesReceived += one.BytesReceived
		sum.Disconnects += one.Disconnects
		sum.Left += one.Left
		sum.Reconnects += one.Reconnects
		sum.Recovered += one.Recovered
		sum.Refused += one.Refused
	}
	return sum
}

// waitBack waits until almost all are connected: some are always on their way out or in.
func (c crowds) waitBack(ctx context.Context, clients int) (time.Duration, error) {
	began := time.Now()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for c.count().Connected < clients*95/100 {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return time.Since(began), nil
}
