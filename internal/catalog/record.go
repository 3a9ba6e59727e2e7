package catalog

import "sync/atomic"

// record is one state of one book. It never changes, so readers use it without a lock; its
// two caches are filled by whoever needs them first.
type record struct {
	book   Book
	json   perView[[]byte]
	folded atomic.Pointer[foldedTexts]
}

// foldedTexts are the searchable texts of a book without case and accents.
type foldedTexts struct{ title, author, reader string }

func newRecord(book Book) *record { return &record{book: book} }

// encoded gives the book's wire form in a view and keeps it, for the events that tell of it. Two
// first callers may both encode; the bytes are equal.
func (r *record) encoded(view View) []byte {
	if known := r.json.find(view); known != nil {
		return *known
	}
	return *r.json.keep(view, r.book.AppendJSON(make([]byte, 0, r.sizeHint()), view))
}

// appendTo appends the wire form, and keeps nothing: the chunks hold it already for most books.
func (r *record) appendTo(dst []byte, view View) []byte {
	if known := r.json.find(view); known != nil {
		return append(dst, *known...)
	}
	return r.book.AppendJSON(dst, view)
}

// sizeHint estimates the wire form's length: the fixed parts, and texts without escapes.
func (r *record) sizeHint() int {
	size := 240 + len(r.book.Title) + len(r.book.Author)
	if r.book.ReaderName != nil {
		size += len(*r.book.ReaderName)
	}
	for _, userID := range r.book.Favorites {
		size += len(userID) + 3
	}
	return size
}

func (r *record) foldedTexts() *foldedTexts {
	if known := r.folded.Load(); known != nil {
		return known
	}
	texts := &foldedTexts{title: fold(r.book.Title), author: fold(r.book.Author)}
	if r.book.ReaderName != nil {
		texts.reader = fold(*r.book.ReaderName)
	}
	r.folded.Store(texts)
	return texts
}
