package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// A client whose connection breaks comes back as the same socket and gets what it
// missed. The official client does all this by itself; here it is by hand.
func ExampleStateRecovery() {
	gone := make(chan struct{})
	rooms := make(chan []string, 1)
	io := socketio.NewServer(&socketio.Options{
		StateRecovery: &socketio.StateRecovery{MaxDisconnectionDuration: time.Minute},
	})
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		if s.Recovered() {
			rooms <- s.Rooms()
			return
		}
		s.Join("news")
		s.OnDisconnect(func(socketio.Reason) { close(gone) })
	})

	var reply struct{ PID string }
	visitAs(io, "", &reply, func(*visitor) {}) // and its connection is lost
	<-gone
	_ = io.To("news").Emit("headline", 1)

	auth, _ := json.Marshal(map[string]string{"pid": reply.PID})
	visitAs(io, string(auth), &reply, func(c *visitor) {
		event := c.read()
		fmt.Println(event[:strings.LastIndex(event, ",")]) // without its offset
		fmt.Println("back again, still in", <-rooms)
	})
	// Output:
	// 42["headline",1
	// back again, still in [news]
}

// Who is here, on whichever server of a cluster, and what they said about
// themselves.
func ExampleBroadcast_FetchSockets() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		s.Join("lobby")
		socketio.OnAck(s, "who is here", func(ctx context.Context, room string) ([]json.RawMessage, error) {
			sockets, err := io.In(room).FetchSockets(ctx)
			names := make([]json.RawMessage, len(sockets))
			for i, socket := range sockets {
				names[i] = socket.Data
			}
			return names, err
		})
		socketio.On(s, "my name", func(_ context.Context, name string) error {
			s.SetData(name)
			return nil
		})
	})

	visit(io, "", func(c *visitor) {
		c.emit(`["my name","Ann"]`)
		c.request(`["who is here","lobby"]`)
		c.print()
	})
	// Output:
	// [["Ann"]]
}

// Everybody in a room is asked, for half a minute; who does not answer in time is
// left out.
func ExampleBroadcast_EmitWithAck() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		s.Join("voters")
		s.On("vote", func(e *socketio.Event) {
			replies, err := io.To("voters").Timeout(30*time.Second).EmitWithAck(e.Context(), "yes or no?")
			for _, reply := range replies {
				var vote string
				if reply.Args.Decode(&vote) == nil {
					fmt.Println(vote, err)
				}
			}
			_ = e.Ack(len(replies))
		})
	})

	visit(io, "", func(c *visitor) {
		c.request(`["vote"]`)
		c.answer(`["yes"]`)
		c.print()
	})
	// Output:
	// yes <nil>
	// [1]
}

// Several servers say something to each other, not to clients.
func ExampleNamespace_OnServerSideEmit() {
	io := socketio.NewServer(nil) // with an Adapter; see package cluster
	defer io.Close(context.Background())

	io.OnServerSideEmit("cache is stale", func(e *socketio.ServerEvent) {
		var key string
		if err := e.Decode(&key); err == nil {
			fmt.Println("forget", key)
		}
	})
	if err := io.ServerSideEmit("cache is stale", "books"); err != nil {
		fmt.Println(err)
	}
	fmt.Println("the others are told")
	// Output:
	// the others are told
}
