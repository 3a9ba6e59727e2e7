package auth

import (
	"errors"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The texts that clients see, fixed by the contract and by the handbook's security section.
const (
	forbiddenText       = "Unauthorized access"
	invalidInputText    = "Invalid input"
	unauthenticatedText = "Authentication error"
)

func forbidden() error {
	return &catalog.Error{Code: catalog.CodeForbidden, Text: forbiddenText}
}

// unauthenticated says little to whoever is refused and the reason to the log. Neither ever holds
// a part of what was presented: a token is a secret, and its parts are a stranger's words.
func unauthenticated(detail, reason string) error {
	return &catalog.Error{Code: catalog.CodeUnauthenticated, Text: unauthenticatedText, Detail: detail, Err: errors.New(reason)}
}
