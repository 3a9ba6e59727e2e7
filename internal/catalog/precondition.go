package catalog

// Precondition is what a caller requires of a book before changing it (HTTP If-Match).
type Precondition struct {
	Any      bool       // any existing version will do (If-Match: *)
	Versions []Position // one of these: the log's epoch and the book's version
}

// ParseIfMatch reads an If-Match header of book entity tags (see [Book.ETag]); nil for "".
// Tags that are not ours, weak ones included, are well-formed but match nothing
// (RFC 9110, section 13.1.1).
//
// Errors: CodeInvalidInput for a header that is not a list of entity tags.
func ParseIfMatch(header string) (*Precondition, error) { return nil, errNotBuilt }
