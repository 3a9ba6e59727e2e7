package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/natslog"
)

// blocksName is the file of the blocked addresses in the data directory of a single node. In a
// cluster they are in its log.
const blocksName = "blocks.json"

// shareTimeout is how long the cluster has to store a block.
const shareTimeout = 2 * time.Second

// openBlocks opens the blocked addresses: those of the data directory, or those of the cluster
// whose log it is, none of which hold before they are followed.
func openBlocks(s *Settings, log *natslog.Log, logger *slog.Logger) (*guard.Blocks, error) {
	proxies, err := guard.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, err // cannot happen: Validate has looked
	}
	options := guard.BlocksOptions{Proxies: proxies, Logger: logger}
	file := filepath.Join(s.Data, blocksName)
	if log == nil {
		options.File = file
		return guard.OpenBlocks(options), nil
	}
	if _, err := os.Stat(file); err == nil {
		logger.Warn("the blocks of a single node do not hold in a cluster: give them anew, by `shelfcast block`", "file", file)
	}
	options.Share = func(name string, block []byte) error {
		ctx, cancel := context.WithTimeout(context.Background(), shareTimeout)
		defer cancel()
		return log.Share(ctx, name, block)
	}
	return guard.OpenBlocks(options), nil
}

// withBlocks gives a command the blocks that the next server will know, or those of the cluster,
// whose servers learn at once what it does to them.
func withBlocks(ctx context.Context, p *process, s *Settings, do func(*guard.Blocks) error) error {
	logger := p.logger(s)
	if !s.clustered() {
		blocks, err := openBlocks(s, nil, logger)
		if err != nil {
			return err
		}
		return do(blocks)
	}
	log, err := natslog.Open(ctx, s.logOptions(s.NATSURL, logger))
	if err != nil {
		return err
	}
	blocks, err := openBlocks(s, log, logger)
	if err == nil {
		err = blocks.Gather(func() error {
			return log.FollowShared(ctx, func(shared []byte) { blocks.Take(shared) })
		})
	}
	if err == nil {
		err = do(blocks)
	}
	return errors.Join(err, log.Close())
}

// cutter ends the connections of addresses that other nodes have blocked, on a goroutine of its own
// from newCutter to close: who tells it of one does not wait. mu is a leaf.
type cutter struct {
	cut  func(netip.Prefix)
	wake chan struct{} // holds one
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	waiting map[netip.Prefix]struct{} // no more than there are blocks
}

func newCutter(cut func(netip.Prefix)) *cutter {
	c := &cutter{
		cut: cut, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		waiting: make(map[netip.Prefix]struct{}),
	}
	go c.run()
	return c
}

func (c *cutter) add(network netip.Prefix) {
	c.mu.Lock()
	c.waiting[network] = struct{}{}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *cutter) run() {
	defer close(c.done)
	for {
		select {
		case <-c.quit:
			return
		case <-c.wake:
		}
		c.mu.Lock()
		waiting := c.waiting
		c.waiting = make(map[netip.Prefix]struct{})
		c.mu.Unlock()
		for network := range waiting {
			c.cut(network)
		}
	}
}

// close ends it; a nil one needs no end.
func (c *cutter) close() {
	if c != nil {
		close(c.quit)
		<-c.done
	}
}
