package natsadapter

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// What comes while too much waits is dropped and counted, and does not hold up NATS.
func TestOverflowIsCounted(t *testing.T) {
	t.Parallel()
	broker, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	broker.Start()
	t.Cleanup(func() { broker.Shutdown(); broker.WaitForShutdown() })
	if !broker.ReadyForConnections(30 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	conn, err := nats.Connect(broker.ClientURL(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)

	b := newBus(conn, "p", time.Second)
	handled, release := make(chan struct{}), make(chan struct{})
	stop, err := b.Subscribe("me", func([]byte) {
		select {
		case handled <- struct{}{}:
			<-release
		case <-release:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const more = 100
	for range 1 + maxPendingMessages + more {
		if err := b.Publish("", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	<-handled
	if err := conn.FlushTimeout(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	// NATS counts the message that is being handled as waiting, or not, as it happens.
	if dropped := b.droppedCount(); dropped < more || dropped > more+1 {
		t.Errorf("%d messages are dropped, want %d", dropped, more)
	}
	close(release)
	stop()
	if dropped := b.droppedCount(); dropped < more {
		t.Errorf("%d dropped messages are left after the end", dropped)
	}
}
