package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// restartReport is what came of the time of restarts.
type restartReport struct {
	Restarts []restart
	Seconds  float64

	// Added books: each accepted one has to reach each client once.
	Posts, Accepted, Unanswered uint64
	Deliveries                  uint64 // expected: Accepted to each client
	Lost, Duplicates            uint64
	// Changed books: each has to be as the last accepted change left it.
	Changed, ChangesUnanswered uint64
	Wrong                      int

	Clients bench.Counters
}

type restart struct {
	Signal string
	Ready  time.Duration // from the signal until a write would succeed again
	Back   time.Duration // from then on, until 95 % of the clients are connected
}

// restartPhase kills and stops the program in turn while clients come and go and writes go on.
func restartPhase(ctx context.Context, p plan, program *program, out io.Writer) (*restartReport, error) {
	kinds := []kind{
		{0.98, bench.TransportWebSocket, bench.RecoverOffset},
		{0.02, bench.TransportPolling, bench.RecoverOffset},
	}
	crowd, err := connect(ctx, p, program.url(), kinds)
	if err != nil {
		return nil, err
	}
	r, began := &restartReport{}, time.Now()
	lasting := time.Duration(p.Restarts+1) * p.Between
	writing, done := context.WithTimeout(ctx, lasting)
	defer done()
	var work sync.WaitGroup
	all := newWriters(program.url(), p.Books)
	changes := p.Rate / 5 // the rest are added books, a tenth of them by the crowd that polls
	for _, w := range all {
		work.Go(func() {
			_ = w.run(writing, changes/writers, w.retitle, true) // it tolerates every failure
		})
	}
	phases, failures := make([]*bench.Phase, len(crowd)), make([]error, len(crowd))
	for i, share := range []float64{0.9, 0.1} {
		work.Go(func() {
			load := bench.Load{Rate: share * (p.Rate - changes), Duration: lasting, Patience: time.Minute}
			phases[i], failures[i] = crowd[i].Post(ctx, load, 0)
		})
	}
	failed := r.restart(writing, p, program, crowd, out)
	if failed != nil {
		done()
	}
	work.Wait()
	r.Seconds, r.Clients = time.Since(began).Seconds(), crowd.count()
	if err := errors.Join(append(failures, failed, crowd.close())...); err != nil {
		return nil, err
	}
	for i, phase := range phases {
		r.Posts, r.Accepted, r.Unanswered = r.Posts+phase.Posts, r.Accepted+phase.Accepted, r.Unanswered+phase.Unanswered+phase.Refused
		r.Lost, r.Duplicates = r.Lost+phase.Lost, r.Duplicates+phase.Duplicates
		r.Deliveries += phase.Accepted * uint64(kinds[i].share*float64(p.Clients))
	}
	for _, w := range all {
		r.Changed, r.ChangesUnanswered = r.Changed+w.Accepted, r.ChangesUnanswered+w.Unanswered
		wrong, err := w.compare(ctx)
		if err != nil {
			return nil, err
		}
		r.Wrong += wrong
	}
	return r, nil
}

func (r *restartReport) restart(ctx context.Context, p plan, program *program, crowd crowds, out io.Writer) error {
	for i := range p.Restarts {
		timer := time.NewTimer(p.Between)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		one, began := restart{Signal: "SIGKILL"}, time.Now()
		if i%2 == 0 {
			program.kill()
		} else {
			one.Signal = "SIGTERM"
			if err := program.stop(); err != nil {
				return err
			}
		}
		if err := program.start(ctx); err != nil {
			return err
		}
		one.Ready = time.Since(began)
		var err error
		if one.Back, err = crowd.waitBack(ctx, p.Clients); err != nil {
			return fmt.Errorf("waiting for the clients after %s: %w", one.Signal, err)
		}
		r.Restarts = append(r.Restarts, one)
		fmt.Fprintf(out, "%s: ready after %s, clients back %s later\n", one.Signal,
			one.Ready.Round(time.Millisecond), one.Back.Round(time.Millisecond))
	}
	return nil
}
