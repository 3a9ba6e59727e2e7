package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// readyTimeout bounds how long a probe waits for the log.
const readyTimeout = 5 * time.Second

func (a *API) stats(w http.ResponseWriter, c *call) error {
	if err := a.options.Policy.CheckWhole(c.actor, "dashboardStats"); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, a.options.Stats())
}

// alive answers as long as the process answers anything: it must not depend on the disk, or a
// full disk would get the process killed instead of mended.
func (a *API) alive(w http.ResponseWriter, _ *call) error {
	w.Header().Set("Cache-Control", "no-store")
	return writeJSON(w, http.StatusOK, healthWire{Status: "ok"})
}

// whyNotReady says to the prober what the log says to everybody.
func whyNotReady(ctx context.Context, err error) string {
	var known *catalog.Error
	switch {
	case ctx.Err() != nil:
		return "the log has not answered in time"
	case errors.As(err, &known):
		return known.Detail
	}
	return ""
}

// sayAge tells how many seconds old an answer is that may not be the newest (RFC 9111, section 5.1):
// this node then stands between the log and the client as a cache does.
func (a *API) sayAge(w http.ResponseWriter) {
	if age := a.options.Age(); age > 0 {
		w.Header().Set(headerAge, strconv.FormatInt(int64(age.Seconds()), 10))
	}
}

// ready answers 200 only when a write would succeed.
func (a *API) ready(w http.ResponseWriter, c *call) error {
	if a.leaving.Load() {
		return &catalog.Error{Code: catalog.CodeUnavailable, Text: "The server is shutting down"}
	}
	ctx, cancel := context.WithTimeout(c.Context(), readyTimeout)
	defer cancel()
	a.sayAge(w)
	if err := a.options.Ready(ctx); err != nil {
		return &catalog.Error{Code: catalog.CodeUnavailable, Text: "A write would not succeed now", Detail: whyNotReady(ctx, err), Err: err}
	}
	return a.alive(w, c)
}
