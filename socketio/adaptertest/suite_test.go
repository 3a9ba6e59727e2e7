package adaptertest_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is servers of one process that call each other without any messages. It
// shows how little an adapter has to be.
type house struct {
	mu     sync.Mutex
	living []*tenant
}

// tenant is the adapter of one of them.
type tenant struct {
	*socketio.Local
	house *house
}

var errGone = errors.New("tenant: closed")

func (h *house) move(local *socketio.Local) socketio.Adapter {
	t := &tenant{local, h}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.living = append(h.living, t)
	return t
}

// others are the servers but this one; an error says that it has left.
func (t *tenant) others() ([]*tenant, error) {
	t.house.mu.Lock()
	defer t.house.mu.Unlock()
	if !slices.Contains(t.house.living, t) {
		return nil, errGone
	}
	return slices.DeleteFunc(slices.Clone(t.house.living), func(other *tenant) bool { return other == t }), nil
}

// everywhere does something on all servers, this one first.
func (t *tenant) everywhere(do func(*socketio.Local) error) error {
	others, err := t.others()
	err = errors.Join(err, do(t.Local))
	for _, other := range others {
		err = errors.Join(err, do(other.Local))
	}
	return err
}

func (t *tenant) Broadcast(e socketio.Emission) error {
	return t.everywhere(func(l *socketio.Local) error { return l.Broadcast(e) })
}

func (t *tenant) SocketsJoin(a socketio.Audience, rooms []string) error {
	return t.everywhere(func(l *socketio.Local) error { return l.SocketsJoin(a, rooms) })
}

func (t *tenant) SocketsLeave(a socketio.Audience, rooms []string) error {
	return t.everywhere(func(l *socketio.Local) error { return l.SocketsLeave(a, rooms) })
}

func (t *tenant) DisconnectSockets(a socketio.Audience, closeTransport bool) error {
	return t.everywhere(func(l *socketio.Local) error { return l.DisconnectSockets(a, closeTransport) })
}

func (t *tenant) FetchSockets(ctx context.Context, a socketio.Audience) (all []socketio.SocketInfo, err error) {
	return all, t.everywhere(func(l *socketio.Local) error {
		some, err := l.FetchSockets(ctx, a)
		all = append(all, some...)
		return err
	})
}

func (t *tenant) BroadcastWithAck(ctx context.Context, e socketio.Emission) ([]socketio.Reply, error) {
	var asking sync.WaitGroup
	var mu sync.Mutex
	var all []socketio.Reply
	var failed error
	err := t.everywhere(func(l *socketio.Local) error {
		asking.Go(func() {
			some, err := l.BroadcastWithAck(ctx, e)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, some...), errors.Join(failed, err)
		})
		return nil
	})
	asking.Wait()
	return all, errors.Join(err, failed)
}

func (t *tenant) ServerSideEmit(e socketio.ServerEmission) error {
	others, err := t.others()
	for _, other := range others {
		if !other.ServerSideEvent(e, nil) {
			err = errors.New("tenant: too many events wait")
		}
	}
	return err
}

func (t *tenant) ServerSideEmitWithAck(ctx context.Context, e socketio.ServerEmission) ([]socketio.Args, error) {
	others, err := t.others()
	if err != nil {
		return nil, err
	}
	var acks []socketio.Args
	answers := make(chan socketio.Args, len(others))
	for _, other := range others {
		other.ServerSideEvent(e, func(args socketio.Args) { answers <- args })
	}
	for range others {
		select {
		case args := <-answers:
			acks = append(acks, args)
		case <-ctx.Done():
			return acks, context.Cause(ctx)
		}
	}
	return acks, nil
}

func (t *tenant) ServerCount(context.Context) (int, error) {
	others, err := t.others()
	return 1 + len(others), err
}

func (t *tenant) Close(context.Context) error {
	t.house.mu.Lock()
	defer t.house.mu.Unlock()
	t.house.living = slices.DeleteFunc(t.house.living, func(other *tenant) bool { return other == t })
	return nil
}

func TestSuiteWithTheSmallestAdapter(t *testing.T) {
	adaptertest.Run(t, func(_ *testing.T, count int) []func(*socketio.Local) socketio.Adapter {
		return slices.Repeat([]func(*socketio.Local) socketio.Adapter{new(house).move}, count)
	})
}
