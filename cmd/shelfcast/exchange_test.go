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
			if code != 0 || !strings.HasPrefix(stdout, "1 books added, 0 changed, 0 unchanged, 0 refused; 1 favourites given") {
				t.Fatalf("import: %d %q %s", code, stdout, stderr)
			}
			if served {
				watcher.Await("bookAdded")
				watcher.Await("favoriteUpdated")
			}
			if code, _, stderr := execute(t, "[{", "import", "-", "--data", dir); code == 0 || !strings.Contains(stderr, "standard input: line 1: book 1: the file ends") {
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

// Good rows go in, the others come back with their reasons, to be mended and imported; the exit code
// says which it was.
func TestImportOfATable(t *testing.T) {
	t.Parallel()
	const table = "\ufefftitle;author;id;favorites\r\nImported;Author Name;1703123456789;anna|ben\r\n" +
		";Nobody;2;\r\nNew;'=SUM(A1);;\r\n"
	for _, served := range []bool{true, false} {
		t.Run("served "+strconv.FormatBool(served), func(t *testing.T) {
			t.Parallel()
			s := shelf{t, t.TempDir()}
			if served {
				boot(t, s.dir, nil)
			}
			s.run("import", "-")
			folder := t.TempDir()
			file, rejects, exported := filepath.Join(folder, "in.csv"), filepath.Join(folder, "bad.csv"), filepath.Join(folder, "out.csv")
			write := func(content string) {
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			importing := func(args ...string) (int, string, string) {
				return execute(t, "", append([]string{"import", file, "--data", s.dir}, args...)...)
			}
			write(table)
			if code, _, stderr := importing("--strict"); code != 1 || !strings.Contains(stderr, "1 of 3 rows: nothing was changed") {
				t.Errorf("strict: %d %s", code, stderr)
			}
			if code, stdout, stderr := importing("--dry-run"); code != exitRefused || !strings.HasPrefix(stdout, "1 books would be added, 0 changed, 0 unchanged, 1 refused; 1 favourites would be given") {
				t.Errorf("dry run: %d %s %s", code, stdout, stderr)
			}
			code, stdout, stderr := importing("--rejects", rejects)
			if code != exitRefused || !strings.HasPrefix(stdout, "1 books added, 0 changed, 0 unchanged, 1 refused; 1 favourites given") ||
				!strings.Contains(stderr, "row 3 (line 3): title is missing or empty") {
				t.Errorf("import: %d %s %s", code, stdout, stderr)
			}
			s.run("export", exported)
			content, err := os.ReadFile(exported)
			if err != nil || !strings.Contains(string(content), ",Imported,Author Name,,,anna|ben,") || !strings.Contains(string(content), ",New,'=SUM(A1),") {
				t.Errorf("exported %s (%v)", content, err)
			}
			if content, err = os.ReadFile(rejects); err != nil {
				t.Fatal(err)
			}
			write(strings.ReplaceAll(string(content), ",,Nobody", ",Mended,Nobody"))
			if code, stdout, stderr := importing("--strict"); code != 0 || !strings.HasPrefix(stdout, "1 books added") {
				t.Errorf("mended: %d %s %s", code, stdout, stderr)
			}
			if code, stdout, _ := execute(t, "", "import", exported, "--data", s.dir); code != 0 || !strings.HasPrefix(stdout, "0 books added, 0 changed, 2 unchanged, 0 refused") {
				t.Errorf("an export again: %d %s", code, stdout)
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
