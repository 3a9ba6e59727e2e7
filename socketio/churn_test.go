package socketio_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

// Clients come, join, leave, are thrown out and vanish while everything is emitted
// to; nothing deadlocks, races or is kept afterwards.
func TestChurnLeavesNothingBehind(t *testing.T) {
	const clients, rounds = 12, 20
	room := func() string { return fmt.Sprint("room ", rand.IntN(4)) }
	server := serve(t, nil, func(s *socketio.Server) {
		handle := func(socket *socketio.Socket) {
			answerSync(socket)
			socket.Join(room(), room())
			_ = socket.To(room()).Emit("joined", socket.ID())
			socket.OnDisconnecting(func(socketio.Reason) {
				for _, name := range socket.Rooms() {
					_ = socket.To(name).Emit("leaving")
				}
				socket.Join("too late")
			})
			socket.OnDisconnect(func(socketio.Reason) { _ = socket.Namespace().Emit("left") })
		}
		s.OnConnection(handle)
		s.OfRegexp(regexp.MustCompile(`^/n\d$`)).OnConnection(handle)
	})

	ctx, stop := context.WithCancel(t.Context())
	var background sync.WaitGroup
	for range 2 {
		background.Go(func() {
			pace := time.NewTicker(time.Millisecond) // two cores have to serve the clients as well
			defer pace.Stop()
			for range pace.C {
				if ctx.Err() != nil {
					return
				}
				_ = server.To(room(), room()).Except(room()).Emit("list", 1)
				_ = server.Emit("all", 2)
				for _, socket := range server.Of("/").Sockets() {
					socket.Leave(room())
					socket.Join(room())
					if rand.IntN(40) == 0 {
						socket.Disconnect(rand.IntN(2) == 0)
					}
				}
				askCtx, cancel := context.WithTimeout(ctx, time.Millisecond)
				_, _ = server.To(room()).EmitWithAck(askCtx, "ask")
				cancel()
			}
		})
	}

	var visits sync.WaitGroup
	for i := range clients {
		visits.Go(func() {
			for range rounds {
				c := server.dial(t)
				c.trySend("40")
				c.trySend(fmt.Sprintf("40/n%d,", i%5))
				for range 10 + rand.IntN(30) {
					if message, err := c.next(); err != nil || message == "41" {
						break // thrown out: nothing more may come
					}
				}
				switch rand.IntN(3) {
				case 0:
					c.conn.Close()
				case 1:
					c.trySend("1")
					c.conn.Close()
				default:
					c.trySend("41")
					c.trySend("4abc")
				}
				c.conn.Close()
			}
		})
	}
	visits.Wait()
	stop()
	background.Wait()
	if err := server.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	connections, namespaces, sockets, rooms := server.Held()
	if connections != 0 || namespaces != 1 || sockets != 0 || rooms != 0 {
		t.Errorf("kept %d connections, %d namespaces, %d sockets, %d rooms", connections, namespaces, sockets, rooms)
	}
}
