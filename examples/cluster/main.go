// Cluster runs a whole Shelfcast cluster on this machine: three NATS servers, three nodes, and a
// proxy in front of them. `make cluster` builds what it needs and starts it; docs/cluster.md says
// how to run one for real.
//
// cluster.go says what there is and in which order it starts and stops, part.go keeps one process
// running, proxy.go spreads requests. Nothing listens beyond loopback.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// settings are those of the command line.
type settings struct {
	data      string        // directory of everything that is kept
	port      int           // the proxy's; all others are counted from it
	shelfcast string        // the program
	nats      string        // the NATS server's program
	sticky    string        // one of stickiness
	restart   time.Duration // after which a part that ended is started again; 0: never
}

var stickiness = []string{stickyNone, stickyCookie, stickyAddress}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var set settings
	flag.StringVar(&set.data, "data", "data/cluster", "`directory` of everything that is kept from run to run")
	flag.IntVar(&set.port, "port", 4000, "`port` of the proxy; nodes have the next three, NATS servers those from 11, 21 and 31 further")
	flag.StringVar(&set.shelfcast, "shelfcast", "bin/shelfcast", "the `program` of the nodes")
	flag.StringVar(&set.nats, "nats-server", "bin/nats-server", "the `program` of the NATS servers")
	flag.StringVar(&set.sticky, "sticky", stickyNone, "what keeps a client on its node, as HTTP long-polling needs: none, cookie or address")
	flag.DurationVar(&set.restart, "restart", 5*time.Second, "a part that ended is started again after this `time`; 0: never")
	flag.Parse()
	if err := run(ctx, set, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		os.Exit(1)
	}
}

func (s settings) validate() error {
	if flag.NArg() > 0 {
		return fmt.Errorf("%q is not understood; -h lists the settings", flag.Arg(0))
	}
	if !slices.Contains(stickiness, s.sticky) {
		return fmt.Errorf("-sticky: %q is none of %v", s.sticky, stickiness)
	}
	if s.port < 1 || s.port > 65535-lastPort {
		return fmt.Errorf("-port: %d is not between 1 and %d", s.port, 65535-lastPort)
	}
	if s.restart < 0 {
		return errors.New("-restart: a time cannot be negative")
	}
	for _, program := range []string{s.shelfcast, s.nats} {
		if _, err := os.Stat(program); err != nil {
			return fmt.Errorf("%w; `make cluster` builds it", err)
		}
	}
	return nil
}
