package socketio_test

import (
	"context"
	"sync"

	"github.com/shelfcast/shelfcast/socketio"
)

// Who joins a room gets what was said there before and then what is said, with
// nothing lost or repeated in between: each happens under one lock, the answer
// included, which OnAck would send too late. The lock is held for no client, as
// neither Join nor Ack nor Emit waits for one.
func ExampleEvent_Ack() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	type message struct {
		Room string `json:"room"`
		Text string `json:"text"`
	}
	var mu sync.Mutex
	history := map[string][]string{} // a program bounds it

	io.OnConnection(func(s *socketio.Socket) {
		s.On("join", func(e *socketio.Event) {
			var room string
			if err := e.Decode(&room); err != nil || room == "" {
				_ = e.Ack(map[string]string{"error": "which room?"})
				return
			}
			mu.Lock()
			defer mu.Unlock()
			s.Join(room)
			_ = e.Ack(append([]string{}, history[room]...))
		})
		socketio.On(s, "say", func(_ context.Context, m message) error {
			mu.Lock()
			defer mu.Unlock()
			history[m.Room] = append(history[m.Room], m.Text)
			return io.To(m.Room).Emit("said", m)
		})
	})

	visit(io, "", func(c *visitor) {
		c.emit(`["say",{"room":"go","text":"anyone?"}]`)
		c.request(`["join","go"]`)
		c.print()
		c.emit(`["say",{"room":"go","text":"me"}]`)
		c.print()
		c.request(`["join"]`)
		c.print()
	})
	// Output:
	// [["anyone?"]]
	// ["said",{"room":"go","text":"me"}]
	// [{"error":"which room?"}]
}

// Who types is worth telling only at once: clients that are behind miss it.
func ExampleBroadcast_Volatile() {
	io := socketio.NewServer(nil)
	defer io.Close(context.Background())

	io.OnConnection(func(s *socketio.Socket) {
		s.On("typing", func(e *socketio.Event) {
			var room, who string
			if err := e.Decode(&room, &who); err == nil {
				_ = s.To(room).Volatile().Emit("typing", who)
			}
		})
	})
}
