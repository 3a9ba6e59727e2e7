package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// keyLifetime is how long an idempotency key stands for its request (contract, REST).
	keyLifetime = 24 * time.Hour
	// maxKeyLength bounds an idempotency key, in characters; clients send UUIDs.
	maxKeyLength = 255
)

// write runs a command and answers. With an Idempotency-Key it runs at most once for that key
// and user, and its repetitions get the first answer.
func (a *API) write(w http.ResponseWriter, c *call, answer func(catalog.Result) reply, command func(context.Context) (catalog.Result, error)) error {
	key, err := idempotencyKey(c.Request)
	if err != nil {
		return err
	}
	if key == "" {
		result, err := command(c.Context())
		if err != nil {
			return err
		}
		first := answer(result)
		first.send(w)
		return nil
	}
	if c.body == nil {
		// The call has no use for a body (DELETE of a book); what was sent tells requests apart all the same.
		if c.body, err = readWhole(w, c.Request, a.options.MaxBodyBytes); err != nil {
			return err
		}
	}
	claim := catalog.Claim{
		UserID: c.actor.UserID, Key: key, Fingerprint: fingerprint(c), Expires: a.options.Now().Add(keyLifetime),
	}
	encode := func(result catalog.Result) []byte { return encodeReply(answer(result)) }
	stored, err := a.options.Catalog.Once(c.Context(), claim, encode, command)
	if err != nil {
		return err
	}
	known, err := decodeReply(stored)
	if err != nil {
		return err
	}
	known.send(w)
	return nil
}

// idempotencyKey reads the header; "" when there is none.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(headerIdempotencyKey)
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	isPlain := !strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' })
	if len(values) > 1 || key == "" || len(key) > maxKeyLength || !isPlain {
		return "", invalidInput(headerIdempotencyKey, "must be 1 to 255 printable ASCII characters")
	}
	return key, nil
}

// fingerprint tells requests apart: what is asked for, of what, under which condition, and by whom
// as to what the answer may show: a user may have lost a role since the first time.
func fingerprint(c *call) [sha256.Size]byte {
	hash := sha256.New()
	parts := []string{c.Method, c.URL.Path, c.URL.RawQuery, strings.Join(c.Header.Values("If-Match"), ",")}
	if tag := c.view.Tag(); tag != "" {
		parts = append(parts, tag)
	}
	for _, part := range parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part) // a hash takes everything
	}
	hash.Write(c.body)
	return [sha256.Size]byte(hash.Sum(nil))
}

// encodeReply writes the head as JSON, a line end, and the body as it is.
func encodeReply(r reply) []byte {
	head, err := json.Marshal(r)
	if err != nil { // strings and a number always encode
		return nil
	}
	return append(append(head, '\n'), r.body...)
}

var errBrokenReply = errors.New("a stored answer cannot be read")

func decodeReply(stored []byte) (reply, error) {
	head, body, found := bytes.Cut(stored, []byte{'\n'})
	var r reply
	if !found {
		return r, errBrokenReply
	}
	if err := json.Unmarshal(head, &r); err != nil {
		return r, errors.Join(errBrokenReply, err)
	}
	r.body = body
	return r, nil
}
