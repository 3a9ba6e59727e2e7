package sqlitelog

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// runCatalog runs a catalogue over a log for the length of the test.
func runCatalog(t *testing.T, log *Log, clock *testClock) *catalog.Catalog {
	t.Helper()
	books := catalog.New(log, catalog.Options{Now: clock.Now})
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

func testClaim(key string, expires time.Time) *catalog.Claim {
	return &catalog.Claim{
		UserID: "ann", Key: key, Fingerprint: [32]byte{1, 2, 3}, Expires: expires,
		AnswerTo: func(stored *catalog.Change) []byte { return fmt.Appendf(nil, "answer %d", stored.Sequence) },
	}
}

func wantClaim(t *testing.T, log *Log, user, key, answer string) {
	t.Helper()
	claim, err := log.Claimed(t.Context(), user, key)
	if err != nil {
		t.Fatal(err)
	}
	if claim == nil {
		if answer != "" {
			t.Errorf("key %q is not claimed", key)
		}
		return
	}
	if string(claim.Answer) != answer || claim.Fingerprint != [32]byte{1, 2, 3} {
		t.Errorf("key %q gives %q, %v; want %q", key, claim.Answer, claim.Fingerprint, answer)
	}
}

func TestClaimsAreStoredWithTheirChange(t *testing.T) {
	clock, dir := newTestClock(), t.TempDir()
	log := mustOpen(t, dir, Options{Now: clock.Now})
	write := catalog.Write{Change: testBook(1, "A"), Claim: testClaim("k", clock.Now().Add(time.Hour))}
	sequence, err := log.Append(t.Context(), write)
	if err != nil {
		t.Fatal(err)
	}
	answer := fmt.Sprint("answer ", sequence)
	wantClaim(t, log, "ann", "k", answer)
	wantClaim(t, log, "bob", "k", "")

	// A key that stands for something stores nothing more.
	write.Change = testBook(2, "B")
	if _, err := log.Append(t.Context(), write); catalog.ErrorCode(err) != catalog.CodeKeyReused {
		t.Errorf("a second append gave %v", err)
	}
	if err := log.Claim(t.Context(), *write.Claim); catalog.ErrorCode(err) != catalog.CodeKeyReused {
		t.Errorf("a second claim gave %v", err)
	}
	// A change that is refused claims nothing.
	write = catalog.Write{Change: testBook(1, "A"), Expect: 77, Claim: testClaim("refused", clock.Now().Add(time.Hour))}
	if _, err := log.Append(t.Context(), write); catalog.ErrorCode(err) != catalog.CodeConflict {
		t.Errorf("a stale append gave %v", err)
	}
	wantClaim(t, log, "ann", "refused", "")
	nothing := *testClaim("nothing", clock.Now().Add(2*time.Hour))
	nothing.Answer = []byte("no change")
	if err := log.Claim(t.Context(), nothing); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}

	log = mustOpen(t, dir, Options{Now: clock.Now})
	wantClaim(t, log, "ann", "k", answer)
	wantClaim(t, log, "ann", "nothing", "no change")
	clock.add(time.Hour)
	wantClaim(t, log, "ann", "k", "")
	write = catalog.Write{Change: testBook(3, "C"), Claim: testClaim("k", clock.Now().Add(time.Hour))}
	if _, err := log.Append(t.Context(), write); err != nil {
		t.Errorf("a key that has expired cannot be used again: %v", err)
	}
	clock.add(24 * time.Hour)
	mustAppend(t, log, testBook(4, "D"), 0)
	if got := count(t, log, "SELECT count(*) FROM idempotency_keys"); got != 0 {
		t.Errorf("%d expired keys are kept", got)
	}
}

func TestClientStatesSurviveAndExpire(t *testing.T) {
	clock, dir := newTestClock(), t.TempDir()
	log := mustOpen(t, dir, Options{Now: clock.Now})
	for _, name := range []string{"watch.a", "watch.b", "watch.c"} {
		if err := log.Remember(t.Context(), name, clock.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Forget(t.Context(), "watch.b"); err != nil {
		t.Fatal(err)
	}
	if err := log.Remember(t.Context(), strings.Repeat("x", 129), clock.Now()); catalog.ErrorCode(err) != catalog.CodeInvalidInput {
		t.Errorf("a long name gave %v", err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = mustOpen(t, dir, Options{Now: clock.Now})
	if !log.Remembers("watch.a") || log.Remembers("watch.b") || !log.Remembers("watch.c") {
		t.Error("what was remembered did not survive")
	}
	clock.add(2 * time.Hour)
	if log.Remembers("watch.a") {
		t.Error("it did not expire")
	}
	mustAppend(t, log, testBook(1, "A"), 0)
	if got := count(t, log, "SELECT count(*) FROM client_states"); got != 0 {
		t.Errorf("%d expired states are kept", got)
	}
}

func TestClientStatesAreBounded(t *testing.T) {
	clock := newTestClock()
	log := mustOpen(t, t.TempDir(), Options{Sync: SyncInterval, Now: clock.Now})
	if err := log.Remember(t.Context(), "the first to end", clock.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for i := range maxClientStates - 1 {
		log.clients.set(fmt.Sprint("state ", i), clock.Now().Add(time.Hour))
	}
	if err := log.Remember(t.Context(), "one more", clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if log.Remembers("the first to end") || !log.Remembers("one more") || !log.Remembers("state 7") {
		t.Error("another one gave way")
	}
	if got := count(t, log, "SELECT count(*) FROM client_states"); got != 1 {
		t.Errorf("%d are stored, want 1", got)
	}
}

// TestStoreOfTheFirstVersionOpens opens a store that the first landed version has written
// (schema 1) and goes on with it.
func TestStoreOfTheFirstVersionOpens(t *testing.T) {
	packed, err := os.Open(filepath.Join("testdata", "schema-1.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, DatabaseName), content, 0o600); err != nil {
		t.Fatal(err)
	}
	log := mustOpen(t, dir, Options{})
	if log.Epoch() != "r7hhdagct6p6uab3" || log.Horizon() != 0 {
		t.Errorf("the epoch is %q, the horizon %d", log.Epoch(), log.Horizon())
	}
	clock := newTestClock()
	clock.now = time.Now()
	books := runCatalog(t, log, clock)
	var events []string
	missed, err := books.CatchUp(catalog.Position{Epoch: log.Epoch(), Sequence: 3}, 1<<20, catalog.WholeView())
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range missed.Missed {
		events = append(events, string(event.Event))
	}
	if got := strings.Join(events, " "); got != "bookUpdated favoriteUpdated bookDeleted" {
		t.Errorf("it tells of %s", got)
	}
	ann := catalog.Actor{UserID: "ann"}
	if _, err := books.SetFavorite(t.Context(), ann, 1, "ann", true); err != nil {
		t.Error(err)
	}
	if err := log.Claim(t.Context(), catalog.Claim{UserID: "ann", Key: "k", Answer: []byte("a"), Expires: clock.now.Add(time.Hour)}); err != nil {
		t.Error(err)
	}
	if err := log.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
