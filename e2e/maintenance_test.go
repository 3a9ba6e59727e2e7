//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// place is a folder as the handbook's commands expect it: backend/ holds the data, backup/ the
// backups.
type place struct {
	folder string
}

func newPlace(t *testing.T, server *server) place {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(server.data, filepath.Join(folder, "backend")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "backup"), 0o755); err != nil {
		t.Fatal(err)
	}
	return place{folder}
}

// shell runs a command of the handbook as it stands and returns what it printed.
func (p place) shell(t *testing.T, inside, command string) string {
	t.Helper()
	printed, err := p.tryShell(t, inside, command)
	if err != nil {
		t.Fatal(err)
	}
	return printed
}

func (p place) tryShell(t *testing.T, inside, command string) (string, error) {
	t.Helper()
	shell := exec.CommandContext(within(t, patience), "bash", "-e", "-c", command)
	shell.Dir = filepath.Join(p.folder, inside)
	printed, err := shell.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s\n%w\n%s", command, err, printed)
	}
	return string(printed), nil
}

// mirror reads books.json.
func (s *server) mirror() ([]book, error) {
	text, err := os.ReadFile(filepath.Join(s.data, "books.json"))
	if err != nil {
		return nil, err
	}
	var books []book
	if err := json.Unmarshal(text, &books); err != nil {
		return nil, fmt.Errorf("books.json does not parse: %w", err)
	}
	return books, nil
}

// awaitMirror waits until books.json equals GET /books.
func (s *server) awaitMirror(t *testing.T, client *api) {
	t.Helper()
	eventually(t, "books.json equals GET /books", func() error {
		mirrored, err := s.mirror()
		if err != nil {
			return err
		}
		return sameBooks(mirrored, client.books(t))
	})
}

// essence is what the contract means by "state equal": a restore gives new versions and times.
func essence(books []book) []book {
	reduced := make([]book, 0, len(books))
	for _, one := range books {
		reader := one["readerName"]
		favorites, _ := one["favorites"].([]any)
		reduced = append(reduced, book{
			"id": one["id"], "title": one["title"], "author": one["author"],
			"returnDateTime": one["returnDateTime"], "readerName": reader, "favorites": len(favorites),
		})
	}
	return reduced
}

func TestMaintenanceCommandsOfTheHandbook(t *testing.T) {
	t.Parallel()
	text := readHandbook(t)
	server := startServerOnFixedPort(t)
	client := newAPI(t, server)
	here := newPlace(t, server)

	kept := client.add(t, "Middlemarch", "George Eliot")
	changed := client.add(t, "Emma", "Jane Austen")
	client.add(t, "Walden", "Henry David Thoreau")
	client.toggleFavorite(t, idOf(t, kept), "anna")
	server.awaitMirror(t, client)
	before := client.books(t)

	printed := here.shell(t, "", text.block(t, "2. Verify Data Integrity", 0))
	for _, words := range []string{"Total books: 3", "Data integrity check passed"} {
		if !strings.Contains(printed, words) {
			t.Errorf("the integrity check printed %q, without %q", printed, words)
		}
	}

	here.shell(t, "", text.block(t, "1. Backup Data", 0))
	backups, err := filepath.Glob(filepath.Join(here.folder, "backup", "books-*.json"))
	if err != nil || len(backups) != 1 {
		t.Fatalf("the backup command left %v (%v)", backups, err)
	}
	// The handbook's restore names the backup of a certain day.
	if err := os.Rename(backups[0], filepath.Join(here.folder, "backup", "books-20241220.json")); err != nil {
		t.Fatal(err)
	}

	client.remove(t, idOf(t, kept))
	client.replace(t, idOf(t, changed), book{"title": "Persuasion", "author": "Jane Austen"})
	client.add(t, "Dracula", "Bram Stoker")
	server.stop(t)
	here.shell(t, "", text.line(t, "2. Data Corruption Recovery", "cp "))
	server.start(t)
	if err := sameBooks(essence(client.books(t)), essence(before)); err != nil {
		t.Errorf("after the restore: %v", err)
	}
	server.awaitMirror(t, client)

	server.kill(t)
	server.start(t)
	printed = here.shell(t, "backend", text.line(t, "1. Server Crash Recovery", "node -e"))
	if strings.TrimSpace(printed) != "3" {
		t.Errorf("after a crash the handbook's check printed %q, want 3", printed)
	}
}

// The handbook watches connections by grepping the server's output, redirected to server.log.
func TestConnectionHealthCommandOfTheHandbook(t *testing.T) {
	t.Parallel()
	text := readHandbook(t)
	server := &server{data: t.TempDir()}
	log, err := os.Create(filepath.Join(server.data, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	server.log = log
	server.start(t)
	t.Cleanup(func() { server.finish(t) })
	here := newPlace(t, server)

	guide := runSnippets(t, server, "guide", text.programs(t)["guide"], "4.8", nil)
	guide.awaitLog(t, 0, "Connected to server")
	// Gone in the middle of the upgrade, it would be missed only after the ping timeout.
	guide.awaitKind(t, 0, "upgraded", nil)
	guide.input.Close() // the client leaves
	// tail -f would go on for ever; here it ends where the file does.
	command := "tail() { command tail \"${@:2}\"; }\n" + text.line(t, "1. Monitor Connection Health", "tail -f")
	eventually(t, "the handbook's command shows a connection and its end", func() error {
		shown, err := here.tryShell(t, "", command)
		if err != nil {
			return err // grep found nothing yet
		}
		for _, word := range []string{"connection", "disconnect"} {
			if !strings.Contains(shown, word) {
				return fmt.Errorf("no line with %q in:\n%s", word, shown)
			}
		}
		return nil
	})
}

// A catalogue kept by the handbook's own server moves in by being there.
func TestFirstStartTakesTheHandbooksFile(t *testing.T) {
	t.Parallel()
	text := readHandbook(t)
	example := text.block(t, "1. bookAdded", 0)
	server := &server{data: t.TempDir()}
	file := filepath.Join(server.data, "books.json")
	if err := os.WriteFile(file, []byte("["+example+"]"), 0o644); err != nil {
		t.Fatal(err)
	}
	server.start(t)
	t.Cleanup(func() { server.finish(t) })
	client := newAPI(t, server)
	var want book
	if err := json.Unmarshal([]byte(example), &want); err != nil {
		t.Fatal(err)
	}
	if err := sameBooks(essence(client.books(t)), essence([]book{want})); err != nil {
		t.Error(err)
	}
	server.awaitMirror(t, client)
}

// A file that nobody can read as books must not become an empty catalogue.
func TestBrokenBooksFileStopsTheStart(t *testing.T) {
	t.Parallel()
	server := startServerOnFixedPort(t)
	client := newAPI(t, server)
	client.add(t, "Middlemarch", "George Eliot")
	before := client.books(t)
	server.stop(t)

	file := filepath.Join(server.data, "books.json")
	intact, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`[{"id": 1, "title": "half a bo`), 0o644); err != nil {
		t.Fatal(err)
	}
	server.launch(t)
	if code := server.exitCode(t); code == 0 {
		t.Error("the server exited with 0")
	}
	if printed := server.output.String(); !strings.Contains(printed, "books.json") {
		t.Errorf("what it printed does not name the file:\n%s", printed)
	}

	if err := os.WriteFile(file, intact, 0o644); err != nil {
		t.Fatal(err)
	}
	server.start(t)
	if err := sameBooks(client.books(t), before); err != nil {
		t.Errorf("after the file was put right: %v", err)
	}
	client.call(t, http.StatusOK, http.MethodGet, "/healthz", nil)
}
