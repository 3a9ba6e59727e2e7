package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// BenchmarkAppend measures how many changes a second the log acknowledges. The figures
// depend on what one sync of the disk costs: compare them with each other.
func BenchmarkAppend(b *testing.B) {
	for _, sync := range []Sync{SyncAlways, SyncInterval} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("sync=%s/writers=%d", sync, writers), func(b *testing.B) {
				log := openBenchmark(b, b.TempDir(), sync)
				b.ResetTimer()
				appendBooks(b, log, writers, b.N)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			})
		}
	}
}

// BenchmarkReplay measures how long a stored catalogue takes to read back.
func BenchmarkReplay(b *testing.B) {
	const books = 100_000
	dir := b.TempDir()
	log := openBenchmark(b, dir, SyncInterval)
	appendBooks(b, log, 64, books)
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	log = openBenchmark(b, dir, SyncAlways) // without recent changes in memory
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
	b.ReportMetric(books*float64(b.N)/b.Elapsed().Seconds(), "books/s")
}

func openBenchmark(b *testing.B, dir string, sync Sync) *Log {
	b.Helper()
	log, err := Open(b.Context(), dir, Options{Sync: sync, SyncInterval: time.Second})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := log.Close(); err != nil {
			b.Error(err)
		}
	})
	return log
}

// appendBooks stores count new books from several writers.
func appendBooks(b *testing.B, log *Log, writers, count int) {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for {
				id := next.Add(1)
				if id > int64(count) {
					return
				}
				change := testBook(id, fmt.Sprint("A title of an ordinary length, number ", id))
				if _, err := log.Append(context.WithoutCancel(b.Context()), catalog.Write{Change: change}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}
