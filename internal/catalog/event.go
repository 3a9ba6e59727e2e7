package catalog

import "strconv"

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
	// RequestID is which request asked for it, for the operator's log; "" when that is not known.
	RequestID string
}

func (e effect) applied(position Position, change *Change) Applied {
	applied := Applied{Position: position, Event: e.event, BookID: change.BookID, RequestID: change.RequestID}
	if e.event == EventFavoriteUpdated {
		applied.UserID = change.UserID
		applied.Payload = favoritePayload(&e.record.book)
	} else {
		applied.Payload = e.record.encoded()
	}
	return applied
}

func favoritePayload(book *Book) []byte {
	payload := make([]byte, 0, 64)
	payload = append(payload, `{"bookId":`...)
	payload = strconv.AppendInt(payload, book.ID, 10)
	payload = append(payload, `,"favoritesCount":`...)
	payload = strconv.AppendInt(payload, int64(len(book.Favorites)), 10)
	return append(payload, '}')
}
