package cluster_test

import (
	"context"
	"fmt"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/cluster"
)

// Two servers on one bus. A real bus is a message broker; this one is the test's.
func Example() {
	shared := newBus()
	join := func(local *socketio.Local) socketio.Adapter { return cluster.New(local, shared, nil) }
	a := socketio.NewServer(&socketio.Options{Adapter: join})
	b := socketio.NewServer(&socketio.Options{Adapter: join})
	defer a.Close(context.Background())
	defer b.Close(context.Background())

	heard := make(chan string)
	b.OnServerSideEmit("hello", func(e *socketio.ServerEvent) {
		var name string
		_ = e.Decode(&name)
		heard <- name
	})
	if err := a.ServerSideEmit("hello", "from a"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-heard)
	// Output:
	// from a
}
