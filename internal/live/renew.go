package live

import (
	"context"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/socketio"
)

// expiry ends a connection when its token does. It belongs to the socket's
// handlers; only the timer's own function runs beside them.
type expiry struct {
	ends  time.Time // zero: never
	timer *time.Timer
}

// longestWait bounds one timer; until the end there may be many.
const longestWait = time.Hour

// start closes the socket's connection when the time is over, without telling
// the client to stay away: it comes back with a new token (contract, Identity).
func (x *expiry) start(s *socketio.Socket, now func() time.Time) {
	x.stop()
	if x.ends.IsZero() {
		return
	}
	ends := x.ends
	var timer *time.Timer
	timer = time.AfterFunc(longestWait, func() {
		// The clock decides and not the timer: a machine may sleep, a clock be set.
		left := ends.Sub(now())
		switch {
		case !s.Connected():
		case left <= 0:
			s.CloseConnection()
		default:
			timer.Reset(min(left, longestWait))
		}
	})
	timer.Reset(max(0, min(ends.Sub(now()), longestWait)))
	x.timer = timer
}

func (x *expiry) stop() {
	if x.timer != nil {
		x.timer.Stop()
	}
}

// renewed is the answer to `renew`.
type renewed struct {
	Exp int64 `json:"exp"` // seconds since 1970, as in the token
}

// renew goes on with a later token of the same user. What it says counts at
// once; after a refusal the former token counts until its end.
func (l *Live) renew(c *client, e *socketio.Event) (renewed, error) {
	exp, err := l.tryRenew(c, e)
	if err == nil || e.HasAck() {
		return renewed{Exp: exp}, err
	}
	// An `error` event has one of the contract's texts.
	if code := catalog.ErrorCode(err); code != catalog.CodeTooManyRequests && catalog.ErrorText(err) != invalidEventText {
		err = &catalog.Error{Code: catalog.CodeForbidden, Text: "Unauthorized access", Err: err}
	}
	return renewed{}, err
}

func (l *Live) tryRenew(c *client, e *socketio.Event) (exp int64, err error) {
	if err := l.admit(c.actor, c.address); err != nil {
		return 0, err
	}
	token, err := parseRenew(e.Args)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(e.Context(), commandTimeout)
	defer cancel()
	identity, err := l.authenticator.Renew(ctx, c.actor, token)
	if err != nil {
		l.logger.Info("a token was not renewed", "socket", c.socket.ID(), "user", c.actor.UserID, "error", err)
		return 0, err
	}
	l.setRole(c, identity.Actor.Role)
	c.expiry.ends = identity.Ends()
	c.expiry.start(c.socket, l.now)
	l.logger.Info("token renewed", "socket", c.socket.ID(), "user", c.actor.UserID, "role", c.actor.Role, "until", identity.Expires)
	return identity.Expires.Unix(), nil
}

// parseRenew reads the token, under exactly that name.
func parseRenew(args socketio.Args) (token string, err error) {
	var fields map[string]json.RawMessage
	if err := args.Decode(&fields); err != nil {
		return "", invalidEvent("must be an object")
	}
	if json.Unmarshal(fields["token"], &token) != nil || token == "" || utf8.RuneCountInString(token) > auth.MaxTokenBytes {
		return "", invalidEvent("must have a token")
	}
	return token, nil
}

// setRole lets a client have the rights of a role from now on, and no others.
func (l *Live) setRole(c *client, role catalog.Role) {
	if role == c.actor.Role {
		return
	}
	l.people.setRole(c, role)
	if l.policy.Check(c.actor, auth.ActionWatchDashboard) != nil {
		l.leaveDashboard(c)
	}
	l.peopleChanged()
}
