//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A cluster takes up to 34 ports from its first, below those that the system gives to outgoing
// connections: parts that are started again must find theirs free.
const (
	firstClusterPort = 4800
	lastClusterPort  = 5600
	portsOfACluster  = 40
)

// demonstration is a run of examples/cluster.
type demonstration struct {
	api    *api
	data   string
	output *transcript
	run    *exec.Cmd
	exited chan error
}

// startDemonstration starts the cluster on the first ports that are free and waits until all of it
// is ready.
func startDemonstration(t *testing.T, programs, data string) *demonstration {
	t.Helper()
	for port := firstClusterPort; port <= lastClusterPort; port += portsOfACluster {
		d := &demonstration{data: data, output: newTranscript(), exited: make(chan error, 1)}
		d.run = exec.Command(filepath.Join(programs, "cluster"), "-data", data, "-port", strconv.Itoa(port), "-restart", "1s",
			"-shelfcast", program, "-nats-server", filepath.Join(programs, "nats-server"))
		reader, writer := io.Pipe()
		d.run.Stdout, d.run.Stderr = writer, writer
		if err := d.run.Start(); err != nil {
			t.Fatal(err)
		}
		go d.output.follow(reader)
		go func() {
			err := d.run.Wait()
			writer.Close()
			d.exited <- err
		}()
		line, _, err := d.output.await(0, func(line string) bool {
			return strings.Contains(line, "Kill one and watch") || strings.HasPrefix(line, "cluster: ")
		})
		if err != nil {
			d.run.Process.Kill()
			t.Fatalf("the cluster did not become ready: %v\n%s", err, d.output)
		}
		if strings.Contains(line, "in use") {
			<-d.exited
			continue
		}
		if strings.HasPrefix(line, "cluster: ") {
			t.Fatal(line)
		}
		d.api = newAPI(t, &server{port: port})
		t.Cleanup(func() {
			d.run.Process.Kill()
			if t.Failed() {
				t.Logf("the cluster told:\n%s", d.output)
			}
		})
		return d
	}
	t.Fatal("no free ports")
	return nil
}

// stop ends it as Ctrl-C does.
func (d *demonstration) stop(t *testing.T) {
	t.Helper()
	var pids []int
	for _, part := range []string{"node1", "node2", "node3", "nats1", "nats2", "nats3"} {
		pids = append(pids, d.pid(t, part))
	}
	d.run.Process.Signal(os.Interrupt)
	if err := <-d.exited; err != nil {
		t.Errorf("the cluster ended with %v", err)
	}
	for _, pid := range pids {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d outlives the cluster", pid)
		}
	}
}

func (d *demonstration) pid(t *testing.T, part string) int {
	t.Helper()
	var pid int
	eventually(t, part+" runs", func() error {
		text, err := os.ReadFile(filepath.Join(d.data, part, "pid"))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err
	})
	return pid
}

// awaitAfter waits for a line that comes after those that were heard before.
func (d *demonstration) awaitAfter(t *testing.T, from int, text string) {
	t.Helper()
	if _, _, err := d.output.await(from, func(line string) bool { return strings.Contains(line, text) }); err != nil {
		t.Fatalf("waited for %q: %v", text, err)
	}
}

// write posts a book as somebody who tries again does.
func (d *demonstration) write(t *testing.T, title string) {
	t.Helper()
	eventually(t, title+" is written", func() error {
		got, err := d.api.tryWith(t.Context(), http.MethodPost, "/books", book{"title": title, "author": "A"}, http.Header{"Idempotency-Key": {title}})
		if err == nil && got.status != http.StatusCreated {
			err = fmt.Errorf("answered %d %s", got.status, got.body)
		}
		return err
	})
}

// `make cluster`, as docs/cluster.md describes it: whatever single part is killed, writes through
// the proxy go on and the part comes back; after the end everything is there for the next run.
func TestClusterOnOneMachine(t *testing.T) {
	t.Parallel()
	programs, data := t.TempDir(), t.TempDir()
	for name, source := range map[string]string{"cluster": "../examples/cluster", "nats-server": "github.com/nats-io/nats-server/v2"} {
		if output, err := exec.Command("go", "build", "-race", "-o", filepath.Join(programs, name), source).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, output)
		}
	}
	d := startDemonstration(t, programs, data)
	d.write(t, "before")
	for _, part := range []string{"node2", "nats3"} {
		heard, _, _ := d.output.since(0)
		if err := syscall.Kill(d.pid(t, part), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		d.write(t, "without "+part)
		d.awaitAfter(t, len(heard), part+" has ended")
	}
	d.awaitAfter(t, 0, "node2 is gone")
	d.pid(t, "node2")
	d.stop(t)

	d = startDemonstration(t, programs, data)
	if count := len(d.api.books(t)); count != 3 {
		t.Errorf("%d books are left of 3", count)
	}
	d.stop(t)
}
