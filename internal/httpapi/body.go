package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// object is a JSON object as it came, one raw value for each name.
type object map[string]json.RawMessage

// maxNamedField is the longest field name, in bytes, that an answer repeats.
const maxNamedField = 64

// acceptableContentType takes a missing Content-Type as JSON, since the body decides anyway; a
// page of another site cannot make use of that (see crossOrigin).
func acceptableContentType(header string, allowed []string) bool {
	if strings.TrimSpace(header) == "" {
		return true
	}
	mediaType, params, err := mime.ParseMediaType(header)
	if err != nil {
		return false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return false
	}
	return slices.Contains(allowed, mediaType)
}

// readBody reads a request's body whole before anything is decided, so that a refused request
// has changed nothing. What it returns for an empty optional body is an empty object.
func readBody(w http.ResponseWriter, r *http.Request, limit int64, expected requestBody) ([]byte, error) {
	body, err := readWhole(w, r, limit)
	if err != nil {
		return nil, err
	}
	if expected.optional && len(bytes.TrimSpace(body)) == 0 {
		return []byte("{}"), nil
	}
	// RFC 9110 section 8.4: a coding that is not supported is answered like a type that is not.
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, unsupportedMediaType("the body may not be compressed")
	}
	if !acceptableContentType(r.Header.Get("Content-Type"), expected.contentTypes) {
		return nil, unsupportedMediaType("the body must be " + strings.Join(expected.contentTypes, " or "))
	}
	return body, nil
}

func readWhole(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, invalidInput("", "the body could not be read whole")
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return &catalog.Error{
		Code:   catalog.CodeTooLarge,
		Detail: "the body may have " + strconv.FormatInt(limit, 10) + " bytes",
	}
}

func unsupportedMediaType(detail string) error {
	return &catalog.Error{Code: catalog.CodeUnsupportedMediaType, Detail: detail}
}

// parseObject is stricter than encoding/json where that would store something other than what
// was sent: text that is not UTF-8 is refused rather than replaced, and so is a name that comes
// twice (RFC 8259 section 4 calls what receivers make of that unpredictable). Depth is bounded by
// encoding/json. What the fields of a book may hold is for the catalogue.
func parseObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, invalidInput("", "the body is not valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	opening, err := decoder.Token()
	if err != nil {
		return nil, invalidInput("", "the body is not valid JSON")
	}
	if opening != json.Delim('{') {
		return nil, invalidInput("", "the body must be a JSON object")
	}
	fields := object{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		if err != nil || !isName {
			return nil, invalidInput("", "the body is not valid JSON")
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, invalidInput("", "the body is not valid JSON")
		}
		if _, twice := fields[name]; twice {
			if len(name) > maxNamedField { // an answer must not be as long as what it refuses
				return nil, invalidInput("", "a field of the body is there twice")
			}
			return nil, invalidInput(name, "is there twice")
		}
		fields[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, invalidInput("", "the body is not valid JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalidInput("", "the body goes on after its JSON object")
	}
	return fields, nil
}

// userID returns the body's userId; "" when there is none.
func (o object) userID() (string, error) {
	raw := o["userId"]
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	var id string
	if err := json.Unmarshal(raw, &id); err != nil {
		return "", invalidInput("userId", "is not a string")
	}
	// encoding/json turns half a surrogate pair into U+FFFD without a word. Two such ids must not
	// become one user, and nobody's id has that character on purpose.
	if strings.ContainsRune(id, utf8.RuneError) {
		return "", invalidInput("userId", "is not valid Unicode")
	}
	if id == "" {
		return "", invalidInput("userId", "is empty")
	}
	return id, nil
}
