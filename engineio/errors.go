package engineio

import (
	"fmt"
	"net/http"
)

// The error codes that a refused request is answered with, as the official server numbers
// them. The protocol itself only asks for status 400 (Engine.IO protocol, Transports).
const (
	CodeUnknownTransport   = 0 // transport is missing, or not one of Options.Transports
	CodeUnknownSession     = 1 // no open session has the sid
	CodeBadHandshakeMethod = 2 // a handshake that is no GET
	CodeBadRequest         = 3 // anything else that breaks the protocol, or is too large
	CodeForbidden          = 4 // Options.CheckOrigin, AllowRequest or a limit on numbers said no
	CodeUnsupportedVersion = 5 // EIO is not 4
)

// RequestError is why a request is refused. It is answered as JSON {"code","message"}. It
// must not be changed once it is returned, so one may be returned many times.
//
// Options.AllowRequest may return one, wrapped or not, to choose status, message and
// headers, such as 503 with Retry-After when the server is full.
type RequestError struct {
	Code    int         // one of the constants CodeUnknownTransport and so on
	Message string      // shown to the client; empty: the text that belongs to Code
	Status  int         // HTTP status; 0: 403 for CodeForbidden, otherwise 400
	Header  http.Header // added to the answer
	Err     error       // the cause, for the log only
}

// Error says what went wrong, with the cause.
func (e *RequestError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.message(), e.Err)
	}
	return e.message()
}

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

func (e *RequestError) message() string {
	if e.Message != "" {
		return e.Message
	}
	switch e.Code {
	case CodeUnknownTransport:
		return "Transport unknown"
	case CodeUnknownSession:
		return "Session ID unknown"
	case CodeBadHandshakeMethod:
		return "Bad handshake method"
	case CodeForbidden:
		return "Forbidden"
	case CodeUnsupportedVersion:
		return "Unsupported protocol version"
	}
	return "Bad request"
}

func (e *RequestError) status() int {
	switch {
	case e.Status != 0:
		return e.Status
	case e.Code == CodeForbidden:
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}
