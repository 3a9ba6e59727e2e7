package catalog

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// cleanText trims a text, refuses what no text may hold and cuts it to limit code points.
// It gives the same result when applied to its own result. "" means there is none.
func cleanText(field, text string, limit int) (string, error) {
	if !utf8.ValidString(text) {
		return "", invalidField(field, "is not valid Unicode")
	}
	text = strings.TrimFunc(text, isTrimmed)
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", invalidField(field, "holds a control character")
	}
	return strings.TrimRightFunc(cutText(text, limit), isTrimmed), nil
}

// isTrimmed matches what String.prototype.trim of JavaScript removes (ECMAScript, WhiteSpace
// and LineTerminator), so that a browser and the server agree on when a text is empty.
func isTrimmed(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' }

// cutText keeps the first limit code points.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text // a code point is at least one byte
	}
	count := 0
	for i := range text {
		if count == limit {
			return text[:i]
		}
		count++
	}
	return text
}

func cleanTitle(title string) (string, error)   { return cleanText("title", title, MaxTitleLength) }
func cleanAuthor(author string) (string, error) { return cleanText("author", author, MaxTitleLength) }

// cleanReader gives nil for nobody.
func cleanReader(name *string) (*string, error) {
	if name == nil {
		return nil, nil
	}
	text, err := cleanText("readerName", *name, MaxReaderNameLength)
	if err != nil || text == "" {
		return nil, err
	}
	return &text, nil
}

// cleanDate brings a date to UTC and whole milliseconds; nil stays nil.
func cleanDate(field string, date *time.Time) (*time.Time, error) {
	if date == nil {
		return nil, nil
	}
	t := wholeMilliseconds(*date)
	// RFC 3339, section 5.6: date-fullyear has four digits. Only the zone can lead out of it.
	if t.Year() < 0 || t.Year() > 9999 {
		return nil, invalidField(field, "is out of range")
	}
	return &t, nil
}

// cleanStamp is cleanDate for a time that is zero where there is none.
func cleanStamp(field string, stamp time.Time) (time.Time, error) {
	date, err := cleanDate(field, &stamp)
	if err != nil {
		return time.Time{}, err
	}
	return *date, nil
}

func wholeMilliseconds(t time.Time) time.Time {
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// parseDate reads RFC 3339; "" is no date.
func parseDate(field, text string) (*time.Time, error) {
	text = strings.TrimFunc(text, isTrimmed)
	if text == "" {
		return nil, nil
	}
	// RFC 3339, section 5.6, allows "t" and "z" in lower case; package time does not.
	text = strings.ToUpper(text)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || !hasDateShape(text) {
		return nil, invalidField(field, "is not an RFC 3339 date and time")
	}
	return cleanDate(field, &t)
}

// hasDateShape checks what package time is lenient about (golang.org/issue/54580): an hour of
// one digit, a comma before the fraction, and a zone beyond 23:59.
func hasDateShape(text string) bool {
	const seconds = len("2006-01-02T15:04:05")
	if len(text) <= seconds || text[len("2006-01-02T15")] != ':' || text[seconds] == ',' {
		return false
	}
	if strings.HasSuffix(text, "Z") {
		return true
	}
	zone := text[len(text)-len("07:00"):]
	return zone[:2] <= "23" && zone[3:] <= "59"
}

// ValidateUserID accepts 1 to [MaxUserIDLength] code points without control characters.
// Errors: CodeInvalidInput with the field userId.
func ValidateUserID(userID string) error {
	switch {
	case userID == "":
		return invalidField("userId", "is missing or empty")
	case !utf8.ValidString(userID):
		return invalidField("userId", "is not valid Unicode")
	case utf8.RuneCountInString(userID) > MaxUserIDLength:
		return invalidField("userId", "is longer than 128 characters")
	case strings.ContainsFunc(userID, unicode.IsControl):
		return invalidField("userId", "holds a control character")
	}
	return nil
}
