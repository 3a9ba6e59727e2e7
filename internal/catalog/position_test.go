package catalog_test

import (
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestParsePosition(t *testing.T) {
	for text, want := range map[string]catalog.Position{
		"abc-0":                        {Epoch: "abc"},
		"7Z-9223372036854775807":       {Epoch: "7Z", Sequence: 1<<63 - 1},
		"vhcnvcoruf6gshsj-210":         {Epoch: "vhcnvcoruf6gshsj", Sequence: 210},
		strings.Repeat("a", 64) + "-1": {Epoch: strings.Repeat("a", 64), Sequence: 1},
	} {
		if got, err := catalog.ParsePosition(text); got != want || err != nil {
			t.Errorf("%q gave %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "-", "abc", "abc-", "-1", "abc-01", "abc--1", "abc-+1", "abc-1 ", " abc-1", "a b-1", "ab\x00-1", "é-1",
		"abc-9223372036854775808", "abc-18446744073709551616", "abc-1-2", "abc-0x1", "abc-1e3",
		strings.Repeat("a", 65) + "-1", "abc-" + strings.Repeat("1", 1000),
	} {
		_, err := catalog.ParsePosition(text)
		if catalog.ErrorCode(err) != catalog.CodeInvalidInput {
			t.Errorf("%q gave %v", text, err)
		}
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"abc-0", "vhcnvcoruf6gshsj-210", "a-9223372036854775808", "-1", "a--1", "a-01", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		position, err := catalog.ParsePosition(text)
		if err == nil && position.String() != text {
			t.Errorf("%q was read as %q", text, position)
		}
	})
}
