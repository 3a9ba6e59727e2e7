package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func (a *API) addBook(w http.ResponseWriter, c *call) error {
	draft, err := catalog.DecodeDraft(c.body)
	if err != nil {
		return err
	}
	return a.write(w, c, a.answerCreated(c), func(ctx context.Context) (catalog.Result, error) {
		return a.resultOf(a.options.Catalog.Add(ctx, c.actor, draft))
	})
}

func (a *API) replaceBook(w http.ResponseWriter, c *call) error {
	id, precondition, err := target(c.Request)
	if err != nil {
		return err
	}
	draft, err := catalog.DecodeDraft(c.body)
	if err != nil {
		return err
	}
	return a.write(w, c, a.answerBook(c), func(ctx context.Context) (catalog.Result, error) {
		return a.resultOf(a.options.Catalog.Replace(ctx, c.actor, id, draft, precondition))
	})
}

func (a *API) patchBook(w http.ResponseWriter, c *call) error {
	id, precondition, err := target(c.Request)
	if err != nil {
		return err
	}
	patch, err := catalog.DecodePatch(c.body)
	if err != nil {
		return err
	}
	return a.write(w, c, a.answerBook(c), func(ctx context.Context) (catalog.Result, error) {
		return a.resultOf(a.options.Catalog.Patch(ctx, c.actor, id, patch, precondition))
	})
}

func (a *API) deleteBook(w http.ResponseWriter, c *call) error {
	id, precondition, err := target(c.Request)
	if err != nil {
		return err
	}
	return a.write(w, c, answerDeleted, func(ctx context.Context) (catalog.Result, error) {
		return a.options.Catalog.Delete(ctx, c.actor, id, precondition)
	})
}

func (a *API) loadSamples(w http.ResponseWriter, c *call) error {
	added := 0
	answer := func(catalog.Result) reply {
		return jsonReply(http.StatusCreated, a.options.Catalog.Position(), addedWire{Added: added})
	}
	return a.write(w, c, answer, func(context.Context) (_ catalog.Result, err error) {
		// The call's own context: these are many changes, and the claim is none of theirs.
		added, err = a.options.Samples(c.Context(), c.actor)
		return catalog.Result{}, err
	})
}

// resultOf is the result of a command that gives a book.
func (a *API) resultOf(book catalog.Book, err error) (catalog.Result, error) {
	position := catalog.Position{Epoch: a.options.Catalog.Epoch(), Sequence: book.Version}
	return catalog.Result{Book: book, Position: position}, err
}

// target reads which book a write is about and what the sender requires of it.
func target(r *http.Request) (int64, *catalog.Precondition, error) {
	id, err := bookID(r)
	if err != nil {
		return 0, nil, err
	}
	header := strings.Join(r.Header.Values("If-Match"), ",")
	if r.Header["If-Match"] != nil && strings.Trim(header, " \t,") == "" {
		// Whoever sends one means to be careful: without a tag that must not become carelessness.
		return 0, nil, invalidInput("If-Match", "is empty")
	}
	precondition, err := catalog.ParseIfMatch(header)
	return id, precondition, err
}

func (a *API) toggleFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(ctx context.Context, id int64) (catalog.Result, error) {
		return a.options.Catalog.ToggleFavorite(ctx, c.actor, id, c.actor.UserID)
	})
}

func (a *API) giveFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(ctx context.Context, id int64) (catalog.Result, error) {
		return a.options.Catalog.SetFavorite(ctx, c.actor, id, c.actor.UserID, true)
	})
}

func (a *API) takeFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(ctx context.Context, id int64) (catalog.Result, error) {
		return a.options.Catalog.SetFavorite(ctx, c.actor, id, c.actor.UserID, false)
	})
}

// favorite is about the asking user's own favourite: a favourite of nobody is not one.
func (a *API) favorite(w http.ResponseWriter, c *call, change func(context.Context, int64) (catalog.Result, error)) error {
	id, err := bookID(c.Request)
	if err != nil {
		return err
	}
	if c.actor.UserID == "" {
		return invalidInput("userId", "is missing")
	}
	return a.write(w, c, answerFavorite(c.view), func(ctx context.Context) (catalog.Result, error) { return change(ctx, id) })
}

// reply is the answer to a write that succeeded: what a repetition gets again, byte for byte.
type reply struct {
	Status   int    `json:"status"`
	Position string `json:"position"`
	ETag     string `json:"etag,omitempty"`
	Location string `json:"location,omitempty"`

	body []byte
}

// answerBook and the other answers tell whoever asks what they see of the result.
func (a *API) answerBook(c *call) func(catalog.Result) reply {
	return func(result catalog.Result) reply {
		return reply{
			Status: http.StatusOK, Position: result.Position.String(),
			ETag: result.Book.ETag(a.options.Catalog.Epoch(), c.view), body: result.Book.AppendJSON(nil, c.view),
		}
	}
}

func (a *API) answerCreated(c *call) func(catalog.Result) reply {
	answerBook := a.answerBook(c)
	return func(result catalog.Result) reply {
		answer := answerBook(result)
		answer.Status = http.StatusCreated
		answer.Location = "/books/" + strconv.FormatInt(result.Book.ID, 10)
		return answer
	}
}

func answerDeleted(result catalog.Result) reply {
	return jsonReply(http.StatusOK, result.Position, messageWire{Message: "Book deleted successfully"})
}

func answerFavorite(view catalog.View) func(catalog.Result) reply {
	return func(result catalog.Result) reply {
		if !view.Hears(catalog.EventFavoriteUpdated) {
			return jsonReply(http.StatusOK, result.Position, struct{}{})
		}
		return jsonReply(http.StatusOK, result.Position, favoritesCountWire{FavoritesCount: result.FavoritesCount})
	}
}

func jsonReply(status int, position catalog.Position, value any) reply {
	encoded, err := json.Marshal(value)
	if err != nil { // a string or a number always encodes
		encoded = []byte("{}")
	}
	return reply{Status: status, Position: position.String(), body: encoded}
}

func (r *reply) send(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set(headerPosition, r.Position)
	if r.ETag != "" {
		h.Set("ETag", r.ETag)
	}
	if r.Location != "" {
		h.Set("Location", r.Location)
	}
	writeBody(w, r.Status, "application/json", r.body)
}
