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
func (c *Catalog) Stats() Stats { return Stats{} }
