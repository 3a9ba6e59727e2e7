//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// props are the server's side of the scenarios in clients/official. They outlast the server, which
// some scenarios restart.
type props struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newProps() *props { return &props{seen: make(map[string]bool)} }

// again reports whether a text was there before.
func (p *props) again(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.seen[text]
	p.seen[text] = true
	return was
}

func (p *props) setUp(io *socketio.Server) {
	io.OnConnection(func(s *socketio.Socket) {
		answers(s)
		emissions(s)
		p.triesAndRetries(s)
	})
	io.Of("/chat").OnConnection(answers)
	io.Of("/guarded").Use(func(s *socketio.Socket) error {
		if strings.Contains(string(s.Handshake().Auth), "wrong") {
			return &socketio.ConnectError{Message: "not authorized", Data: map[string]any{"code": 401, "hint": []string{"log in"}}}
		}
		return nil
	})
}

// answers are the events that are only there to be answered.
func answers(s *socketio.Socket) {
	s.On("echo", func(e *socketio.Event) {
		if e.HasAck() {
			_ = e.Ack(e.Args[0])
		}
	})
	s.On("where", func(e *socketio.Event) { _ = e.Ack(s.Namespace().Name()) })
	s.On("who", func(e *socketio.Event) {
		_ = e.Ack(map[string]any{"auth": s.Handshake().Auth, "from": s.Handshake().Query.Get("from")})
	})
	s.On("ask me", func(e *socketio.Event) {
		ctx, cancel := context.WithTimeout(e.Context(), 300*time.Millisecond)
		defer cancel()
		var sum int
		var from struct {
			From string `json:"from"`
		}
		reply, err := s.EmitWithAck(ctx, "question", 2, 3)
		if err == nil {
			err = reply.Decode(&sum, &from)
		}
		if err != nil {
			_ = e.Ack(err.Error())
			return
		}
		answer := map[string]any{"sum": sum}
		if from.From != "" {
			answer["from"] = from.From
		}
		_ = e.Ack(answer)
	})
	socketio.OnAck(s, "make binary", func(context.Context, json.RawMessage) (any, error) {
		type page struct {
			Scan []byte `json:"scan"`
		}
		return struct {
			Title   string `json:"title"`
			Picture []byte `json:"picture"`
			Pages   []page `json:"pages"`
		}{"Emma", []byte{1, 2, 3}, []page{{}, {Scan: []byte{255}}}}, nil
	})
}

// emissions are the events that make the server send, or note what it got.
func emissions(s *socketio.Socket) {
	socketio.On(s, "stream", func(_ context.Context, count int) error {
		for i := range count {
			if err := s.Emit("n", i); err != nil {
				return err
			}
		}
		return nil
	})
	collected := []int{}
	socketio.On(s, "collect", func(_ context.Context, n int) error {
		collected = append(collected, n)
		return nil
	})
	s.On("collected", func(e *socketio.Event) { _ = e.Ack(collected) })
	s.On("send volatile", func(e *socketio.Event) {
		_ = s.EmitVolatile("volatile")
		_ = e.Ack()
	})
	socketio.On(s, "send large", func(_ context.Context, size int) error {
		return s.Emit("large", strings.Repeat("x", size))
	})
	s.On("kick", func(*socketio.Event) { s.Disconnect(false) })
}

// triesAndRetries are the events that are answered late, or not at first.
func (p *props) triesAndRetries(s *socketio.Socket) {
	s.On("never", func(*socketio.Event) {})

	var waiting *socketio.Event
	s.On("answer when told", func(e *socketio.Event) { waiting = e })
	s.On("answer now", func(e *socketio.Event) {
		_ = waiting.Ack("late")
		_ = e.Ack("answered")
	})

	order := []string{}
	tries := make(map[string]int)
	s.On("flaky", func(e *socketio.Event) {
		var name string
		if err := e.Decode(&name); err != nil {
			return
		}
		order = append(order, name)
		tries[name]++
		if strings.HasPrefix(name, "even") || tries[name] == 3 {
			_ = e.Ack(tries[name])
		}
	})
	s.On("flaky order", func(e *socketio.Event) { _ = e.Ack(order) })

	s.On("answer the second time", func(e *socketio.Event) {
		var text string
		if err := e.Decode(&text); err == nil && p.again(text) {
			_ = e.Ack(text)
		}
	})
}
