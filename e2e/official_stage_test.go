//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// stage is where the official clients play the scenarios of clients/official: a Socket.IO server of
// package socketio that can stop and start at its address, and an HTTP server that serves the page
// and takes the results. They have different origins, as an application's often have.
type stage struct {
	url     string // of the HTTP server
	address string // of the Socket.IO server
	results chan result
	props   *props
	page    *http.Server
	ended   chan error

	mu    sync.Mutex // guards what follows; held while the server stops or starts
	io    *socketio.Server
	front *http.Server
	serve chan error
}

// result is what a client posts: how one scenario went, or how many there were.
type result struct {
	Run, Name string
	Error     *string
	Played    int
}

func startStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		address: net.JoinHostPort("127.0.0.1", strconv.Itoa(reservePort(t))),
		results: make(chan result, 1000),
		props:   newProps(),
		ended:   make(chan error, 1),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	s.page = &http.Server{Handler: s.routes(), ReadHeaderTimeout: patience}
	go func() { s.ended <- s.page.Serve(listener) }()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.stop(), s.page.Close()); err != nil {
			t.Error(err)
		}
		if err := <-s.ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, "clients/official/page.html")
	})
	mux.Handle("GET /official/", http.StripPrefix("/official/", http.FileServer(http.Dir("clients/official"))))
	mux.Handle("GET /clients/", http.StripPrefix("/clients/", http.FileServer(http.Dir("clients/node_modules"))))
	mux.HandleFunc("POST /result", func(w http.ResponseWriter, r *http.Request) {
		var one result
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&one); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.results <- one
	})
	mux.HandleFunc("POST /ask/{what}", func(w http.ResponseWriter, r *http.Request) {
		var err error
		switch r.PathValue("what") {
		case "stop":
			err = s.stop()
		case "start":
			err = s.start()
		case "restart":
			err = errors.Join(s.stop(), s.start())
		default:
			err = errors.New("unknown deed")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

func (s *stage) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.io = socketio.NewServer(&socketio.Options{Options: engineio.Options{
		CORS:   &engineio.CORS{Origins: []string{s.url}},
		Logger: slog.New(slog.DiscardHandler),
	}})
	s.props.setUp(s.io)
	s.front = &http.Server{Handler: s.io, ReadHeaderTimeout: patience}
	s.serve = make(chan error, 1)
	go func(front *http.Server, ended chan<- error) { ended <- front.Serve(listener) }(s.front, s.serve)
	return nil
}

func (s *stage) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := errors.Join(s.io.Close(ctx), s.front.Close()); err != nil {
		return err
	}
	if err := <-s.serve; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// judge reports each scenario as a subtest until all were played.
func (s *stage) judge(t *testing.T) {
	t.Helper()
	for played := 0; ; played++ {
		select {
		case one := <-s.results:
			if one.Name == "" {
				if one.Played != played || played == 0 {
					t.Errorf("%d scenarios were played, %d results came", one.Played, played)
				}
				return
			}
			t.Run(one.Run+"/"+one.Name, func(t *testing.T) {
				if one.Error != nil {
					t.Error(*one.Error)
				}
			})
		case <-time.After(2 * patience):
			t.Fatalf("no further result after %d", played)
		}
	}
}
