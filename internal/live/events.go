package live

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// commandTimeout bounds how long a client's event may wait for the log.
const commandTimeout = 10 * time.Second

// listen registers what a client may say (contract, Events). Every event for
// which a client wants an acknowledgement gets one, unknown ones included.
func (l *Live) listen(c *client) {
	c.socket.OnAny(func(e *socketio.Event) {
		_, known := l.sends[e.Name]
		if known {
			l.meter.Received(e.Name)
		} else {
			l.meter.Received(UnknownEvent)
		}
		if !known && !e.HasAck() {
			return // as the official server: nobody listens
		}
		result, err := l.perform(c, e)
		l.answer(c, e, result, err)
		if l.policy.View(c.actor.Role) != c.view {
			// A new token shows more or less of what the client holds already: it is to come back
			// and fetch that.
			c.socket.CloseConnection()
		}
	})
}

// perform does what a client's event asks for, if the permission table lets it.
func (l *Live) perform(c *client, e *socketio.Event) (any, error) {
	action, known := l.sends[e.Name]
	if !known {
		return nil, errUnknownEvent()
	}
	if err := l.policy.Check(c.actor, action); err != nil {
		l.refused(c.address, c.actor.UserID, e.Name, err)
		return nil, err
	}
	switch e.Name {
	case "ownerJoinDashboard":
		return struct{}{}, l.joinDashboard(c)
	case "ownerLeaveDashboard":
		l.leaveDashboard(c)
		return struct{}{}, nil
	case "customEvent":
		return l.customEvent(c, e)
	case "renew":
		return l.renew(c, e)
	}
	return nil, errUnknownEvent()
}

// sendable is what clients may send at all, and what each event is to the
// permission table.
func sendable() map[string]auth.Action {
	sends := make(map[string]auth.Action)
	for _, permission := range auth.Permissions() {
		for _, event := range permission.Sends {
			sends[event] = permission.Action
		}
	}
	return sends
}

func errUnknownEvent() error {
	return &catalog.Error{Code: catalog.CodeInvalidInput, Text: "Unknown event"}
}

type favoritesCount struct {
	FavoritesCount int `json:"favoritesCount"`
}

// customEvent gives or takes back a favourite, as the same command over REST,
// and counts against the same limits.
func (l *Live) customEvent(c *client, e *socketio.Event) (any, error) {
	if err := l.admit(c.actor, c.address); err != nil {
		return nil, err
	}
	bookID, on, err := parseCustomEvent(e.Args)
	if err == nil {
		err = requireName(c.actor)
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(catalog.WithRequestID(e.Context(), rand.Text()), commandTimeout)
	defer cancel()
	l.logger.Debug("event", "name", e.Name, "socket", c.socket.ID(), "request", catalog.RequestID(ctx))
	result, err := l.catalog.SetFavorite(ctx, c.actor, bookID, c.actor.UserID, on)
	if err != nil || !c.view.Hears(catalog.EventFavoriteUpdated) {
		return struct{}{}, err
	}
	return favoritesCount{FavoritesCount: result.FavoritesCount}, nil
}

// parseCustomEvent accepts what the handbook's schema does, as /asyncapi.json
// describes it: exactly bookId, a whole number (that schema also takes one
// written as a string: its digits), and action. A number that can be no id is a
// book that does not exist.
func parseCustomEvent(args socketio.Args) (bookID int64, on bool, err error) {
	var fields map[string]json.RawMessage
	if err := args.Decode(&fields); err != nil || fields == nil {
		return 0, false, invalidEvent("must be an object")
	}
	var action string
	if json.Unmarshal(fields["action"], &action) != nil || action != "favorite" && action != "unfavorite" {
		return 0, false, invalidEvent("action must be favorite or unfavorite")
	}
	if len(fields) != 2 {
		return 0, false, invalidEvent("must have bookId and action and nothing else")
	}
	text := string(fields["bookId"])
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(fields["bookId"], &text); err != nil {
			return 0, false, invalidEvent("bookId must be a number")
		}
		if digits := strings.TrimPrefix(text, "-"); digits == "" || strings.Trim(digits, "0123456789") != "" {
			return 0, false, invalidEvent("bookId must be a number")
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || number != math.Trunc(number) {
		return 0, false, invalidEvent("bookId must be a whole number")
	}
	if number < 1 || number > float64(catalog.MaxBookID) {
		return 0, false, catalog.NotFound()
	}
	return int64(number), action == "favorite", nil
}
