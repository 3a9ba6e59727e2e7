package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestAdd(t *testing.T) {
	var seen recorder
	n := startNew(t, seen.observe)
	date := time.Date(2025, 1, 2, 3, 4, 5, 678999999, time.FixedZone("", 3600))
	reader := "  Ged "
	book, err := n.Add(t.Context(), ann, catalog.Draft{
		Title: " \u00a0A Wizard of Earthsea\n", Author: "Ursula K. Le Guin", ReturnDateTime: &date, ReaderName: &reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"id":%d,"title":"A Wizard of Earthsea","author":"Ursula K. Le Guin",`+
		`"returnDateTime":"2025-01-02T02:04:05.678Z","readerName":"Ged","favorites":[],`+
		`"createdAt":"2024-12-25T14:30:00.123Z","updatedAt":"2024-12-25T14:30:00.123Z","version":1}`,
		n.clock.Now().UnixMilli())
	if got := encoded(t, book); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	applied := seen.take()
	if len(applied) != 1 || applied[0].Event != catalog.EventBookAdded || string(applied[0].Payload(catalog.WholeView())) != want ||
		applied[0].Position != n.Position() || applied[0].BookID != book.ID {
		t.Errorf("observed %+v", applied)
	}
	if read, found := n.Book(book.ID); !found || encoded(t, read) != want {
		t.Errorf("the writer does not read its own write: %+v", read)
	}
	if got := jsonOf(n.Snapshot()); got != "["+want+"]" {
		t.Errorf("the snapshot is %s", got)
	}
}

func TestIDsRise(t *testing.T) {
	dir := t.TempDir()
	log := openLog(t, dir)
	n := start(t, log)
	var last int64
	for range 5 { // within one millisecond
		if book := n.mustAdd(t, "A", "B"); book.ID <= last {
			t.Fatalf("id %d came after %d", book.ID, last)
		} else {
			last = book.ID
		}
	}
	if _, err := n.Delete(t.Context(), ann, last, nil); err != nil {
		t.Fatal(err)
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, log)
	n.clock.add(-time.Hour) // the clock was set back while the program was down
	if book := n.mustAdd(t, "A", "B"); book.ID < last {
		t.Errorf("id %d came after %d", book.ID, last)
	}
	// A foreign file may hold the largest id there is; new ones must still fit.
	huge := []catalog.Book{{ID: catalog.MaxBookID, Title: "A", Author: "B"}}
	if _, err := n.Restore(t.Context(), ann, huge, catalog.RestoreOptions{KeepOthers: true}); err != nil {
		t.Fatal(err)
	}
	n.clock.add(2 * time.Hour)
	if book := n.mustAdd(t, "A", "B"); book.ID != n.clock.Now().UnixMilli() {
		t.Errorf("the next id is %d", book.ID)
	}
}

func TestReplace(t *testing.T) {
	var seen recorder
	n := startNew(t, seen.observe)
	date, reader := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "Ged"
	book, err := n.Add(t.Context(), ann, catalog.Draft{Title: "A", Author: "B", ReturnDateTime: &date, ReaderName: &reader})
	if err != nil {
		t.Fatal(err)
	}
	n.mustFavorite(t, book.ID, "ann")
	n.clock.add(time.Minute)
	seen.take()
	got, err := n.Replace(t.Context(), ann, book.ID, catalog.Draft{Title: "C", Author: "  "}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Title != "C" || got.Author != "B" || got.ReturnDateTime != nil || got.ReaderName != nil ||
		!slices.Equal(got.Favorites, []string{"ann"}) || !got.CreatedAt.Equal(book.CreatedAt) ||
		!got.UpdatedAt.Equal(book.UpdatedAt.Add(time.Minute)) || got.Version != 3 {
		t.Errorf("got %s", encoded(t, got))
	}
	if applied := seen.take(); len(applied) != 1 || applied[0].Event != catalog.EventBookUpdated ||
		string(applied[0].Payload(catalog.WholeView())) != encoded(t, got) {
		t.Errorf("observed %+v", applied)
	}
}

func TestPatch(t *testing.T) {
	n := startNew(t)
	date, reader := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "Ged"
	book, err := n.Add(t.Context(), ann, catalog.Draft{Title: "A", Author: "B", ReturnDateTime: &date, ReaderName: &reader})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		body string
		want string // title, author, date, reader
	}{
		{`{"title":" C "}`, "C B 2025 Ged"},
		{`{"returnDateTime":null}`, "C B - Ged"},
		{`{"readerName":"  "}`, "C B - -"},
		{`{"returnDateTime":"2026-02-03T04:05:06+02:00","readerName":"Tenar","userId":"ann"}`, "C B 2026 Tenar"},
		{`{}`, "C B 2026 Tenar"},
	} {
		patch, err := catalog.DecodePatch([]byte(one.body))
		if err != nil {
			t.Fatalf("%s: %v", one.body, err)
		}
		got, err := n.Patch(t.Context(), ann, book.ID, patch, nil)
		if err != nil {
			t.Fatalf("%s: %v", one.body, err)
		}
		year, name := "-", "-"
		if got.ReturnDateTime != nil {
			year = got.ReturnDateTime.Format("2006")
		}
		if got.ReaderName != nil {
			name = *got.ReaderName
		}
		if s := strings.Join([]string{got.Title, got.Author, year, name}, " "); s != one.want {
			t.Errorf("%s gave %q, want %q", one.body, s, one.want)
		}
	}
	if got := n.Position().Sequence; got != 5 {
		t.Errorf("four changes led to position %d: an empty patch must store nothing", got)
	}
}

func TestDelete(t *testing.T) {
	var seen recorder
	log := openLog(t, t.TempDir())
	n := start(t, log, seen.observe)
	kept, gone := n.mustAdd(t, "Kept", "A"), n.mustAdd(t, "Gone", "B")
	n.mustFavorite(t, gone.ID, "ann", "bob")
	n.mustFavorite(t, kept.ID, "ann")
	before, _ := n.Book(gone.ID)
	seen.take()
	got, err := n.Delete(t.Context(), ann, gone.ID, nil)
	if err != nil || !reflect.DeepEqual(got.Book, before) || got.Position != n.Position() {
		t.Errorf("Delete gave %+v, %v; want the book as it was", got, err)
	}
	applied := seen.take()
	if len(applied) != 1 || applied[0].Event != catalog.EventBookDeleted || string(applied[0].Payload(catalog.WholeView())) != encoded(t, before) {
		t.Errorf("observed %+v", applied)
	}
	for name, err := range map[string]error{
		"delete": second(n.Delete(t.Context(), ann, gone.ID, nil)),
		"put":    second(n.Replace(t.Context(), ann, gone.ID, catalog.Draft{}, nil)),
		"patch":  second(n.Patch(t.Context(), ann, gone.ID, catalog.BookPatch{}, nil)),
		"favor":  second(n.SetFavorite(t.Context(), ann, gone.ID, "ann", true)),
		"toggle": second(n.ToggleFavorite(t.Context(), ann, gone.ID, "ann")),
	} {
		if catalog.ErrorCode(err) != catalog.CodeNotFound {
			t.Errorf("%s after the deletion gave %v", name, err)
		}
	}
	if _, found := n.Book(gone.ID); found {
		t.Error("the book is still there")
	}
	checkConsistency(t, n)
	snapshot := jsonOf(n.Snapshot())
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, log)
	if again := jsonOf(n.Snapshot()); again != snapshot {
		t.Errorf("after a restart: %s\nbefore: %s", again, snapshot)
	}
	checkConsistency(t, n)
}

func second[T any](_ T, err error) error { return err }

func TestPrecondition(t *testing.T) {
	n := startNew(t)
	book := n.mustAdd(t, "A", "B")
	old := &catalog.Precondition{Versions: []catalog.Position{{Epoch: n.Epoch(), Sequence: book.Version}}}
	n.mustFavorite(t, book.ID, "bob") // does not change the version
	changed, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("C")}, old)
	if err != nil {
		t.Fatal(err)
	}
	stale := func(name string, err error) {
		t.Helper()
		failed := new(catalog.Error)
		if !errors.As(err, &failed) || failed.Code != catalog.CodePreconditionFailed {
			t.Fatalf("%s gave %v", name, err)
		}
		if failed.Book == nil || encoded(t, *failed.Book) != encoded(t, changed) {
			t.Errorf("%s names the current book %+v", name, failed.Book)
		}
	}
	stale("PUT", second(n.Replace(t.Context(), ann, book.ID, catalog.Draft{Title: "D"}, old)))
	stale("PATCH", second(n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("D")}, old)))
	stale("an empty PATCH", second(n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{}, old)))
	stale("DELETE", second(n.Delete(t.Context(), ann, book.ID, old)))
	otherLog := &catalog.Precondition{Versions: []catalog.Position{{Epoch: "other", Sequence: changed.Version}}}
	stale("another epoch", second(n.Delete(t.Context(), ann, book.ID, otherLog)))
	current, err := catalog.ParseIfMatch(`"unknown", ` + changed.ETag(n.Epoch(), catalog.WholeView()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("E")}, current); err != nil {
		t.Error(err)
	}
	if _, err := n.Delete(t.Context(), ann, book.ID, &catalog.Precondition{Any: true}); err != nil {
		t.Error(err)
	}
}

// TestManyWritersOfOneBook lets 64 writers change one book: everybody gets through, and
// with a precondition exactly one does.
func TestManyWritersOfOneBook(t *testing.T) {
	n := startNew(t)
	book := n.mustAdd(t, "A", "B")
	const writers = 64
	versions := make([]catalog.Sequence, writers)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			got, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new(fmt.Sprint("by ", w))}, nil)
			if err != nil || got.Title != fmt.Sprint("by ", w) {
				t.Errorf("writer %d got %+v, %v", w, got, err)
			}
			versions[w] = got.Version
		})
	}
	group.Wait()
	slices.Sort(versions)
	if distinct := len(slices.Compact(slices.Clone(versions))); distinct != writers {
		t.Errorf("%d writers got %d versions", writers, distinct)
	}
	only := &catalog.Precondition{Versions: []catalog.Position{{Epoch: n.Epoch(), Sequence: versions[writers-1]}}}
	var mu sync.Mutex
	winners := 0
	for range writers {
		group.Go(func() {
			_, err := n.Patch(t.Context(), ann, book.ID, catalog.BookPatch{Title: new("won")}, only)
			if err == nil {
				mu.Lock()
				winners++
				mu.Unlock()
			} else if catalog.ErrorCode(err) != catalog.CodePreconditionFailed {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if winners != 1 {
		t.Errorf("%d writers won", winners)
	}
}

func TestFavorites(t *testing.T) {
	var seen recorder
	n := startNew(t, seen.observe)
	book := n.mustAdd(t, "A", "B")
	seen.take()
	for _, step := range []struct {
		user   string
		toggle bool
		on     bool
		count  int
		stored bool
	}{
		{user: "ann", on: true, count: 1, stored: true},
		{user: "ann", on: true, count: 1},
		{user: "bob", toggle: true, count: 2, stored: true},
		{user: "cid", on: false, count: 2},
		{user: "ann", toggle: true, count: 1, stored: true},
		{user: "ann", on: false, count: 1},
		{user: "ann", on: true, count: 2, stored: true},
	} {
		before := n.Position().Sequence
		var result catalog.Result
		var err error
		if step.toggle {
			result, err = n.ToggleFavorite(t.Context(), ann, book.ID, step.user)
		} else {
			result, err = n.SetFavorite(t.Context(), ann, book.ID, step.user, step.on)
		}
		if result.FavoritesCount != step.count || result.Position != n.Position() || err != nil {
			t.Fatalf("%+v gave %+v, %v", step, result, err)
		}
		if stored := n.Position().Sequence > before; stored != step.stored {
			t.Errorf("%+v: stored %v", step, stored)
		}
		applied := seen.take()
		want := fmt.Sprintf(`{"bookId":%d,"favoritesCount":%d}`, book.ID, step.count)
		if step.stored && (len(applied) != 1 || applied[0].Event != catalog.EventFavoriteUpdated ||
			applied[0].UserID != step.user || string(applied[0].Payload(catalog.WholeView())) != want) {
			t.Errorf("%+v: observed %+v", step, applied)
		}
		if !step.stored && len(applied) != 0 {
			t.Errorf("%+v: observed %+v", step, applied)
		}
	}
	got, _ := n.Book(book.ID)
	if !slices.Equal(got.Favorites, []string{"bob", "ann"}) {
		t.Errorf("favourites are %v, in the order of giving: bob, ann", got.Favorites)
	}
	if got.Version != book.Version || !got.UpdatedAt.Equal(book.UpdatedAt) {
		t.Error("favourites changed the version or updatedAt")
	}
	if got.FavoriteSequence != n.Position().Sequence || got.ETag(n.Epoch(), catalog.WholeView()) == book.ETag(n.Epoch(), catalog.WholeView()) {
		t.Error("favourites did not change the ETag")
	}
	_, err := n.SetFavorite(t.Context(), ann, book.ID, strings.Repeat("x", 129), true)
	wantField(t, err, catalog.CodeInvalidInput, "userId")
}

// TestTogglesAreExact lets 64 users toggle 5 times each, and one user 64 times at once.
func TestTogglesAreExact(t *testing.T) {
	n := startNew(t)
	book := n.mustAdd(t, "A", "B")
	var group sync.WaitGroup
	for u := range 64 {
		group.Go(func() {
			for range 5 {
				if _, err := n.ToggleFavorite(t.Context(), ann, book.ID, fmt.Sprint("user ", u)); err != nil {
					t.Error(err)
				}
			}
		})
		group.Go(func() {
			if _, err := n.ToggleFavorite(t.Context(), ann, book.ID, "everybody"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, _ := n.Book(book.ID)
	if len(got.Favorites) != 64 || slices.Contains(got.Favorites, "everybody") {
		t.Errorf("%d favourites: %v", len(got.Favorites), got.Favorites)
	}
	checkConsistency(t, n)
	// 100 equal requests are one change.
	before := n.Position().Sequence
	for range 100 {
		group.Go(func() {
			if got, err := n.SetFavorite(t.Context(), ann, book.ID, "zoe", true); got.FavoritesCount != 65 || err != nil {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	group.Wait()
	if after := n.Position().Sequence; after != before+1 {
		t.Errorf("100 equal requests stored %d changes", after-before)
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	n := startNew(t)
	book := n.mustAdd(t, "A", "B")
	before := jsonOf(n.Snapshot())
	ctx := t.Context()
	long := "9999-12-31T23:59:59-01:00"
	tooLate, err := time.Parse(time.RFC3339, long)
	if err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		err   error
		code  catalog.Code
		field string
	}{
		"no title":       {second(n.Add(ctx, ann, catalog.Draft{Author: "B"})), catalog.CodeTitleAndAuthorRequired, "title"},
		"blank author":   {second(n.Add(ctx, ann, catalog.Draft{Title: "A", Author: " \ufeff\n"})), catalog.CodeTitleAndAuthorRequired, "author"},
		"control":        {second(n.Add(ctx, ann, catalog.Draft{Title: "A\x00B", Author: "B"})), catalog.CodeInvalidInput, "title"},
		"no UTF-8":       {second(n.Add(ctx, ann, catalog.Draft{Title: "A", Author: "\xff"})), catalog.CodeInvalidInput, "author"},
		"year 10000":     {second(n.Add(ctx, ann, catalog.Draft{Title: "A", Author: "B", ReturnDateTime: &tooLate})), catalog.CodeInvalidInput, "returnDateTime"},
		"put control":    {second(n.Replace(ctx, ann, book.ID, catalog.Draft{ReaderName: new("a\tb")}, nil)), catalog.CodeInvalidInput, "readerName"},
		"patch empty":    {second(n.Patch(ctx, ann, book.ID, catalog.BookPatch{Author: new(" ")}, nil)), catalog.CodeTitleAndAuthorRequired, "author"},
		"unknown book":   {second(n.Replace(ctx, ann, 7, catalog.Draft{Title: "A"}, nil)), catalog.CodeNotFound, ""},
		"no user":        {second(n.SetFavorite(ctx, ann, book.ID, "", true)), catalog.CodeInvalidInput, "userId"},
		"control user":   {second(n.ToggleFavorite(ctx, ann, book.ID, "a\nb")), catalog.CodeInvalidInput, "userId"},
		"negative limit": {second(n.Page(catalog.Query{Limit: -1}, catalog.WholeView())), catalog.CodeInvalidInput, "limit"},
	} {
		t.Run(name, func(t *testing.T) { wantField(t, one.err, one.code, one.field) })
	}
	if after := jsonOf(n.Snapshot()); after != before {
		t.Errorf("bad input changed %s to %s", before, after)
	}
}

func TestCommandsOfAStoppedCatalogue(t *testing.T) {
	log := openLog(t, t.TempDir())
	unstarted := catalog.New(log, catalog.Options{})
	_, err := unstarted.Add(t.Context(), ann, catalog.Draft{Title: "A", Author: "B"})
	wantCode(t, err, catalog.CodeUnavailable)
	n := start(t, log)
	book := n.mustAdd(t, "A", "B")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = n.Add(ctx, ann, catalog.Draft{Title: "A", Author: "B"})
	wantCode(t, err, catalog.CodeUnavailable)
	if err := n.stop(); err != nil {
		t.Fatalf("Run gave %v", err)
	}
	head := n.Position().Sequence
	_, err = n.Delete(t.Context(), ann, book.ID, nil)
	wantCode(t, err, catalog.CodeUnavailable)
	if stored, err := log.Head(t.Context()); stored != head || err != nil {
		t.Errorf("a stopped catalogue stored something: %d, %v", stored, err)
	}
	if _, found := n.Book(book.ID); !found {
		t.Error("a stopped catalogue cannot be read")
	}
	if n.Run(t.Context()) == nil {
		t.Error("Run can be called twice")
	}
}
