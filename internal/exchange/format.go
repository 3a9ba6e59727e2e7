package exchange

import (
	"path/filepath"
	"strings"
)

// Format is the form of a file of books.
type Format string

// The formats.
const (
	JSON   Format = "json"   // an array of books, as books.json
	NDJSON Format = "ndjson" // a book a line
	CSV    Format = "csv"    // RFC 4180, with a header that names the columns
)

// FormatOf gives the format that a file's name stands for; JSON where it says nothing.
func FormatOf(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".ndjson", ".jsonl":
		return NDJSON
	case ".csv", ".tsv":
		return CSV
	}
	return JSON
}

// The columns of CSV. All but version are read too; it is the log that gives versions.
const (
	columnID             = "id"
	columnTitle          = "title"
	columnAuthor         = "author"
	columnReturnDateTime = "returnDateTime"
	columnReaderName     = "readerName"
	columnFavorites      = "favorites"
	columnCreatedAt      = "createdAt"
	columnUpdatedAt      = "updatedAt"
	columnVersion        = "version"
)

// columns are in the contract's order.
func columns() []string {
	return []string{columnID, columnTitle, columnAuthor, columnReturnDateTime, columnReaderName,
		columnFavorites, columnCreatedAt, columnUpdatedAt, columnVersion}
}

// problemColumn is what rejects carry besides; a reader passes over it.
const problemColumn = "problem"
