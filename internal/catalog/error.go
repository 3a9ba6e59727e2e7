package catalog

import (
	"errors"
	"fmt"
)

// Code says what kind of failure an [Error] is, so that each transport can map it with
// one table (HTTP status, Socket.IO answer).
type Code string

const (
	// CodeInvalidInput: a value has the wrong type or form; Error.Field names it.
	CodeInvalidInput Code = "invalid_input"
	// CodeTitleAndAuthorRequired: a title or an author is missing or empty.
	CodeTitleAndAuthorRequired Code = "title_and_author_required"
	// CodeNotFound: there is no such book.
	CodeNotFound Code = "not_found"
	// CodeConflict: the key was changed by somebody else; Error.Current is its sequence now.
	CodeConflict Code = "conflict"
	// CodeKeyReused: an idempotency key stands for another request already.
	CodeKeyReused Code = "idempotency_key_reused"
	// CodePreconditionFailed: the book is not the version that the caller named; Error.Book
	// is the book as it is now.
	CodePreconditionFailed Code = "precondition_failed"
	// CodeUnavailable: the log cannot be written or read now, or this catalogue is not
	// running. Whether a change that was under way is stored is not known.
	CodeUnavailable Code = "unavailable"
	// CodeUnauthenticated: nobody knows who is asking.
	CodeUnauthenticated Code = "unauthenticated"
	// CodeForbidden: the asking person may not do this.
	CodeForbidden Code = "forbidden"
	// CodeTooLarge: the input is larger than the limit.
	CodeTooLarge Code = "too_large"
	// CodeUnsupportedMediaType: the input is in a format that is not understood.
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	// CodeTooManyRequests: a limit on the number of requests, or of writers that wait, is reached.
	CodeTooManyRequests Code = "too_many_requests"
	// CodeResync: what was missed since a position cannot be told; everything has to be read
	// afresh. The cause (errors.Is) is ErrOtherEpoch, ErrFuturePosition, ErrBelowHorizon or
	// ErrTooMuchMissed.
	CodeResync Code = "resync"
	// CodeInternal: everything else; the cause is for the operator's log only.
	CodeInternal Code = "internal"
)

// The texts that the handbook and the contract promise to clients.
const (
	textInvalidInput           = "Invalid input"
	textTitleAndAuthorRequired = "Title and author are required"
	textNotFound               = "Book not found"
	textConflict               = "The book was changed at the same time"
	textPreconditionFailed     = "The book has changed since it was read"
	textKeyReused              = "The idempotency key was used for another request"
	textUnavailable            = "The catalogue cannot be written at the moment"
	textTooManyWriters         = "Too many changes to this book are waiting"
	textResync                 = "What changed since that position cannot be told"
	textInternal               = "Internal server error"
)

// Error is the one error type of the domain. It is wrapped with %w on its way up;
// [ErrorCode] and [ErrorText] read it through any number of wraps.
type Error struct {
	Code  Code
	Text  string // safe to show to anybody
	Field string // the input field that is at fault, "" if none is
	// Detail says what is wrong with Field, in words that are safe to show; may be "".
	Detail string
	// Book is the current book, with CodePreconditionFailed only.
	Book *Book
	// Current is the key's last sequence, with CodeConflict only; 0 if the log could not tell
	// (a key that was never written is in conflict with every Expect but 0).
	Current Sequence
	// Err is the cause, for logs; never shown to clients. May be nil.
	Err error
}

// Error gives the whole story for an operator's log, cause included.
func (e *Error) Error() string {
	s := e.Text
	if s == "" {
		s = string(e.Code)
	}
	if e.Field != "" {
		s += ": " + e.Field
		if e.Detail != "" {
			s += " " + e.Detail
		}
	}
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode gives the code of the first [Error] in err's chain, "" for nil, and
// [CodeInternal] for an error of anybody else.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// ErrorText gives a text that is safe to show to anybody: that of the first [Error] in
// err's chain, a general one for an error of anybody else, "" for nil.
func ErrorText(err error) string {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) && e.Text != "" {
		return e.Text
	}
	return textInternal
}

// Unavailable makes the error that a [Log] returns when it cannot be written or read now.
func Unavailable(cause error) error {
	return &Error{Code: CodeUnavailable, Text: textUnavailable, Err: cause}
}

// Conflict makes the error that a [Log] returns when Write.Expect is stale: current is the
// last sequence of the key, 0 if the log cannot tell.
func Conflict(current Sequence) error {
	return &Error{Code: CodeConflict, Text: textConflict, Current: current}
}

// KeyReused makes the error for an idempotency key that stands for another request.
func KeyReused() error {
	return &Error{Code: CodeKeyReused, Text: textKeyReused}
}

// NotFound makes the error for a book that does not exist.
func NotFound() error {
	return &Error{Code: CodeNotFound, Text: textNotFound}
}

func invalidField(field, detail string) error {
	return &Error{Code: CodeInvalidInput, Text: textInvalidInput, Field: field, Detail: detail}
}

func titleAndAuthorRequired(field string) error {
	return &Error{
		Code: CodeTitleAndAuthorRequired, Text: textTitleAndAuthorRequired,
		Field: field, Detail: "is missing or empty",
	}
}
