package move_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// A log goes into a stream and back, and once more, and is written at each place: every record has
// its place in the history, and what was noted of requests and clients is there.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for _, replicas := range []int{1, 3} {
		t.Run(fmt.Sprintf("replicas=%d", replicas), func(t *testing.T) {
			t.Parallel()
			servers := natstest.Start(t, replicas, nil)
			home, cluster := directory(t), stream(t, servers, replicas, "BOOKS")
			a := newAuthor(t)
			now := time.Now()
			log := home.mustServe(t)
			a.log = log
			a.write(700, 60)
			claimed := catalog.Claim{UserID: "anna", Key: "k", Fingerprint: [32]byte{7}, Expires: now.Add(time.Hour), Answer: []byte("12")}
			if err := errors.Join(log.Claim(t.Context(), claimed), log.Remember(t.Context(), "watch.anna", now.Add(time.Hour))); err != nil {
				t.Fatal(err)
			}
			epoch, key := log.Epoch(), log.Key()
			for i, step := range [][2]*end{{home, cluster}, {cluster, home}, {home, cluster}, {cluster, home}} {
				from, to := step[0], step[1]
				if err := log.Close(); err != nil { // what is in memory only is not moved
					t.Fatal(err)
				}
				log = from.mustServe(t)
				before := history(t, log)
				if err := log.Close(); err != nil {
					t.Fatal(err)
				}
				var backedUp int
				report, err := run(t, from, to, move.Options{Backup: func(s *catalog.Snapshot) (string, error) {
					backedUp = s.Len()
					return "somewhere", nil
				}})
				if err != nil {
					t.Fatalf("move %d: %v", i, err)
				}
				if report.Books != len(a.living) || backedUp != len(a.living) || report.Claims != 1+i || report.ClientStates != 1 || report.Backup != "somewhere" {
					t.Errorf("move %d: %d books are reported as %+v, %d in the backup", i, len(a.living), report, backedUp)
				}
				if _, err := from.serve(); !errors.As(err, new(*move.HeldError)) || !strings.Contains(err.Error(), to.Place()) {
					t.Errorf("after move %d the source is opened, or says %v", i, err)
				}
				log = to.mustServe(t)
				a.log = log
				if log.Epoch() != epoch || !slices.Equal(log.Key(), key) {
					t.Errorf("after move %d the epoch or key is another", i)
				}
				after := history(t, log)
				if i%2 == 1 { // a stream keeps favourites of lives that have ended
					before = slices.DeleteFunc(before, func(one string) bool { return isEndedFavorite(one, after) })
				}
				if !slices.Equal(before, after) {
					lost := slices.DeleteFunc(slices.Clone(before), func(one string) bool { return slices.Contains(after, one) })
					t.Fatalf("move %d: %d records became %d; missing or changed: %q", i, len(before), len(after), lost[:min(3, len(lost))])
				}
				checkKept(t, log, claimed)
				a.check()
				a.write(300, 60)
				again := claimed
				again.Key = fmt.Sprint("k", i)
				if err := log.Claim(t.Context(), again); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func isEndedFavorite(one string, kept []string) bool {
	return strings.Contains(one, `"Kind":3`) && !slices.Contains(kept, one)
}

func checkKept(t *testing.T, log servedLog, claimed catalog.Claim) {
	t.Helper()
	found, err := log.Claimed(t.Context(), claimed.UserID, claimed.Key)
	if err != nil || found == nil || string(found.Answer) != string(claimed.Answer) || found.Fingerprint != claimed.Fingerprint {
		t.Errorf("the idempotency key is %+v, %v", found, err)
	}
	if !log.Remembers("watch.anna") || log.Remembers("watch.olga") {
		t.Error("the states of clients are others")
	}
}

// check looks whether the log has each book at the version that its writer was told, and whether a
// writer who knows an older one is refused and told the newest.
func (a *author) check() {
	a.t.Helper()
	for id, book := range a.living {
		stale := *book
		_, err := a.log.Append(a.t.Context(), catalog.Write{
			Change: catalog.Change{Kind: catalog.KindBook, BookID: id, Book: &stale, At: a.clock}, Expect: book.Version + 1_000_000,
		})
		refused := new(catalog.Error)
		if !errors.As(err, &refused) || refused.Code != catalog.CodeConflict || refused.Current != book.Version {
			a.t.Fatalf("a stale write of book %d, version %d: %v", id, book.Version, err)
		}
	}
}
