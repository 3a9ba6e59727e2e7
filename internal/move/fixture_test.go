package move_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// end is a place where a log may be: a data directory or a stream.
type end struct {
	move.Target
	// serve opens the log as a server does.
	serve func() (servedLog, error)
	// leave opens it as a move's source.
	leave func() (move.Log, error)
}

// servedLog is what a server uses of a log.
type servedLog interface {
	catalog.Log
	Remember(ctx context.Context, name string, until time.Time) error
	Remembers(name string) bool
}

func directory(t *testing.T) *end {
	data := filepath.Join(t.TempDir(), "data")
	return &end{
		Target: &sqlitelog.Target{Dir: data},
		serve:  func() (servedLog, error) { return sqlitelog.Open(t.Context(), data, sqlitelog.Options{}) },
		leave: func() (move.Log, error) {
			return sqlitelog.Open(t.Context(), data, sqlitelog.Options{Marked: true})
		},
	}
}

func stream(t *testing.T, servers *natstest.Cluster, replicas int, name string) *end {
	options := natslog.Options{Connection: natslog.Connection{URL: servers.URL()}, Stream: name, Replicas: replicas}
	marked := options
	marked.Marked = true
	return &end{
		Target: &natslog.Target{Options: options},
		serve:  func() (servedLog, error) { return natslog.Open(t.Context(), options) },
		leave:  func() (move.Log, error) { return natslog.Open(t.Context(), marked) },
	}
}

// mustServe opens a log for the test.
func (e *end) mustServe(t *testing.T) servedLog {
	t.Helper()
	log, err := e.serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() }) // closed by the test already, but after a failure
	return log
}

// run moves a log.
func run(t *testing.T, from, to *end, options move.Options) (move.Report, error) {
	t.Helper()
	source, err := from.leave()
	if err != nil {
		t.Fatal(err)
	}
	options.From, options.Place, options.To = source, from.Place(), to
	report, err := move.Run(t.Context(), options)
	if failure := source.Close(); failure != nil {
		t.Error(failure)
	}
	return report, err
}

// record is a change with everything that readers see of it.
type record struct {
	catalog.Change
	Book *recordBook
}

type recordBook catalog.Book

// history gives every change, in a form that can be compared.
func history(t *testing.T, log catalog.Log) []string {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var records []string
	errEnough := errors.New("enough")
	if head == 0 {
		return nil
	}
	err = log.Tail(t.Context(), 0, func(changes []catalog.Change) error {
		for _, change := range changes {
			text, err := json.Marshal(record{change, (*recordBook)(change.Book)})
			if err != nil {
				return err
			}
			records = append(records, string(text))
		}
		if changes[len(changes)-1].Sequence == head {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return records
}

// author makes a history of changes of all kinds.
type author struct {
	t      *testing.T
	random *rand.Rand
	log    catalog.Log
	keys   map[string]catalog.Sequence // last sequence of each book and favourite
	living map[int64]*catalog.Book
	clock  time.Time
}

func newAuthor(t *testing.T) *author {
	return &author{
		t: t, random: rand.New(rand.NewPCG(1, 2)), keys: make(map[string]catalog.Sequence), living: make(map[int64]*catalog.Book),
		clock: time.Now().Truncate(time.Millisecond).UTC(), // within the recovery window
	}
}

func (a *author) append(key string, change catalog.Change) catalog.Sequence {
	a.t.Helper()
	sequence, err := a.log.Append(a.t.Context(), catalog.Write{Change: change, Expect: a.keys[key]})
	if refused := new(catalog.Error); errors.As(err, &refused) && refused.Code == catalog.CodeConflict && change.Kind == catalog.KindFavorite {
		// Logs differ in what they keep of favourites that ended with their book.
		sequence, err = a.log.Append(a.t.Context(), catalog.Write{Change: change, Expect: refused.Current})
	}
	if err != nil {
		a.t.Fatalf("%s, expecting %d: %v", key, a.keys[key], err)
	}
	a.keys[key] = sequence
	return sequence
}

func bookKey(id int64) string { return fmt.Sprint(id) }

// write stores changes of up to ids books, some of which are deleted and brought back.
func (a *author) write(changes, ids int) {
	a.t.Helper()
	for range changes {
		a.clock = a.clock.Add(time.Second)
		id := 1 + a.random.Int64N(int64(ids))
		book := a.living[id]
		switch what := a.random.IntN(10); {
		case book == nil || what < 3:
			next := catalog.Book{ID: id, Title: fmt.Sprintf("Title %d", a.random.IntN(1000)), Author: "Somebody", CreatedAt: a.clock, UpdatedAt: a.clock}
			if book != nil {
				next.CreatedAt, next.CreatedSequence = book.CreatedAt, book.CreatedSequence
				next.ReaderName, next.ReturnDateTime = new("Reader"), new(a.clock)
			}
			sequence := a.append(bookKey(id), catalog.Change{Kind: catalog.KindBook, BookID: id, Book: &next, At: a.clock})
			if book == nil {
				next.CreatedSequence = sequence
			}
			next.Version = sequence
			a.living[id] = &next
		case what < 5:
			gone := *book
			gone.Favorites = []string{"anna"}
			a.append(bookKey(id), catalog.Change{Kind: catalog.KindBookDeleted, BookID: id, Book: &gone, At: a.clock})
			delete(a.living, id)
		default:
			user := []string{"anna", "olga"}[a.random.IntN(2)]
			a.append(fmt.Sprint(id, user), catalog.Change{Kind: catalog.KindFavorite, BookID: id, UserID: user, Favorite: a.random.IntN(3) > 0, At: a.clock})
		}
	}
}
