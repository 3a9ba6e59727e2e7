package httpapi

import (
	"net/http"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The groups in which the documents list the calls.
const (
	tagBooks     = "Books"
	tagFavorites = "Favorites"
	tagOperation = "Operation"
	tagDocuments = "Documents"
)

// contractRoutes is the contract's REST table.
func (a *API) contractRoutes() []route {
	routes := a.bookRoutes()
	routes = append(routes, a.favoriteRoutes()...)
	routes = append(routes, a.operationRoutes()...)
	routes = append(routes, a.monitoringRoutes()...)
	routes = append(routes, a.connectionRoutes()...)
	return append(routes, a.backupRoutes()...)
}

func (a *API) bookRoutes() []route {
	plainJSON := []string{"application/json"}
	return []route{
		{
			method: http.MethodGet, pattern: "/books", id: "listBooks", tag: tagBooks,
			summary: "All books, a page of them, or what has changed",
			detail:  "With since, the answer is what has changed since that position. Without parameters the answer is the whole catalogue by id, with an ETag, compressed if the client accepts gzip. With any of the others it is one page, with X-Total-Count and, but on the last page, a Link to the next.",
			input:   listParameters{},
			headers: []string{"If-None-Match"},
			responses: []response{
				{status: http.StatusOK, description: "The books, or what has changed.", wire: booksOrChanges{}, headers: []string{"ETag", headerPosition, "Link", headerTotalCount, headerAge}},
				{status: http.StatusNotModified, description: "Nothing has changed since the ETag.", headers: []string{headerAge}},
			},
			ages:   true,
			errors: []catalog.Code{catalog.CodeInvalidInput},
			handle: a.listBooks,
		},
		{
			method: http.MethodGet, pattern: "/books/{id}", id: "getBook", tag: tagBooks,
			summary: "One book",
			input:   bookParameters{},
			headers: []string{"If-None-Match"},
			responses: []response{
				{status: http.StatusOK, description: "The book.", wire: bookWire{}, headers: []string{"ETag", headerAge}},
				{status: http.StatusNotModified, description: "It has not changed since the ETag, nor have its favorites.", headers: []string{headerAge}},
			},
			ages:   true,
			errors: []catalog.Code{catalog.CodeNotFound},
			handle: a.getBook,
		},
		{
			method: http.MethodPost, pattern: "/books", id: "addBook", tag: tagBooks,
			summary: "Add a book",
			writes:  true,
			body:    &requestBody{wire: newBookWire{}, contentTypes: plainJSON},
			responses: []response{
				{status: http.StatusCreated, description: "The new book.", wire: bookWire{}, headers: []string{"Location", "ETag"}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeTitleAndAuthorRequired},
			handle: a.addBook,
		},
		{
			method: http.MethodPut, pattern: "/books/{id}", id: "replaceBook", tag: tagBooks,
			summary: "Replace a book",
			detail:  "A missing or empty title or author keeps its value; a missing returnDateTime or readerName becomes null.",
			writes:  true,
			input:   bookParameters{}, headers: []string{"If-Match"},
			body: &requestBody{wire: replaceBookWire{}, contentTypes: plainJSON},
			responses: []response{
				{status: http.StatusOK, description: "The book as it is now.", wire: bookWire{}, headers: []string{"ETag"}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeNotFound, catalog.CodeConflict, catalog.CodePreconditionFailed},
			handle: a.replaceBook,
		},
		{
			method: http.MethodPatch, pattern: "/books/{id}", id: "patchBook", tag: tagBooks,
			summary: "Change some fields of a book",
			writes:  true,
			input:   bookParameters{}, headers: []string{"If-Match"},
			body: &requestBody{wire: patchBookWire{}, contentTypes: []string{"application/merge-patch+json", "application/json"}},
			responses: []response{
				{status: http.StatusOK, description: "The book as it is now.", wire: bookWire{}, headers: []string{"ETag"}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeTitleAndAuthorRequired, catalog.CodeNotFound, catalog.CodeConflict, catalog.CodePreconditionFailed},
			handle: a.patchBook,
		},
		{
			method: http.MethodDelete, pattern: "/books/{id}", id: "deleteBook", tag: tagBooks,
			summary: "Delete a book and its favorites",
			writes:  true,
			input:   bookParameters{}, headers: []string{"If-Match"},
			responses: []response{
				{status: http.StatusOK, description: "It is gone.", wire: messageWire{}},
			},
			errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeNotFound, catalog.CodeConflict, catalog.CodePreconditionFailed},
			handle: a.deleteBook,
		},
		{
			method: http.MethodPost, pattern: "/samples", id: "loadSamples", tag: tagBooks,
			summary: "Fill an empty catalogue with sample books",
			writes:  true,
			responses: []response{
				{status: http.StatusCreated, description: "They are there.", wire: addedWire{}},
			},
			errors: []catalog.Code{catalog.CodeConflict},
			handle: a.loadSamples,
		},
	}
}

func (a *API) favoriteRoutes() []route {
	base := route{
		pattern: "/books/{id}/favorite", tag: tagFavorites,
		writes: true,
		input:  favoriteParameters{},
		body:   &requestBody{wire: favoriteWire{}, contentTypes: []string{"application/json"}, optional: true, identifies: true},
		responses: []response{
			{status: http.StatusOK, description: "How many favorites the book has now.", wire: favoritesCountWire{}},
		},
		errors: []catalog.Code{catalog.CodeInvalidInput, catalog.CodeNotFound, catalog.CodeConflict},
	}
	toggle, give, take := base, base, base
	toggle.method, toggle.id, toggle.handle = http.MethodPost, "toggleFavorite", a.toggleFavorite
	toggle.summary = "Toggle one's favorite, as the handbook's clients do"
	give.method, give.id, give.handle = http.MethodPut, "giveFavorite", a.giveFavorite
	give.summary = "Make a book one's favorite"
	take.method, take.id, take.handle = http.MethodDelete, "takeFavorite", a.takeFavorite
	take.summary = "Make a book one's favorite no longer"
	return []route{toggle, give, take}
}

func (a *API) operationRoutes() []route {
	return []route{
		{
			method: http.MethodGet, pattern: "/stats", id: "stats", tag: tagOperation,
			summary: "The dashboard's numbers",
			responses: []response{
				{status: http.StatusOK, description: "What owners see live as dashboardStats.", wire: dashboardStatsWire{}, headers: []string{headerAge}},
			},
			ages:   true,
			handle: a.stats,
		},
		{
			method: http.MethodGet, pattern: "/healthz", id: "alive", tag: tagOperation,
			summary: "Whether the process answers",
			responses: []response{
				{status: http.StatusOK, description: "It does.", wire: healthWire{}},
			},
			handle: a.alive,
		},
		{
			method: http.MethodGet, pattern: "/readyz", id: "ready", tag: tagOperation,
			summary: "Whether a write would succeed",
			responses: []response{
				{status: http.StatusOK, description: "It would.", wire: healthWire{}},
			},
			errors: []catalog.Code{catalog.CodeUnavailable},
			handle: a.ready,
		},
	}
}
