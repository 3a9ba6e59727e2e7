package cluster_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/adaptertest"
	"github.com/shelfcast/shelfcast/socketio/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bus carries messages within this process. It cannot address: everybody gets everything.
type bus struct {
	mu      sync.Mutex
	members map[*member]struct{}
}

type member struct {
	messages chan []byte
	done     chan struct{}
}

func newBus() *bus { return &bus{members: make(map[*member]struct{})} }

func (b *bus) Publish(_ string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for m := range b.members {
		select {
		case m.messages <- data:
		default:
			return errors.New("a member does not read")
		}
	}
	return nil
}

func (b *bus) Subscribe(_ string, handle func([]byte)) (func(), error) {
	m := &member{messages: make(chan []byte, 10_000), done: make(chan struct{})}
	b.mu.Lock()
	b.members[m] = struct{}{}
	b.mu.Unlock()
	go func() {
		defer close(m.done)
		for data := range m.messages {
			handle(data)
		}
	}()
	return func() {
		b.mu.Lock()
		delete(b.members, m)
		close(m.messages)
		b.mu.Unlock()
		<-m.done
	}, nil
}

func TestAdapter(t *testing.T) {
	adaptertest.Run(t, func(_ *testing.T, count int) []func(*socketio.Local) socketio.Adapter {
		shared := newBus()
		adapters := make([]func(*socketio.Local) socketio.Adapter, count)
		for i := range adapters {
			adapters[i] = func(local *socketio.Local) socketio.Adapter { return cluster.New(local, shared, nil) }
		}
		return adapters
	})
}

// A server that dies without a farewell is noticed by its silence.
func TestSilentServerIsNotWaitedFor(t *testing.T) {
	shared := newBus()
	var adapter *cluster.Adapter
	server := socketio.NewServer(&socketio.Options{Adapter: func(local *socketio.Local) socketio.Adapter {
		adapter = cluster.New(local, shared, &cluster.Options{
			HeartbeatInterval: 20 * time.Millisecond, HeartbeatTimeout: 1000 * time.Millisecond,
		})
		return adapter
	}})
	defer server.Close(t.Context())
	publish := func(messages ...string) {
		t.Helper()
		for _, message := range messages {
			if err := shared.Publish("", []byte(message)); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(`{`, `{}`, "sio1", "sio1\x00\x02{}", "sio1\x01x\xff", "sio1\x01x\x01{", wire("x", `{"Args":[-1]}`),
		wire("x", `{"Args":[1]}`)+"{", wire("x", `{"Args":[9]}`)+"1", wire("x", `{}`)+"more", wire("x", `{"Args":[3]}`)+"\"\xff\"")
	waitFor(t, func() bool { return adapter.Stats().Ignored == 11 })
	if count, err := server.ServerCount(t.Context()); err != nil || count != 1 {
		t.Errorf("ServerCount = %d, %v after messages that are none", count, err)
	}
	publish(wire("x", `{"Kind":"sockets","Request":"1"}`), wire("x", `{"Kind":"heartbeat","To":"somebody else"}`),
		wire("x", `{"Kind":"forget","Request":"9"}`), wire("x", `{"Kind":"ask","Emission":{"Namespace":"/none"}}`),
		wire("x", `{"Kind":"unheard of"}`), wire("x", `{"Kind":"broadcast"}`), wire("x", `{"Kind":"fetch"}`))
	waitFor(t, func() bool { return adapter.Stats().Ignored == 14 })
	// "x" counts as a server; it answers nothing and is given up.
	if count, err := server.ServerCount(t.Context()); err != nil || count != 2 {
		t.Fatalf("ServerCount = %d, %v", count, err)
	}
	if _, err := server.FetchSockets(t.Context()); err != nil {
		t.Errorf("FetchSockets: %v", err)
	}
	if count, err := server.ServerCount(t.Context()); err != nil || count != 1 {
		t.Errorf("ServerCount = %d, %v", count, err)
	}
}

// wire is a message as it travels, its payload left out.
func wire(from, header string) string {
	return "sio1" + string(rune(len(from))) + from + string(rune(len(header))) + header
}

// An answer that is read after its sender's farewell does not bring it back.
func TestAnswerAfterFarewell(t *testing.T) {
	shared := newBus()
	var adapter *cluster.Adapter
	server := socketio.NewServer(&socketio.Options{Adapter: func(local *socketio.Local) socketio.Adapter {
		adapter = cluster.New(local, shared, nil)
		return adapter
	}})
	defer server.Close(t.Context())
	for _, header := range []string{`{"Kind":"hello"}`, `{"Kind":"farewell"}`, `{"Kind":"reply","Request":"1"}`} {
		if err := shared.Publish("", []byte(wire("x", header))); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return adapter.Stats().Received == 3 })
	if count, err := server.ServerCount(t.Context()); err != nil || count != 1 {
		t.Errorf("ServerCount = %d, %v", count, err)
	}
}

// What is emitted while a server goes does not follow its farewell.
func TestNothingFollowsTheFarewell(t *testing.T) {
	shared := newBus()
	join := func(local *socketio.Local) socketio.Adapter { return cluster.New(local, shared, nil) }
	stays := socketio.NewServer(&socketio.Options{Adapter: join})
	defer stays.Close(t.Context())
	goes := socketio.NewServer(&socketio.Options{Adapter: join})
	var emitting sync.WaitGroup
	for range 4 {
		emitting.Go(func() {
			for {
				if err := goes.Emit("e"); err != nil {
					if !errors.Is(err, cluster.ErrClosed) {
						t.Errorf("Emit: %v", err)
					}
					return
				}
			}
		})
	}
	if err := goes.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	emitting.Wait()
	waitFor(t, func() bool {
		count, err := stays.ServerCount(t.Context())
		return err == nil && count == 1
	})
}

func waitFor(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("waited in vain")
		case <-tick.C:
		}
	}
}
