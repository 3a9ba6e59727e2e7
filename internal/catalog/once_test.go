package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// claimFor is a claim of ann's for a request.
func claimFor(key, request string) catalog.Claim {
	claim := catalog.Claim{UserID: "ann", Key: key, Expires: time.Now().Add(24 * time.Hour)}
	copy(claim.Fingerprint[:], request)
	return claim
}

func encodeResult(result catalog.Result) []byte {
	return fmt.Appendf(nil, "%d %q %d %s", result.Book.ID, result.Book.Title, result.FavoritesCount, result.Position)
}

// addOnce adds a book under a key.
func (n *node) addOnce(ctx context.Context, key, title string) (string, error) {
	answer, err := n.Once(ctx, claimFor(key, title), encodeResult, func(ctx context.Context) (catalog.Result, error) {
		book, err := n.Add(ctx, ann, catalog.Draft{Title: title, Author: "A"})
		return catalog.Result{Book: book, Position: catalog.Position{Epoch: n.Epoch(), Sequence: book.Version}}, err
	})
	return string(answer), err
}

func TestIdenticalRequestsAreOneChange(t *testing.T) {
	var seen recorder
	log := openLog(t, t.TempDir())
	n := start(t, log, seen.observe)
	var (
		group   sync.WaitGroup
		mu      sync.Mutex
		answers = make(map[string]int)
	)
	for range 100 {
		group.Go(func() {
			answer, err := n.addOnce(t.Context(), "key", "Once")
			if err != nil {
				t.Errorf("%v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			answers[answer]++
		})
	}
	group.Wait()
	book := n.Snapshot()
	if len(answers) != 1 || book.Len() != 1 || len(seen.take()) != 1 {
		t.Fatalf("answers %v, %d books", answers, book.Len())
	}
	if err := n.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, log, seen.observe)
	answer, err := again.addOnce(t.Context(), "key", "Once")
	if err != nil || answers[answer] != 100 || again.Snapshot().Len() != 1 {
		t.Errorf("after a restart: %s, %v", answer, err)
	}
	if _, err := again.addOnce(t.Context(), "key", "Another"); catalog.ErrorCode(err) != catalog.CodeKeyReused {
		t.Errorf("another request under the key gave %v", err)
	}
	if _, err := again.addOnce(t.Context(), "other key", "Once"); err != nil || again.Snapshot().Len() != 2 {
		t.Errorf("another key gave %v, %d books", err, again.Snapshot().Len())
	}
}

func TestRepetitionsHearTheFirstAnswer(t *testing.T) {
	n := startNew(t)
	book := n.mustAdd(t, "A", "B")
	n.mustFavorite(t, book.ID, "bob")
	do := func(key string, command func(context.Context) (catalog.Result, error)) (string, error) {
		answer, err := n.Once(t.Context(), claimFor(key, key), encodeResult, command)
		return string(answer), err
	}
	calls := 0
	favor := func(ctx context.Context) (catalog.Result, error) {
		calls++
		return n.SetFavorite(ctx, ann, book.ID, "ann", true)
	}
	first, err := do("favor", favor)
	if want := fmt.Sprintf(`0 "" 2 %s`, n.Position()); first != want || err != nil {
		t.Errorf("the answer is %s, %v; want %s", first, err, want)
	}
	nothing, err := do("nothing to change", favor)
	if nothing != first || err != nil {
		t.Errorf("the same again is %s, %v", nothing, err)
	}
	if _, err := n.SetFavorite(t.Context(), ann, book.ID, "ann", false); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"favor", "nothing to change"} {
		if again, err := do(key, favor); again != first || err != nil {
			t.Errorf("%s: the repetition hears %s, %v", key, again, err)
		}
	}
	if got, _ := n.Book(book.ID); calls != 2 || len(got.Favorites) != 1 {
		t.Errorf("%d calls left the favourites %v", calls, got.Favorites)
	}

	replace := func(ctx context.Context) (catalog.Result, error) {
		book, err := n.Replace(ctx, ann, book.ID, catalog.Draft{Title: "New"}, nil)
		return catalog.Result{Book: book}, err
	}
	replaced, err := do("replace", replace)
	if want := fmt.Sprintf(`%d "New" 0 %s`, book.ID, n.Position()); replaced != want || err != nil {
		t.Errorf("the answer is %s, %v; want %s", replaced, err, want)
	}
	remove := func(ctx context.Context) (catalog.Result, error) { return n.Delete(ctx, ann, book.ID, nil) }
	removed, err := do("remove", remove)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := do("remove", remove); again != removed || err != nil {
		t.Errorf("the repetition of the deletion hears %s, %v", again, err)
	}
	// What fails claims nothing.
	fail := func(context.Context) (catalog.Result, error) { return catalog.Result{}, errors.New("no") }
	if _, err := do("fails", fail); err == nil {
		t.Error("no error")
	}
	if _, err := do("fails", remove); catalog.ErrorCode(err) != catalog.CodeNotFound {
		t.Errorf("the key of a failure gave %v", err)
	}
}
