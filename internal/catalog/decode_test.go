package catalog_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestDecodeDraft(t *testing.T) {
	date := time.Date(2024, 12, 25, 13, 30, 0, 5e6, time.UTC)
	for body, want := range map[string]catalog.Draft{
		`{}`: {},
		` {"title":"A","author":"B","favorites":7,"x":{}} `:              {Title: "A", Author: "B"},
		`{"title":null,"author":null,"returnDateTime":null}`:             {},
		`{"returnDateTime":"2024-12-25T14:30:00.0059+01:00"}`:            {ReturnDateTime: &date},
		`{"returnDateTime":"2024-12-25t13:30:00.005z"}`:                  {ReturnDateTime: &date},
		`{"returnDateTime":"  "}`:                                        {},
		`{"readerName":""}`:                                              {ReaderName: new("")},
		`{"title":"\ud83d\ude00 \\ud800 \ud83c\udfdd"}`:                  {Title: "😀 \\ud800 🏝"},
		`{"title":"a","title":"b"}`:                                      {Title: "b"},
		`{"title":"` + strings.Repeat("é", 1000) + `","readerName":"x"}`: {Title: strings.Repeat("é", 1000), ReaderName: new("x")},
	} {
		got, err := catalog.DecodeDraft([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s gave %+v, %v", body, got, err)
		}
	}
	for body, field := range map[string]string{
		``:                                      "",
		`null`:                                  "",
		`[]`:                                    "",
		`"title"`:                               "",
		`{"title":"A"`:                          "",
		`{"title":"A"} {}`:                      "",
		`{'title':"A"}`:                         "",
		"{\"title\":\"a\x00\"}":                 "",
		`{"title":5}`:                           "title",
		`{"title":["A"]}`:                       "title",
		`{"title":false}`:                       "title",
		`{"author":{}}`:                         "author",
		`{"title":"\ud800"}`:                    "title",
		`{"title":"\udc00\ud800"}`:              "title",
		`{"title":"\ud800x"}`:                   "title",
		`{"title":"\ud800\n"}`:                  "title",
		`{"title":"\ud800\u0041"}`:              "title",
		"{\"author\":\"\xff\"}":                 "author",
		`{"readerName":1}`:                      "readerName",
		`{"returnDateTime":1735136999000}`:      "returnDateTime",
		`{"returnDateTime":"2024-12-25"}`:       "returnDateTime",
		`{"returnDateTime":"2024-12-25T14:30"}`: "returnDateTime",
		`{"returnDateTime":"2024-02-30T00:00:00Z"}`:      "returnDateTime",
		`{"returnDateTime":"2024-12-25 14:30:00Z"}`:      "returnDateTime",
		`{"returnDateTime":"2024-12-25T24:00:00Z"}`:      "returnDateTime",
		`{"returnDateTime":"2024-12-25T1:00:00Z"}`:       "returnDateTime",
		`{"returnDateTime":"2024-12-25T01:00:00,5Z"}`:    "returnDateTime",
		`{"returnDateTime":"2024-12-25T01:00:00+24:00"}`: "returnDateTime",
		`{"returnDateTime":"2024-12-25T01:00:00+01:60"}`: "returnDateTime",
		`{"returnDateTime":"2024-12-25T01:00:00"}`:       "returnDateTime",
		`{"returnDateTime":"0000-01-01T00:00:00+01:00"}`: "returnDateTime",
	} {
		_, err := catalog.DecodeDraft([]byte(body))
		t.Run(body, func(t *testing.T) { wantField(t, err, catalog.CodeInvalidInput, field) })
	}
}

func TestDecodePatch(t *testing.T) {
	got, err := catalog.DecodePatch([]byte(`{"title":null,"returnDateTime":"","readerName":null,"userId":"ann"}`))
	want := catalog.BookPatch{
		Title: new(""), ReturnDateTime: catalog.Optional[time.Time]{Present: true}, ReaderName: catalog.Optional[string]{Present: true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if empty, err := catalog.DecodePatch([]byte(`{}`)); err != nil || !empty.IsEmpty() {
		t.Errorf("got %+v, %v", empty, err)
	}
	for body, field := range map[string]string{
		`{"colour":"red"}`:            "colour",
		`{"id":1}`:                    "id",
		`{"favorites":[]}`:            "favorites",
		`{"version":1,"title":"A"}`:   "version",
		`{"Title":"A"}`:               "Title",
		`{"":1}`:                      "",
		`{"a\u0000\nb":1}`:            `a\x00\nb`,
		`{"title":1}`:                 "title",
		`[]`:                          "",
		`{"zz":1,"aa":1,"title":"A"}`: "aa",
	} {
		_, err := catalog.DecodePatch([]byte(body))
		t.Run(body, func(t *testing.T) { wantField(t, err, catalog.CodeInvalidInput, field) })
	}
	long := `{"` + strings.Repeat("x", 100000) + `":1}`
	if _, err := catalog.DecodePatch([]byte(long)); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long name gives an error of %d bytes", len(err.Error()))
	}
}

func TestDecodeBooks(t *testing.T) {
	// The handbook's own file has no more fields than these.
	handbook := `[
	  {"id": 1703123456789, "title": " New Book ", "author": "Author", "returnDateTime": "2024-12-25T14:30:00.000Z", "favorites": []},
	  {"id": 2, "title": "B", "author": "C", "favorites": ["ann", "bob", "ann"], "isbn": 7, "version": "x"}
	]`
	books, err := catalog.DecodeBooks([]byte(handbook))
	if err != nil || len(books) != 2 || books[0].Title != "New Book" || books[0].ReturnDateTime == nil ||
		!books[0].CreatedAt.IsZero() || !reflect.DeepEqual(books[1].Favorites, []string{"ann", "bob"}) {
		t.Errorf("got %+v, %v", books, err)
	}
	if books, err := catalog.DecodeBooks([]byte(" []\n")); len(books) != 0 || err != nil {
		t.Errorf("got %+v, %v", books, err)
	}
	good := `{"id":1,"title":"A","author":"B"},`
	for data, field := range map[string]string{
		``:                "",
		`{}`:              "",
		`null`:            "",
		`[`:               "",
		`[{"id":1,`:       "",
		`[] []`:           "",
		`[] x`:            "",
		`[` + good + `]`:  "",
		`[` + good + `5]`: "books[1]",
		`[` + good + `{"title":"A","author":"B"}]`:            "books[1].id",
		`[` + good + `{"id":"2","title":"A","author":"B"}]`:   "books[1].id",
		`[` + good + `{"id":2.5,"title":"A","author":"B"}]`:   "books[1].id",
		`[{"id":9007199254740992,"title":"A","author":"B"}]`:  "books[0].id",
		`[{"id":1,"title":7,"author":"B"}]`:                   "books[0].title",
		`[{"id":1,"title":"A","author":"\u0007B"}]`:           "books[0].author",
		`[{"id":1,"title":"A","author":"B","favorites":3}]`:   "books[0].favorites",
		`[{"id":1,"title":"A","author":"B","favorites":[3]}]`: "books[0].favorites",
		`[{"id":1,"title":"A","author":"B","createdAt":"x"}]`: "books[0].createdAt",
	} {
		_, err := catalog.DecodeBooks([]byte(data))
		t.Run(data, func(t *testing.T) { wantField(t, err, catalog.CodeInvalidInput, field) })
	}
	_, err = catalog.DecodeBooks([]byte(`[{"id":1,"author":"B"}]`))
	wantField(t, err, catalog.CodeTitleAndAuthorRequired, "books[0].title")
}

func TestTextsAreCut(t *testing.T) {
	n := startNew(t)
	reader := strings.Repeat("ñ", 99) + "  tail"
	book, err := n.Add(t.Context(), ann, catalog.Draft{
		Title: strings.Repeat("😀", 100000), Author: strings.Repeat("a", 255) + "b", ReaderName: &reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if book.Title != strings.Repeat("😀", 255) || book.Author != strings.Repeat("a", 255) || *book.ReaderName != strings.Repeat("ñ", 99) {
		t.Errorf("cut to %d, %d and %d code points", utf8.RuneCountInString(book.Title),
			utf8.RuneCountInString(book.Author), utf8.RuneCountInString(*book.ReaderName))
	}
}

func TestBookJSON(t *testing.T) {
	book := catalog.Book{ID: 5, Title: "a\"b\\c</script>\u2028\u007f\x01é😀\xff", Author: "B", Favorites: []string{"x\ny", "z"}}
	data := book.AppendJSON(nil, catalog.WholeView())
	var back struct {
		Title     string
		Favorites []string
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if back.Title != "a\"b\\c</script>\u2028\u007f\x01é😀\ufffd" || !reflect.DeepEqual(back.Favorites, book.Favorites) {
		t.Errorf("%s became %+v", data, back)
	}
	if strings.Contains(string(data), "\u2028") {
		t.Error("U+2028 is not escaped")
	}
}

func FuzzBookJSON(f *testing.F) {
	f.Add("A", "B")
	f.Add("\"\\\x00\x1f\u2028\u2029", "\xff\xc3\x28😀")
	f.Fuzz(func(t *testing.T, title, reader string) {
		book := catalog.Book{Title: title, ReaderName: &reader}
		var back struct{ Title, ReaderName string }
		if err := json.Unmarshal(book.AppendJSON(nil, catalog.WholeView()), &back); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(title) && back.Title != title || utf8.ValidString(reader) && back.ReaderName != reader {
			t.Errorf("%q, %q became %q, %q", title, reader, back.Title, back.ReaderName)
		}
	})
}

var bodies = []string{
	`{"title":"A","author":"B","returnDateTime":"2024-12-25T14:30:00.000Z","readerName":"C"}`,
	`{"title":null}`, `{"title":"\ud800"}`, `{"title":"\ud83d\ude00"}`, `{"returnDateTime":""}`, `{"x":1}`, `[]`, `{`, ``,
	`{"title":"\u0000"}`, `{"title":" \ufeff "}`, `{"title":"\\ud800\u0041"}`,
}

// checkText fails if a decoded text is not what JSON says or not Unicode.
func checkText(t *testing.T, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("%q is not UTF-8", text)
	}
}

func FuzzDecodeDraft(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		draft, err := catalog.DecodeDraft(body)
		if err != nil {
			if catalog.ErrorCode(err) != catalog.CodeInvalidInput {
				t.Error(err)
			}
			return
		}
		checkText(t, draft.Title)
		checkText(t, draft.Author)
		if draft.ReturnDateTime != nil && (draft.ReturnDateTime.Year() < 0 || draft.ReturnDateTime.Year() > 9999) {
			t.Errorf("a date of the year %d", draft.ReturnDateTime.Year())
		}
	})
}

func FuzzDecodePatch(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		patch, err := catalog.DecodePatch(body)
		if err != nil {
			if catalog.ErrorCode(err) != catalog.CodeInvalidInput || len(err.Error()) > 1000 {
				t.Error(err)
			}
			return
		}
		if patch.Title != nil {
			checkText(t, *patch.Title)
		}
	})
}

func FuzzDecodeBooks(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte("[" + body + "]"))
	}
	f.Add([]byte(`[{"id":1,"title":"A","author":"B","favorites":["a","a"]}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		books, err := catalog.DecodeBooks(data)
		if err != nil {
			return
		}
		// What was read is in the normal form: written and read again, it stays as it is.
		for i := range books {
			again, err := catalog.DecodeBooks(append(books[i].AppendJSON([]byte("["), catalog.WholeView()), ']'))
			if err != nil {
				t.Fatal(err)
			}
			if again[0].Title != books[i].Title || strings.ContainsFunc(again[0].Title, unicode.IsControl) ||
				utf8.RuneCountInString(again[0].Title) > catalog.MaxTitleLength {
				t.Errorf("%q became %q", books[i].Title, again[0].Title)
			}
		}
	})
}
