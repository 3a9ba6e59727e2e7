package sqlitelog

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func minutesOf(t *testing.T, log *Log, since time.Time) []string {
	t.Helper()
	var found []string
	err := log.Minutes(t.Context(), since, func(at time.Time, values []byte) error {
		found = append(found, fmt.Sprintf("%s %s", at.Format("15:04"), values))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Minutes outlast the process, the last word on one counts, and old ones go.
func TestMinutesAreKept(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	noon := time.Date(2024, 12, 25, 12, 0, 0, 0, time.UTC)
	keep := func(minute int, values string, forgetBefore int) {
		t.Helper()
		at := noon.Add(time.Duration(minute) * time.Minute)
		if err := log.KeepMinute(t.Context(), at, []byte(values), noon.Add(time.Duration(forgetBefore)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	keep(1, `{"a":1}`, 0)
	keep(0, `{"a":0}`, 0)
	keep(2, `{"a":2}`, 0)
	keep(2, `{"a":3}`, 0)
	head := mustAppend(t, log, testBook(1, "Walden"), 0)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	log = mustOpen(t, dir, Options{})
	if got := minutesOf(t, log, noon); !slices.Equal(got, []string{`12:00 {"a":0}`, `12:01 {"a":1}`, `12:02 {"a":3}`}) {
		t.Errorf("found %q", got)
	}
	if got := minutesOf(t, log, noon.Add(2*time.Minute)); len(got) != 1 {
		t.Errorf("since the last one: %q", got)
	}
	keep(3, `{"a":4}`, 2)
	if got := minutesOf(t, log, noon); !slices.Equal(got, []string{`12:02 {"a":3}`, `12:03 {"a":4}`}) {
		t.Errorf("after forgetting: %q", got)
	}
	if now, err := log.Head(t.Context()); err != nil || now != head {
		t.Errorf("minutes moved the head from %d to %d (%v)", head, now, err)
	}
}

// A log of the version before has no history; it opens, keeps what it has, and gets one.
func TestALogWithoutHistoryIsBroughtUpToDate(t *testing.T) {
	dir := t.TempDir()
	log := mustOpen(t, dir, Options{})
	mustAppend(t, log, testBook(1, "Walden"), 0)
	epoch := log.Epoch()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	edit(t, dir, "DROP TABLE history")
	edit(t, dir, "PRAGMA user_version = 2")
	log = mustOpen(t, dir, Options{})
	if head, err := log.Head(t.Context()); err != nil || head != 1 || log.Epoch() != epoch {
		t.Errorf("head %d (%v), epoch %s, before %s", head, err, log.Epoch(), epoch)
	}
	if err := log.KeepMinute(t.Context(), time.Now(), []byte("{}"), time.Time{}); err != nil {
		t.Error(err)
	}
}
