package natslog

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

var testTime = time.Date(2024, 12, 25, 14, 30, 0, 0, time.UTC)

func testBook(id int64, title string) catalog.Change {
	return catalog.Change{Kind: catalog.KindBook, BookID: id, At: testTime, Book: &catalog.Book{
		ID: id, Title: title, Author: "Somebody", CreatedAt: testTime, UpdatedAt: testTime,
	}}
}

// openAt opens a cluster's log as a node that prefers one server.
func openAt(t testing.TB, cluster *natstest.Cluster, size int) *Log {
	t.Helper()
	log, err := Open(t.Context(), Options{Connection: Connection{URL: cluster.URL()}, Replicas: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return log
}

func mustAppend(t testing.TB, log *Log, change catalog.Change, expect catalog.Sequence) catalog.Sequence {
	t.Helper()
	sequence, err := log.Append(t.Context(), catalog.Write{Change: change, Expect: expect})
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// runCatalog runs a catalogue over a log for the length of the test.
func runCatalog(t testing.TB, log *Log) *catalog.Catalog {
	t.Helper()
	books := catalog.New(log, catalog.Options{})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- books.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the catalogue: %v", err)
		}
	})
	<-books.Loaded()
	return books
}

// eventually waits until something holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), within)
	defer cancel()
	for !holds() {
		if pause(ctx, 10*time.Millisecond); ctx.Err() != nil {
			t.Fatalf("after %s still not: %s", within, what)
		}
	}
}

// stored gives the titles of every stored book.
func stored(t testing.TB, log *Log) map[int64]string {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	titles := make(map[int64]string)
	errEnough := errors.New("enough")
	err = log.Tail(t.Context(), 0, func(changes []catalog.Change) error {
		for _, change := range changes {
			if change.Kind == catalog.KindBook {
				titles[change.BookID] = fmt.Sprint(change.Sequence, " ", change.Book.Title)
			}
		}
		if changes[len(changes)-1].Sequence >= head {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return titles
}
