package catalog

import (
	"slices"
	"strconv"
	"sync/atomic"
)

// View is what somebody may see of the catalogue: a set of a book's fields and of events. Whatever
// leaves the catalogue as JSON is made for a view, so nothing can be sent to a role without its
// view being named. The zero View sees nothing. Views are compared with ==, and those that differ
// are the visibility classes of the contract (Events). A View never changes.
type View uint16

// The fields of a book's wire form, in its order, and the events.
const (
	seesID View = 1 << iota
	seesTitle
	seesAuthor
	seesReturnDateTime
	seesReaderName
	seesFavorites
	seesCreatedAt
	seesUpdatedAt
	seesVersion

	hearsBookAdded
	hearsBookUpdated
	hearsBookDeleted
	hearsFavoriteUpdated

	endOfViews
)

// fieldNames are those of the first bits, in their order.
func fieldNames() []string {
	return []string{"id", "title", "author", "returnDateTime", "readerName", "favorites", "createdAt", "updatedAt", "version"}
}

// WholeView sees everything: it is the operator's own, for files of the data directory.
func WholeView() View { return endOfViews - 1 }

// NewView sees the fields and events of these names and nothing else. Names that are none of the
// catalogue's add nothing.
func NewView(fields []string, events []Event) View {
	var view View
	for i, name := range fieldNames() {
		if slices.Contains(fields, name) {
			view |= 1 << i
		}
	}
	for _, event := range events {
		view |= hearing(event)
	}
	return view
}

// Sees tells whether a field of a book is part of the view.
func (v View) Sees(field string) bool {
	i := slices.Index(fieldNames(), field)
	return i >= 0 && v&(1<<i) != 0
}

// Hears tells whether an event is.
func (v View) Hears(event Event) bool { return v&hearing(event) != 0 }

func hearing(event Event) View {
	switch event {
	case EventBookAdded:
		return hearsBookAdded
	case EventBookUpdated:
		return hearsBookUpdated
	case EventBookDeleted:
		return hearsBookDeleted
	case EventFavoriteUpdated:
		return hearsFavoriteUpdated
	}
	return 0
}

// Tag tells views apart in entity tags: a browser that somebody else signs in on keeps the answers
// to whoever went before. "" for WholeView.
func (v View) Tag() string {
	if v == WholeView() {
		return ""
	}
	return "-" + viewMark + strconv.FormatUint(uint64(v), 16)
}

// viewMark begins the part of an entity tag that is a view's; the others are numbers.
const viewMark = "v"

// perView keeps a value for each view that was asked for. There are as many as there are classes
// of roles, so a list is searched faster than anything else. The zero value is ready, and safe for
// concurrent use.
type perView[T any] struct{ first atomic.Pointer[viewed[T]] }

type viewed[T any] struct {
	view  View
	next  *viewed[T]
	value T
}

// find gives the value of a view, nil if there is none yet.
func (p *perView[T]) find(view View) *T {
	for one := p.first.Load(); one != nil; one = one.next {
		if one.view == view {
			return &one.value
		}
	}
	return nil
}

// keep gives the value of a view, and value becomes it if there is none yet.
func (p *perView[T]) keep(view View, value T) *T {
	for {
		first := p.first.Load()
		if known := p.find(view); known != nil {
			return known
		}
		added := &viewed[T]{view: view, next: first, value: value}
		if p.first.CompareAndSwap(first, added) {
			return &added.value
		}
	}
}

// of gives the value of a view, a zero one at first.
func (p *perView[T]) of(view View) *T {
	if known := p.find(view); known != nil {
		return known
	}
	var zero T
	return p.keep(view, zero)
}
