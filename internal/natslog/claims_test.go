package natslog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

func digest(t testing.TB, books *catalog.Catalog) string {
	t.Helper()
	sum := sha256.New()
	if _, err := books.Snapshot().JSON(catalog.WholeView()).WriteTo(sum); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Many identical requests with one key, spread over the nodes: one change, one answer.
func TestIdempotencyHoldsAcrossNodes(t *testing.T) {
	cluster := natstest.Start(t, 3, nil)
	var catalogs []*catalog.Catalog
	for range 3 {
		catalogs = append(catalogs, runCatalog(t, openAt(t, cluster, 3)))
	}
	var events atomic.Int64
	book, err := catalogs[0].Add(t.Context(), catalog.Actor{UserID: "ann"}, catalog.Draft{Title: "T", Author: "A"})
	if err != nil {
		t.Fatal(err)
	}
	for _, books := range catalogs {
		eventually(t, 10*time.Second, "the book everywhere", func() bool { _, found := books.Book(book.ID); return found })
	}
	claim := catalog.Claim{UserID: "ann", Key: "one", Fingerprint: [32]byte{1}, Expires: time.Now().Add(time.Hour)}
	answer := func(r catalog.Result) []byte { return fmt.Appendf(nil, "%d at %s", r.FavoritesCount, r.Position) }
	answers := make([]string, 60)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			books := catalogs[i%3]
			got, err := books.Once(t.Context(), claim, answer, func(ctx context.Context) (catalog.Result, error) {
				events.Add(1)
				return books.ToggleFavorite(ctx, catalog.Actor{UserID: "ann"}, book.ID, "ann")
			})
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
			answers[i] = string(got)
		})
	}
	group.Wait()
	for i, got := range answers {
		if got != answers[0] {
			t.Errorf("request %d was answered %q, the first %q", i, got, answers[0])
		}
	}
	after, _ := catalogs[0].Book(book.ID)
	if len(after.Favorites) != 1 || answers[0] != fmt.Sprintf("1 at %s", catalog.Position{Epoch: catalogs[0].Epoch(), Sequence: after.FavoriteSequence}) {
		t.Errorf("the book has favourites %v of sequence %d, the answer was %q", after.Favorites, after.FavoriteSequence, answers[0])
	}
	other := claim
	other.Fingerprint = [32]byte{2}
	if _, err := catalogs[1].Once(t.Context(), other, answer, nil); catalog.ErrorCode(err) != catalog.CodeKeyReused {
		t.Errorf("another request under the key gave %v", err)
	}
}

func TestClaimsAreStoredWithTheirChange(t *testing.T) {
	cluster := natstest.Start(t, 1, nil)
	now := time.Now()
	log := openAt(t, cluster, 1)
	log.now = func() time.Time { return now }
	claim := func(key string) *catalog.Claim {
		return &catalog.Claim{
			UserID: "ann", Key: key, Fingerprint: [32]byte{1, 2, 3}, Expires: now.Add(time.Hour),
			AnswerTo: func(stored *catalog.Change) []byte {
				return fmt.Appendf(nil, "%d, again %d", stored.Sequence, stored.Sequence)
			},
		}
	}
	want := func(key, answer string) {
		t.Helper()
		known, err := log.Claimed(t.Context(), "ann", key)
		if err != nil {
			t.Fatal(err)
		}
		if known == nil && answer != "" || known != nil && string(known.Answer) != answer {
			t.Errorf("key %q gives %+v, want %q", key, known, answer)
		}
	}
	sequence, err := log.Append(t.Context(), catalog.Write{Change: testBook(1, "A"), Claim: claim("k")})
	if err != nil {
		t.Fatal(err)
	}
	want("k", fmt.Sprintf("%d, again %d", sequence, sequence))
	for _, key := range []string{"k", "other"} { // a key that stands for something; a stale change
		_, err = log.Append(t.Context(), catalog.Write{Change: testBook(1, "B"), Claim: claim(key)})
		if code := catalog.ErrorCode(err); key == "k" && code != catalog.CodeKeyReused || key != "k" && code != catalog.CodeConflict {
			t.Errorf("key %q gave %v", key, err)
		}
	}
	want("other", "")
	gone := testBook(1, "A")
	gone.Kind = catalog.KindBookDeleted
	end, err := log.Append(t.Context(), catalog.Write{Change: gone, Expect: sequence, Claim: claim("deletion")})
	if err != nil {
		t.Fatal(err)
	}
	want("deletion", fmt.Sprintf("%d, again %d", end, end))
	if head, err := log.Head(t.Context()); head != end || err != nil {
		t.Errorf("the head is %d, %v; want %d", head, err, end)
	}
	nothing := *claim("nothing")
	nothing.Answer = []byte("no change")
	if err := log.Claim(t.Context(), nothing); err != nil {
		t.Fatal(err)
	}
	if err := log.Claim(t.Context(), nothing); catalog.ErrorCode(err) != catalog.CodeKeyReused {
		t.Errorf("a second claim gave %v", err)
	}
	want("nothing", "no change")
	now = now.Add(2 * time.Hour)
	want("k", "")
	if _, err := log.Append(t.Context(), catalog.Write{Change: testBook(2, "B"), Claim: claim("k")}); err != nil {
		t.Errorf("a key that has expired cannot be used again: %v", err)
	}
}

func TestAnswersThatHideTheSequenceAreRefused(t *testing.T) {
	write := catalog.Write{Change: testBook(1, "A"), Claim: &catalog.Claim{
		AnswerTo: func(stored *catalog.Change) []byte { return bytes.Repeat([]byte("x"), int(stored.Sequence%7)) },
	}}
	if _, err := cutAnswer(&write); err != errAnswerUncut { //nolint:errorlint // not wrapped
		t.Errorf("got %v", err)
	}
}

func TestClientStatesAreKnownToAllNodes(t *testing.T) {
	cluster := natstest.Start(t, 1, nil)
	one, two := openAt(t, cluster, 1), openAt(t, cluster, 1)
	for _, name := range []string{"watch.a", "watch.b"} {
		if err := one.Remember(t.Context(), name, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, 10*time.Second, "the other node knows", func() bool { return two.Remembers("watch.a") && two.Remembers("watch.b") })
	if err := two.Forget(t.Context(), "watch.b"); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the first node has forgotten", func() bool { return !one.Remembers("watch.b") })
	if err := one.Remember(t.Context(), string(make([]byte, 129)), time.Now()); catalog.ErrorCode(err) != catalog.CodeInvalidInput {
		t.Errorf("a long name gave %v", err)
	}
	three := openAt(t, cluster, 1)
	if !three.Remembers("watch.a") || three.Remembers("watch.b") {
		t.Error("a node that comes later knows something else")
	}
}
