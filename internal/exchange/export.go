package exchange

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Export writes the whole catalogue, one state of it, in the form that Import reads. CSV begins
// with a byte order mark, without which spreadsheets take it for another encoding, and texts that
// they would run as formulas have a quote before them.
func Export(to io.Writer, format Format, snapshot *catalog.Snapshot) error {
	switch format {
	case NDJSON:
		return exportLines(to, snapshot)
	case CSV:
		return exportTable(to, snapshot)
	}
	if _, err := snapshot.JSON(catalog.WholeView()).WriteTo(to); err != nil {
		return fmt.Errorf("writing books: %w", err)
	}
	if _, err := io.WriteString(to, "\n"); err != nil {
		return fmt.Errorf("writing books: %w", err)
	}
	return nil
}

func exportLines(to io.Writer, snapshot *catalog.Snapshot) error {
	buffered := bufio.NewWriterSize(to, 64<<10)
	var line []byte
	for book := range snapshot.Books() {
		line = append(book.AppendJSON(line[:0], catalog.WholeView()), '\n')
		if _, err := buffered.Write(line); err != nil {
			return fmt.Errorf("writing books: %w", err)
		}
	}
	return buffered.Flush()
}

func exportTable(to io.Writer, snapshot *catalog.Snapshot) error {
	if _, err := to.Write(byteOrderMark()); err != nil {
		return fmt.Errorf("writing books: %w", err)
	}
	table := csv.NewWriter(to)
	if err := table.Write(columns()); err != nil {
		return fmt.Errorf("writing books: %w", err)
	}
	for book := range snapshot.Books() {
		if err := table.Write(cellsOf(&book)); err != nil {
			return fmt.Errorf("writing books: %w", err)
		}
	}
	table.Flush()
	return table.Error()
}

// cellsOf are in the order of columns.
func cellsOf(book *catalog.Book) []string {
	moment := func(t *time.Time) string {
		if t == nil || t.IsZero() {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	reader := ""
	if book.ReaderName != nil {
		reader = *book.ReaderName
	}
	return []string{
		strconv.FormatInt(book.ID, 10), guard(book.Title), guard(book.Author), moment(book.ReturnDateTime), guard(reader),
		guard(joinFavorites(book.Favorites)), moment(&book.CreatedAt), moment(&book.UpdatedAt), strconv.FormatUint(uint64(book.Version), 10),
	}
}
