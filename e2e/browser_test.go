//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// play runs a scenario of e2e/clients/browser/scenarios in chromium. What the scenario asks for
// (stop the server, start it) is done by the matching function, whose result is the answer.
func play(t *testing.T, server *server, scenario string, deeds map[string]func() string) {
	t.Helper()
	playAt(t, server.url(), scenario, deeds)
}

func playAt(t *testing.T, url, scenario string, deeds map[string]func() string) {
	t.Helper()
	playWith(t, map[string]any{"scenario": scenario, "url": url}, deeds)
}

// playWith is play with more for the scenario to know.
func playWith(t *testing.T, config map[string]any, deeds map[string]func() string) {
	t.Helper()
	scenario := fmt.Sprint(config["scenario"])
	actors := startScript(t, scenario, "browser/run.mjs", config)
	for from := 0; ; {
		next, after := actors.awaitNext(t, from, "the next scene", func(one message) bool {
			return one["kind"] == "step" || one["kind"] == "ask" || one["kind"] == "played"
		})
		from = after
		switch next["kind"] {
		case "step":
			continue // each step has its own time
		case "played":
			if next["error"] != nil {
				t.Errorf("%s: %v", scenario, next["error"])
			}
			return
		}
		deed, known := deeds[fmt.Sprint(next["what"])]
		if !known {
			t.Fatalf("%s asks for %v", scenario, next["what"])
		}
		actors.tell(t, deed())
	}
}

// Not parallel: it measures that a change crosses within a second, and should have the machine.
func TestBrowsersInStep(t *testing.T) {
	server := startServer(t)
	client := newAPI(t, server)
	for _, title := range []string{"Emma", "Walden", "Dracula"} {
		client.add(t, title, "Author Name")
	}
	play(t, server, "in-step", nil)
}

func TestBrowsersHealAfterAnOutage(t *testing.T) {
	t.Parallel()
	server := startServerOnFixedPort(t)
	client := newAPI(t, server)
	outages := 0
	play(t, server, "outage", map[string]func() string{
		"stop": func() string { server.stop(t); return "stopped" },
		"kill": func() string { server.kill(t); return "killed" },
		"start and add a book": func() string {
			server.start(t)
			outages++
			title := fmt.Sprintf("Written after outage %d", outages)
			client.add(t, title, "Author Name")
			return title
		},
	})
}

func TestBrowserKeepsEditsWhileOffline(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := newAPI(t, server)
	for _, title := range []string{"Emma", "Walden", "Dracula", "Persuasion"} {
		client.add(t, title, "Author Name")
	}
	play(t, server, "offline", nil)
}

func TestBrowserTabsOfOnePerson(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	newAPI(t, server).add(t, "Emma", "Author Name")
	play(t, server, "two-tabs", nil)
}

func TestBrowserLoadsSampleBooks(t *testing.T) {
	t.Parallel()
	play(t, startServer(t), "empty", nil)
}

func TestBrowserPagesAreAccessible(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := newAPI(t, server)
	client.call(t, 201, "POST", "/samples", book{"userId": "owner"})
	play(t, server, "accessible", nil)
}

// The handbook's snippets once more, in a page on an origin of its own, as its React application
// would run them.
func TestHandbookSnippetsInABrowser(t *testing.T) {
	t.Parallel()
	programs := readHandbook(t).programs(t)
	running := make(map[string]*script)
	pagePorts := make(map[string]int)
	var origins []string
	for name := range programs {
		pagePorts[name] = reservePort(t)
		origins = append(origins, "--cors-origin", "http://localhost:"+strconv.Itoa(pagePorts[name]))
	}
	server := startServerOnFixedPort(t, origins...)
	for name, text := range programs {
		file := filepath.Join(t.TempDir(), name+".mjs")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		running[name] = startScript(t, name, "browser/snippets.mjs", map[string]any{
			"program":  file,
			"client":   "socket.io-client-4.8",
			"url":      server.url(),
			"pagePort": pagePorts[name],
		})
	}
	reader := &handbookReader{
		api:       newAPI(t, server),
		guide:     running["guide"],
		dashboard: running["dashboard"],
		debugging: running["debugging"],
	}
	reader.expectConnections(t, nil)
	kept := reader.expectEvents(t)
	reader.expectReturnAfterCrash(t, server, kept, true)
	reader.expectNothingLeftBehind(t)
}
