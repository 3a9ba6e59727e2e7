package httpapi

import "github.com/swaggest/jsonschema-go"

// What goes over Socket.IO besides the objects of wire.go. internal/live sends and reads it; the
// AsyncAPI document describes it from here.

type favoriteUpdatedWire struct {
	BookID         int64    `json:"bookId" required:"true" minimum:"1" maximum:"9007199254740991"`
	FavoritesCount int      `json:"favoritesCount" required:"true" minimum:"0"`
	_              struct{} `title:"Favorites of a book" additionalProperties:"false"`
}

type userStatusWire struct {
	Total int          `json:"total" required:"true" minimum:"0" description:"How many people are connected."`
	Users []onlineUser `json:"users" required:"true" nullable:"false" maxItems:"200"`
	_     struct{}     `title:"Who is online" additionalProperties:"false"`
}

type onlineUser struct {
	UserID      string   `json:"userId" required:"true"`
	Role        string   `json:"role" required:"true" enum:"reader,owner"`
	Connections int      `json:"connections" required:"true" minimum:"1"`
	_           struct{} `title:"A connected person" additionalProperties:"false"`
}

type batchEntryWire struct {
	Event    string   `json:"event" required:"true" enum:"bookAdded,bookUpdated,bookDeleted,favoriteUpdated"`
	Data     any      `json:"data" required:"true" description:"What the event alone would carry."`
	Position string   `json:"position" required:"true" example:"9f1c2a7b-42"`
	_        struct{} `title:"One change of a batch" additionalProperties:"false"`
}

type syncedWire struct {
	Position  string   `json:"position" required:"true" example:"9f1c2a7b-42"`
	Recovered bool     `json:"recovered" required:"true" description:"Whether what was missed came as events just before."`
	Missed    int      `json:"missed" required:"true" minimum:"0" description:"How many events were replayed."`
	_         struct{} `title:"Up to date" additionalProperties:"false"`
}

type serviceStatusWire struct {
	Writable bool     `json:"writable" required:"true" description:"Whether a change would be stored. While it would not, changes are refused; it heals by itself."`
	AsOf     *string  `json:"asOf" required:"true" format:"date-time" description:"When what this node shows was last known to be the newest there is; null: it is."`
	Detail   string   `json:"detail,omitempty" example:"the disk is full" description:"What is wrong."`
	_        struct{} `title:"How the node does" additionalProperties:"false"`
}

// customEventWire is the handbook's schema. Numbers that no book can have fit it: they are answered
// like a book that does not exist. A test of the program holds what it says against what is answered.
type customEventWire struct {
	BookID int64    `json:"bookId" required:"true" pattern:"^-?[0-9]+$" example:"1703123456789" description:"A whole number, or its digits."`
	Action string   `json:"action" required:"true" enum:"favorite,unfavorite" example:"favorite"`
	_      struct{} `title:"A favorite, asked for over the socket" additionalProperties:"false"`
}

// PrepareJSONSchema adds what the Go type cannot say.
func (customEventWire) PrepareJSONSchema(schema *jsonschema.Schema) error {
	schema.Properties["bookId"].TypeObject.AddType(jsonschema.String)
	return nil
}

type customEventAnswerWire struct {
	FavoritesCount *int     `json:"favoritesCount,omitempty" minimum:"0" description:"How many favorites the book has now."`
	Error          string   `json:"error,omitempty" example:"Book not found" description:"Why nothing was changed."`
	_              struct{} `title:"Answer to customEvent" additionalProperties:"false" minProperties:"1" maxProperties:"1"`
}

type renewWire struct {
	Token string   `json:"token" required:"true" minLength:"1" maxLength:"8192" example:"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.…"`
	_     struct{} `title:"A later token"`
}

type renewAnswerWire struct {
	Exp   *int64   `json:"exp,omitempty" example:"1735137000" description:"When the token ends, in seconds since 1970."`
	Error string   `json:"error,omitempty" example:"Authentication error" description:"Why the former token still counts."`
	_     struct{} `title:"Answer to renew" additionalProperties:"false" minProperties:"1" maxProperties:"1"`
}
