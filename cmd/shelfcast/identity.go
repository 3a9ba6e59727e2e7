package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/shelfcast/shelfcast/internal/auth"
)

// identity is what --auth names: who is believed, and what they may do.
type identity struct {
	authenticator auth.Authenticator
	policy        auth.Policy
	close         context.CancelFunc // ends what looks after the keys; never nil
}

// ignoresTokens tells whether somebody has said which tokens to believe, and not that any are asked for.
func (s *Settings) ignoresTokens() bool {
	return s.Auth != "jwt" && (s.JWTSecret != "" || s.JWKSURL != "" || s.JWTIssuer != "" || s.JWTAudience != "")
}

// openIdentity waits for the keys of --jwks-url, for a bounded time and no longer than starting, which
// bounds nothing later. tokenPolicy is what people with tokens may do and see.
func openIdentity(starting context.Context, s *Settings, tokenPolicy auth.Policy, logger *slog.Logger) (*identity, error) {
	if s.Auth != "jwt" {
		if s.ignoresTokens() {
			logger.Warn("tokens are not asked for, because --auth is demo: everyone may do everything")
		}
		return &identity{authenticator: auth.Demo{}, policy: auth.DemoPolicy(), close: func() {}}, nil
	}
	options := auth.TokenOptions{
		Secret: s.JWTSecret, Issuer: s.JWTIssuer, Audience: s.JWTAudience, ClockSkew: s.JWTClockSkew,
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(starting))
	if s.JWKSURL != "" {
		detach := context.AfterFunc(starting, cancel)
		keys, err := auth.NewKeySet(ctx, s.JWKSURL, logger)
		if !detach() {
			err = context.Cause(starting) // without it, a key set that has none would do
		}
		if err != nil {
			cancel()
			return nil, fmt.Errorf("--jwks-url: %w", err)
		}
		options.Keys = keys
	}
	tokens, err := auth.NewTokens(options)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("--auth jwt: %w", err)
	}
	return &identity{authenticator: tokens, policy: tokenPolicy, close: cancel}, nil
}

// checkIdentity checks what --auth jwt needs. No error holds the secret.
func (s *Settings) checkIdentity() []error {
	var wrong []error
	if s.JWTClockSkew < 0 {
		wrong = append(wrong, fmt.Errorf("--jwt-clock-skew: %s is less than none", s.JWTClockSkew))
	}
	if s.JWKSURL != "" {
		if err := checkKeysURL(s.JWKSURL); err != nil {
			wrong = append(wrong, fmt.Errorf("--jwks-url: %w", err))
		}
	}
	if s.Auth != "jwt" {
		return wrong
	}
	switch {
	case s.JWTSecret == "" && s.JWKSURL == "":
		wrong = append(wrong, errors.New("--auth jwt needs JWT_SECRET (or --jwt-secret), or --jwks-url"))
	case s.JWTSecret != "" && s.JWKSURL != "":
		wrong = append(wrong, errors.New("--jwt-secret (or JWT_SECRET) and --jwks-url: only one can say which tokens to believe"))
	case s.JWKSURL == "":
		if err := auth.CheckSecret(s.JWTSecret); err != nil {
			wrong = append(wrong, fmt.Errorf("--jwt-secret (or JWT_SECRET): %w", err))
		}
	}
	return wrong
}

// checkKeysURL refuses an address whose answer somebody on the way could replace: whoever gives
// the keys decides who is an owner.
func checkKeysURL(text string) error {
	parsed, err := url.Parse(text)
	switch {
	case err != nil || parsed.Host == "":
		return errors.New("this is not an address such as https://id.example.org/keys.json")
	case parsed.User != nil:
		return errors.New("the address must not hold a password")
	case parsed.Scheme == "https", parsed.Scheme == "http" && isLoopback(parsed.Hostname()):
		return nil
	}
	return errors.New("it must be https, unless it is this machine's own")
}
