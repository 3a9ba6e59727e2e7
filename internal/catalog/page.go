package catalog

// Bounds of [Query.Limit].
const (
	DefaultPageLimit = 100
	MaxPageLimit     = 1000
)

// Query selects one page of books.
type Query struct {
	// Text: words that must all occur in title, author or reader name, whatever their case or
	// accents; "" selects everything. Only the first 200 code points count.
	Text string
	// Sort: id (default), title, author, returnDateTime, readerName, favorites, createdAt or
	// updatedAt; with a leading "-" descending. Books without the value come last either way.
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

// Page answers a query from the current state. A walk along Next sees every book whose sort
// value does not change meanwhile exactly once, whatever is added or deleted.
// Errors: CodeInvalidInput with the field q, sort, limit or after.
func (c *Catalog) Page(query Query) (Page, error) { return Page{}, errNotBuilt }
