package catalog

import (
	"container/heap"
	"slices"
	"strings"
)

// Bounds of a [Query].
const (
	DefaultPageLimit = 100
	MaxPageLimit     = 1000
	// maxQueryLength and maxQueryWords bound the work for one book.
	maxQueryLength = 200
	maxQueryWords  = 16
)

// Query selects one page of books.
type Query struct {
	// Text: words that must all occur in title, author or reader name, whatever their case or
	// accents; "" selects everything. Only the first 200 code points and 16 words count.
	Text string
	// Sort: id (default), title, author, returnDateTime, readerName, favorites, createdAt or
	// updatedAt; with a leading "-" descending. Books without the value come last either way;
	// books with the same one are in the order of their ids (descending too, with "-").
	Sort string
	// Limit is the number of books on a page, 1 to MaxPageLimit; 0: DefaultPageLimit.
	Limit int
	// After continues behind a page: its Next, with the same Sort. "": the first page.
	After string
}

// Page is one page of books. It is immutable.
type Page struct {
	Books    []Book
	Total    int    // of books that the query selects, on all pages
	Next     string // cursor of the next page; "" on the last
	Position Position
	json     []byte
}

// JSON is the bare array of the page's books. Read-only.
func (p *Page) JSON() []byte { return p.json }

// Page answers a query from the current state as a view sees it: what it does not see is not
// searched, and not sorted by. A walk along Next sees every book whose sort
// value does not change meanwhile exactly once, whatever is added or deleted.
// Errors: CodeInvalidInput with the field sort, limit or after.
func (c *Catalog) Page(query Query, view View) (Page, error) {
	order, err := parseSort(query.Sort)
	if err == nil && !view.Sees(order.field) {
		err = errNoOrder()
	}
	if err != nil {
		return Page{}, err
	}
	limit := query.Limit
	if limit == 0 {
		limit = DefaultPageLimit
	}
	if limit < 1 || limit > MaxPageLimit {
		return Page{}, invalidField("limit", "is not from 1 to 1000")
	}
	var after *sortValue
	if query.After != "" {
		if after, err = parseCursor(query.After, order); err != nil {
			return Page{}, err
		}
	}

	snapshot := c.Snapshot()
	page := Page{Position: snapshot.position}
	words := searchWords(query.Text)
	// One more than the page holds tells whether there is a next one.
	best := bestPlaced{order: order, limit: limit + 1}
	for r := range snapshot.records() {
		if !r.matches(words, view) {
			continue
		}
		page.Total++
		value := order.valueOf(r)
		if after == nil || order.compare(value, *after) > 0 {
			best.offer(placed{value, r})
		}
	}
	chosen := best.sorted()
	if len(chosen) > limit {
		chosen = chosen[:limit]
		page.Next = formatCursor(order, chosen[limit-1].value)
	}
	records := make([]*record, len(chosen))
	page.Books = make([]Book, len(chosen))
	for i := range chosen {
		records[i] = chosen[i].record
		page.Books[i] = chosen[i].record.book
	}
	page.json = encodeArray(records, view)
	return page, nil
}

// searchWords splits a query's text into folded words.
func searchWords(text string) []string {
	words := strings.Fields(fold(cutText(text, maxQueryLength)))
	return words[:min(len(words), maxQueryWords)]
}

func (r *record) matches(words []string, view View) bool {
	if len(words) == 0 {
		return true
	}
	texts := r.foldedTexts()
	for _, word := range words {
		found := view&seesTitle != 0 && strings.Contains(texts.title, word) ||
			view&seesAuthor != 0 && strings.Contains(texts.author, word) ||
			view&seesReaderName != 0 && strings.Contains(texts.reader, word)
		if !found {
			return false
		}
	}
	return true
}

// placed is a book with its place in the order.
type placed struct {
	value  sortValue
	record *record
}

// bestPlaced keeps the first limit books of an order, as a heap with the last of them on top.
type bestPlaced struct {
	order sortOrder
	limit int
	heap  []placed
}

func (b *bestPlaced) offer(candidate placed) {
	if len(b.heap) < b.limit {
		heap.Push(b, candidate)
	} else if b.order.compare(candidate.value, b.heap[0].value) < 0 {
		b.heap[0] = candidate
		heap.Fix(b, 0)
	}
}

func (b *bestPlaced) sorted() []placed {
	slices.SortFunc(b.heap, func(x, y placed) int { return b.order.compare(x.value, y.value) })
	return b.heap
}

// The methods of heap.Interface.

func (b *bestPlaced) Len() int { return len(b.heap) }
func (b *bestPlaced) Less(i, j int) bool {
	return b.order.compare(b.heap[i].value, b.heap[j].value) > 0
}
func (b *bestPlaced) Swap(i, j int) { b.heap[i], b.heap[j] = b.heap[j], b.heap[i] }
func (b *bestPlaced) Push(x any)    { b.heap = append(b.heap, x.(placed)) }
func (b *bestPlaced) Pop() any {
	last := b.heap[len(b.heap)-1]
	b.heap = b.heap[:len(b.heap)-1]
	return last
}
