package catalog

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
)

// sortValue is a book's place in an order: its value, then its id. Two books never have the
// same place, so a cursor made of it skips and repeats nothing.
type sortValue struct {
	absent bool
	number int64
	text   string
	id     int64
}

// sortOrder is a field to sort by and a direction.
type sortOrder struct {
	field      string
	descending bool
}

func parseSort(sort string) (sortOrder, error) {
	order := sortOrder{field: sort}
	if field, found := strings.CutPrefix(sort, "-"); found {
		order = sortOrder{field: field, descending: true}
	}
	switch order.field {
	case "":
		if !order.descending {
			return sortOrder{field: "id"}, nil
		}
	case "id", "title", "author", "returnDateTime", "readerName", "favorites", "createdAt", "updatedAt":
		return order, nil
	}
	return sortOrder{}, errNoOrder()
}

func errNoOrder() error {
	return invalidField("sort", "is not a field that books can be sorted by")
}

func (o sortOrder) String() string {
	if o.descending {
		return "-" + o.field
	}
	return o.field
}

// valueOf gives a book's place; its field is one that parseSort accepted.
func (o sortOrder) valueOf(r *record) sortValue {
	value := sortValue{id: r.book.ID}
	switch o.field {
	case "title":
		value.text = r.foldedTexts().title
	case "author":
		value.text = r.foldedTexts().author
	case "readerName":
		value.text = r.foldedTexts().reader
		value.absent = r.book.ReaderName == nil
	case "returnDateTime":
		value.number, value.absent = milliseconds(r.book.ReturnDateTime), r.book.ReturnDateTime == nil
	case "favorites":
		value.number = int64(len(r.book.Favorites))
	case "createdAt":
		value.number = r.book.CreatedAt.UnixMilli()
	case "updatedAt":
		value.number = r.book.UpdatedAt.UnixMilli()
	}
	return value
}

func milliseconds(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMilli()
}

// compare tells which place comes first on a page; absent values are last either way.
func (o sortOrder) compare(a, b sortValue) int {
	if a.absent != b.absent {
		if a.absent {
			return 1
		}
		return -1
	}
	order := cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text), cmp.Compare(a.id, b.id))
	if o.descending {
		return -order
	}
	return order
}

// cursor is what [Query.After] holds, as JSON in URL-safe base64.
type cursor struct {
	Sort   string `json:"s"`
	Absent bool   `json:"a,omitempty"`
	Number int64  `json:"n,omitempty"`
	Text   string `json:"t,omitempty"`
	ID     int64  `json:"i"`
}

// maxCursorLength is above what a text of 255 code points of 4 bytes needs.
const maxCursorLength = 4096

func formatCursor(order sortOrder, value sortValue) string {
	// A struct of strings and numbers always encodes.
	encoded, _ := json.Marshal(cursor{order.String(), value.absent, value.number, value.text, value.id})
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// parseCursor reads what formatCursor wrote for the same order.
func parseCursor(text string, order sortOrder) (*sortValue, error) {
	if len(text) > maxCursorLength {
		return nil, invalidField("after", "is not a cursor")
	}
	encoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, invalidField("after", "is not a cursor")
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	var c cursor
	if err := decoder.Decode(&c); err != nil {
		return nil, invalidField("after", "is not a cursor")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalidField("after", "is not a cursor")
	}
	if c.Sort != order.String() {
		return nil, invalidField("after", "is a cursor of another order")
	}
	return &sortValue{absent: c.Absent, number: c.Number, text: c.Text, id: c.ID}, nil
}
