package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// stage is a server with real sockets and a catalogue that forgets: POST /books sends "bookAdded"
// to all. spread, if it is set, sends it in place of that.
type stage struct {
	*httptest.Server
	t  *testing.T
	io *socketio.Server

	mu      sync.Mutex
	posts   int
	titles  []string
	sockets []*socketio.Socket
	deleted []string
	streams []net.Conn

	spread  func(s *stage, post int, book json.RawMessage)
	respond func(w http.ResponseWriter, post int) bool // false: refused, and answered
	refuse  string                                     // why nobody gets in, if not empty
}

func newStage(t *testing.T, start func(*httptest.Server), change func(*stage)) *stage {
	t.Helper()
	s := &stage{t: t}
	s.io = socketio.NewServer(&socketio.Options{Options: engineio.Options{
		PingInterval: 200 * time.Millisecond, PingTimeout: 10 * time.Second,
	}})
	s.io.Use(func(*socketio.Socket) error {
		if s.refuse != "" {
			return errors.New(s.refuse)
		}
		return nil
	})
	s.io.OnConnection(func(socket *socketio.Socket) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sockets = append(s.sockets, socket)
		if err := socket.Emit("synced", json.RawMessage(`{}`), "e-0"); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", s.io)
	mux.HandleFunc("POST /books", s.add)
	mux.HandleFunc("GET /books", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		io.WriteString(w, strings.Join(s.titles, "\n"))
	})
	mux.HandleFunc("DELETE /books/{id}", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.deleted = append(s.deleted, r.PathValue("id"))
	})
	if change != nil {
		change(s)
	}
	s.Server = httptest.NewUnstartedServer(mux)
	s.Listener = &remembering{Listener: s.Listener, stage: s}
	start(s.Server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.io.Close(ctx); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return s
}

// remembering is a listener that keeps what it accepts, hijacked or not, for cut. The engine
// takes a plain TCP connection for itself alone, so it gets none.
type remembering struct {
	net.Listener
	stage *stage
}

func (r *remembering) Accept() (net.Conn, error) {
	stream, err := r.Listener.Accept()
	if err == nil {
		r.stage.mu.Lock()
		defer r.stage.mu.Unlock()
		r.stage.streams = append(r.stage.streams, stream)
		stream = struct{ net.Conn }{stream}
	}
	return stream, err
}

// cut ends all connections without a word.
func (s *stage) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range s.streams {
		stream.Close()
	}
	s.streams = nil
}

func (s *stage) add(w http.ResponseWriter, r *http.Request) {
	var book struct{ Title string }
	content, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(content, &book) != nil {
		http.Error(w, "not a book", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock() // events leave in the order of the posts
	post := s.posts
	s.posts++
	if s.respond != nil && !s.respond(w, post) {
		return
	}
	s.titles = append(s.titles, book.Title)
	if s.spread != nil {
		s.spread(s, post, content)
	} else if err := s.io.Emit("bookAdded", json.RawMessage(content), fmt.Sprintf("e-%d", post+1)); err != nil {
		s.t.Error(err)
	}
	w.Header().Set("Location", fmt.Sprintf("/books/%d", post))
	w.WriteHeader(http.StatusCreated)
}

// sendEach sends a book to each socket as often as times says.
func (s *stage) sendEach(book json.RawMessage, times func(socket int) int) {
	for i, socket := range s.sockets {
		for range times(i) {
			if err := socket.Emit("bookAdded", book, "e-1"); err != nil {
				s.t.Error(err)
			}
		}
	}
}

// broadcaster is a server of plain WebSockets: each post's body goes to all in one frame.
type broadcaster struct {
	*httptest.Server
	mu      sync.Mutex
	streams []net.Conn
}

func newBroadcaster(t *testing.T) *broadcaster {
	b := &broadcaster{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		stream, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.streams = append(b.streams, stream)
	})
	mux.HandleFunc("POST /publish", func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		frame := ws.MustCompileFrame(ws.NewTextFrame(body))
		for _, stream := range b.streams {
			if _, err := stream.Write(frame); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
	b.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		for _, stream := range b.streams {
			stream.Close()
		}
		b.Close()
	})
	return b
}
