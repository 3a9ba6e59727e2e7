package catalog_test

import (
	"slices"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestParseIfMatch(t *testing.T) {
	book := catalog.Book{Version: 12, FavoriteSequence: 15}
	one := catalog.Position{Epoch: "abc", Sequence: 12}
	two := catalog.Position{Epoch: "abc", Sequence: 7}
	for header, want := range map[string][]catalog.Position{
		book.ETag("abc", catalog.WholeView()):                                          {one},
		book.ETag("abc", catalog.NewView([]string{"id", "version"}, nil)):              {one}, // what was shown does not matter
		`"abc-12-15-v101", "abc-7-1-v0"`:                                               {one, two},
		`"abc-12-15-v", "abc-12-15-v0101", "abc-12-15-v1-v2", "abc-12-15-v1fff", "v1"`: nil,
		`"abc-12-0"`:                   {one}, // favourites do not matter
		` "abc-12-15" , "abc-7-1",`:    {one, two},
		`,,"abc-7-1"`:                  {two},
		`W/"abc-12-15"`:                nil,
		`"", "x", "a,b", "abc-12"`:     nil,
		`"a,b" ,"abc-12-15"`:           {one},
		`"abc-12-015", "abc-012-15"`:   nil,
		`"-12-15", "abc--15", "--1-2"`: nil,
	} {
		got, err := catalog.ParseIfMatch(header)
		if err != nil || got == nil || got.Any || !slices.Equal(got.Versions, want) {
			t.Errorf("%s gave %+v, %v; want %v", header, got, err, want)
		}
	}
	if got, err := catalog.ParseIfMatch(" \t"); got != nil || err != nil {
		t.Errorf("an empty header gave %+v, %v", got, err)
	}
	if got, err := catalog.ParseIfMatch(" * "); err != nil || !got.Any {
		t.Errorf("a star gave %+v, %v", got, err)
	}
	for _, header := range []string{`abc-12-15`, `"abc`, `"a" "b"`, `W/`, `w/"a"`, `*, "a"`, `"a" *`, `W/ "a"`} {
		_, err := catalog.ParseIfMatch(header)
		if catalog.ErrorCode(err) != catalog.CodeInvalidInput {
			t.Errorf("%s gave %v", header, err)
		}
	}
}

func FuzzParseIfMatch(f *testing.F) {
	for _, seed := range []string{`"abc-12-15"`, `W/"a", "b"`, `*`, `"`, `,`, ``, `"a""b"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		precondition, err := catalog.ParseIfMatch(header)
		if err == nil && precondition != nil && len(precondition.Versions) > 64 {
			t.Errorf("%d versions", len(precondition.Versions))
		}
		if err != nil && catalog.ErrorCode(err) != catalog.CodeInvalidInput {
			t.Error(err)
		}
	})
}
