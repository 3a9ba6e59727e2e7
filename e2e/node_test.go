//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// message is what a Node script tells the test: one JSON object a line, its kind and more.
type message = map[string]any

// script is a running Node program of e2e/clients. It ends with the test at the latest.
type script struct {
	name   string
	input  io.WriteCloser
	output *transcript
}

func startScript(t *testing.T, name, file string, config any) *script {
	t.Helper()
	encoded, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", file, string(encoded))
	command.Dir = "clients"
	command.Env = append(os.Environ(), "NODE_NO_WARNINGS=1")
	// A group of its own: a browser that the script started ends with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &script{name: name, input: input, output: newTranscript()}
	go s.output.follow(reader)
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		command.Wait()
		writer.Close()
	}()
	t.Cleanup(func() {
		input.Close() // the script's sign to end
		select {
		case <-exited:
		case <-time.After(patience):
			t.Errorf("%s did not end when its input did", name)
		}
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		<-exited
		if t.Failed() {
			t.Logf("%s told:\n%s", name, s.output)
		}
	})
	return s
}

// tell sends the script a line.
func (s *script) tell(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(s.input, line+"\n"); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
}

// heard is how many lines the script has told until now: a place to await from.
func (s *script) heard() int {
	lines, _, _ := s.output.since(0)
	return len(lines)
}

// await returns the first message from index from on that match accepts.
func (s *script) await(t *testing.T, from int, what string, match func(message) bool) message {
	t.Helper()
	found, _ := s.awaitNext(t, from, what, match)
	return found
}

// awaitNext is await that also returns the index after the message.
func (s *script) awaitNext(t *testing.T, from int, what string, match func(message) bool) (message, int) {
	t.Helper()
	var found message
	_, next, err := s.output.await(from, func(line string) bool {
		var one message
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &one) != nil || !match(one) {
			return false
		}
		found = one
		return true
	})
	if err != nil {
		t.Fatalf("%s: waited for %s: %v", s.name, what, err)
	}
	return found, next
}

// awaitKind waits for a message of a kind whose fields include the given ones.
func (s *script) awaitKind(t *testing.T, from int, kind string, fields message) message {
	t.Helper()
	return s.await(t, from, fmt.Sprintf("%s %v", kind, fields), func(got message) bool {
		if got["kind"] != kind {
			return false
		}
		for name, want := range fields {
			if !equalJSON(got[name], want) {
				return false
			}
		}
		return true
	})
}

// awaitLog waits for console.log with exactly these arguments.
func (s *script) awaitLog(t *testing.T, from int, arguments ...any) {
	t.Helper()
	s.awaitKind(t, from, "log", message{"args": arguments})
}

// count says how many messages from index from on match accepts.
func (s *script) count(from int, match func(message) bool) int {
	lines, _, _ := s.output.since(from)
	n := 0
	for _, line := range lines {
		var one message
		if json.Unmarshal([]byte(line), &one) == nil && match(one) {
			n++
		}
	}
	return n
}

// equalJSON compares two values as JSON sees them.
func equalJSON(a, b any) bool {
	left, err := json.Marshal(a)
	if err != nil {
		return false
	}
	right, err := json.Marshal(b)
	return err == nil && string(left) == string(right)
}
