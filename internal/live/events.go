package live

import (
	"context"
	"encoding/json"
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
		var result any = struct{}{}
		var err error
		switch e.Name {
		case "ownerJoinDashboard":
			err = l.joinDashboard(c)
		case "ownerLeaveDashboard":
			err = l.leaveDashboard(c)
		case "customEvent":
			result, err = l.customEvent(c, e)
		case "renew":
			err = errNoTokens(e.HasAck())
		default:
			if !e.HasAck() {
				return // as the official server: nobody listens
			}
			err = errUnknownEvent()
		}
		l.answer(c, e, result, err)
	})
}

func errUnknownEvent() error {
	return &catalog.Error{Code: catalog.CodeInvalidInput, Text: "Unknown event"}
}

// errNoTokens answers `renew` while people are who they say they are. An
// `error` event has one of the contract's texts, and so no room for the reason.
func errNoTokens(acknowledged bool) error {
	if !acknowledged {
		return &catalog.Error{Code: catalog.CodeForbidden, Text: "Unauthorized access"}
	}
	return &catalog.Error{Code: catalog.CodeInvalidInput, Text: "This server does not use tokens"}
}

type favoritesCount struct {
	FavoritesCount int `json:"favoritesCount"`
}

// customEvent gives or takes back a favourite, as the same command over REST,
// and counts against the same limits.
func (l *Live) customEvent(c *client, e *socketio.Event) (favoritesCount, error) {
	if err := l.admit(c.actor, c.socket.Handshake().Address); err != nil {
		return favoritesCount{}, err
	}
	bookID, on, err := parseCustomEvent(e.Args)
	if err == nil {
		err = requireName(c.actor)
	}
	if err == nil {
		err = l.policy.Check(c.actor, auth.ActionFavorite)
	}
	if err != nil {
		return favoritesCount{}, err
	}
	ctx, cancel := context.WithTimeout(e.Context(), commandTimeout)
	defer cancel()
	result, err := l.catalog.SetFavorite(ctx, c.actor, bookID, c.actor.UserID, on)
	return favoritesCount{FavoritesCount: result.FavoritesCount}, err
}

// parseCustomEvent accepts what the handbook's schema does: exactly bookId, a
// number (that schema also takes one written as a string), and action. A
// whole number that can be no id is a book that does not exist.
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
		text = strings.TrimSpace(text)
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) || number != math.Trunc(number) {
		return 0, false, invalidEvent("bookId must be a whole number")
	}
	if number < 1 || number > float64(catalog.MaxBookID) {
		return 0, false, catalog.NotFound()
	}
	return int64(number), action == "favorite", nil
}
