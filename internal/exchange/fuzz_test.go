package exchange

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// readWhole reads a file to its end, which must come, and holds what is read against what the
// catalogue takes and an export writes.
func readWhole(t *testing.T, content []byte, format Format) {
	from, err := open(bytes.NewReader(content), format, "x")
	number, line := 0, 0
	for err == nil {
		var row Row
		if row, err = from.next(); err != nil {
			break
		}
		if row.Number <= number || row.Line < line || row.Line > bytes.Count(content, []byte("\n"))+1 {
			t.Fatalf("row %d in line %d comes after row %d in line %d", row.Number, row.Line, number, line)
		}
		number, line = row.Number, row.Line
		examine(&row, map[int64]int{})
		if row.Problem == "" && row.Book.ID > 0 {
			writeAndRead(t, row)
		}
	}
	if broken := new(BrokenError); !errors.Is(err, io.EOF) && !errors.As(err, &broken) {
		t.Fatal(err)
	}
}

// writeAndRead writes a book as CSV and reads it again.
func writeAndRead(t *testing.T, row Row) {
	var file bytes.Buffer
	table := csv.NewWriter(&file)
	_ = table.WriteAll([][]string{columns(), cellsOf(&row.Book)}) // a buffer takes everything
	from, err := open(&file, CSV, "x")
	if err != nil {
		t.Fatal(err)
	}
	again, err := from.next()
	if err != nil {
		t.Fatal(err)
	}
	examine(&again, map[int64]int{})
	row.Book.Version = 0
	if got, want := again.Book.AppendJSON(nil, catalog.WholeView()), row.Book.AppendJSON(nil, catalog.WholeView()); again.Problem != "" || !bytes.Equal(got, want) {
		t.Fatalf("%s became %s (%s)", want, got, again.Problem)
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`[{"id":1,"title":"A","author":"=B","favorites":["a|b","-\\"]}, 7, {"id":"2","title":"\ud83d","author":"x"}]`))
	f.Add([]byte("\ufeff[]\n"))
	f.Add([]byte("[{},"))
	f.Fuzz(func(t *testing.T, content []byte) { readWhole(t, content, JSON) })
}

func FuzzNDJSON(f *testing.F) {
	f.Add([]byte("{\"id\":1,\"title\":\"A\",\"author\":\"B\",\"returnDateTime\":\"2024-12-25\"}\r\n\n{\n"))
	f.Add([]byte("{\"id\":1,\"title\":\"\\ud800\",\"author\":\"B\"}"))
	f.Fuzz(func(t *testing.T, content []byte) { readWhole(t, content, NDJSON) })
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,title,author,favorites\n1,'=A,B,a|b\\|c\n"))
	f.Add([]byte("\ufeffsep=;\r\ntitle;author;id\r\n\"A\r\nB\";\"\"\"\";2\r\n;;\r\nx;\"y\"z;3\r\n"))
	f.Add([]byte("title\tauthor\tid\nA\tB\t1E5"))
	f.Fuzz(func(t *testing.T, content []byte) { readWhole(t, content, CSV) })
}

func FuzzCells(f *testing.F) {
	f.Add("=1+1", "a|b")
	f.Add("'' -x", `\|\\`)
	f.Add("\u3000＝", "")
	f.Fuzz(func(t *testing.T, first, second string) {
		if !utf8.ValidString(first) || !utf8.ValidString(second) {
			return
		}
		guarded := guard(first)
		if withoutGuard(guarded) != first || guarded != "" && strings.ContainsRune(formulaStarts, []rune(guarded)[0]) {
			t.Errorf("%q was written as %q", first, guarded)
		}
		users := []string{second, first, "x" + second}
		if got := splitFavorites(joinFavorites(users)); !slices.Equal(got, users) && (len(users) != 1 || users[0] != "") {
			t.Errorf("%q became %q", users, got)
		}
	})
}
