package natsadapter_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

// never is an interval that does not pass in a test: what happens is not due to it.
const never = time.Hour

func TestLateJoinerIsPartAtOnce(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: never, HeartbeatTimeout: 2 * never}
	early := join(t, connect(t, broker), options)
	heardEarly := early.hear("number")
	if err := errors.Join(early.ServerSideEmit("number", 1), early.conn.Flush()); err != nil { // nobody hears it
		t.Fatal(err)
	}
	late := join(t, connect(t, broker), options)
	heard := late.hear("number")
	early.knows(2)
	late.knows(2)
	for _, n := range []*node{early, late} {
		if err := n.ServerSideEmit("number", 2); err != nil {
			t.Fatal(err)
		}
	}
	if first := receive(t, heard); first != 2 {
		t.Errorf("the late joiner heard %d first", first)
	}
	if first := receive(t, heardEarly); first != 2 {
		t.Errorf("the early server heard %d first", first)
	}
}

// A server that leaves says so, and nobody waits for it or counts it.
func TestTidyLeaverIsForgottenAtOnce(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: never, HeartbeatTimeout: 2 * never}
	stays, goes := join(t, connect(t, broker), options), join(t, connect(t, broker), options)
	stays.knows(2)
	if err := goes.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	stays.knows(1)
}

// A server that dies is waited for until the context ends; then what has come is returned.
func TestDeadServerIsWaitedForUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: never, HeartbeatTimeout: 2 * never}
	alive, third, dies := join(t, connect(t, broker), options), join(t, connect(t, broker), options), join(t, connect(t, broker), options)
	third.OnServerSideEmit("ask", func(e *socketio.ServerEvent) {
		if err := e.Ack("here"); err != nil {
			t.Error(err)
		}
	})
	alive.knows(3)
	dies.conn.Close() // without a farewell, as when its process is killed
	var acks []socketio.Args
	var err error
	for wait := 200 * time.Millisecond; len(acks) == 0 && wait < patience; wait *= 2 { // for a busy machine
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		acks, err = alive.Of("/").ServerSideEmitWithAck(ctx, "ask")
		cancel()
	}
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "only 1 of 2") || len(acks) != 1 {
		t.Errorf("acks = %v, %v, want one and the context's error", acks, err)
	}
}

// A server that was silent for HeartbeatTimeout is forgotten.
func TestDeadServerIsForgotten(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: 50 * time.Millisecond, HeartbeatTimeout: 2 * time.Second}
	alive, dies := join(t, connect(t, broker), options), join(t, connect(t, broker), options)
	alive.knows(2)
	dies.conn.Close()
	alive.knows(1)
	if _, err := alive.FetchSockets(t.Context()); err != nil {
		t.Errorf("FetchSockets after it was given up: %v", err)
	}
}

// Within HeartbeatTimeout, what is emitted waits for NATS to come back.
func TestShortInterruption(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: never, HeartbeatTimeout: 2 * never}
	var line cable
	a, b := join(t, connect(t, broker, nats.SetCustomDialer(&line)), options), join(t, connect(t, broker), options)
	heard := b.hear("number")
	a.knows(2)
	line.pull(t, a.conn)
	for number := range 3 {
		if err := a.ServerSideEmit("number", number); err != nil {
			t.Fatal(err)
		}
	}
	line.mend()
	for number := range 3 {
		if got := receive(t, heard); got != number {
			t.Errorf("heard %d, want %d", got, number)
		}
	}
}

// After HeartbeatTimeout servers give each other up, say so, and find each other as soon as NATS is
// back.
func TestLongInterruption(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	options := &natsadapter.Options{HeartbeatInterval: 50 * time.Millisecond, HeartbeatTimeout: time.Second}
	var line cable
	a, b := join(t, connect(t, broker, nats.SetCustomDialer(&line)), options), join(t, connect(t, broker), options)
	heard := b.hear("number")
	a.knows(2)
	b.knows(2)
	line.pull(t, a.conn)
	a.knows(1)
	b.knows(1)
	eventually(t, "emitting fails", func() bool {
		return errors.Is(a.ServerSideEmit("number", 1), natsadapter.ErrNotConnected)
	})
	if _, err := a.FetchSockets(t.Context()); !errors.Is(err, natsadapter.ErrNotConnected) {
		t.Errorf("FetchSockets: %v", err)
	}
	if _, err := a.To().EmitWithAck(t.Context(), "e"); !errors.Is(err, natsadapter.ErrNotConnected) {
		t.Errorf("EmitWithAck: %v", err)
	}
	eventually(t, "a lost heartbeat is counted", func() bool { return a.cluster.Stats().Lost > 0 })
	line.mend()
	a.knows(2)
	b.knows(2)
	if err := a.ServerSideEmit("number", 1000); err != nil {
		t.Errorf("ServerSideEmit: %v", err)
	}
	for receive(t, heard) != 1000 { // what was emitted early in the interruption comes before it
	}
}

// Without a buffer in the connection, emitting fails as soon as the interruption is noticed.
func TestInterruptionWithoutBuffer(t *testing.T) {
	t.Parallel()
	broker := startNATS(t, 1, nil)[0]
	var line cable
	a := join(t, connect(t, broker, nats.SetCustomDialer(&line), nats.ReconnectBufSize(-1)), nil)
	line.pull(t, a.conn)
	if err := a.Emit("e"); !errors.Is(err, nats.ErrReconnectBufExceeded) {
		t.Errorf("Emit: %v", err)
	}
}
