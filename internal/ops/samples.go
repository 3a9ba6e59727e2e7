package ops

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

//go:embed sample/books.json
var sampleFile []byte

// sample is one of the fifty. Loans are relative to the moment of loading, so
// that the app shows due and overdue books whenever somebody tries it.
type sample struct {
	Title      string   `json:"title"`
	Author     string   `json:"author"`
	ReaderName string   `json:"readerName"`
	DueInDays  *float64 `json:"dueInDays"`
	Favorites  []string `json:"favorites"`
}

// Samples loads fifty public-domain books into an empty catalogue. Safe for
// concurrent use; of two that load at once, the second finds it not empty.
type Samples struct {
	catalog *catalog.Catalog
	now     func() time.Time

	// loading is held while books are being added, because the catalogue is
	// empty only until the first of them is there. Load waits for it no longer
	// than the other Load takes; nothing else is locked under it.
	loading sync.Mutex
}

// NewSamples makes Samples for a catalogue. now may be nil for time.Now.
func NewSamples(c *catalog.Catalog, now func() time.Time) *Samples {
	if now == nil {
		now = time.Now
	}
	return &Samples{catalog: c, now: now}
}

// Load adds the samples and returns how many books they are. They are added
// as any book is, so connected clients see them arrive.
//
// Errors: catalog.CodeConflict when the catalogue is not empty, and those of
// catalog.Add and catalog.SetFavorite, after which a part is there.
func (s *Samples) Load(ctx context.Context, actor catalog.Actor) (int, error) {
	s.loading.Lock()
	defer s.loading.Unlock()
	if s.catalog.Stats().TotalBooks > 0 {
		return 0, &catalog.Error{Code: catalog.CodeConflict, Text: "The catalogue is not empty"}
	}
	var samples []sample
	if err := json.Unmarshal(sampleFile, &samples); err != nil {
		return 0, fmt.Errorf("reading the embedded sample data: %w", err)
	}
	now := s.now()
	for i, from := range samples {
		book, err := s.catalog.Add(ctx, actor, from.draft(now))
		if err != nil {
			return i, fmt.Errorf("adding the sample %q: %w", from.Title, err)
		}
		for _, userID := range from.Favorites {
			// Each favourite is that of its own reader, not of who loads the samples.
			reader := catalog.Actor{UserID: userID, Role: catalog.RoleReader}
			if _, err := s.catalog.SetFavorite(ctx, reader, book.ID, userID, true); err != nil {
				return i + 1, fmt.Errorf("adding a favourite of the sample %q: %w", from.Title, err)
			}
		}
	}
	return len(samples), nil
}

func (s sample) draft(now time.Time) catalog.Draft {
	draft := catalog.Draft{Title: s.Title, Author: s.Author}
	if s.DueInDays != nil {
		due := now.Add(time.Duration(*s.DueInDays * float64(24*time.Hour))).Truncate(time.Hour)
		draft.ReturnDateTime = &due
		draft.ReaderName = &s.ReaderName
	}
	return draft
}
