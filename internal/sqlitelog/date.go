package sqlitelog

import (
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// dateLayout is how dates are stored: RFC 3339 in UTC with milliseconds, which SQLite's own
// date functions understand too.
const dateLayout = "2006-01-02T15:04:05.000Z"

func formatDate(t time.Time) string { return t.UTC().Format(dateLayout) }

// columnDate reads a stored date.
func columnDate(stmt *sqlite.Stmt, column int) (time.Time, error) {
	var buffer [len(dateLayout)]byte
	n := stmt.ColumnBytes(column, buffer[:])
	if t, ok := parseStored(buffer[:n]); ok {
		return t, nil
	}
	// Somebody may have edited the table by hand: take what RFC 3339 allows.
	t, err := time.Parse(time.RFC3339, stmt.ColumnText(column))
	if err != nil {
		return time.Time{}, fmt.Errorf("stored date: %w", err)
	}
	return t.UTC(), nil
}

// parseStored reads exactly dateLayout. Loading a large catalogue reads millions of dates,
// and time.Parse takes several times as long.
func parseStored(b []byte) (time.Time, bool) {
	if len(b) != len(dateLayout) || b[4] != '-' || b[7] != '-' || b[10] != 'T' ||
		b[13] != ':' || b[16] != ':' || b[19] != '.' || b[23] != 'Z' {
		return time.Time{}, false
	}
	year, ok1 := digits(b[0:4])
	month, ok2 := digits(b[5:7])
	day, ok3 := digits(b[8:10])
	hour, ok4 := digits(b[11:13])
	minute, ok5 := digits(b[14:16])
	second, ok6 := digits(b[17:19])
	millisecond, ok7 := digits(b[20:23])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) ||
		month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, millisecond*int(time.Millisecond), time.UTC)
	return t, t.Day() == day // February 30 would have become March 1 or 2
}

func digits(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
