package catalog_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestSnapshotIsSharedUntilTheNextChange(t *testing.T) {
	n := startNew(t)
	empty := n.Snapshot()
	if tag, _ := empty.ETags(catalog.WholeView()); jsonOf(empty) != "[]" || empty.Len() != 0 || tag != `"`+n.Epoch()+`-0"` {
		t.Errorf("empty: %s %s", jsonOf(empty), tag)
	}
	n.mustAdd(t, "A", "B")
	first := n.Snapshot()
	if first == empty || n.Snapshot() != first {
		t.Error("a snapshot is kept too long or not at all")
	}
	n.mustAdd(t, "C", "D")
	if later := n.Snapshot(); later == first || later.Len() != 2 || first.Len() != 1 {
		t.Errorf("later: %d books, the first: %d", later.Len(), first.Len())
	}
}

// TestSnapshotsUnderWrites reads while others write: every snapshot is whole, at least as
// new as the call, and shows the writer its own write.
func TestSnapshotsUnderWrites(t *testing.T) {
	n := startNew(t)
	var group sync.WaitGroup
	for w := range 4 {
		group.Go(func() {
			for i := range 20 {
				book := n.mustAdd(t, fmt.Sprint(w, " ", i), "B")
				snapshot := n.Snapshot()
				if snapshot.Position().Sequence < book.Version {
					t.Errorf("a snapshot at %d after a write at %d", snapshot.Position().Sequence, book.Version)
				}
				books, err := catalog.DecodeBooks([]byte(jsonOf(snapshot)))
				if err != nil || len(books) != snapshot.Len() || snapshot.Len() != int(snapshot.Position().Sequence) {
					t.Errorf("%d books in a snapshot of %d at %d, %v", len(books), snapshot.Len(), snapshot.Position().Sequence, err)
				}
			}
		})
	}
	group.Wait()
}

func TestStats(t *testing.T) {
	n := startNew(t)
	if stats := n.Stats(); stats.TotalBooks != 0 || stats.MostFavorited != nil || stats.Position != n.Position() {
		t.Errorf("empty: %+v", stats)
	}
	first, second := n.mustAdd(t, "First", "A"), n.mustAdd(t, "Second", "A")
	n.mustFavorite(t, second.ID, "ann")
	n.mustFavorite(t, first.ID, "ann")
	if most := n.Stats().MostFavorited; most == nil || *most != (catalog.MostFavorited{ID: first.ID, Title: "First", FavoritesCount: 1}) {
		t.Errorf("of two equal ones, the lower id: %+v", most)
	}
	n.mustFavorite(t, second.ID, "bob")
	if stats := n.Stats(); stats.MostFavorited.ID != second.ID || stats.TotalFavorites != 3 || stats.TotalBooks != 2 {
		t.Errorf("got %+v", stats)
	}
	if _, err := n.Delete(t.Context(), ann, second.ID, nil); err != nil {
		t.Fatal(err)
	}
	if stats := n.Stats(); stats.MostFavorited.ID != first.ID || stats.TotalFavorites != 1 || stats.TotalBooks != 1 {
		t.Errorf("got %+v", stats)
	}
}
