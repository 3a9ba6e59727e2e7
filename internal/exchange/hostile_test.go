package exchange

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// bomb is a small compressed file that holds many books.
func bomb(t *testing.T) string {
	t.Helper()
	var file bytes.Buffer
	packed := gzip.NewWriter(&file)
	for range 10 {
		if _, err := packed.Write(bytes.Repeat([]byte("{\"title\":\"A\",\"author\":\"B\"},\n"), 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// Files that somebody made to do harm get a clear answer, change nothing, and take no more memory than
// any other.
func TestHostileFilesCostLittle(t *testing.T) {
	// Not parallel: it looks at how much is allocated.
	const most = 200 << 20 // of which none is held for longer than a row
	packed, deep := bomb(t), strings.Repeat("[", 100_000)
	long := strings.Repeat("x", 10<<20)
	for _, test := range []struct {
		name          string
		format        Format
		content, want string
	}{
		{"compressed JSON", JSON, packed, "compressed"},
		{"compressed NDJSON", NDJSON, packed, "compressed"},
		{"compressed CSV", CSV, packed, "compressed"},
		{"deep JSON", JSON, deep, "exceeded max depth"},
		{"a deep book", JSON, `[{"title":"A","author":"B","x":` + deep, "exceeded max depth"},
		{"a long text in JSON", JSON, `[{"title":"` + long + `","author":"B"}]`, "longer than 8 MiB"},
		{"a long text in NDJSON", NDJSON, `{"title":"` + long + `","author":"B"}`, "longer than 8 MiB"},
		{"a long text in CSV", CSV, "title,author\n" + long + ",B\n", "longer than 8 MiB"},
		{"a long header", CSV, long + ",title,author\nA,B,C\n", "first row"},
		{"zeros as JSON", JSON, strings.Repeat("\x00", 1<<20), "not valid JSON"},
		{"zeros as CSV", CSV, strings.Repeat("\x00", 1<<20), "first row"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := func(_ context.Context, books []catalog.Book, _ bool) (catalog.Difference, error) {
				t.Errorf("%d books would be stored", len(books))
				return catalog.Difference{}, nil
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Import(t.Context(), strings.NewReader(test.content), store, Options{Format: test.format, Name: "x"})
			runtime.ReadMemStats(&after)
			broken := new(BrokenError)
			if !errors.As(err, &broken) || !strings.Contains(err.Error(), test.want) || len(err.Error()) > 300 {
				t.Errorf("%.300v, want %s", err, test.want)
			}
			if taken := after.TotalAlloc - before.TotalAlloc; taken > most {
				t.Errorf("%d bytes were taken for it", taken)
			}
		})
	}
}

// Rows of hostile texts are refused one by one, with the reason; the others go in.
func TestHostileRowsAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format  Format
		content string
		refused []string
	}{
		"NDJSON": {NDJSON, "{\"title\":\"A\\u0000\",\"author\":\"B\"}\n\x00\n{\"title\":\"\xff\",\"author\":\"B\"}\n" +
			"{\"title\":\"A\",\"author\":\"B\",\"x\":" + strings.Repeat("[", 20_000) + "}\n{\"title\":\"Good\",\"author\":\"B\"}\r\n",
			[]string{"title holds a control character", "not an object", "not valid UTF-8", "exceeded max depth"}},
		// Line ends of three kinds: the one in the middle of the row ends no row.
		"CSV": {CSV, "title,author\r\nA\x00,B\n\xff,B\r\nGood,B\nA,B\rC,D\r\n",
			[]string{"title holds a control character", "not valid UTF-8", "has 3 cells, the header has 2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCatalog(t)
			var refused []string
			_, err := Import(t.Context(), strings.NewReader(test.content), into(c), Options{Format: test.format, Name: "x",
				Refused: func(row Row) { refused = append(refused, row.Problem) }})
			if err != nil || len(refused) != len(test.refused) || c.Snapshot().Len() != 1 {
				t.Fatalf("%q (%v), %d books", refused, err, c.Snapshot().Len())
			}
			for i, want := range test.refused {
				if !strings.Contains(refused[i], want) {
					t.Errorf("row %d: %s, want %s", i+1, refused[i], want)
				}
			}
		})
	}
}

// A spreadsheet must run nothing that somebody gave as a title, and the text comes back as it was.
func TestExportedFormulasAreTexts(t *testing.T) {
	t.Parallel()
	formulas := []string{`=cmd|' /C calc'!A0`, `+1`, `-1+cmd`, `@SUM(A1)`, ` =1`, `＝1`, `'=1`}
	c := openCatalog(t)
	var books []catalog.Book
	for i, formula := range formulas {
		books = append(books, catalog.Book{ID: int64(i + 1), Title: strings.TrimSpace(formula), Author: "x" + formula, ReaderName: &formula, Favorites: []string{formula}})
	}
	if _, err := c.Restore(t.Context(), operator(), books, catalog.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := Export(&file, CSV, c.Snapshot()); err != nil {
		t.Fatal(err)
	}
	rows, err := open(bytes.NewReader(file.Bytes()), CSV, "x")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for {
		row, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range row.Cells {
			if cell != "" && strings.ContainsRune(formulaStarts, []rune(cell)[0]) {
				t.Errorf("a cell is %q", cell)
			}
		}
		if got, want := row.Book.Title, strings.TrimSpace(formulas[count]); got != want {
			t.Errorf("the title %q came back as %q", want, got)
		}
		count++
	}
	if count != len(formulas) {
		t.Errorf("%d rows", count)
	}
}
