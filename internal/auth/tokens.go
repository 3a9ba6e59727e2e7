package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// MinSecretBytes is the least length of an HS256 secret: that of the hash (RFC 7518,
	// section 3.2). A shorter one can be found by trying.
	MinSecretBytes = 32
	// MaxTokenBytes is the longest token that is looked at. Real ones have some hundred bytes.
	MaxTokenBytes = 8 << 10
	// DefaultClockSkew is how far clocks may be apart where nothing else is said.
	DefaultClockSkew = 30 * time.Second
)

// TokenOptions says which tokens are believed. Exactly one of Secret and Keys is required.
type TokenOptions struct {
	Secret string  // for HS256
	Keys   *KeySet // for RS256, ES256 and EdDSA

	Issuer    string        // that a token must name; "": any or none
	Audience  string        // that a token must name; "": any or none
	ClockSkew time.Duration // believed either way for exp, nbf and iat; 0: none

	Now func() time.Time // nil: time.Now
}

// Tokens believes signed tokens and nothing else (contract, Identity, `--auth jwt`). The methods
// are safe for concurrent use.
type Tokens struct {
	parser *jwt.Parser
	key    func(context.Context) jwt.Keyfunc
	skew   time.Duration
}

var _ Authenticator = (*Tokens)(nil)

// NewTokens fails when the options do not say whom to believe, or a secret is too short. The
// error never holds the secret.
func NewTokens(o TokenOptions) (*Tokens, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	// The algorithms follow from the settings and never from the token, so that no token can have
	// a public key taken for a secret (RFC 8725, section 3.1).
	algorithms := []string{jwt.SigningMethodHS256.Alg()}
	key := func(context.Context) jwt.Keyfunc {
		return func(*jwt.Token) (any, error) { return []byte(o.Secret), nil }
	}
	if o.Keys != nil {
		algorithms = []string{jwt.SigningMethodRS256.Alg(), jwt.SigningMethodES256.Alg(), jwt.SigningMethodEdDSA.Alg()}
		key = o.Keys.keyfunc
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(o.ClockSkew),
		jwt.WithStrictDecoding(),
	}
	if o.Issuer != "" {
		options = append(options, jwt.WithIssuer(o.Issuer))
	}
	if o.Audience != "" {
		options = append(options, jwt.WithAudience(o.Audience))
	}
	if o.Now != nil {
		options = append(options, jwt.WithTimeFunc(o.Now))
	}
	return &Tokens{parser: jwt.NewParser(options...), key: key, skew: o.ClockSkew}, nil
}

func (o *TokenOptions) validate() error {
	switch {
	case o.Secret == "" && o.Keys == nil:
		return errors.New("neither a secret nor a set of keys says which tokens to believe")
	case o.Secret != "" && o.Keys != nil:
		return errors.New("a secret and a set of keys cannot both say which tokens to believe")
	case o.Keys == nil:
		return CheckSecret(o.Secret)
	}
	return nil
}

// CheckSecret refuses an HS256 secret that is too short. The error never holds the secret.
func CheckSecret(secret string) error {
	if len(secret) < MinSecretBytes {
		return fmt.Errorf("the secret has %d bytes and needs at least %d; `openssl rand -base64 32` makes a good one", len(secret), MinSecretBytes)
	}
	return nil
}

// claims are what we read of a token. Whoever signs decides over all others.
type claims struct {
	jwt.RegisteredClaims
	UserID string       `json:"userId,omitempty"` // the handbook's name for sub
	Role   catalog.Role `json:"role"`
}

// UnmarshalJSON takes the claims by their exact names (RFC 7519, section 10.1.1), which package
// json does not: a "Role" that means something else to whoever signs must not make an owner.
func (c *claims) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	known := map[string]any{
		"iss": &c.Issuer, "sub": &c.Subject, "aud": &c.Audience, "exp": &c.ExpiresAt, "nbf": &c.NotBefore,
		"iat": &c.IssuedAt, "jti": &c.ID, "userId": &c.UserID, "role": &c.Role,
	}
	for name, target := range known {
		if value, given := all[name]; given {
			if err := json.Unmarshal(value, target); err != nil {
				return fmt.Errorf("the claim %s: %w", name, err)
			}
		}
	}
	for _, date := range []*jwt.NumericDate{c.ExpiresAt, c.NotBefore, c.IssuedAt} {
		// Beyond, the library's numbers overflow: a distant nbf would lie in the past.
		if date != nil && (date.Year() < 0 || date.Year() > 9999) {
			return errors.New("a date is out of range")
		}
	}
	return nil
}

// Request reads the Authorization header (RFC 6750, section 2.1). What a body, a query or another
// header says of the sender does not count.
func (t *Tokens) Request(r *http.Request) (catalog.Actor, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return catalog.Actor{}, unauthenticated("a bearer token is needed", "no token")
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	if !found || len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return catalog.Actor{}, unauthenticated("a bearer token is needed", "no bearer token")
	}
	identity, err := t.identify(r.Context(), strings.TrimLeft(token, " "))
	return identity.Actor, err
}

// Claim lets nobody but the sender be named.
func (t *Tokens) Claim(actor catalog.Actor, userID string) (catalog.Actor, error) {
	if userID != "" && userID != actor.UserID {
		return catalog.Actor{}, forbidden()
	}
	return actor, nil
}

// Handshake reads auth.token, as the handbook's clients send it.
func (t *Tokens) Handshake(ctx context.Context, h Handshake) (Identity, error) {
	var presented struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(h.Auth, &presented); err != nil || presented.Token == "" {
		return Identity{}, unauthenticated("a token is needed", "no token")
	}
	return t.identify(ctx, presented.Token)
}

// Renew takes a later token of the same user.
func (t *Tokens) Renew(ctx context.Context, current catalog.Actor, token string) (Identity, error) {
	identity, err := t.identify(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	if identity.Actor.UserID != current.UserID {
		return Identity{}, unauthenticated("the token is somebody else's", "a token of another user")
	}
	return identity, nil
}

// identify says whose a token is. It costs no more for a bad one than for a good one.
func (t *Tokens) identify(ctx context.Context, token string) (Identity, error) {
	if len(token) > MaxTokenBytes {
		return Identity{}, refused("the token is too long")
	}
	if strings.ContainsAny(token, "\r\n") { // which package base64 skips (RFC 7515, section 2, has none)
		return Identity{}, refused("the token is malformed")
	}
	var found claims
	parsed, err := t.parser.ParseWithClaims(token, &found, t.checked(t.key(ctx)))
	if errors.Is(err, jwt.ErrTokenExpired) {
		return Identity{}, unauthenticated("the token has expired", "the token has expired")
	}
	if err != nil || !parsed.Valid {
		return Identity{}, refused(reasonOf(err))
	}
	actor, err := found.actor()
	if err != nil {
		return Identity{}, err
	}
	return Identity{Actor: actor, Expires: found.ExpiresAt.Time, Grace: t.skew}, nil
}

// checked refuses a header that means something we do not know before a key is looked up: another
// kind of token (RFC 8725, section 3.11), or extensions that must be understood (RFC 7515,
// section 4.1.11).
func (t *Tokens) checked(key jwt.Keyfunc) jwt.Keyfunc {
	return func(token *jwt.Token) (any, error) {
		if _, extended := token.Header["crit"]; extended {
			return nil, errUnknownExtension
		}
		if kind, given := token.Header["typ"]; given {
			name, _ := kind.(string)
			name = strings.TrimPrefix(strings.ToLower(name), "application/")
			if name != "jwt" && name != "at+jwt" {
				return nil, errOtherKind
			}
		}
		return key(token)
	}
}

var (
	errUnknownExtension = errors.New("the token has extensions that must be understood")
	errOtherKind        = errors.New("the token is of another kind")
)

// actor reads who it is. Every claim must be there and mean something here.
func (c *claims) actor() (catalog.Actor, error) {
	userID := c.Subject
	if userID == "" {
		userID = c.UserID
	}
	switch {
	case userID == "":
		return catalog.Actor{}, refused("the token names no user")
	case c.UserID != "" && c.UserID != userID:
		return catalog.Actor{}, refused("the token names two users")
	case catalog.ValidateUserID(userID) != nil:
		return catalog.Actor{}, refused("the token names a user id that cannot be")
	case c.Role != catalog.RoleReader && c.Role != catalog.RoleOwner:
		return catalog.Actor{}, refused("the token names no role that exists")
	}
	return catalog.Actor{UserID: userID, Role: c.Role}, nil
}

func refused(reason string) error { return unauthenticated("the token is not accepted", reason) }

// reasonOf puts the library's errors, some of which quote the token, into words of our own.
func reasonOf(err error) string {
	for _, known := range []struct {
		is     error
		reason string
	}{
		{errUnknownExtension, errUnknownExtension.Error()},
		{errOtherKind, errOtherKind.Error()},
		{errKeyUnknown, errKeyUnknown.Error()},
		{jwt.ErrTokenMalformed, "the token is malformed"},
		{jwt.ErrTokenRequiredClaimMissing, "the token lacks a claim"},
		{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "the token is from the future"},
		{jwt.ErrTokenInvalidIssuer, "the token is of another issuer"},
		{jwt.ErrTokenInvalidAudience, "the token is for another audience"},
		{jwt.ErrTokenSignatureInvalid, "the token's signature or algorithm is not accepted"},
		{jwt.ErrTokenUnverifiable, "the token's algorithm is not known"},
	} {
		if errors.Is(err, known.is) {
			return known.reason
		}
	}
	return "the token is not accepted"
}

// MintOptions say what a new token is to hold.
type MintOptions struct {
	Secret           string // at least MinSecretBytes
	Issuer, Audience string // "": left out
	Actor            catalog.Actor
	From             time.Time
	For              time.Duration // more than 0
}

// Mint makes an HS256 token that Tokens with the same settings believes. It fails when an option
// is one that Tokens would refuse.
func Mint(o MintOptions) (token string, expires time.Time, err error) {
	if err := CheckSecret(o.Secret); err != nil {
		return "", time.Time{}, err
	}
	if o.For <= 0 {
		return "", time.Time{}, fmt.Errorf("%s is no time for which a token could hold", o.For)
	}
	expires = o.From.Add(o.For).Truncate(time.Second)
	minted := claims{Role: o.Actor.Role, RegisteredClaims: jwt.RegisteredClaims{
		Subject: o.Actor.UserID, Issuer: o.Issuer,
		IssuedAt: jwt.NewNumericDate(o.From), ExpiresAt: jwt.NewNumericDate(expires),
	}}
	if o.Audience != "" {
		minted.Audience = jwt.ClaimStrings{o.Audience}
	}
	if _, err := minted.actor(); err != nil {
		return "", time.Time{}, errors.Unwrap(err)
	}
	token, err = jwt.NewWithClaims(jwt.SigningMethodHS256, minted).SignedString([]byte(o.Secret))
	return token, expires, err
}
