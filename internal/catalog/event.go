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
	// RequestID is which request asked for it, for the operator's log; "" when that is not known.
	RequestID string

	record *record // the book now, or as it was when deleted
	counts []byte  // the payload of a favoriteUpdated, which is the same in every view
}

// Payload is the event's JSON in a view, encoded once for it: the whole book (for a deletion as it
// was), or {"bookId":…,"favoritesCount":…}; nil if the view does not hear of it. Read-only.
func (a *Applied) Payload(view View) []byte {
	switch {
	case !view.Hears(a.Event):
		return nil
	case a.Event == EventFavoriteUpdated:
		return a.counts
	}
	return a.record.encoded(view)
}

func (e effect) applied(position Position, change *Change) Applied {
	applied := Applied{Position: position, Event: e.event, BookID: change.BookID, RequestID: change.RequestID, record: e.record}
	if e.event == EventFavoriteUpdated {
		applied.UserID = change.UserID
		applied.counts = favoritePayload(&e.record.book)
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
