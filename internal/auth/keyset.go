package auth

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

// How the keys of a JWKS URL are kept. All bounds hold whatever the other side does, and whatever
// key ids strangers put into tokens.
const (
	keysRefresh    = 15 * time.Minute // a key that was withdrawn is believed for no longer
	keysTimeout    = 10 * time.Second
	keysMaxBytes   = 256 << 10
	unknownKeyEach = 10 * time.Second // an unknown key id causes at most one request in this time
	unknownKeyWait = 5 * time.Second
)

// KeySet is the public keys that a JWKS URL (RFC 7517) publishes, fetched when it is made and from
// then on every 15 minutes; a key id that is not known fetches them at once, at most every
// 10 seconds. While the URL does not answer, the keys known so far count. Safe for concurrent use.
type KeySet struct{ keys keyfunc.Keyfunc }

// NewKeySet waits for the first answer, at most 10 seconds or until ctx ends; without one it is
// logged and tried again. The goroutine that fetches later ends with ctx.
func NewKeySet(ctx context.Context, url string, logger *slog.Logger) (*KeySet, error) {
	logger.Info("asking for the keys for tokens", "within", keysTimeout)
	keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{url}, keyfunc.Override{
		Client: &http.Client{
			Transport: &boundedBody{next: &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10}},
			// Where the keys come from decides who is believed: nobody else may name another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPTimeout:       keysTimeout,
		RateLimitWaitMax:  unknownKeyWait,
		RefreshInterval:   keysRefresh,
		RefreshUnknownKID: rate.NewLimiter(rate.Every(unknownKeyEach), 1),
		RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
			return func(_ context.Context, err error) {
				logger.Error("the keys for tokens cannot be fetched; those known so far count", "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	return &KeySet{keys: keys}, nil
}

var errKeyUnknown = errors.New("the token's key is not known")

func (k *KeySet) keyfunc(ctx context.Context) jwt.Keyfunc {
	find := k.keys.KeyfuncCtx(ctx)
	return func(token *jwt.Token) (any, error) {
		key, err := find(token)
		if err != nil {
			return nil, errKeyUnknown // the cause quotes the token
		}
		return key, nil
	}
}

// boundedBody cuts answers that are longer than any set of keys.
type boundedBody struct{ next http.RoundTripper }

func (b *boundedBody) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body := response.Body
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, keysMaxBytes), body}
	return response, nil
}
