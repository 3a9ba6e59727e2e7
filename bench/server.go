package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// server is one run of a contender. One goroutine waits for its end.
type server struct {
	contender contender
	port      int
	data      string
	readyIn   time.Duration // from the start of its process until a write would succeed
	process   *exec.Cmd
	exited    chan struct{}
}

// patience is how long a server may take to start: some begin with a million books.
const patience = 90 * time.Second

// launch starts a contender and waits until it is ready.
func launch(ctx context.Context, programs programs, contender contender, port int, data string) (*server, error) {
	arguments := contender.command(programs, port, data)
	var printed ending
	s := &server{contender: contender, port: port, data: data, exited: make(chan struct{})}
	s.process = exec.Command(arguments[0], arguments[1:]...)
	s.process.Stdout, s.process.Stderr = &printed, &printed
	started := time.Now()
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", contender.name, err)
	}
	go func() {
		_ = s.process.Wait() // how it ended shows in what it printed
		close(s.exited)
	}()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.await(ctx); err != nil {
		s.kill()
		return nil, fmt.Errorf("starting %s: %w; it printed:\n%s", contender.name, err, printed.text())
	}
	s.readyIn = time.Since(started)
	return s, nil
}

// await asks until the server is ready.
func (s *server) await(ctx context.Context) error {
	const pause = 2 * time.Millisecond
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for !s.ready(ctx) {
		select {
		case <-ticker.C:
		case <-s.exited:
			return errors.New("it ended by itself")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *server) ready(ctx context.Context) bool {
	if s.contender.ready == "" {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address())
		if err != nil {
			return false
		}
		connection.Close()
		return true
	}
	status, _, err := get(ctx, s.url()+s.contender.ready)
	return err == nil && status == http.StatusOK
}

// get asks once.
func get(ctx context.Context, url string) (status int, content []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	request.Close = true // a connection that stays would be one client more
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	content, err = io.ReadAll(answer.Body)
	return answer.StatusCode, content, err
}

func (s *server) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }
func (s *server) url() string     { return "http://" + s.address() }
func (s *server) pid() int        { return s.process.Process.Pid }

// usage is what the server has used up to now.
func (s *server) usage() (usage, error) { return usageOf(s.pid()) }

// kill ends the server as a crash would, and waits for its end. It may be called again.
func (s *server) kill() {
	_ = s.process.Process.Kill() // fails only if the process has ended
	<-s.exited
}

// ending keeps the end of what a server printed. It is safe for concurrent use.
type ending struct {
	mu   sync.Mutex
	kept []byte
}

// endingBytes is how much of it is kept.
const endingBytes = 4 << 10

// Write takes what was printed. It never fails, so that no server waits.
func (e *ending) Write(text []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, text...)
	if surplus := len(e.kept) - endingBytes; surplus > 0 {
		e.kept = append(e.kept[:0], e.kept[surplus:]...)
	}
	return len(text), nil
}

func (e *ending) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.kept)
}
