package exchange

import (
	"strings"
	"unicode"
)

// A spreadsheet runs a cell that begins with one of these as a formula (OWASP, CSV Injection; the
// wide ones count in some countries' versions). It takes a quote before it for "this is text".
const formulaStarts = "=+-@\t\r＝＋－＠"

// guard puts a quote before a text that a spreadsheet would run, and before one that looks as if
// that had been done to it, so that withoutGuard gives every text back.
func guard(text string) string {
	if needsGuard(text) {
		return "'" + text
	}
	return text
}

// withoutGuard takes the quote away that guard puts, or that a person typed for the same reason.
func withoutGuard(cell string) string {
	if strings.HasPrefix(cell, "'") && needsGuard(cell) {
		return cell[1:]
	}
	return cell
}

// needsGuard looks behind quotes and spaces, as some programs pass over them.
func needsGuard(text string) bool {
	rest := strings.TrimLeft(text, "'")
	rest = strings.TrimLeftFunc(rest, func(r rune) bool { return unicode.IsSpace(r) && !strings.ContainsRune(formulaStarts, r) })
	return rest != "" && strings.IndexAny(rest, formulaStarts) == 0
}

// Favourites stand in one cell with | between them. A user id may hold one itself, which then has a
// backslash before it, as a backslash has.
const favoriteSeparator = '|'

func joinFavorites(users []string) string {
	var cell strings.Builder
	for i, user := range users {
		if i > 0 {
			cell.WriteRune(favoriteSeparator)
		}
		cell.WriteString(strings.NewReplacer(`\`, `\\`, `|`, `\|`).Replace(user))
	}
	return cell.String()
}

// splitFavorites undoes joinFavorites. A backslash before anything else, or at the end, is one.
func splitFavorites(cell string) []string {
	users := []string{}
	if cell == "" {
		return users
	}
	var user strings.Builder
	escaped := false
	for _, r := range cell {
		switch {
		case escaped:
			if r != favoriteSeparator && r != '\\' {
				user.WriteByte('\\')
			}
			user.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == favoriteSeparator:
			users = append(users, user.String())
			user.Reset()
		default:
			user.WriteRune(r)
		}
	}
	if escaped {
		user.WriteByte('\\')
	}
	return append(users, user.String())
}
