package catalog

import (
	"context"
	"fmt"
)

// follow applies the log from its beginning, on the calling goroutine.
func (c *Catalog) follow(ctx context.Context) error {
	head, err := c.log.Head(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("read the head of the log: %w", err)
	}
	if head == 0 {
		c.finishLoading()
	}
	err = c.log.Tail(ctx, 0, func(changes []Change) error {
		c.applyBatch(changes, head)
		return nil
	})
	if ctx.Err() != nil {
		return nil
	}
	if err == nil {
		err = Unavailable(errTailEnded)
	}
	return fmt.Errorf("follow the log: %w", err)
}

// applyBatch makes changes visible: to readers, then to the observers, then to the commands
// that appended them. What is at or below head was stored before the start and is news to
// nobody.
func (c *Catalog) applyBatch(changes []Change, head Sequence) {
	c.turn.Lock()
	defer c.turn.Unlock()

	applied := c.project(changes, head)
	last := changes[len(changes)-1].Sequence
	now := c.now()
	for i := range changes {
		if changes[i].Kind == KindBook {
			c.ids.saw(changes[i].BookID, now)
		}
	}
	if len(applied) > 0 {
		for _, observe := range c.observers {
			observe(applied)
		}
	}
	c.waiters.reach(last)
	if head > 0 && last >= head {
		c.finishLoading()
	}
}

func (c *Catalog) project(changes []Change, head Sequence) []Applied {
	c.mu.Lock()
	defer c.mu.Unlock()
	var applied []Applied
	for i := range changes {
		change := &changes[i]
		effect := c.projection.apply(change)
		if effect.event == "" || change.Sequence <= head || len(c.observers) == 0 {
			continue
		}
		position := Position{Epoch: c.log.Epoch(), Sequence: change.Sequence}
		applied = append(applied, effect.applied(position, change))
	}
	if changes[len(changes)-1].Sequence >= head {
		c.projection.settle()
	}
	c.projection.forget(c.log.Horizon())
	return applied
}

// finishLoading runs on Run's goroutine only.
func (c *Catalog) finishLoading() {
	select {
	case <-c.loaded:
		return
	default:
	}
	stats := c.Stats()
	c.logger.Info("catalogue loaded",
		"books", stats.TotalBooks, "favorites", stats.TotalFavorites, "position", stats.Position.String())
	close(c.loaded)
}
