package natsadapter_test

import (
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/adaptertest"
	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

// Every server has its own connection, to another NATS server of one cluster.
func TestAdapterOnNATS(t *testing.T) {
	t.Parallel()
	servers := startNATS(t, 3, nil)
	adaptertest.Run(t, func(t *testing.T, count int) []func(*socketio.Local) socketio.Adapter {
		adapters := make([]func(*socketio.Local) socketio.Adapter, count)
		for i := range adapters {
			// NATS servers tell each other of new subscriptions a moment late, so a greeting
			// may be missed, and the heartbeat makes up for it.
			cluster, err := natsadapter.New(connect(t, servers[i]), &natsadapter.Options{
				Prefix: prefix(t), HeartbeatInterval: 100 * time.Millisecond,
			})
			if err != nil {
				t.Fatal(err)
			}
			adapters[i] = cluster.Join
		}
		return adapters
	})
}
