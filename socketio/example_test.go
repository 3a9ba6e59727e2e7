package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// A chat: what anyone says, everyone hears.
func Example() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		_ = s.Broadcast().Emit("joined", s.ID())
		s.On("chat message", func(e *socketio.Event) {
			var text string
			if err := e.Decode(&text); err != nil {
				return
			}
			_ = io.Emit("chat message", text)
		})
		s.OnDisconnect(func(reason socketio.Reason) {
			_ = io.Emit("left", s.ID())
		})
	})

	// In a program: http.Handle("/socket.io/", io).
	// What follows is a client that says hello and prints what it receives.
	visit(io, "", func(c *visitor) {
		c.emit(`["chat message","hello"]`)
		c.print()
	})
	// Output:
	// ["chat message","hello"]
}

// Rooms: members of a room hear what is emitted to it.
func ExampleSocket_Join() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		socketio.On(s, "subscribe", func(_ context.Context, topic string) error {
			if topic == "" {
				return &socketio.EventError{Message: "which topic?"}
			}
			s.Join("topic:" + topic)
			return io.To("topic:"+topic).Emit("news", "somebody reads about "+topic)
		})
	})

	visit(io, "", func(c *visitor) {
		c.emit(`["subscribe","books"]`)
		c.print()
	})
	// Output:
	// ["news","somebody reads about books"]
}

// A client that passes a callback gets an answer, and its handler has types.
func ExampleOnAck() {
	type order struct {
		Title  string `json:"title"`
		Copies int    `json:"copies"`
	}
	type receipt struct {
		Cents int `json:"cents"`
	}
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		socketio.OnAck(s, "order", func(ctx context.Context, o order) (receipt, error) {
			if o.Copies < 1 {
				return receipt{}, &socketio.EventError{Message: "nothing ordered"}
			}
			return receipt{Cents: 999 * o.Copies}, nil
		})
	})

	visit(io, "", func(c *visitor) {
		c.request(`["order",{"title":"Emma","copies":3}]`)
		c.print()
		c.request(`["order",{"title":"Emma"}]`)
		c.print()
	})
	// Output:
	// [{"cents":2997}]
	// [{"error":"nothing ordered"}]
}

// The server asks a client and waits for its answer.
func ExampleSocket_EmitWithAck() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	answered := make(chan string, 1)
	io.OnConnection(func(s *socketio.Socket) {
		ctx, cancel := context.WithTimeout(s.Context(), 5*time.Second)
		defer cancel()
		reply, err := s.EmitWithAck(ctx, "what is your name?")
		if err != nil {
			return // it did not answer in time, or left
		}
		var name string
		if err := reply.Decode(&name); err == nil {
			answered <- name
		}
	})

	visit(io, "", func(c *visitor) {
		c.answer(`["Ann"]`)
		fmt.Println(<-answered)
	})
	// Output:
	// Ann
}

// A middleware decides who may connect.
func ExampleNamespace_Use() {
	type user struct{ name string }
	type userKey struct{}

	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.Use(func(s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := json.Unmarshal(s.Handshake().Auth, &auth); err != nil {
			return errors.New("invalid auth")
		}
		if auth.Token != "secret" {
			return &socketio.ConnectError{Message: "not authorized", Data: map[string]string{"hint": "log in first"}}
		}
		s.Set(userKey{}, user{name: "Ann"})
		return nil
	})
	io.OnConnection(func(s *socketio.Socket) {
		_ = s.Emit("welcome", s.Get(userKey{}).(user).name)
	})

	visit(io, `{"token":"wrong"}`, func(c *visitor) {})
	visit(io, `{"token":"secret"}`, func(c *visitor) { c.print() })
	// Output:
	// refused: {"message":"not authorized","data":{"hint":"log in first"}}
	// ["welcome","Ann"]
}
