package socketio_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// While events flow, clients lose their connections at any moment, with the server
// knowing or not. Each sees every event once, in order.
func TestRecoveryLosesAndRepeatsNothing(t *testing.T) {
	const guests, events, stay = 4, 3000, 150
	var ready, running sync.WaitGroup
	ready.Add(guests)
	server := serve(t, &socketio.Options{
		StateRecovery: &socketio.StateRecovery{},
		Options:       engineio.Options{MaxPendingBytes: 50_000_000, PingInterval: patience},
	}, func(s *socketio.Server) {
		s.OnConnection(func(socket *socketio.Socket) {
			if !socket.Recovered() {
				socket.Join("room")
				ready.Done()
			}
		})
	})
	for number := range guests {
		running.Go(func() {
			if err := attend(t, server, number, events, stay); err != nil {
				t.Errorf("guest %d: %v", number, err)
			}
		})
	}
	ready.Wait()
	var emitting sync.WaitGroup
	emitting.Go(func() {
		for i := range events {
			mustEmit(t, server.To("room").Emit("n", i))
		}
	})
	emitting.Go(func() { // what must not disturb
		for range events / 10 {
			mustEmit(t, server.Volatile().Emit("volatile", "a string"))
			mustEmit(t, server.To("elsewhere").Emit("n", -1))
		}
	})
	emitting.Wait()
	running.Wait()
}

func mustEmit(t *testing.T, err error) {
	if err != nil {
		t.Error(err)
	}
}

// attend is one client that reads some events, breaks its connection and comes back,
// until it has seen all.
func attend(t *testing.T, server *served, number, events, stay int) error {
	var pid, offset string
	next := 0
	for round := 0; next < events; round++ {
		c := server.dial(t)
		auth, err := json.Marshal(map[string]string{"pid": pid, "offset": offset})
		if err != nil {
			return err
		}
		c.trySend("40" + string(auth))
		answer, err := c.next()
		if err != nil {
			return err
		}
		var reply struct{ PID string }
		if err := json.Unmarshal([]byte(answer[2:]), &reply); err != nil || (pid != "" && reply.PID != pid) {
			return fmt.Errorf("round %d: answer %q, %v", round, answer, err)
		}
		pid = reply.PID
		for read := 0; next < events && read < stay+17*number; read++ {
			packet, err := c.next()
			if err != nil {
				return fmt.Errorf("round %d at %d: %w", round, next, err)
			}
			var args []any
			if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "42")), &args); err != nil {
				return err
			}
			if last, ok := args[len(args)-1].(string); ok {
				offset = last
			}
			if args[0] == "volatile" {
				continue
			}
			if got := int(args[1].(float64)); got != next {
				return fmt.Errorf("round %d: got %d, want %d", round, got, next)
			}
			next++
		}
		if round%2 == 0 {
			c.conn.Close() // else the server believes the connection alive
		}
	}
	return nil
}
