package catalog

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// DecodeDraft reads the JSON object of a POST or PUT body. Unknown fields are passed over,
// since clients send whole books back; null counts as missing. Whether a title may be
// missing, and what a text may hold, is for the command to decide.
//
// Errors: CodeInvalidInput, with Error.Field when a field is at fault.
func DecodeDraft(body []byte) (Draft, error) {
	fields, err := decodeObject(body)
	if err != nil {
		return Draft{}, err
	}
	var draft Draft
	title, err := decodeText("title", fields["title"])
	if err != nil {
		return Draft{}, err
	}
	if title != nil {
		draft.Title = *title
	}
	author, err := decodeText("author", fields["author"])
	if err != nil {
		return Draft{}, err
	}
	if author != nil {
		draft.Author = *author
	}
	if draft.ReturnDateTime, err = decodeDate("returnDateTime", fields["returnDateTime"]); err != nil {
		return Draft{}, err
	}
	if draft.ReaderName, err = decodeText("readerName", fields["readerName"]); err != nil {
		return Draft{}, err
	}
	return draft, nil
}

// DecodePatch reads the JSON object of a PATCH body. Fields that are not title, author,
// returnDateTime or readerName are refused by name, but for userId, which belongs to the
// demo identity and not to the book. A title or author that is null is given as an empty
// text, which [Catalog.Patch] refuses.
//
// Errors: CodeInvalidInput, with Error.Field when a field is at fault.
func DecodePatch(body []byte) (BookPatch, error) {
	fields, err := decodeObject(body)
	if err != nil {
		return BookPatch{}, err
	}
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same body always gets the same answer
	var patch BookPatch
	for _, name := range names {
		raw := fields[name]
		switch name {
		case "title":
			patch.Title, err = decodeRequiredText(name, raw)
		case "author":
			patch.Author, err = decodeRequiredText(name, raw)
		case "returnDateTime":
			patch.ReturnDateTime.Present = true
			patch.ReturnDateTime.Value, err = decodeDate(name, raw)
		case "readerName":
			patch.ReaderName.Present = true
			patch.ReaderName.Value, err = decodeText(name, raw)
		case "userId":
		default:
			err = invalidField(shownName(name), "cannot be changed or is unknown")
		}
		if err != nil {
			return BookPatch{}, err
		}
	}
	return patch, nil
}

// shownName keeps a hostile field name short and printable in an answer.
func shownName(name string) string {
	quoted := strconv.QuoteToGraphic(cutText(name, 64))
	return quoted[1 : len(quoted)-1]
}

// decodeObject reads one JSON object and nothing behind it.
func decodeObject(body []byte) (map[string]json.RawMessage, error) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, &Error{Code: CodeInvalidInput, Text: textInvalidInput, Detail: "the body is not a JSON object"}
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(trimmed, &fields); err != nil {
		return nil, &Error{Code: CodeInvalidInput, Text: textInvalidInput, Detail: "the body is not valid JSON", Err: err}
	}
	return fields, nil
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// decodeText gives nil for a missing or null value.
func decodeText(field string, raw json.RawMessage) (*string, error) {
	if isNull(raw) {
		return nil, nil
	}
	if raw[0] != '"' {
		return nil, invalidField(field, "is not a string")
	}
	// encoding/json would replace both silently by U+FFFD.
	if !utf8.Valid(raw) || LoneSurrogate(raw) >= 0 {
		return nil, invalidField(field, "is not valid Unicode")
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return nil, invalidField(field, "is not a string")
	}
	return &text, nil
}

func decodeRequiredText(field string, raw json.RawMessage) (*string, error) {
	text, err := decodeText(field, raw)
	if err == nil && text == nil {
		text = new(string)
	}
	return text, err
}

// decodeDate gives nil for a missing, null or empty value.
func decodeDate(field string, raw json.RawMessage) (*time.Time, error) {
	text, err := decodeText(field, raw)
	if err != nil || text == nil {
		return nil, err
	}
	return parseDate(field, *text)
}

// LoneSurrogate looks through valid JSON for a \uD800 to \uDFFF escape that is not a high one
// followed by a low one (RFC 8259, section 8.2), which encoding/json would replace silently by
// U+FFFD. It returns the offset of the first one's backslash, or -1.
func LoneSurrogate(raw []byte) int {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' { // which valid JSON has in strings only
			continue
		}
		start := i
		i++ // the escaped character
		unit, ok := escapedUnit(raw, i)
		if !ok {
			continue
		}
		i += 4
		if unit < 0xD800 || unit > 0xDFFF {
			continue
		}
		if unit > 0xDBFF || i+2 >= len(raw) || raw[i+1] != '\\' {
			return start
		}
		low, ok := escapedUnit(raw, i+2)
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return start
		}
		i += 6
	}
	return -1
}

// escapedUnit reads the UTF-16 unit of the escape whose "u" is at i.
func escapedUnit(raw []byte, i int) (uint64, bool) {
	if i+4 >= len(raw) || raw[i] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
	return unit, err == nil
}
