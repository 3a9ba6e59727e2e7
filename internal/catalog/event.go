package catalog

// Event is the name under which clients learn of a change.
type Event string

const (
	EventBookAdded       Event = "bookAdded"
	EventBookUpdated     Event = "bookUpdated"
	EventBookDeleted     Event = "bookDeleted"
	EventFavoriteUpdated Event = "favoriteUpdated"
)

// Applied is one change that clients learn of, ready to be sent.
type Applied struct {
	Position Position
	Event    Event
	BookID   int64
	UserID   string // whose favourite it is; "" for the other events
	// Payload is the event's JSON, encoded once: the whole book (for a deletion as it was), or
	// {"bookId":…,"favoritesCount":…}. Read-only.
	Payload []byte
}
