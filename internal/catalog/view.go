package catalog

import "sync"

// view is the list of all live books at one position. It never changes.
type view struct {
	position Position
	records  []*record // by id
}

// viewCache keeps the last view, which every whole-catalogue read of its position shares.
// Its lock is taken before Catalog.mu.
type viewCache struct {
	mu   sync.Mutex
	last *view
}

// view gives all books at a position that is not older than this call.
func (c *Catalog) view() *view {
	wanted := c.Position()
	c.views.mu.Lock()
	defer c.views.mu.Unlock()
	if last := c.views.last; last != nil && last.position.Sequence >= wanted.Sequence {
		return last
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	c.views.last = &view{position: c.positionLocked(), records: c.projection.records()}
	return c.views.last
}
