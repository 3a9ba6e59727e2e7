package auth

import (
	"context"
	"net/http"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// HeaderUserID is how a REST client says who it is where nobody has to prove it.
const HeaderUserID = "X-User-Id"

// Demo believes what people say of themselves (contract, Identity, `--auth demo`). It is for
// trying the product out and for a machine that only its owner reaches. The zero value is ready.
type Demo struct{}

// Request takes the X-User-Id header, else the query's userId; neither leaves the actor without
// a name. Over REST nobody has a role in demo, so everybody has the lowest, and DemoPolicy lets
// that one do everything.
func (Demo) Request(r *http.Request) (catalog.Actor, error) {
	userID := r.Header.Get(HeaderUserID)
	if userID == "" && r.URL.RawQuery != "" {
		userID = r.URL.Query().Get("userId")
	}
	return named(catalog.Actor{Role: catalog.RoleReader}, userID)
}

// Claim lets the body name whoever was not named before.
func (Demo) Claim(actor catalog.Actor, userID string) (catalog.Actor, error) {
	if actor.UserID != "" {
		return actor, nil
	}
	return named(actor, userID)
}

// Handshake takes userId and role from the query, as the handbook's clients send them. A missing
// role is a reader; a role that does not exist is refused rather than guessed at.
func (Demo) Handshake(_ context.Context, h Handshake) (Identity, error) {
	role := catalog.RoleReader
	switch given := h.Query.Get("role"); given {
	case "", string(catalog.RoleReader):
	case string(catalog.RoleOwner):
		role = catalog.RoleOwner
	default:
		return Identity{}, &catalog.Error{
			Code: catalog.CodeInvalidInput, Text: invalidInputText,
			Field: "role", Detail: "must be reader or owner",
		}
	}
	actor, err := named(catalog.Actor{Role: role}, h.Query.Get("userId"))
	return Identity{Actor: actor}, err
}

// Renew is refused: people are who they say they are, and that does not end.
func (Demo) Renew(context.Context, catalog.Actor, string) (Identity, error) {
	return Identity{}, &catalog.Error{Code: catalog.CodeInvalidInput, Text: "This server does not use tokens"}
}

// named gives the actor a user id that the contract allows, or leaves it without one.
func named(actor catalog.Actor, userID string) (catalog.Actor, error) {
	if userID == "" {
		return actor, nil
	}
	if err := catalog.ValidateUserID(userID); err != nil {
		return catalog.Actor{}, err
	}
	actor.UserID = userID
	return actor, nil
}
