package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/swaggest/jsonschema-go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// maxChangesBytes bounds an answer to ?since=. Above it, fetching everything is not much more.
const maxChangesBytes = 4 << 20

// booksOrChanges is what GET /books answers: the latter with ?since=.
type booksOrChanges struct{}

// JSONSchemaOneOf describes it.
func (booksOrChanges) JSONSchemaOneOf() []any { return []any{[]bookWire{}, changesWire{}} }

// PrepareJSONSchema takes back that it is an object, as the Go type is.
func (booksOrChanges) PrepareJSONSchema(schema *jsonschema.Schema) error {
	schema.Type = nil
	return nil
}

type changesWire struct {
	Position string           `json:"position" required:"true" example:"9f1c2a7b-42" description:"The state to which the changes lead."`
	Resync   bool             `json:"resync" required:"true" description:"The changes since then cannot be told: fetch all books."`
	Changes  []batchEntryWire `json:"changes" required:"true" nullable:"false" description:"The net effect since then, by rising position."`
	_        struct{}         `title:"What has changed" additionalProperties:"false"`
}

// changesSince answers what has changed since a position, under the names of the events.
func (a *API) changesSince(w http.ResponseWriter, c *call, query url.Values) error {
	from, err := catalog.ParsePosition(query.Get("since"))
	if err != nil {
		return invalidInput("since", "is not a position")
	}
	missed, err := a.options.Catalog.CatchUp(from, maxChangesBytes, c.view)
	resync := catalog.ErrorCode(err) == catalog.CodeResync
	if err != nil && !resync {
		return err
	}
	if resync {
		missed.Position = a.options.Catalog.Position()
	}
	answer := struct {
		Position string  `json:"position"`
		Resync   bool    `json:"resync"`
		Changes  []entry `json:"changes"`
	}{missed.Position.String(), resync, make([]entry, len(missed.Missed))}
	for i, change := range missed.Missed {
		answer.Changes[i] = entry{string(change.Event), change.Payload(c.view), change.Position.String()}
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set(headerPosition, answer.Position)
	return writeJSON(w, http.StatusOK, answer)
}

type entry struct {
	Event    string          `json:"event"`
	Data     json.RawMessage `json:"data"`
	Position string          `json:"position"`
}
