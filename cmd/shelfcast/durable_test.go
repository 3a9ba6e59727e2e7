package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// A key stands for its request in the next process too, and the answer is the first one's.
func TestAKeyOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const body = `{"title":"Once","author":"Author Name"}`
	headers := []string{"Content-Type", "application/json", "Idempotency-Key", "k", "X-User-Id", "anna"}
	p := boot(t, dir, nil)
	status, header, first := p.do(http.MethodPost, "/books", body, headers...)
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, first)
	}
	p.stop()

	p = boot(t, dir, nil)
	status, again, second := p.do(http.MethodPost, "/books", body, headers...)
	if status != http.StatusCreated || second != first {
		t.Errorf("%d %s, want %s", status, second, first)
	}
	for _, name := range []string{"ETag", "Location", "Shelfcast-Position"} {
		if header.Get(name) == "" || again.Get(name) != header.Get(name) {
			t.Errorf("%s was %q, is %q", name, header.Get(name), again.Get(name))
		}
	}
	if _, _, books := p.do(http.MethodGet, "/books", ""); strings.Count(books, "Once") != 1 {
		t.Errorf("the books are %s", books)
	}
	if status, _, problem := p.do(http.MethodPost, "/books", `{"title":"Twice","author":"A"}`, headers...); status != http.StatusConflict {
		t.Errorf("another request under the key: %d %s", status, problem)
	}
}

// The check looks at the log of a running server, or at one that rests.
func TestCheckFindsDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, stdout, _ := execute(t, "", "check", "--data", dir); code != 1 || !strings.Contains(stdout, "log-missing") {
		t.Errorf("an empty directory: %d %s", code, stdout)
	}
	p := boot(t, dir, nil)
	p.add("A title to find")
	for range 2 {
		if code, stdout, stderr := execute(t, "", "check", "--data", dir); code != 0 || stdout != "everything is sound\n" {
			t.Errorf("%d %q %s", code, stdout, stderr)
		}
		p.stop() // the second time
	}
	path := filepath.Join(dir, sqlitelog.DatabaseName)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[bytes.LastIndex(content, []byte("title to find"))] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ := execute(t, "", "check", "--data", dir); code != 1 || !strings.Contains(stdout, "log-damaged: a row of books") {
		t.Errorf("a flipped bit: %d %s", code, stdout)
	}
}
