package catalog_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestRestore(t *testing.T) {
	var seen recorder
	n := startNew(t, seen.observe)
	kept, changed, gone := n.mustAdd(t, "Kept", "A"), n.mustAdd(t, "Changed", "B"), n.mustAdd(t, "Gone", "C")
	n.mustFavorite(t, kept.ID, "ann", "bob")
	kept, _ = n.Book(kept.ID)
	seen.take()

	made := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	wanted := []catalog.Book{
		{ID: made.UnixMilli(), Title: " Added ", Author: "D", Favorites: []string{"zoe", "ann", "zoe"}},
		{ID: changed.ID, Title: "Changed", Author: "Better"},
		{ID: kept.ID, Title: "Kept", Author: "A", Favorites: []string{"cid", "bob"}, CreatedAt: made},
	}
	want := catalog.Difference{Added: 1, Updated: 1, Deleted: 1, FavoritesGiven: 4, FavoritesEnded: 1}

	before := n.Position()
	got, err := n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{DryRun: true})
	if got != want || err != nil || n.Position() != before {
		t.Fatalf("a dry run gave %+v, %v and moved the position by %d", got, err, n.Position().Sequence-before.Sequence)
	}
	if got, err = n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{}); got != want || err != nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	if len(seen.take()) != 8 {
		t.Error("the difference did not come as ordinary changes")
	}
	if _, found := n.Book(gone.ID); found {
		t.Error("what the list does not hold is still there")
	}
	added, _ := n.Book(made.UnixMilli())
	if added.Title != "Added" || !slices.Equal(added.Favorites, []string{"zoe", "ann"}) || !added.CreatedAt.Equal(made) {
		t.Errorf("added %+v", added)
	}
	now, _ := n.Book(kept.ID)
	if !slices.Equal(now.Favorites, []string{"cid", "bob"}) || now.Version != kept.Version || !now.CreatedAt.Equal(kept.CreatedAt) {
		t.Errorf("kept %+v", now)
	}
	again, err := n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{})
	if !again.IsZero() || err != nil {
		t.Errorf("restoring again changed %+v, %v", again, err)
	}
	own, err := catalog.DecodeBooks([]byte(jsonOf(n.Snapshot())))
	if err != nil {
		t.Fatal(err)
	}
	if difference, err := n.Restore(t.Context(), ann, own, catalog.RestoreOptions{}); !difference.IsZero() || err != nil {
		t.Errorf("restoring its own snapshot changed %+v, %v", difference, err)
	}
	checkConsistency(t, n)
}

func TestRestoreOfADeletedBook(t *testing.T) {
	log := openLog(t, t.TempDir())
	n := start(t, log)
	book := n.mustAdd(t, "A", "B")
	n.mustFavorite(t, book.ID, "ann", "bob")
	backup, err := catalog.DecodeBooks([]byte(jsonOf(n.Snapshot())))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Delete(t.Context(), ann, book.ID, nil); err != nil {
		t.Fatal(err)
	}
	got, err := n.Restore(t.Context(), ann, backup, catalog.RestoreOptions{})
	if want := (catalog.Difference{Added: 1, FavoritesGiven: 2}); got != want || err != nil {
		t.Fatalf("got %+v, %v", got, err)
	}
	restored, _ := n.Book(book.ID)
	if !slices.Equal(restored.Favorites, []string{"ann", "bob"}) || !restored.CreatedAt.Equal(book.CreatedAt) {
		t.Errorf("restored %+v", restored)
	}
	snapshot := jsonOf(n.Snapshot())
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	if again := jsonOf(start(t, log).Snapshot()); again != snapshot {
		t.Errorf("after a restart %s, before %s", again, snapshot)
	}
}

func TestImportKeepsOthers(t *testing.T) {
	n := startNew(t)
	n.mustAdd(t, "A", "B")
	books := []catalog.Book{{ID: 1, Title: "C", Author: "D"}}
	got, err := n.Restore(t.Context(), ann, books, catalog.RestoreOptions{KeepOthers: true})
	if got != (catalog.Difference{Added: 1}) || err != nil || n.Stats().TotalBooks != 2 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRestoreChecksTheListFirst(t *testing.T) {
	n := startNew(t)
	n.mustAdd(t, "A", "B")
	before := n.Position()
	good := catalog.Book{ID: 1, Title: "A", Author: "B"}
	for field, bad := range map[string]catalog.Book{
		"books[1].id":        {ID: 0, Title: "A", Author: "B"},
		"books[1].title":     {ID: 2, Title: "A\x1b", Author: "B"},
		"books[1].favorites": {ID: 2, Title: "A", Author: "B", Favorites: []string{""}},
		// A year that RFC 3339 cannot write is one that the log cannot read back.
		"books[1].createdAt": {ID: 2, Title: "A", Author: "B", CreatedAt: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"books[1].updatedAt": {ID: 2, Title: "A", Author: "B", UpdatedAt: time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := n.Restore(t.Context(), ann, []catalog.Book{good, bad}, catalog.RestoreOptions{})
		wantField(t, err, catalog.CodeInvalidInput, field)
	}
	_, err := n.Restore(t.Context(), ann, []catalog.Book{good, good}, catalog.RestoreOptions{})
	wantField(t, err, catalog.CodeInvalidInput, "books[1].id")
	if n.Position() != before {
		t.Error("a refused list changed something")
	}
}

// TestRestoreAmongWriters restores while others write: nobody fails, and restoring again
// when they are done leads to the list.
func TestRestoreAmongWriters(t *testing.T) {
	n := startNew(t)
	var wanted []catalog.Book
	for id := int64(1); id <= 50; id++ {
		wanted = append(wanted, catalog.Book{ID: id, Title: "Restored", Author: "A", Favorites: []string{"a", "b"}})
	}
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range 20 {
				id := int64(1 + (w*13+i*7)%50)
				_, err := n.Patch(t.Context(), ann, id, catalog.BookPatch{Title: new(fmt.Sprint("by ", w))}, nil)
				if code := catalog.ErrorCode(err); code != "" && code != catalog.CodeNotFound {
					t.Error(err)
				}
				_, err = n.ToggleFavorite(t.Context(), ann, id, "a")
				if code := catalog.ErrorCode(err); code != "" && code != catalog.CodeNotFound {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		if _, err := n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{}); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	if _, err := n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if difference, err := n.Restore(t.Context(), ann, wanted, catalog.RestoreOptions{}); !difference.IsZero() || err != nil {
		t.Errorf("still different by %+v, %v", difference, err)
	}
	checkConsistency(t, n)
}
