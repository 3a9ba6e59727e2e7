package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

func operator() catalog.Actor { return catalog.Actor{UserID: "operator", Role: catalog.RoleOwner} }

// open runs a new catalogue on its real log.
func openCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), t.TempDir(), sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(log, catalog.Options{})
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(running) }()
	<-c.Loaded()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-done, log.Close()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func into(c *catalog.Catalog) Store {
	return func(ctx context.Context, books []catalog.Book, dryRun bool) (catalog.Difference, error) {
		return c.Restore(ctx, operator(), books, catalog.RestoreOptions{KeepOthers: true, DryRun: dryRun})
	}
}

// stateOf is what an import and export keep.
func stateOf(c *catalog.Catalog) string {
	var text []byte
	for book := range c.Snapshot().Books() {
		book.Version = 0
		text = append(book.AppendJSON(text, catalog.WholeView()), '\n')
	}
	return string(text)
}

// randomText is a text that is its own normal form, made of what files and spreadsheets trip over.
func randomText(random *rand.Rand, limit int) string {
	pieces := []string{"=", "+", "-", "@", "'", `"`, ";", ",", "|", `\`, " ", "\u2028", "é", "＝", "😀", "a", "sep=", "1e5", "{", "]", "null"}
	var text strings.Builder
	for range 1 + random.IntN(limit) {
		text.WriteString(pieces[random.IntN(len(pieces))])
	}
	return strings.TrimSpace(text.String() + "x")
}

// What is exported and imported is the same catalogue, in every format.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	from := openCatalog(t)
	var books []catalog.Book
	for i := range 2500 { // more than a batch
		book := catalog.Book{ID: int64(1703123456789 + i), Title: randomText(random, 8), Author: randomText(random, 8)}
		if random.IntN(2) == 0 {
			book.ReaderName = new(randomText(random, 4))
			book.ReturnDateTime = new(time.UnixMilli(random.Int64N(4e12)).UTC())
		}
		for n := range random.IntN(4) {
			book.Favorites = append(book.Favorites, strings.Repeat(" ", random.IntN(2))+randomText(random, 4)+fmt.Sprint(n)+strings.Repeat(`\`, random.IntN(3)))
		}
		books = append(books, book)
	}
	if _, err := from.Restore(t.Context(), operator(), books, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, format := range []Format{JSON, NDJSON, CSV} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			var file bytes.Buffer
			if err := Export(&file, format, from.Snapshot()); err != nil {
				t.Fatal(err)
			}
			to := openCatalog(t)
			last := 0
			options := Options{Format: format, Name: "x", Refused: func(row Row) { t.Errorf("%+v", row) }, Progress: func(percent int) {
				if percent < last || percent > 100 {
					t.Errorf("%d %% after %d %%", percent, last)
				}
				last = percent
			}}
			options.DryRun = true
			planned, err := Import(t.Context(), bytes.NewReader(file.Bytes()), into(to), options)
			if err != nil || to.Position().Sequence != 0 {
				t.Fatalf("a dry run: %v, now at %v", err, to.Position())
			}
			options.DryRun, last = false, 0
			result, err := Import(t.Context(), bytes.NewReader(file.Bytes()), into(to), options)
			if err != nil || result != planned || result.Added != len(books) || last != 100 {
				t.Fatalf("%+v, planned %+v, %d %%: %v", result, planned, last, err)
			}
			if stateOf(to) != stateOf(from) {
				t.Error("the catalogues differ")
			}
			last = 0
			result, err = Import(t.Context(), bytes.NewReader(file.Bytes()), into(to), options)
			if err != nil || !result.IsZero() || result.Unchanged != len(books) {
				t.Errorf("again: %+v, %v", result, err)
			}
		})
	}
}

func TestImportTakesWhatIsGood(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format                 Format
		content                string
		titles, said, returned string // said: row:line problem
	}{
		"JSON": {JSON, "\ufeff[{\"title\":\"A\",\"author\":\"B\"},\n {\"id\":1,\"title\":\"A\\u0007\",\"author\":\"B\"},7,\n\n{\"id\":2,\"title\":\"C\",\"author\":\"B\",\"favorites\":[\"x\"]},{\"id\":2}, {\"id\":2,\"title\":\"D\",\"author\":\"B\"}]\n",
			"A C", "2:2 title holds a control character; 3:2 not an object; 5:4 id 2: title and author are required; 6:4 the id 2 stands in row 4 already; ",
			"[\n{\"problem\":\"title holds a control character\",\"id\":1,\"title\":\"A\\u0007\",\"author\":\"B\"},\n{\"problem\":\"not an object\",\"text\":\"7\"},\n{\"problem\":\"id 2: title and author are required\",\"id\":2},\n{\"problem\":\"the id 2 stands in row 4 already\",\"id\":2,\"title\":\"D\",\"author\":\"B\"}\n]\n"},
		"dates beyond what can be written": {NDJSON, "{\"title\":\"A\",\"author\":\"B\",\"createdAt\":\"9999-12-31T23:59:59-23:59\"}\n{\"title\":\"C\",\"author\":\"B\"}\n",
			"C", "1:1 createdAt is out of range; ",
			"{\"problem\":\"createdAt is out of range\",\"title\":\"A\",\"author\":\"B\",\"createdAt\":\"9999-12-31T23:59:59-23:59\"}\n"},
		"NDJSON": {NDJSON, "{\"title\":\"A\",\"author\":\"B\"}\r\n\n{\"id\":\n{}\n \"x\"\n",
			"A", "2:3 unexpected end of JSON input; 3:4 title and author are required; 4:5 not an object; ",
			"{\"problem\":\"unexpected end of JSON input\",\"text\":\"{\\\"id\\\":\"}\n{\"problem\":\"title and author are required\"}\n{\"problem\":\"not an object\",\"text\":\"\\\"x\\\"\"}\n"},
		"CSV": {CSV, "\ufeffsep=;\r\nAuthor;TITLE;shelf;id;returnDateTime\r\nB;\"A\nline\";1;;\r\nB;A;1;;2024-12-25 14:30\r\n;;;;\r\nB;\"C\"x;1;;\r\nB;D\r\nB;E;1;1,7E+12;\r\nB;\xe9;1;;\r\n",
			"A", "2:3 title holds a control character; 5:7 extraneous or missing \" in quoted-field; 6:8 it has 2 cells, the header has 5; " +
				"7:9 the id 1,7E+12 is not a whole number; a spreadsheet has shortened it: show that column as a number without decimals; " +
				"8:10 not valid UTF-8 (in a spreadsheet: save as CSV UTF-8); ",
			"\ufeffproblem,Author,TITLE,shelf,id,returnDateTime\ntitle holds a control character,B,\"A\nline\",1,,\n\"extraneous or missing \"\" in quoted-field\",\"B;\"\"C\"\"x;1;;\",,,,\n" +
				"\"it has 2 cells, the header has 5\",B,D,,,\n\"the id 1,7E+12 is not a whole number; a spreadsheet has shortened it: show that column as a number without decimals\",B,E,1,\"1,7E+12\",\n" +
				"not valid UTF-8 (in a spreadsheet: save as CSV UTF-8),B,\xe9,1,,\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCatalog(t)
			said, rejects := "", bytes.Buffer{}
			options := Options{Format: test.format, Name: "x", Rejects: &rejects, Strict: true, Refused: func(row Row) {
				said += fmt.Sprintf("%d:%d %s; ", row.Number, row.Line, row.Problem)
			}}
			if _, err := Import(t.Context(), strings.NewReader(test.content), into(c), options); !errors.Is(err, ErrRefused) || c.Position().Sequence != 0 {
				t.Errorf("strict: %v at %v", err, c.Position())
			}
			said, options.Strict = "", false
			rejects.Reset()
			result, err := Import(t.Context(), strings.NewReader(test.content), into(c), options)
			titles := []string{}
			for book := range c.Snapshot().Books() {
				titles = append([]string{book.Title}, titles...) // the book without an id is the newest
			}
			if err != nil || strings.Join(titles, " ") != test.titles || result.Added != len(titles) || result.Refused != strings.Count(said, "; ")-strings.Count(said, "number; ") {
				t.Errorf("%q, %+v, %v", titles, result, err)
			}
			if said != test.said {
				t.Errorf("said\n%s\nwant\n%s", said, test.said)
			}
			if rejects.String() != test.returned {
				t.Errorf("returned\n%s\nwant\n%s", rejects.String(), test.returned)
			}
		})
	}
}

func TestBrokenFilesChangeNothing(t *testing.T) {
	t.Parallel()
	const book = `{"id":1,"title":"A","author":"B"}`
	for _, test := range []struct {
		format        Format
		content, want string
	}{
		{JSON, "", "x: line 1: book 1: the file ends in the middle"},
		{JSON, "[" + book + ",\n" + book + ",\n", "x: line 2: book 3: the file ends in the middle"},
		{JSON, "[" + book + ",\n]", "not valid JSON"},
		{JSON, "[" + book + "]\n[", "x: line 1: the file goes on after its array"},
		{JSON, book, "x: line 1: not an array of books"},
		{JSON, "[\n\"" + strings.Repeat("x", maxRow), "x: line 1: book 1: a row is longer than 8 MiB"},
		{NDJSON, book + "\n" + strings.Repeat(" ", maxRow), "x: line 2: a line is longer than 8 MiB"},
		{CSV, "", "x: line 1: the first row must name the columns"},
		{CSV, "id,title\n1,A\n", "the first row must name the columns"},
		{CSV, "sep=,", "the first row must name the columns"},
		{CSV, "title,author,Title\n", "two columns are called title"},
		{CSV, "sep=x\ntitlexauthor", "separates no cells"},
		{CSV, "title,author\nA,B\nA,\"" + strings.Repeat("x\n", maxRow/2), "x: line 3: a row is longer than 8 MiB"},
		{CSV, "\xff\xfet\x00", "UTF-16"},
	} {
		c := openCatalog(t)
		_, err := Import(t.Context(), strings.NewReader(test.content), into(c), Options{Format: test.format, Name: "x"})
		broken := new(BrokenError)
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), test.want) || c.Position().Sequence != 0 {
			t.Errorf("%.40q: %.200v at %v, want %s", test.content, err, c.Position(), test.want)
		}
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Format{"a.json": JSON, "-": JSON, "b.CSV": CSV, "c.ndjson": NDJSON, "d.jsonl": NDJSON} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
