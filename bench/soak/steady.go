package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// steadyReport is what came of the time without restart.
type steadyReport struct {
	Samples   []sample
	Heap, RSS growth
	Writes    uint64
	Clients   bench.Counters
}

// steadyPhase lets the program serve, and looks at its memory.
func steadyPhase(ctx context.Context, p plan, program *program, keep string, out io.Writer) (*steadyReport, error) {
	crowd, err := connect(ctx, p, program.url(), []kind{
		{0.49, bench.TransportWebSocket, bench.RecoverOffset},
		{0.49, bench.TransportWebSocket, bench.RecoverNot}, // as somebody else each time
		{0.02, bench.TransportPolling, bench.RecoverOffset},
	})
	if err != nil {
		return nil, err
	}
	steady, cancel := context.WithTimeoutCause(ctx, p.Steady, errEnough)
	defer cancel()
	writing, fail := context.WithCancelCause(steady)
	defer fail(nil)
	all := newWriters(program.url(), p.Books)
	var work sync.WaitGroup
	for _, w := range all {
		work.Go(func() {
			if err := w.run(writing, p.Rate/writers, w.mixed, false); err != nil {
				fail(err)
			}
		})
	}
	r := &steadyReport{}
	err = r.watch(writing, p, program, crowd, keep, out)
	work.Wait()
	r.Clients = crowd.count()
	for _, w := range all {
		r.Writes += w.Accepted
	}
	if err := errors.Join(err, crowd.close()); err != nil {
		return nil, err
	}
	r.Heap = growthOf(r.Samples, p.Steady-p.Measured, func(s sample) float64 { return float64(s.Heap) })
	r.RSS = growthOf(r.Samples, p.Steady-p.Measured, func(s sample) float64 { return float64(s.RSS) })
	return r, nil
}

// rssEvery is the time between readings of RSS, of which the least counts: it rises until each
// collection, the further the busier the machine is, several times within one look at the heap.
const rssEvery = 100 * time.Millisecond

var errEnough = errors.New("the time is over")

// watch looks until ctx ends. Heap profiles are kept of where measuring begins and ends.
func (r *steadyReport) watch(ctx context.Context, p plan, program *program, crowd crowds, keep string, out io.Writer) error {
	began := time.Now()
	ticker, often := time.NewTicker(p.Every), time.NewTicker(rssEvery)
	defer ticker.Stop()
	defer often.Stop()
	profiled := false
	resident := uint64(math.MaxUint64)
	readRSS := func() error {
		process, err := bench.ReadProcess(program.process.Process.Pid)
		resident = min(resident, process.RSS)
		return err
	}
	for {
		select {
		case <-often.C:
			if err := readRSS(); err != nil {
				return err
			}
			continue
		case <-ticker.C:
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, errEnough) {
				return cause
			}
			_, err := program.look(context.WithoutCancel(ctx), filepath.Join(keep, "heap-end.pb.gz"))
			return err
		}
		profile, at := "", time.Since(began)
		if !profiled && at >= p.Steady-p.Measured {
			profiled, profile = true, filepath.Join(keep, "heap-begin.pb.gz")
		}
		s, err := program.look(context.WithoutCancel(ctx), profile)
		if err != nil {
			return err
		}
		if err := readRSS(); err != nil { // a busy machine may have read none meanwhile
			return err
		}
		s.At, s.Connected = at, crowd.count().Connected
		s.RSS, resident = resident, math.MaxUint64
		r.Samples = append(r.Samples, s)
		fmt.Fprintf(out, "%6s  heap %6.2f MB  RSS %6.2f MB  %d goroutines  %d files  %d clients\n", at.Round(time.Second),
			float64(s.Heap)/1e6, float64(s.RSS)/1e6, s.Goroutines, s.Files, s.Connected)
	}
}
