//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// command runs one of the program's other commands on the server's data directory.
func (s *server) command(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	return s.commandWithin(t, patience, name, args...)
}

func (s *server) commandWithin(t *testing.T, bound time.Duration, name string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(within(t, bound), program, append([]string{name, "--data", s.data}, args...)...)
	printed, err := command.Output()
	if err != nil {
		complaint := ""
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
			complaint = string(failed.Stderr)
		}
		t.Fatalf("shelfcast %s %v: %v\n%s", name, args, err, complaint)
	}
	return printed
}

// Import and export, with the server stopped and with the server running.
func TestImportAndExport(t *testing.T) {
	t.Parallel()
	from := startServerOnFixedPort(t)
	from.stop(t)
	from.command(t, "import", "--sample")
	from.start(t)
	client := newAPI(t, from)
	sample := client.books(t)
	if len(sample) != 50 {
		t.Fatalf("%d sample books, want 50", len(sample))
	}
	client.toggleFavorite(t, idOf(t, sample[7]), "anna")
	sample = client.books(t)

	var exported []book
	if err := json.Unmarshal(from.command(t, "export", "-"), &exported); err != nil {
		t.Fatal(err)
	}
	if err := sameBooks(essence(exported), essence(sample)); err != nil {
		t.Errorf("exported from the running server: %v", err)
	}

	file := filepath.Join(t.TempDir(), "export.json")
	from.command(t, "export", file)
	to := startServer(t)
	to.command(t, "import", file)
	imported := newAPI(t, to).books(t)
	if err := sameBooks(titles(imported), titles(sample)); err != nil {
		t.Errorf("imported into a running server: %v", err)
	}

	again := newAPI(t, to).call(t, http.StatusConflict, http.MethodPost, "/samples", book{"userId": "olga"})
	expectProblem(t, again, "")
}

// titles is what an import has to keep of books; the place of ids are the titles.
func titles(books []book) []book {
	reduced := make([]book, 0, len(books))
	for _, one := range books {
		reduced = append(reduced, book{"id": one["title"], "author": one["author"]})
	}
	return reduced
}
