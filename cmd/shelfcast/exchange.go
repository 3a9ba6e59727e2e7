package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/exchange"
	"github.com/shelfcast/shelfcast/internal/ops"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// exitRefused is the exit code of an import that took the good rows and left others out.
const exitRefused = 2

// formatFlag is the choice of import and export. "auto" goes by the file's name.
type formatFlag struct {
	Format string `help:"Form of the file: ${enum}; auto goes by its name (.json, .ndjson, .jsonl, .csv)." enum:"auto,json,ndjson,csv" default:"auto"`
}

func (f formatFlag) of(file string) exchange.Format {
	if f.Format == "auto" {
		return exchange.FormatOf(file)
	}
	return exchange.Format(f.Format)
}

type exportCommand struct {
	File string `arg:"" help:"Where to write all books; - is standard output."`
	formatFlag
}

// Run exports from the running server if there is one; otherwise it reads the
// log itself, and touches nothing else.
func (c exportCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.File == "-" {
		return c.write(ctx, p, s, p.stdout)
	}
	return ops.ReplaceFile(filepath.Clean(c.File), 0o640, func(to io.Writer) error { return c.write(ctx, p, s, to) })
}

func (c exportCommand) write(ctx context.Context, p *process, s *Settings, to io.Writer) error {
	format := c.of(c.File)
	response, err := callAdmin(ctx, s.Data, http.MethodGet, "/export", url.Values{"format": {string(format)}}, nil)
	if err == nil {
		defer response.Body.Close()
		_, err = io.Copy(to, response.Body)
		return err
	}
	if !errors.Is(err, errNoServer) {
		return err
	}
	if _, err := os.Stat(s.Data); err != nil {
		return fmt.Errorf("there is no catalogue: %w", err)
	}
	store, err := openStore(ctx, s, p.logger(s), storeMeters{})
	if err != nil {
		return err
	}
	if err := loadOnly(store, ctx); err != nil {
		return err
	}
	return errors.Join(exchange.Export(to, format, store.catalog.Snapshot()), store.close())
}

// sentBook is a book on its way to the server, with Go's names: unlike on the wire of the API, favourites
// of which nothing is said differ from none.
type sentBook catalog.Book

func booksOf(sent []sentBook) []catalog.Book {
	books := make([]catalog.Book, len(sent))
	for i := range sent {
		books[i] = catalog.Book(sent[i])
	}
	return books
}

// serveExchange answers the import and export commands.
func serveExchange(mux *http.ServeMux, c *catalog.Catalog, logger *slog.Logger) {
	store := storeInto(c)
	mux.HandleFunc("POST /import", func(w http.ResponseWriter, r *http.Request) {
		var sent []sentBook
		err := json.NewDecoder(io.LimitReader(r.Body, ops.MaxFileSize)).Decode(&sent)
		var difference catalog.Difference
		if err == nil {
			dryRun, _ := strconv.ParseBool(r.URL.Query().Get("dryRun")) // ours alone
			difference, err = store(r.Context(), booksOf(sent), dryRun)
		}
		answerAdmin(w, difference, err)
	})
	mux.HandleFunc("GET /export", func(w http.ResponseWriter, r *http.Request) {
		if err := exchange.Export(w, exchange.Format(r.URL.Query().Get("format")), c.Snapshot()); err != nil {
			logger.Warn("an export was cut short", "error", err)
			panic(http.ErrAbortHandler) // or it would look whole
		}
	})
}

// storeInto stores what an import brings.
func storeInto(c *catalog.Catalog) exchange.Store {
	return func(ctx context.Context, books []catalog.Book, dryRun bool) (catalog.Difference, error) {
		return c.Restore(ctx, operator(), books, catalog.RestoreOptions{KeepOthers: true, DryRun: dryRun})
	}
}

// storeThrough lets the running server store it, so that connected clients see the books arrive.
func storeThrough(s *Settings) exchange.Store {
	return func(ctx context.Context, books []catalog.Book, dryRun bool) (difference catalog.Difference, err error) {
		sent := make([]sentBook, len(books))
		for i := range books {
			sent[i] = sentBook(books[i])
		}
		body, err := json.Marshal(sent)
		if err != nil {
			return difference, err
		}
		query := url.Values{"dryRun": {strconv.FormatBool(dryRun)}}
		err = askServer(ctx, s, http.MethodPost, "/import", query, bytes.NewReader(body), &difference)
		return difference, err
	}
}

// storeNowhere tells what an import would do to a catalogue that is not there.
func storeNowhere(_ context.Context, books []catalog.Book, _ bool) (difference catalog.Difference, _ error) {
	difference.Added = len(books)
	for i := range books {
		difference.FavoritesGiven += len(books[i].Favorites)
	}
	return difference, nil
}

// withExchangeStore lets do use the running server, or else the log, which a dry run only reads.
func withExchangeStore(ctx context.Context, p *process, s *Settings, dryRun bool, do func(exchange.Store) error) error {
	if adminAnswers(ctx, s.Data) {
		return do(storeThrough(s))
	}
	start := (*store).start
	if dryRun {
		if _, err := os.Stat(filepath.Join(s.Data, sqlitelog.DatabaseName)); errors.Is(err, os.ErrNotExist) {
			return do(storeNowhere)
		}
		start = loadOnly
	}
	return withStore(ctx, p, s, start, func(b *backups) error { return do(storeInto(b.catalog)) })
}
