//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// However many SIGHUPs come, and even while the server starts, it goes on: they turn debug lines on
// and off, and nothing else.
func TestHangupsEndNothing(t *testing.T) {
	t.Parallel()
	keys, err := net.Listen("tcp", "127.0.0.1:0") // keeps the start waiting
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	s := &server{data: t.TempDir(), args: []string{"--auth", "jwt", "--jwks-url", fmt.Sprintf("http://%s/keys", keys.Addr())}}
	s.launch(t)
	t.Cleanup(func() { s.finish(t) })
	says := func(text string) func(string) bool {
		return func(line string) bool { return strings.Contains(line, text) }
	}
	if _, _, err := s.output.await(0, says("asking for the keys")); err != nil {
		t.Fatal(err)
	}
	hangUp := func(times int) {
		t.Helper()
		for range times {
			if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
		}
	}
	hangUp(50)
	keys.Close() // who waits for an answer is reset
	line, next, err := s.output.await(0, func(line string) bool { return strings.Contains(line, `"listening"`) && listeningAt.MatchString(line) })
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		hangUp(20)
		response, err := http.Get("http://localhost:" + listeningAt.FindStringSubmatch(line)[1] + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("/healthz: %d", response.StatusCode)
		}
	}
	if _, _, err := s.output.await(next, says(`"the log level was changed"`)); err != nil {
		t.Fatal(err)
	}
	s.stop(t)
}
