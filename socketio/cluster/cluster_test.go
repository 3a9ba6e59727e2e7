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

// bus carries messages within this process.
type bus struct {
	mu      sync.Mutex
	members map[*member]struct{}
}

type member struct {
	messages chan []byte
	done     chan struct{}
}

func newBus() *bus { return &bus{members: make(map[*member]struct{})} }

func (b *bus) Publish(data []byte) error {
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

func (b *bus) Subscribe(handle func([]byte)) (func(), error) {
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
	if err := shared.Publish([]byte("not a message")); err != nil {
		t.Fatal(err)
	}
	options := &cluster.Options{HeartbeatInterval: 20 * time.Millisecond, HeartbeatTimeout: 1000 * time.Millisecond}
	server := socketio.NewServer(&socketio.Options{Adapter: func(local *socketio.Local) socketio.Adapter {
		return cluster.New(local, shared, options)
	}})
	defer server.Close(t.Context())
	for _, rubbish := range []string{`{`, `{}`, `{"From":"x","Kind":"unheard of"}`, `{"From":"x","Kind":"broadcast"}`,
		`{"From":"x","Kind":"reply","Request":"1"}`, `{"From":"x","Kind":"ask","Emission":{"Namespace":"/none"}}`,
		`{"From":"x","Kind":"forget","Request":"9"}`, `{"From":"x","To":"somebody else","Kind":"sockets"}`} {
		if err := shared.Publish([]byte(rubbish)); err != nil {
			t.Fatal(err)
		}
	}
	// "x" counts as a server; it answers nothing and is given up.
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for count := 1; count != 2; <-tick.C {
		var err error
		if count, err = server.ServerCount(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.FetchSockets(t.Context()); err != nil {
		t.Errorf("FetchSockets: %v", err)
	}
	if count, err := server.ServerCount(t.Context()); err != nil || count != 1 {
		t.Errorf("ServerCount = %d, %v", count, err)
	}
}
