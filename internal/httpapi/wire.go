package httpapi

import (
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The types here are the wire: the contract's documents are generated from them, and what is
// answered but not encoded by the catalogue itself is encoded from them. A test holds every real
// answer against the schemas that they become.

type bookWire struct {
	ID             int64      `json:"id" required:"true" minimum:"1" maximum:"9007199254740991" example:"1703123456789" description:"Given by the server: unique, safe in JavaScript, rising."`
	Title          string     `json:"title" required:"true" minLength:"1" maxLength:"255" example:"Middlemarch" description:"Trimmed and cut to 255 code points."`
	Author         string     `json:"author" required:"true" minLength:"1" maxLength:"255" example:"George Eliot" description:"Trimmed and cut to 255 code points."`
	ReturnDateTime *time.Time `json:"returnDateTime" required:"true" description:"When the book comes back: RFC 3339, UTC with milliseconds, or null."`
	ReaderName     *string    `json:"readerName" required:"true" maxLength:"100" description:"Who has the book now, or null."`
	Favorites      []string   `json:"favorites" required:"true" nullable:"false" description:"The user ids whose favorite it is, in the order in which they chose it."`
	CreatedAt      time.Time  `json:"createdAt" required:"true" description:"RFC 3339, UTC with milliseconds."`
	UpdatedAt      time.Time  `json:"updatedAt" required:"true" description:"The last change of the book itself. Favorites do not count."`
	Version        uint64     `json:"version" required:"true" minimum:"1" description:"The position in the log of the book's last change. Favorites do not count."`
	_              struct{}   `title:"Book" additionalProperties:"false"`
}

type newBookWire struct {
	Title          string   `json:"title" required:"true" minLength:"1" example:"Middlemarch" description:"Trimmed and cut to 255 code points; no control characters."`
	Author         string   `json:"author" required:"true" minLength:"1" example:"George Eliot" description:"Trimmed and cut to 255 code points; no control characters."`
	ReturnDateTime *string  `json:"returnDateTime" example:"2024-12-25T14:30:00.000Z" description:"RFC 3339. An empty string is null."`
	ReaderName     *string  `json:"readerName" description:"Trimmed and cut to 100 code points. An empty string is null."`
	_              struct{} `title:"A book to add" description:"Other fields are ignored."`
}

type replaceBookWire struct {
	Title          *string  `json:"title" description:"Missing, null or empty keeps the old value."`
	Author         *string  `json:"author" description:"Missing, null or empty keeps the old value."`
	ReturnDateTime *string  `json:"returnDateTime" description:"RFC 3339. Missing, null or empty becomes null."`
	ReaderName     *string  `json:"readerName" description:"Missing, null or empty becomes null."`
	_              struct{} `title:"A book as it is to be" description:"Clients may send the whole book back: other fields are ignored."`
}

type patchBookWire struct {
	Title          string   `json:"title" minLength:"1" description:"The new title."`
	Author         string   `json:"author" minLength:"1" description:"The new author."`
	ReturnDateTime *string  `json:"returnDateTime" description:"RFC 3339. Null or empty becomes null."`
	ReaderName     *string  `json:"readerName" description:"Null or empty becomes null."`
	UserID         string   `json:"userId" description:"Who asks, if neither header nor query says so. Not a field of the book."`
	_              struct{} `title:"What is to change" description:"A JSON merge patch (RFC 7396). Other fields are refused by name." additionalProperties:"false"`
}

type favoriteWire struct {
	UserID string   `json:"userId" minLength:"1" maxLength:"128" example:"demoUser42" description:"Whose favorite. The X-User-Id header goes before it, the query's userId after it."`
	_      struct{} `title:"Whose favorite"`
}

type favoritesCountWire struct {
	FavoritesCount int      `json:"favoritesCount" required:"true" minimum:"0" description:"How many people have the book as a favorite now."`
	_              struct{} `title:"Favorites of one book" additionalProperties:"false"`
}

type messageWire struct {
	Message string   `json:"message" required:"true" example:"Book deleted successfully"`
	_       struct{} `title:"Done" additionalProperties:"false"`
}

type addedWire struct {
	Added int      `json:"added" required:"true" minimum:"0" description:"How many books were added."`
	_     struct{} `title:"Books added" additionalProperties:"false"`
}

type healthWire struct {
	Status string   `json:"status" required:"true" enum:"ok" description:"Always ok; anything else is a problem document."`
	_      struct{} `title:"Health" additionalProperties:"false"`
}

// DashboardStats is the object that owners watch: the answer of GET /stats and the payload of
// the dashboardStats event.
type DashboardStats struct {
	TotalBooks      int                    `json:"totalBooks"`
	TotalFavorites  int                    `json:"totalFavorites"`
	ConnectedOwners int                    `json:"connectedOwners"`
	MostFavorited   *catalog.MostFavorited `json:"mostFavorited"`
	Position        string                 `json:"position"`
}

// dashboardStatsWire describes DashboardStats, whose shape is the one that the live side has too.
type dashboardStatsWire struct {
	TotalBooks      int                `json:"totalBooks" required:"true" minimum:"0"`
	TotalFavorites  int                `json:"totalFavorites" required:"true" minimum:"0"`
	ConnectedOwners int                `json:"connectedOwners" required:"true" minimum:"0" description:"People who watch a dashboard now, not their connections."`
	MostFavorited   *mostFavoritedWire `json:"mostFavorited" required:"true" nullable:"true" description:"Null while no book is anybody's favorite."`
	Position        string             `json:"position" required:"true" example:"9f1c2a7b-42" description:"The state of the catalogue that the numbers describe."`
	_               struct{}           `title:"Dashboard statistics" additionalProperties:"false"`
}

type mostFavoritedWire struct {
	ID             int64    `json:"id" required:"true"`
	Title          string   `json:"title" required:"true"`
	FavoritesCount int      `json:"favoritesCount" required:"true" minimum:"1"`
	_              struct{} `title:"The book with the most favorites, or null" additionalProperties:"false"`
}

// problemWire is RFC 9457 with the handbook's error member besides.
type problemWire struct {
	Error  string    `json:"error" required:"true" example:"Book not found" description:"What went wrong, in the handbook's words."`
	Type   string    `json:"type" required:"true" example:"about:blank"`
	Title  string    `json:"title" required:"true" example:"Not Found" description:"The status in words."`
	Status int       `json:"status" required:"true" minimum:"400" maximum:"599" example:"404"`
	Detail string    `json:"detail,omitempty" description:"What exactly; names the field."`
	Code   string    `json:"code" required:"true" example:"not_found" description:"The kind of error, for programs."`
	Field  string    `json:"field,omitempty" description:"The field of the body, or the parameter, that was refused."`
	Book   *bookWire `json:"book,omitempty" description:"With 412: the book as it is now."`
	_      struct{}  `title:"Problem" description:"RFC 9457, with the handbook's error member besides." additionalProperties:"false"`
}
