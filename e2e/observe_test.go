//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The handbook counts events by grepping server.log. With --log-file that is the server's own
// file.
func TestEventFrequencyCommandOfTheHandbook(t *testing.T) {
	t.Parallel()
	text := readHandbook(t)
	server := &server{data: t.TempDir()}
	file := filepath.Join(server.data, "server.log")
	server.args = []string{"--log-file", file}
	server.launch(t)
	t.Cleanup(func() { server.finish(t) })
	eventually(t, "the log file says where the server listens", func() error {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		found := listeningAt.FindStringSubmatch(string(content))
		if found == nil {
			return fmt.Errorf("not yet: %s", content)
		}
		server.port, err = strconv.Atoi(found[1])
		return err
	})
	client := newAPI(t, server)
	const books = 5
	for i := range books {
		client.add(t, fmt.Sprintf("Book %d", i), "emit, an author") // titles and authors are not logged
	}

	here := newPlace(t, server)
	// tail -f would go on for ever; here it ends where the file does.
	command := "tail() { command tail \"${@:2}\"; }\n" + text.line(t, "Monitoring Commands", "tail -f")
	eventually(t, "the handbook's command counts the events", func() error {
		counted, err := here.tryShell(t, "backend", command)
		if err != nil {
			return err
		}
		if got := strings.TrimSpace(counted); got != strconv.Itoa(books) {
			return fmt.Errorf("it counted %s, want %d", got, books)
		}
		return nil
	})
}
