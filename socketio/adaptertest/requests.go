package adaptertest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
)

func fetch(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	for i, n := range nodes {
		c := n.connect(t, "/", "Z", []string{"a", "b", "c"}[i])
		c.socket.SetData(map[string]int{"number": i})
	}
	for _, n := range nodes {
		sockets, err := n.FetchSockets(bounded(t))
		must(t, err)
		var rooms []string
		for _, s := range sockets {
			rooms = append(rooms, s.Rooms[1]+" "+string(s.Data))
			if s.Handshake == nil || s.Handshake.Query.Get("EIO") != "4" || string(s.Handshake.Auth) != "{}" {
				t.Errorf("handshake of a fetched socket = %+v", s.Handshake)
			}
		}
		slices.Sort(rooms)
		if want := []string{`a {"number":0}`, `b {"number":1}`, `c {"number":2}`}; !slices.Equal(rooms, want) {
			t.Errorf("fetched %q, want %q", rooms, want)
		}
		if some, err := n.In("b", "c").Except("c").FetchSockets(bounded(t)); err != nil || len(some) != 1 {
			t.Errorf("fetched %d of a room, %v, want 1", len(some), err)
		}
	}
}

func joinAndLeave(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there := nodes[0].connect(t, "/"), nodes[1].connect(t, "/", "old")
	must(t, nodes[0].SocketsJoin("x", "y"))
	must(t, nodes[0].To("y").Emit("joined"))
	must(t, nodes[0].In("old").SocketsLeave("x", "old"))
	must(t, nodes[0].To("x", "old").Emit("left"))
	must(t, nodes[0].Emit("end"))
	here.want(`2["joined"]`, `2["left"]`, `2["end"]`)
	there.want(`2["joined"]`, `2["end"]`)
}

func disconnect(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	here, there, stays := nodes[0].connect(t, "/", "r"), nodes[1].connect(t, "/", "r"), nodes[1].connect(t, "/")
	must(t, nodes[0].In("r").DisconnectSockets(false))
	here.want("1")
	there.want("1")
	must(t, nodes[0].Emit("left over"))
	stays.want(`2["left over"]`)
}

func remote(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	c := nodes[1].connect(t, "/")
	sockets, err := nodes[0].FetchSockets(bounded(t))
	must(t, err)
	if len(sockets) != 1 {
		t.Fatalf("fetched %d sockets", len(sockets))
	}
	s := sockets[0]
	must(t, s.Emit("hello"))
	must(t, s.Join("room"))
	must(t, nodes[0].To("room").Emit("room"))
	must(t, s.Leave("room"))
	must(t, nodes[0].To("room").Emit("left"))
	c.want(`2["hello"]`, `2["room"]`)
	answers := make(chan socketio.Args, 1)
	ctx := bounded(t)
	go func() {
		args, err := s.EmitWithAck(ctx, "ask", 1)
		if err != nil {
			t.Error(err)
		}
		answers <- args
	}()
	c.answer(`["ask",1]`, `["yes"]`)
	var answer string
	if err := receive(t, answers).Decode(&answer); err != nil || answer != "yes" {
		t.Errorf("answer = %q, %v", answer, err)
	}
	must(t, s.Disconnect(false))
	c.want("1")
	if _, err := s.EmitWithAck(bounded(t), "ask"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("EmitWithAck to a socket that is gone: %v", err)
	}
}

func serverSide(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	heard := make([]chan int, len(nodes))
	for i, n := range nodes {
		heard[i] = make(chan int, 200)
		n.OnServerSideEmit("number", func(e *socketio.ServerEvent) {
			var number int
			if err := e.Decode(&number); err != nil || e.HasAck() {
				t.Errorf("server-side event: %v, HasAck %v", err, e.HasAck())
			}
			heard[i] <- number
		})
	}
	const count = 100
	for number := range count {
		must(t, nodes[0].ServerSideEmit("number", number))
	}
	for number := range count {
		for i := range nodes[1:] {
			if got := receive(t, heard[i+1]); got != number {
				t.Fatalf("server %d heard %d, want %d", i+1, got, number)
			}
		}
	}
	if len(heard[0]) > 0 {
		t.Error("a server heard itself")
	}
	if err := nodes[0].ServerSideEmit("connection"); !errors.Is(err, socketio.ErrReservedEvent) {
		t.Errorf("a reserved name: %v", err)
	}
}

func serverSideAcks(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	for i, n := range nodes {
		n.OnServerSideEmit("sum", func(e *socketio.ServerEvent) {
			var x, y int
			if err := e.Decode(&x, &y); err != nil {
				t.Error(err)
			}
			if err := e.Ack(x + y + i); err != nil {
				t.Error(err)
			}
			if err := e.Ack("again"); !errors.Is(err, socketio.ErrAlreadyAcknowledged) {
				t.Errorf("second Ack: %v", err)
			}
		})
	}
	acks, err := nodes[1].Of("/").ServerSideEmitWithAck(bounded(t), "sum", 20, 30)
	must(t, err)
	var sums []int
	for _, args := range acks {
		var sum int
		must(t, args.Decode(&sum))
		sums = append(sums, sum)
	}
	slices.Sort(sums)
	if !slices.Equal(sums, []int{50, 52}) {
		t.Errorf("sums = %v", sums)
	}
}

func serverSideTimeout(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	nodes[1].OnServerSideEmit("ask", func(e *socketio.ServerEvent) {
		if err := e.Ack("here"); err != nil {
			t.Error(err)
		}
	}) // the third server has no handler and never acknowledges
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	acks, err := nodes[0].Of("/").ServerSideEmitWithAck(ctx, "ask")
	if !errors.Is(err, context.DeadlineExceeded) || len(acks) != 1 {
		t.Errorf("acks = %v, %v, want one and the context's error", acks, err)
	}
}

func serverGoes(t *testing.T, start Factory) {
	nodes := cluster(t, start, 3)
	c := nodes[1].connect(t, "/")
	asked := nodes[2].connect(t, "/")
	answers := asking(t, nodes[0].To())
	asked.asked(`["ask",1]`)
	c.answer(`["ask",1]`, `["here"]`)
	nodes[2].close(t)
	if got := receive(t, answers); got.err != nil || replied(got.replies) != `"here"` {
		t.Errorf("replies = %q, %v, want one", replied(got.replies), got.err)
	}
	for _, n := range nodes[:2] {
		eventually(t, "a server is gone", countIs(n, 2))
	}
	if sockets, err := nodes[0].FetchSockets(bounded(t)); err != nil || len(sockets) != 1 {
		t.Errorf("fetched %d, %v, want 1", len(sockets), err)
	}
}

func contextEnds(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	c := nodes[1].connect(t, "/")
	cause := errors.New("the caller has enough")
	ctx, cancel := context.WithCancelCause(bounded(t))
	ended := make(chan error, 1)
	go func() {
		_, err := nodes[0].To().EmitWithAck(ctx, "ask", 1)
		ended <- err
	}()
	c.asked(`["ask",1]`)
	cancel(cause)
	if err := receive(t, ended); !errors.Is(err, cause) {
		t.Errorf("EmitWithAck: %v, want the context's cause", err)
	}
}

func closed(t *testing.T, start Factory) {
	nodes := cluster(t, start, 2)
	c := nodes[1].connect(t, "/")
	nodes[0].close(t)
	if _, err := nodes[0].ServerCount(bounded(t)); err == nil {
		t.Error("a closed adapter counts servers")
	}
	if _, err := nodes[0].FetchSockets(bounded(t)); err == nil {
		t.Error("a closed adapter fetches sockets")
	}
	must(t, nodes[1].Emit("still here"))
	c.want(`2["still here"]`)
}
