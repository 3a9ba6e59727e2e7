package catalog

// Stats are the numbers of the dashboard that the catalogue knows.
type Stats struct {
	TotalBooks     int
	TotalFavorites int
	MostFavorited  *MostFavorited // nil while no book has a favourite
	Position       Position       // the state that the numbers show
}

// MostFavorited is the book with the most favourites, of several the one with the lowest id.
type MostFavorited struct {
	ID             int64  `json:"id"`
	Title          string `json:"title"`
	FavoritesCount int    `json:"favoritesCount"`
}

// Stats gives the numbers at the current position; it takes constant time.
func (c *Catalog) Stats() Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	p := c.projection
	stats := Stats{TotalBooks: p.books, TotalFavorites: p.favorites, Position: c.positionLocked()}
	if len(p.leaders) > 0 {
		book := &p.leaders[0].current.book
		stats.MostFavorited = &MostFavorited{ID: book.ID, Title: book.Title, FavoritesCount: len(book.Favorites)}
	}
	return stats
}
