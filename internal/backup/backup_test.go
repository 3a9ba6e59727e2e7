package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestABackupRestoresAfterTheLogWasLost(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups"), Version: "test"})
	old := open(t, filepath.Join(place, "old"))
	old.fill(20)
	info := old.create(d)
	if info.Books != 20 || info.Position != old.Position().String() || info.Reason != ReasonManual {
		t.Errorf("made %+v", info)
	}
	plain, err := os.ReadFile(filepath.Join(d.Path(), info.Name, "books-"+info.CreatedAt.Format("20060102")+".json"))
	if err != nil || string(plain) != old.json() {
		t.Errorf("the plain file: %.80s, %v", plain, err)
	}

	lost := open(t, filepath.Join(place, "new"))
	source, err := d.Open(info.Name)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := d.Restore(t.Context(), lost.Catalog, owner, source, false)
	if err != nil || restored.Difference.Added != 20 || restored.Before != "" {
		t.Fatalf("restored %+v, %v", restored, err)
	}
	if lost.Epoch() == old.Epoch() {
		t.Error("a lost log has the epoch of the old one")
	}
	// Ids, texts, dates and the favourites' order are as they were; the versions are the new log's.
	if got, want := withoutVersions(t, []byte(lost.json())), withoutVersions(t, []byte(old.json())); got != want {
		t.Errorf("restored %s, was %s", got, want)
	}
}

func withoutVersions(t *testing.T, books []byte) string {
	t.Helper()
	var list []map[string]any
	if err := json.Unmarshal(books, &list); err != nil {
		t.Fatal(err)
	}
	for _, book := range list {
		delete(book, "version")
	}
	return fmt.Sprint(list)
}

func TestRestoreIsTheDifference(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
	var mu sync.Mutex
	events := map[catalog.Event]int{}
	l := open(t, place, func(applied []catalog.Applied) {
		mu.Lock()
		defer mu.Unlock()
		for i := range applied {
			events[applied[i].Event]++
		}
	})
	l.fill(10)
	info := l.create(d)
	var books []catalog.Book
	if err := decodeBooks([]byte(l.json()), &books); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Delete(t.Context(), owner, books[3].ID, nil); err != nil {
		t.Fatal(err)
	}
	added, err := l.Add(t.Context(), owner, catalog.Draft{Title: "Later", Author: "Later"})
	if err != nil {
		t.Fatal(err)
	}
	source, err := d.Open(info.Name)
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	clear(events)
	mu.Unlock()
	position := l.Position()
	dry, err := d.Restore(t.Context(), l.Catalog, owner, source, true)
	if err != nil || l.Position() != position || dry.Before != "" {
		t.Errorf("a dry run gave %+v, %v", dry, err)
	}
	restored, err := d.Restore(t.Context(), l.Catalog, owner, source, false)
	if err != nil || restored.Difference != dry.Difference {
		t.Fatalf("restored %+v, %v; the dry run said %+v", restored, err, dry)
	}
	mu.Lock()
	if events[catalog.EventBookDeleted] != 1 || events[catalog.EventBookAdded] != 1 || events[catalog.EventFavoriteUpdated] != 3 {
		t.Errorf("clients see %v", events)
	}
	mu.Unlock()
	if _, found := l.Book(added.ID); found || l.Snapshot().Len() != 10 {
		t.Error("what the backup does not have is still there")
	}
	if kept, _ := l.Book(books[0].ID); kept.Version != books[0].Version {
		t.Error("a book that did not differ has a new version")
	}
	undo, err := d.Open(restored.Before)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Restore(t.Context(), l.Catalog, owner, undo, false); err != nil {
		t.Fatal(err)
	}
	if _, found := l.Book(added.ID); !found || l.Snapshot().Len() != 10 {
		t.Error("the backup of the state before does not bring it back")
	}
}

func decodeBooks(content []byte, books *[]catalog.Book) (err error) {
	*books, err = catalog.DecodeBooks(content)
	var versions []struct{ Version catalog.Sequence }
	err = errors.Join(err, json.Unmarshal(content, &versions))
	for i := range versions {
		(*books)[i].Version = versions[i].Version
	}
	return err
}

// TestOneFlippedBitIsFound flips a bit of every byte of the manifest and of bytes of the books at
// random places.
func TestOneFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
	l := open(t, place)
	l.fill(30)
	info := l.create(d)
	if report := d.Verify(info.Name); !report.OK || len(report.Faults) != 0 {
		t.Fatalf("a sound backup: %+v", report)
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	entries, err := os.ReadDir(filepath.Join(d.Path(), info.Name))
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	for _, entry := range entries {
		name := filepath.Join(d.Path(), info.Name, entry.Name())
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		places := random.Perm(len(whole))
		if entry.Name() != manifestFile {
			places = places[:300]
		}
		for _, at := range places {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << random.IntN(8)
			if err := os.WriteFile(name, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if report := d.Verify(info.Name); report.OK || len(report.Faults) == 0 {
				t.Fatalf("seed %d: byte %d of %s flipped: %+v", seed, at, entry.Name(), report)
			}
		}
		if err := os.WriteFile(name, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if report := d.Verify(info.Name); !report.OK {
		t.Errorf("mended: %+v", report)
	}
}

func TestDamagedBackupsAreNamed(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		damage func(dir string) error
		fault  string
	}{
		"no books":    {func(dir string) error { return os.Remove(booksIn(dir)) }, "is missing"},
		"no manifest": {func(dir string) error { return os.Remove(filepath.Join(dir, manifestFile)) }, "manifest cannot be read"},
		"truncated":   {func(dir string) error { return os.Truncate(booksIn(dir), 10) }, "has 10 bytes"},
		"another file": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "extra"), nil, 0o600)
		}, "extra is no part"},
		"exchanged": {func(dir string) error {
			other := filepath.Join(filepath.Dir(dir), "20200101T000000.000Z")
			return errors.Join(os.Rename(dir, other), os.Rename(other, filepath.Join(filepath.Dir(dir), "20200101T000000.001Z")))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := t.TempDir()
			d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
			l := open(t, place)
			l.fill(3)
			info := l.create(d)
			if err := one.damage(filepath.Join(d.Path(), info.Name)); err != nil {
				t.Fatal(err)
			}
			list, err := d.List()
			if err != nil || len(list) != 1 {
				t.Fatalf("the list has %+v, %v", list, err)
			}
			report := d.Verify(list[0].Name)
			if report.OK || !strings.Contains(strings.Join(report.Faults, ";"), one.fault) {
				t.Errorf("%+v", report)
			}
			if strings.Contains(strings.Join(append(report.Faults, list[0].Fault), ";"), place) {
				t.Errorf("it says where on the machine it is: %+v, %q", report, list[0].Fault)
			}
			if _, err := d.Open(list[0].Name); err == nil {
				t.Error("it can be restored all the same")
			}
		})
	}
}

func booksIn(dir string) string {
	names, _ := filepath.Glob(filepath.Join(dir, "books-*.json"))
	return names[0]
}

func TestNamesLeadNowhereElse(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
	l := open(t, place)
	l.fill(1)
	info := l.create(d)
	for _, name := range []string{"", ".", "..", "../backups/" + info.Name, info.Name + "/", "/etc", info.Name + "\x00", "20200101T000000.000Z"} {
		if _, err := d.Open(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
		if report := d.Verify(name); report.OK {
			t.Errorf("%q is a sound backup", name)
		}
	}
}

func TestOpenPath(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
	l := open(t, place)
	l.fill(2)
	dir := filepath.Join(d.Path(), l.create(d).Name)
	handbook := filepath.Join(place, "books-20241220.json")
	if err := os.WriteFile(handbook, []byte(`[{"id": 7, "title": "A", "author": "B"}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, books := range map[string]int{dir: 2, filepath.Join(dir, manifestFile): 2, booksIn(dir): 2, handbook: 1} {
		source, err := OpenPath(path)
		if err != nil || len(source.Books.List) != books {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.WriteFile(booksIn(dir), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPath(booksIn(dir)); err == nil {
		t.Error("the damaged file of a backup was taken for a plain one")
	}
}

// TestBackupsAmongWrites makes backups while many write. Each has to be exactly the state that the
// changes up to its position lead to.
func TestBackupsAmongWrites(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	d := NewDirectory(Options{Path: filepath.Join(place, "backups")})
	var mu sync.Mutex
	states := map[string]string{} // the one book by position, as clients hear of it
	l := open(t, place, func(applied []catalog.Applied) {
		mu.Lock()
		defer mu.Unlock()
		for i := range applied {
			states[applied[i].Position.String()] = "[" + string(applied[i].Payload(catalog.WholeView())) + "]"
		}
	})
	book, err := l.Add(t.Context(), owner, catalog.Draft{Title: "Title 0", Author: "Author Name"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				title := fmt.Sprint("Title ", n)
				if _, err := l.Patch(t.Context(), owner, book.ID, catalog.BookPatch{Title: &title}, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var made []Info
	for range 20 {
		made = append(made, l.create(d))
	}
	stop()
	writers.Wait()
	mu.Lock()
	defer mu.Unlock()
	for _, info := range made {
		got, err := os.ReadFile(booksIn(filepath.Join(d.Path(), info.Name)))
		if want := states[info.Position]; err != nil || string(got) != want {
			t.Errorf("the backup at %s has %s, the state was %s (%v)", info.Position, got, want, err)
		}
		if report := d.Verify(info.Name); !report.OK {
			t.Errorf("%+v", report)
		}
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	place := t.TempDir()
	backups := filepath.Join(place, "backups")
	l := open(t, place)
	l.fill(1)
	synctest.Test(t, func(t *testing.T) {
		d := NewDirectory(Options{Path: backups})
		said := &bytes.Buffer{}
		s := NewSchedule(ScheduleOptions{Directory: d, Catalog: l.Catalog, Every: 24 * time.Hour, Keep: 2,
			Logger: slog.New(slog.NewTextHandler(said, nil))})
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		count := func() int {
			list, err := d.List()
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		wait := func(d time.Duration) { time.Sleep(d); synctest.Wait() }

		// Where the directory should be is a file: backups fail, visibly, and are tried again.
		if err := os.WriteFile(backups, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		wait(5 * time.Minute)
		if status := s.Status(); status.Failures < 2 || status.Failure == "" {
			t.Errorf("after failures: %+v", status)
		}
		if err := os.Remove(backups); err != nil {
			t.Fatal(err)
		}
		wait(time.Hour)
		if status := s.Status(); status.Failures != 0 || status.Last == nil || count() != 1 {
			t.Errorf("once it works: %+v, %d backups", status, count())
		}
		wait(48 * time.Hour)
		if status := s.Status(); count() != 1 || status.Unchanged == nil {
			t.Errorf("nothing changed: %+v, %d backups", status, count())
		}
		stop()
		<-done
		if !strings.Contains(said.String(), "scheduled backup failed") {
			t.Errorf("the log has %s", said)
		}

		// Old ones go, those made by hand stay; a restart does not postpone.
		for range 4 {
			if _, err := d.Create(l.Snapshot(), ReasonScheduled); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Create(l.Snapshot(), ReasonManual); err != nil {
			t.Fatal(err)
		}
		removed, err := d.Prune(2)
		if err != nil || len(removed) != 3 || count() != 3 {
			t.Errorf("pruned %v, %v; %d left", removed, err, count())
		}
		wait(23 * time.Hour)
		again := NewSchedule(ScheduleOptions{Directory: d, Catalog: l.Catalog, Every: 24 * time.Hour})
		if got := again.firstWait(); got > time.Hour+time.Second {
			t.Errorf("after a restart the next backup comes in %s", got)
		}
	})
}
