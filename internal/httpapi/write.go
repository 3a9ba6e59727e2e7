package httpapi

import (
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
	book, err := a.options.Catalog.Add(c.Context(), c.actor, draft)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/books/"+strconv.FormatInt(book.ID, 10))
	a.writeBook(w, http.StatusCreated, &book)
	return nil
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
	book, err := a.options.Catalog.Replace(c.Context(), c.actor, id, draft, precondition)
	if err != nil {
		return err
	}
	a.writeBook(w, http.StatusOK, &book)
	return nil
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
	book, err := a.options.Catalog.Patch(c.Context(), c.actor, id, patch, precondition)
	if err != nil {
		return err
	}
	a.writeBook(w, http.StatusOK, &book)
	return nil
}

func (a *API) deleteBook(w http.ResponseWriter, c *call) error {
	id, precondition, err := target(c.Request)
	if err != nil {
		return err
	}
	if _, err := a.options.Catalog.Delete(c.Context(), c.actor, id, precondition); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, messageWire{Message: "Book deleted successfully"})
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

func (a *API) writeBook(w http.ResponseWriter, status int, book *catalog.Book) {
	w.Header().Set("ETag", book.ETag(a.options.Catalog.Epoch()))
	w.Header().Set("Cache-Control", "no-store")
	writeBody(w, status, "application/json", book.AppendJSON(nil))
}

func (a *API) toggleFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(id int64) (int, error) {
		return a.options.Catalog.ToggleFavorite(c.Context(), c.actor, id, c.actor.UserID)
	})
}

func (a *API) giveFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(id int64) (int, error) {
		return a.options.Catalog.SetFavorite(c.Context(), c.actor, id, c.actor.UserID, true)
	})
}

func (a *API) takeFavorite(w http.ResponseWriter, c *call) error {
	return a.favorite(w, c, func(id int64) (int, error) {
		return a.options.Catalog.SetFavorite(c.Context(), c.actor, id, c.actor.UserID, false)
	})
}

// favorite is about the asking user's own favourite: a favourite of nobody is not one.
func (a *API) favorite(w http.ResponseWriter, c *call, change func(id int64) (int, error)) error {
	id, err := bookID(c.Request)
	if err != nil {
		return err
	}
	if c.actor.UserID == "" {
		return invalidInput("userId", "is missing")
	}
	count, err := change(id)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, favoritesCountWire{FavoritesCount: count})
}
