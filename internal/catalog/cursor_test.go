package catalog

import (
	"strings"
	"testing"
)

func FuzzParseCursor(f *testing.F) {
	order := sortOrder{field: "title"}
	f.Add(formatCursor(order, sortValue{text: "dune", id: 7}))
	f.Add(formatCursor(sortOrder{field: "id", descending: true}, sortValue{id: -1}))
	f.Add("bm90IGpzb24")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		value, err := parseCursor(text, order)
		if err != nil {
			if ErrorCode(err) != CodeInvalidInput {
				t.Error(err)
			}
			return
		}
		again, err := parseCursor(formatCursor(order, *value), order)
		if err != nil || *again != *value {
			t.Errorf("%+v became %+v, %v", value, again, err)
		}
	})
}

// TestLongestCursorIsAccepted uses the text that needs the most bytes.
func TestLongestCursorIsAccepted(t *testing.T) {
	order := sortOrder{field: "returnDateTime", descending: true}
	for _, letter := range []string{"😀", "<", "\u2028", "\""} {
		value := sortValue{text: strings.Repeat(letter, MaxTitleLength), number: -1 << 63, id: MaxBookID, absent: true}
		if got, err := parseCursor(formatCursor(order, value), order); err != nil || *got != value {
			t.Errorf("%q: %v", letter, err)
		}
	}
}

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"plain":              "plain",
		"ÀÉÎÕÜ çñ ÿŸ":        "aeiou cn yy",
		"Łódź, Đà Nẵng, Øre": "lodz, da nang, ore",
		"Æsop œuvre Þór ß ẞ": "aesop oeuvre thor ss ss",
		"e\u0301 \u0130 ı":   "e i i",
		"ΑΛΦΑ Кто 書":         "αλφα кто 書",
		"don’t":              "don't",
		"× ÷ ƒ":              "× ÷ ƒ",
	} {
		if got := fold(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Łódź ß Æ ’ \u0301")
	f.Fuzz(func(t *testing.T, text string) {
		if once := fold(text); fold(once) != once {
			t.Errorf("%q folds to %q and then to %q", text, once, fold(once))
		}
	})
}
