package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

const someBooks = `[{"id":1703123456789,"title":"Imported","author":"Author Name","returnDateTime":null,"favorites":["anna"]}]`

// The commands do the same with a running server, through its socket, and
// without one.
func TestImportAndExport(t *testing.T) {
	t.Parallel()
	for _, served := range []bool{true, false} {
		t.Run("served "+strconv.FormatBool(served), func(t *testing.T) {
			t.Parallel()
			// Longer than the address of a Unix socket.
			dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
			var watcher *sockettest.Client
			if served {
				p := boot(t, dir, nil)
				watcher = sockettest.Dial(t, p.URL(), sockettest.Handshake{Query: url.Values{"userId": {"anna"}}})
				watcher.Await("synced")
			} else if err := os.Mkdir(dir, 0o750); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := execute(t, someBooks, "import", "-", "--data", dir)
			if code != 0 || !strings.HasPrefix(stdout, "1 books added, 0 changed; 1 favourites given") {
				t.Fatalf("import: %d %q %s", code, stdout, stderr)
			}
			if served {
				watcher.Await("bookAdded")
				watcher.Await("favoriteUpdated")
			}
			if code, _, stderr := execute(t, "[{", "import", "-", "--data", dir); code == 0 || !strings.Contains(stderr, "standard input: line 1, column") {
				t.Errorf("a broken file: %d %s", code, stderr)
			}
			if code, _, stderr := execute(t, "", "import", "--sample", "--data", dir); code == 0 || !strings.Contains(stderr, "not empty") {
				t.Errorf("samples into a catalogue with books: %d %s", code, stderr)
			}
			file := filepath.Join(t.TempDir(), "export.json")
			if code, _, stderr := execute(t, "", "export", file, "--data", dir); code != 0 {
				t.Fatalf("export: %s", stderr)
			}
			content, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(content), `"title":"Imported"`) {
				t.Errorf("export: %s (%v)", content, err)
			}
			if code, stdout, _ := execute(t, "", "export", "-", "--data", dir); code != 0 || stdout != string(content) {
				t.Errorf("to standard output: %s", stdout)
			}
		})
	}
}

func TestSamplesByCommandAndByButton(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, stdout, stderr := execute(t, "", "import", "--sample", "--data", dir); code != 0 || !strings.HasPrefix(stdout, "50 books added") {
		t.Fatalf("%d %q %s", code, stdout, stderr)
	}
	p := boot(t, dir, nil)
	if status, _, body := p.do(http.MethodPost, "/samples", ""); status != http.StatusConflict {
		t.Errorf("again: %d %s", status, body)
	}
	empty := boot(t, t.TempDir(), nil)
	if status, _, body := empty.do(http.MethodPost, "/samples", ""); status != http.StatusCreated || strings.TrimSpace(body) != `{"added":50}` {
		t.Errorf("into an empty catalogue: %d %s", status, body)
	}
}

func TestExportOfNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	if code, _, stderr := execute(t, "", "export", "-", "--data", dir); code == 0 || !strings.Contains(stderr, "no catalogue") {
		t.Errorf("%d %s", code, stderr)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("an export made a data directory")
	}
}

func TestAdminSocketIsPrivate(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	name := filepath.Join(p.settings.Data, adminSocket)
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	p.stop()
	if _, err := os.Stat(name); err == nil {
		t.Error("the socket outlives its server")
	}
}

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), nil)
	port := strconv.Itoa(portOfURL(t, p.URL()))
	if code, stdout, stderr := execute(t, "", "healthcheck", "--port", port); code != 0 || stdout != "ready\n" {
		t.Errorf("%d %s %s", code, stdout, stderr)
	}
	p.stop()
	if code, _, stderr := execute(t, "", "healthcheck", "--url", p.URL()); code == 0 || stderr == "" {
		t.Errorf("of a server that is gone: %d %s", code, stderr)
	}
}
