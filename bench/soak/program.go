package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is shelfcast on one data directory and one port, over all its runs. One goroutine waits
// for the end of each run. Its methods are for one goroutine; url, of which the writers and clients
// know, does not change.
type program struct {
	path, data  string
	port, debug int
	window      time.Duration // --recovery-window
	log         *os.File

	process *exec.Cmd
	exited  chan struct{} // closed at the end of the run
}

const (
	// patience is how long a start or a stop may take.
	patience = time.Minute
	lookAt   = 10 * time.Millisecond
)

func newProgram(p plan, data string) (*program, error) {
	port, debug := p.Port, p.Port+1
	if port == 0 {
		var err error
		if port, err = freePort(); err == nil {
			debug, err = freePort()
		}
		if err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(data, "server.log"))
	if err != nil {
		return nil, err
	}
	return &program{path: p.Program, data: filepath.Join(data, "data"), port: port, debug: debug, window: p.Window, log: log}, nil
}

// freePort is one that nobody listens on now.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

func (p *program) url() string { return "http://127.0.0.1:" + strconv.Itoa(p.port) }

func (p *program) version(ctx context.Context) (string, error) {
	printed, err := exec.CommandContext(ctx, p.path, "version").Output()
	return strings.TrimSpace(string(printed)), err
}

// fill imports a catalogue.
func (p *program) fill(ctx context.Context, books int) error {
	type book struct {
		ID        int64    `json:"id"`
		Title     string   `json:"title"`
		Author    string   `json:"author"`
		Favorites []string `json:"favorites"`
	}
	all := make([]book, books)
	for i := range all {
		all[i] = book{int64(i + 1), titleOf(i+1, 0), "Author of the soak", []string{reader(i), reader(i + 1)}}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, p.path, "import", "-", "--data", p.data)
	command.Stdin = strings.NewReader(string(text))
	if printed, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("importing: %w: %s", err, printed)
	}
	return nil
}

// start runs the program until a write would succeed. The limits stay on, but for those that are
// about one address: all clients come from this machine.
func (p *program) start(ctx context.Context) error {
	p.process = exec.Command(p.path, "serve", "--data", p.data, "--host", "127.0.0.1", "--port", strconv.Itoa(p.port),
		"--debug-addr", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.debug)),
		"--recovery-window", p.window.String(),
		"--max-connections-per-address", "10000", "--handshake-rate-per-address", "10000",
		"--request-rate", "10000", "--request-rate-per-address", "10000")
	p.process.Stdout, p.process.Stderr = p.log, p.log
	if err := p.process.Start(); err != nil {
		return err
	}
	exited, process := make(chan struct{}), p.process
	p.exited = exited
	go func() {
		_ = process.Wait() // how it ended is in ProcessState
		close(exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(lookAt)
	defer ticker.Stop()
	for {
		if _, err := get(ctx, p.url()+"/readyz"); err == nil {
			return nil
		}
		select {
		case <-ticker.C:
		case <-exited:
			return fmt.Errorf("the program ended by itself: %s", p.lastLines())
		case <-ctx.Done():
			return fmt.Errorf("the program is not ready after %s: %s", patience, p.lastLines())
		}
	}
}

// kill ends the program as a crash would. It may have ended.
func (p *program) kill() {
	if p.process != nil {
		_ = p.process.Process.Kill() // fails only if it has ended
		<-p.exited
	}
}

// stop ends it in order.
func (p *program) stop() error {
	if err := p.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		p.kill()
		return fmt.Errorf("the program did not stop within %s", patience)
	}
	if code := p.process.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("after SIGTERM the program exited with %d: %s", code, p.lastLines())
	}
	return nil
}

// check runs `shelfcast check` and returns what it printed, if it found nothing wrong.
func (p *program) check(ctx context.Context) (string, error) {
	command := exec.CommandContext(ctx, p.path, "check", "--data", p.data)
	var complaint strings.Builder
	command.Stderr = &complaint
	printed, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("shelfcast check: %w: %s%s", err, printed, complaint.String())
	}
	return strings.TrimSpace(string(printed)), nil
}

func (p *program) lastLines() string {
	const enough = 2 << 10
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// sample is what the program holds at one moment.
type sample struct {
	At         time.Duration // since the phase began
	Heap       uint64        // bytes of objects that a collection has left
	RSS        uint64        // bytes, the least since the last sample
	Goroutines int
	Files      int
	Connected  int
}

// collections is how often garbage is collected for one look: what lies in a pool survives one
// collection, and what is allocated while one runs counts as left. The least counts.
const collections = 3

// look collects garbage and reads what is left, but for RSS. If profile is not empty, the heap profile is kept
// there.
func (p *program) look(ctx context.Context, profile string) (sample, error) {
	debug := "http://127.0.0.1:" + strconv.Itoa(p.debug) + "/debug/pprof/"
	s := sample{Heap: math.MaxUint64}
	for range collections {
		if _, err := get(ctx, debug+"heap?gc=1"); err != nil {
			return s, err
		}
		metrics, err := get(ctx, p.url()+"/metrics")
		if err != nil {
			return s, err
		}
		left, err := number(heapLive, metrics)
		if err != nil {
			return s, err
		}
		s.Heap = min(s.Heap, left)
	}
	goroutines, err := get(ctx, debug+"goroutine?debug=1")
	if err != nil {
		return s, err
	}
	running, err := number(goroutineTotal, goroutines)
	if err != nil {
		return s, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.process.Process.Pid))
	if err != nil {
		return s, err
	}
	s.Goroutines, s.Files = int(running), len(files)
	if profile == "" {
		return s, nil
	}
	raw, err := get(ctx, debug+"heap?gc=1")
	if err != nil {
		return s, err
	}
	return s, os.WriteFile(profile, raw, 0o644)
}

var (
	heapLive       = regexp.MustCompile(`(?m)^go_gc_heap_live_bytes ([0-9.e+]+)$`)
	goroutineTotal = regexp.MustCompile(`^goroutine profile: total (\d+)`)
)

func number(pattern *regexp.Regexp, text []byte) (uint64, error) {
	found := pattern.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("no %s in the profile", pattern)
	}
	value, err := strconv.ParseFloat(string(found[1]), 64) // Prometheus writes large numbers with an exponent
	return uint64(value), err
}

var errStatus = errors.New("the answer's status is not 200")

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, errStatus
	}
	return io.ReadAll(answer.Body)
}
