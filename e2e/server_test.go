//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is the real program on a data directory of its own. It can be killed and started again on
// the same port, so that clients find it where it was. One goroutine per run follows its output and
// ends with it. The methods are for the goroutine of the test; url is for any.
type server struct {
	data string   // its --data directory
	port int      // 0: the system chose one; fixed after the first start
	args []string // further flags
	log  *os.File // where a shell would redirect its output, if anywhere
	// under is a command that runs the program given after it, in its own place; nil for none.
	under []string

	process *exec.Cmd
	output  *transcript
	exited  chan error // receives the run's exit once
	running bool
}

// ports hands out each port once. They lie below the range from which the system takes ports for
// outgoing connections, so a port whose server was killed is still free when it starts again.
var ports = struct {
	sync.Mutex
	next int
}{next: 4700}

const lastPort = 4799

func reservePort(t *testing.T) int {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for ports.next <= lastPort {
		port := ports.next
		ports.next++
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // somebody else's
		}
		listener.Close()
		return port
	}
	t.Fatalf("no free port up to %d", lastPort)
	return 0
}

// startServer starts the program with further flags and waits until it can take writes.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{data: t.TempDir(), args: args}
	s.start(t)
	t.Cleanup(func() { s.finish(t) })
	return s
}

// startServerOnFixedPort is startServer for a test that starts the server more than once.
func startServerOnFixedPort(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{data: t.TempDir(), port: reservePort(t), args: args}
	s.start(t)
	t.Cleanup(func() { s.finish(t) })
	return s
}

// url is where the server listens, by the name that the handbook uses.
func (s *server) url() string { return "http://localhost:" + strconv.Itoa(s.port) }

var listeningAt = regexp.MustCompile(`https?://[^\s"\\]+:(\d+)`)

// launch runs the program without waiting for it to be ready.
func (s *server) launch(t *testing.T) {
	t.Helper()
	arguments := append([]string{
		"serve", "--data", s.data, "--port", strconv.Itoa(s.port), "--log-format", "json",
	}, s.args...)
	command := append(append(slices.Clone(s.under), program), arguments...)
	s.process = exec.Command(command[0], command[1:]...)
	s.process.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	s.output = newTranscript()
	s.exited = make(chan error, 1)
	reader, writer := io.Pipe()
	var printed io.Writer = writer
	if s.log != nil {
		printed = io.MultiWriter(writer, s.log)
	}
	s.process.Stdout, s.process.Stderr = printed, printed
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.running = true
	process, output, exited := s.process, s.output, s.exited
	go output.follow(reader)
	go func() {
		err := process.Wait()
		writer.Close()
		exited <- err
	}()
}

// start runs the program and waits until a write would succeed.
func (s *server) start(t *testing.T) {
	t.Helper()
	s.launch(t)
	s.awaitReady(t)
}

// awaitReady waits until a write would succeed.
func (s *server) awaitReady(t *testing.T) {
	t.Helper()
	line, _, err := s.output.await(0, func(line string) bool {
		return strings.Contains(line, "listening") && listeningAt.MatchString(line)
	})
	if err != nil {
		t.Fatalf("the server said no line that it is listening: %v\n%s", err, s.output)
	}
	if s.port == 0 {
		s.port, err = strconv.Atoi(listeningAt.FindStringSubmatch(line)[1])
		if err != nil {
			t.Fatal(err)
		}
	}
	client := newAPI(t, s)
	eventually(t, "the server is ready", func() error {
		answer, err := client.try(http.MethodGet, "/readyz", nil)
		if err != nil {
			return err
		}
		if answer.status != http.StatusOK {
			return fmt.Errorf("/readyz: %d", answer.status)
		}
		return nil
	})
}

// kill ends the program as a crash would: SIGKILL, no goodbye.
func (s *server) kill(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.exited
	s.running = false
}

// terminate sends SIGTERM and leaves the program to it.
func (s *server) terminate(t *testing.T) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// exitCode waits for the program's end.
func (s *server) exitCode(t *testing.T) int {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	select {
	case err := <-s.exited:
		s.running = false
		var failed *exec.ExitError
		switch {
		case err == nil:
			return 0
		case errors.As(err, &failed):
			return failed.ExitCode()
		default:
			t.Fatal(err)
		}
	case <-deadline.C:
		t.Fatalf("the server did not exit within %s\n%s", patience, s.output)
	}
	return -1
}

// stop ends the program as an operator would and expects it to go in order.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.terminate(t)
	if code := s.exitCode(t); code != 0 {
		t.Fatalf("after SIGTERM the server exited with %d\n%s", code, s.output)
	}
}

// finish ends what still runs and fails the test when the server complained of itself.
func (s *server) finish(t *testing.T) {
	if s.running {
		s.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		select {
		case <-s.exited:
		case <-time.After(patience):
			s.process.Process.Kill()
			<-s.exited
			t.Errorf("the server had to be killed")
		}
	}
	printed := s.output.String()
	for _, sign := range []string{"WARNING: DATA RACE", "panic:", "fatal error:", "goroutine 1 ["} {
		if strings.Contains(printed, sign) {
			t.Errorf("the server printed %q", sign)
		}
	}
	if t.Failed() {
		t.Logf("the server's output:\n%s", printed)
	}
}
