package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/catalog/logsuite"
)

var testTime = time.Date(2024, 12, 25, 14, 30, 0, 0, time.UTC)

func testBook(id int64, title string) catalog.Change {
	return catalog.Change{Kind: catalog.KindBook, BookID: id, At: testTime, Book: &catalog.Book{
		ID: id, Title: title, Author: "Somebody", CreatedAt: testTime, UpdatedAt: testTime,
	}}
}

func testFavorite(id int64, userID string, on bool) catalog.Change {
	return catalog.Change{Kind: catalog.KindFavorite, BookID: id, UserID: userID, Favorite: on, At: testTime}
}

func mustOpen(t *testing.T, dir string, options Options) *Log {
	t.Helper()
	log, err := Open(t.Context(), dir, options)
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

func mustAppend(t *testing.T, log *Log, change catalog.Change, expect catalog.Sequence) catalog.Sequence {
	t.Helper()
	sequence, err := log.Append(t.Context(), catalog.Write{Change: change, Expect: expect})
	if err != nil {
		t.Fatal(err)
	}
	return sequence
}

// readAll gives every stored change up to head.
func readAll(t *testing.T, log *Log, head catalog.Sequence) []catalog.Change {
	t.Helper()
	if head == 0 {
		return nil
	}
	errEnough := errors.New("enough")
	var all []catalog.Change
	err := log.Tail(t.Context(), 0, func(changes []catalog.Change) error {
		all = append(all, changes...)
		if all[len(all)-1].Sequence >= head {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return all
}

func TestSuite(t *testing.T) {
	for _, sync := range []Sync{SyncAlways, SyncInterval} {
		t.Run(string(sync), func(t *testing.T) {
			logsuite.Run(t, func(t *testing.T) logsuite.Place {
				dir := t.TempDir()
				return func() (catalog.Log, error) {
					return Open(t.Context(), dir, Options{Sync: sync, SyncInterval: 10 * time.Millisecond})
				}
			})
		})
	}
}

func TestSecondOpenerIsTurnedAway(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	_, err := Open(t.Context(), dir, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("a second Open gave %v", err)
	}
	mustAppend(t, log, testBook(1, "still works"), 0)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, Options{})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := mustOpen(t, dir, Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "PRAGMA user_version = 99")
	_, err := Open(t.Context(), dir, Options{})
	if !errors.Is(err, ErrNewerSchema) || !strings.Contains(err.Error(), "99") {
		t.Fatalf("Open gave %v", err)
	}
	edit(t, dir, fmt.Sprint("PRAGMA user_version = ", schemaVersion))
	mustOpen(t, dir, Options{}) // the refusal gave the lock back and changed nothing
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Run("another database", func(t *testing.T) {
		dir := t.TempDir()
		edit(t, dir, "CREATE TABLE theirs (a)")
		if _, err := Open(t.Context(), dir, Options{}); !errors.Is(err, ErrNotALog) {
			t.Fatalf("Open gave %v", err)
		}
	})
	t.Run("no database", func(t *testing.T) {
		dir := t.TempDir()
		text := strings.Repeat("not a database\n", 100)
		if err := os.WriteFile(filepath.Join(dir, DatabaseName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, Options{}); sqlite.ErrCode(err) != sqlite.ResultNotADB {
			t.Fatalf("Open gave %v", err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, options := range []Options{{Sync: "never"}, {SyncInterval: -1}} {
		if _, err := Open(t.Context(), t.TempDir(), options); err == nil {
			t.Errorf("%+v was accepted", options)
		}
	}
}

// edit opens the database as a person with the sqlite3 shell would.
func edit(t *testing.T, dir, sql string) {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(dir, DatabaseName), sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsTakeEffect(t *testing.T) {
	for sync, want := range map[Sync]int64{SyncAlways: 2, SyncInterval: 1} { // FULL, NORMAL
		log := mustOpen(t, t.TempDir(), Options{Sync: sync, SyncInterval: time.Hour})
		// The committer is idle: nobody else uses the connection.
		for pragma, want := range map[string]int64{"synchronous": want, "foreign_keys": 1, "user_version": schemaVersion} {
			if got, err := queryInt(log.conn, "PRAGMA "+pragma); got != want || err != nil {
				t.Errorf("%s: %s is %d, %v; want %d", sync, pragma, got, err, want)
			}
		}
	}
}

func TestTablesCanBeQueried(t *testing.T) {
	log := mustOpen(t, t.TempDir(), Options{})
	kept := mustAppend(t, log, testBook(1, "Kept"), 0)
	gone := mustAppend(t, log, testBook(2, "Gone"), 0)
	mustAppend(t, log, testFavorite(1, "ann", true), 0)
	given := mustAppend(t, log, testFavorite(1, "bob", true), 0)
	mustAppend(t, log, testFavorite(1, "bob", false), given)
	mustAppend(t, log, testFavorite(2, "ann", true), 0)
	deletion := testBook(2, "Gone")
	deletion.Kind, deletion.Book.CreatedSequence = catalog.KindBookDeleted, gone
	mustAppend(t, log, deletion, gone)
	conn, err := log.reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer log.tails.Done()
	defer conn.Close() //nolint:errcheck // it has only read
	for query, want := range map[string]int64{
		"SELECT count(*) FROM books WHERE title = 'Kept' AND created_at = '2024-12-25T14:30:00.000Z'": 1,
		"SELECT sequence FROM books":                               int64(kept),
		"SELECT count(*) FROM favorites WHERE user_id = 'ann'":     1, // that of the deleted book is gone
		"SELECT count(*) FROM removed_favorites":                   1,
		"SELECT count(*) FROM deleted_books WHERE title = 'Gone'":  1,
		"SELECT strftime('%Y', created_at) + 0 FROM books LIMIT 1": 2024,
	} {
		if got, err := queryInt(conn, query); got != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", query, got, err, want)
		}
	}
	if err := log.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesDamage(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	mustAppend(t, log, testBook(1, "A"), 0)
	mustAppend(t, log, testFavorite(1, "ann", true), 0)
	edit(t, dir, "DELETE FROM books") // without foreign keys, as the sqlite3 shell does
	if err := log.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "favorites") {
		t.Errorf("Check gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Check gave %v", err)
	}
}
