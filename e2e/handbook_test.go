//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every client snippet of the handbook, unchanged, with the official clients of three generations
// in the three transport settings, through a day in a library's life: a book is added, changed, made
// a favourite and deleted, the server crashes and comes back.
func TestHandbookSnippets(t *testing.T) {
	t.Parallel()
	programs := readHandbook(t).programs(t)
	settings := []struct {
		name       string
		transports []string // nil: the client's default
	}{
		{"default", nil},
		{"websocket", []string{"websocket"}},
		{"polling", []string{"polling"}},
	}
	for _, version := range []string{"4.8", "4.5", "4.0"} {
		for _, setting := range settings {
			t.Run(version+"/"+setting.name, func(t *testing.T) {
				t.Parallel()
				server := startServerOnFixedPort(t)
				running := make(map[string]*script)
				for name, text := range programs {
					running[name] = runSnippets(t, server, name, text, version, setting.transports)
				}
				reader := &handbookReader{
					api:       newAPI(t, server),
					guide:     running["guide"],
					dashboard: running["dashboard"],
					debugging: running["debugging"],
				}
				reader.expectConnections(t, setting.transports)
				kept := reader.expectEvents(t)
				reader.expectReturnAfterCrash(t, server, kept, version == "4.8")
				reader.expectNothingLeftBehind(t)
			})
		}
	}
}

func runSnippets(t *testing.T, server *server, name, text, version string, transports []string) *script {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".mjs")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return startScript(t, name, "handbook/run.mjs", map[string]any{
		"program":    file,
		"client":     "socket.io-client-" + version,
		"url":        server.url(),
		"transports": transports,
	})
}

// handbookReader is somebody who runs the handbook's three programs against one server.
type handbookReader struct {
	api       *api
	guide     *script // steps 2 to 5 and the troubleshooting snippets
	dashboard *script // the React dashboard
	debugging *script // onAny
}

func (r *handbookReader) all() []*script { return []*script{r.guide, r.dashboard, r.debugging} }

func (r *handbookReader) expectConnections(t *testing.T, transports []string) {
	t.Helper()
	for _, program := range r.all() {
		program.awaitKind(t, 0, "connected", nil)
		if transports == nil {
			program.awaitKind(t, 0, "opened", message{"transport": "polling"})
			program.awaitKind(t, 0, "upgraded", message{"transport": "websocket"})
		} else {
			program.awaitKind(t, 0, "opened", message{"transport": transports[0]})
		}
	}
	r.guide.awaitLog(t, 0, "Connected to server")
	r.guide.awaitLog(t, 0, "Socket connected:", true)
	r.debugging.await(t, 0, "the event synced", isEvent("synced", nil))
}

// expectEvents makes every kind of change over REST and returns a book that stays.
func (r *handbookReader) expectEvents(t *testing.T) book {
	t.Helper()
	added := r.api.add(t, "New Book Title", "Author Name")
	id := idOf(t, added)
	r.guide.awaitLog(t, 0, "New book received:", added)
	r.dashboard.awaitKind(t, 0, "state", message{"name": "books", "value": []book{added}})
	r.dashboard.awaitKind(t, 0, "snackbar", message{"message": "New book added!", "variant": "success"})
	r.debugging.await(t, 0, "the event bookAdded", isEvent("bookAdded", added))

	changed := r.api.replace(t, id, book{
		"title": "Changed Title", "author": "Author Name", "returnDateTime": "2024-12-25T14:30:00.000Z",
	})
	if changed["returnDateTime"] != "2024-12-25T14:30:00.000Z" {
		t.Errorf("returnDateTime came back as %v", changed["returnDateTime"])
	}
	r.guide.awaitLog(t, 0, "Book updated:", changed)
	r.dashboard.awaitKind(t, 0, "state", message{"name": "books", "value": []book{changed}})
	r.dashboard.awaitKind(t, 0, "snackbar", message{"message": "Book updated!", "variant": "info"})
	r.debugging.await(t, 0, "the event bookUpdated", isEvent("bookUpdated", changed))

	for step, user := range []string{"anna", "ben", "anna"} {
		want := []int{1, 2, 1}[step]
		from := r.guide.heard()
		fromDashboard := r.dashboard.heard()
		if count := r.api.toggleFavorite(t, id, user); count != want {
			t.Errorf("after %s toggled: favoritesCount %d, want %d", user, count, want)
		}
		r.guide.awaitLog(t, from, "Favorites updated for book:", id, "Count:", want)
		r.dashboard.awaitKind(t, fromDashboard, "state", message{
			"name": "favorites", "value": map[string]int{fmt.Sprint(id): want},
		})
	}
	r.debugging.await(t, 0, "the event favoriteUpdated", isEvent("favoriteUpdated", message{"bookId": id, "favoritesCount": 2}))

	// A deletion carries the book as it was, the remaining favourite included.
	changed["favorites"] = []string{"ben"}
	r.api.remove(t, id)
	r.guide.awaitLog(t, 0, "Book deleted:", changed)
	r.dashboard.awaitKind(t, 0, "state", message{"name": "books", "value": []book{}})
	r.dashboard.awaitKind(t, 0, "snackbar", message{"message": "Book deleted!", "variant": "warning"})
	r.debugging.await(t, 0, "the event bookDeleted", isEvent("bookDeleted", changed))

	kept := r.api.add(t, "A book that stays", "Author Name")
	r.guide.awaitLog(t, 0, "New book received:", kept)
	for _, words := range []string{"New book received:", "Book updated:", "Book deleted:"} {
		want := 1
		if words == "New book received:" {
			want = 2
		}
		got := r.guide.count(0, func(one message) bool {
			arguments, _ := one["args"].([]any)
			return len(arguments) > 0 && arguments[0] == words
		})
		if got != want {
			t.Errorf("%q came %d times, want %d", words, got, want)
		}
	}
	return kept
}

// expectReturnAfterCrash kills the server and starts it again: the clients come back by
// themselves. Those that know recovery (4.6 and later) go on where they were; the others hear
// `reconnect`, and fetch what is there now.
func (r *handbookReader) expectReturnAfterCrash(t *testing.T, server *server, kept book, recovers bool) {
	t.Helper()
	fromGuide, fromDashboard, fromDebugging := r.guide.heard(), r.dashboard.heard(), r.debugging.heard()
	server.kill(t)
	r.guide.awaitLog(t, fromGuide, "Disconnected from server")
	for _, program := range r.all() {
		program.awaitKind(t, 0, "disconnected", nil)
	}
	server.start(t)
	r.guide.awaitLog(t, fromGuide, "Connected to server")
	if !recovers {
		r.guide.awaitLog(t, fromGuide, "Reconnected after", 1, "attempts")
		for program, from := range map[*script]int{r.guide: fromGuide, r.dashboard: fromDashboard} {
			program.awaitKind(t, from, "fetch", message{"address": "/books"})
			program.awaitKind(t, from, "state", message{"name": "books", "value": []book{kept}})
		}
		r.debugging.await(t, fromDebugging, "the event reconnect", isEvent("reconnect", 1))
	}

	after := r.api.add(t, "Added after the crash", "Author Name")
	r.dashboard.awaitKind(t, fromDashboard, "state", message{"name": "books", "value": []book{kept, after}})
	r.guide.awaitLog(t, fromGuide, "New book received:", after)
	if recovers {
		isFetch := func(one message) bool { return one["kind"] == "fetch" }
		if r.dashboard.count(fromDashboard, isFetch)+r.guide.count(fromGuide, isFetch) > 0 {
			t.Error("a client that was recovered fetched all the same")
		}
	}
}

func (r *handbookReader) expectNothingLeftBehind(t *testing.T) {
	t.Helper()
	r.dashboard.tell(t, "unmount")
	r.dashboard.awaitKind(t, 0, "unmounted", message{"left": 0})
}

// isEvent matches what the debugging snippet logs of an event: its name and arguments, the first of
// which has to be payload unless that is nil. A position may follow the payload.
func isEvent(name string, payload any) func(message) bool {
	return func(one message) bool {
		logged, _ := one["args"].([]any)
		if len(logged) != 3 || logged[0] != "Event received:" || logged[1] != name {
			return false
		}
		arguments, _ := logged[2].([]any)
		return len(arguments) > 0 && (payload == nil || equalJSON(arguments[0], payload))
	}
}

// The handbook's words are the specification; this notices when somebody edits them.
func TestHandbookIsReadAsWritten(t *testing.T) {
	t.Parallel()
	book := readHandbook(t)
	for heading, words := range map[string]string{
		"Step 3: Establish Connection":     "const socket = io('http://localhost:4000', {",
		"Step 5: Handle Connection Events": "socket.on('reconnect', (attemptNumber) => {",
		"Socket Connection Setup":          "const userId = 'demoUser' + Math.floor(Math.random() * 1000);",
	} {
		if text := book.block(t, heading, 0); !strings.Contains(text, words) {
			t.Errorf("the block below %q lacks %q:\n%s", heading, words, text)
		}
	}
	if _, err := book.find("Step 3: Establish Connection", 99); err == nil {
		t.Error("a block that does not exist was found")
	}
}
