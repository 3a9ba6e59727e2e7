//go:build e2e

package e2e

import (
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var urlInLog = regexp.MustCompile(`url=(http://\S+)`)

// The page of examples/chat, with the program as somebody would start it.
func TestExampleChatInABrowser(t *testing.T) {
	t.Parallel()
	chat := filepath.Join(t.TempDir(), "chat")
	if output, err := exec.Command("go", "build", "-o", chat, "../examples/chat").CombinedOutput(); err != nil {
		t.Fatalf("building the chat: %v\n%s", err, output)
	}
	command := exec.Command(chat, "-addr", "127.0.0.1:0", "-password", "secret", "-client", "clients/node_modules/socket.io-client-4.8/dist")
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	output := newTranscript()
	go output.follow(reader)
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the chat ended with %v", err)
		}
		writer.Close()
		if t.Failed() {
			t.Logf("the chat told:\n%s", output)
		}
	})
	line, _, err := output.await(0, func(line string) bool { return strings.Contains(line, "listening") })
	if err != nil {
		t.Fatalf("waited for the chat: %v", err)
	}
	url := urlInLog.FindStringSubmatch(line)
	if url == nil {
		t.Fatalf("the chat says %q", line)
	}
	people := startScript(t, "people", "official/chat.mjs", map[string]string{"url": url[1], "password": "secret"})
	if played := people.awaitKind(t, 0, "played", nil); played["error"] != nil {
		t.Error(played["error"])
	}
}
