package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// Each fault is named with its fix, by a check of a data directory that rests, and afterwards a
// start (or the fix) has every book.
func TestCheckNamesFaults(t *testing.T) {
	t.Parallel()
	database := func(dir string) string { return filepath.Join(dir, sqlitelog.DatabaseName) }
	edit := func(t *testing.T, dir, sql string) { shelf{t, dir}.editLog(sql) }
	for name, one := range map[string]struct {
		damage func(t *testing.T, dir string)
		args   []string // of check
		fault  string
		mend   []string // a command; nil: a start is enough
	}{
		"truncated database": {func(t *testing.T, dir string) {
			if err := os.Truncate(database(dir), 9000); err != nil {
				t.Fatal(err)
			}
		}, nil, "log-", []string{"backup", "restore", "BOOKS", "--new-log"}},
		"empty database": {func(t *testing.T, dir string) {
			if err := os.Truncate(database(dir), 0); err != nil {
				t.Fatal(err)
			}
		}, nil, "log-lost-end", nil},
		"flipped byte in a page": {func(t *testing.T, dir string) {
			content, err := os.ReadFile(database(dir))
			if err != nil {
				t.Fatal(err)
			}
			content[bytes.LastIndex(content, []byte("Imported"))] ^= 1
			if err := os.WriteFile(database(dir), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "log-damaged", []string{"backup", "restore", "BOOKS"}},
		"lost end": {func(t *testing.T, dir string) {
			edit(t, dir, "DELETE FROM favorites; DELETE FROM books")
		}, nil, "log-lost-end", nil},
		"favourite without book": {func(t *testing.T, dir string) {
			edit(t, dir, `UPDATE books SET sequence = 3, checksum = NULL;
				INSERT INTO favorites (book_id, user_id, given_at, sequence) VALUES (99, 'x', '2020-01-01T00:00:00.000Z', 1)`)
		}, nil, "favorite-without-book", []string{"check", "--repair"}},
		"clock set back": {func(t *testing.T, dir string) {
			edit(t, dir, "UPDATE books SET updated_at = strftime('%Y-%m-%dT%H:%M:%S.000Z', 'now', '+1 hour'), checksum = NULL")
		}, nil, "clock-behind", nil},
		"edited books.json": {func(t *testing.T, dir string) {
			name := filepath.Join(dir, "books.json")
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, append(content, ' '), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "books-json-foreign", nil},
		"edited log":             {func(t *testing.T, dir string) { edit(t, dir, "UPDATE books SET title = 'Imported!', checksum = NULL") }, nil, "books-json-differs", nil},
		"contradictory settings": {nil, []string{"--backup-every", "0", "--backup-dir", "x"}, "configuration-contradictory", nil},
		"tokens not asked for":   {nil, []string{"--jwt-audience", "library"}, "have no effect with --auth demo", nil},
		"unknown setting":        {nil, []string{"--no-such-thing"}, "configuration-invalid", nil},
		"open to everybody": {func(t *testing.T, dir string) {
			if err := os.Chmod(database(dir), 0o666); err != nil {
				t.Fatal(err)
			}
		}, nil, "permissions-open", []string{"check", "--repair"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := shelf{t, t.TempDir()}
			s.run("import", "-")
			kept, err := os.ReadFile(filepath.Join(s.dir, "books.json"))
			if err != nil {
				t.Fatal(err)
			}
			books := filepath.Join(t.TempDir(), "books.json")
			if err := os.WriteFile(books, kept, 0o600); err != nil {
				t.Fatal(err)
			}
			if one.damage != nil {
				one.damage(t, s.dir)
			}
			if got := s.fails(append([]string{"check"}, one.args...)...); !strings.Contains(got, one.fault) || !strings.Contains(got, "fix: ") {
				t.Errorf("check printed %s", got)
			}
			if one.mend != nil {
				args := strings.Split(strings.ReplaceAll(strings.Join(one.mend, " "), "BOOKS", books), " ")
				s.run(args...)
				if got := s.run("check"); !strings.Contains(got, "everything is sound") {
					t.Errorf("afterwards check printed %s", got)
				}
			}
			p := boot(t, s.dir, nil)
			if _, _, served := p.do("GET", "/books", ""); !strings.Contains(served, `"title":"Imported`) || !strings.Contains(served, "anna") {
				t.Errorf("a start serves %s", served)
			}
		})
	}
}
