package natslog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// BenchmarkAppend measures how many changes a second are acknowledged, and how long after that
// another node's tail has them. All servers and nodes share this machine: compare the figures
// with each other.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 3} {
		for _, writers := range []int{1, 64} {
			b.Run(fmt.Sprintf("servers=%d/writers=%d", size, writers), func(b *testing.B) {
				cluster := natstest.Start(b, size, nil)
				log, other := openAt(b, cluster, size), openAt(b, cluster, size)
				var mu sync.Mutex
				tailed := make(map[catalog.Sequence]time.Time)
				acknowledged := make(map[catalog.Sequence]time.Time)
				ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
				ended := make(chan error, 1)
				go func() {
					ended <- other.Tail(ctx, 0, func(changes []catalog.Change) error {
						now := time.Now()
						mu.Lock()
						defer mu.Unlock()
						for _, change := range changes {
							tailed[change.Sequence] = now
						}
						return nil
					})
				}()
				var next atomic.Int64
				var group sync.WaitGroup
				b.ResetTimer()
				for range writers {
					group.Go(func() {
						for id := next.Add(1); id <= int64(b.N); id = next.Add(1) {
							sequence, err := log.Append(ctx, catalog.Write{Change: testBook(id, fmt.Sprint("A title of an ordinary length, number ", id))})
							now := time.Now()
							if err != nil {
								b.Error(err)
								return
							}
							mu.Lock()
							acknowledged[sequence] = now
							mu.Unlock()
						}
					})
				}
				group.Wait()
				b.StopTimer()
				eventually(b, 10*time.Second, "all tailed", func() bool {
					mu.Lock()
					defer mu.Unlock()
					return len(tailed) == len(acknowledged)
				})
				cancel()
				if err := <-ended; err != nil {
					b.Error(err)
				}
				var lags []time.Duration
				for sequence, at := range acknowledged {
					lags = append(lags, max(0, tailed[sequence].Sub(at)))
				}
				slices.Sort(lags)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
				b.ReportMetric(float64(lags[len(lags)/2].Microseconds()), "lag-p50-µs")
				b.ReportMetric(float64(lags[len(lags)*99/100].Microseconds()), "lag-p99-µs")
			})
		}
	}
}

// BenchmarkLoad measures how long a catalogue takes to come out of a stream of three replicas.
func BenchmarkLoad(b *testing.B) {
	for _, books := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("books=", books), func(b *testing.B) {
			log := openAt(b, natstest.Start(b, 3, nil), 3)
			for first := 0; first < books; first += maxBatch {
				writes := make([]catalog.Write, maxBatch)
				for i := range writes {
					id := int64(first + i + 1)
					writes[i].Change = testBook(id, fmt.Sprint("A title of an ordinary length, number ", id))
				}
				if _, err := log.AppendAll(b.Context(), writes); err != nil {
					b.Fatal(err)
				}
			}
			errEnough := errors.New("enough")
			for b.Loop() {
				count := 0
				err := log.Tail(b.Context(), 0, func(changes []catalog.Change) error {
					if count += len(changes); count == books {
						return errEnough
					}
					return nil
				})
				if !errors.Is(err, errEnough) {
					b.Fatal(err)
				}
			}
		})
	}
}
