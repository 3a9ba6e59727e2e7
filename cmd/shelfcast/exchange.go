package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/ops"
)

type importCommand struct {
	File   string `arg:"" optional:"" help:"JSON array of books, such as books.json or an export; - is standard input."`
	Sample bool   `help:"Load the 50 sample books into an empty catalogue instead."`
}

// Run imports through the running server if there is one, so that connected
// clients see the books arrive; otherwise it opens the log itself.
func (c importCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.Sample == (c.File != "") {
		return errors.New("import needs either a file (- for standard input) or --sample")
	}
	difference, err := c.run(ctx, p, s)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%d books added, %d changed; %d favourites given, %d taken back\n",
		difference.Added, difference.Updated, difference.FavoritesGiven, difference.FavoritesEnded)
	return err
}

func (c importCommand) run(ctx context.Context, p *process, s *Settings) (catalog.Difference, error) {
	path, query, name := "/samples", url.Values{}, c.File
	var content []byte
	if !c.Sample {
		path = "/import"
		var err error
		if content, name, err = p.readFile(c.File); err != nil {
			return catalog.Difference{}, err
		}
		query.Set("name", name)
	}
	var difference catalog.Difference
	response, err := callAdmin(ctx, s.Data, http.MethodPost, path, query, bytes.NewReader(content))
	if err == nil {
		defer response.Body.Close()
		err = json.NewDecoder(response.Body).Decode(&difference)
		return difference, err
	}
	if !errors.Is(err, errNoServer) {
		return difference, err
	}
	store, err := openStore(ctx, s, p.logger(s), storeMeters{})
	if err != nil {
		return difference, err
	}
	if err := store.start(ctx); err != nil {
		return difference, err
	}
	if c.Sample {
		difference.Added, err = ops.NewSamples(store.catalog, nil).Load(ctx, catalog.Actor{UserID: "operator", Role: catalog.RoleOwner})
	} else {
		difference, err = ops.Import(ctx, store.catalog, bytes.NewReader(content), name)
	}
	return difference, errors.Join(err, store.close())
}

// readFile reads a file that an argument names, and says what to call it.
func (p *process) readFile(file string) (content []byte, name string, err error) {
	var from io.Reader = p.stdin
	name = "standard input"
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, "", err
		}
		defer opened.Close()
		from, name = opened, file
	}
	content, err = io.ReadAll(io.LimitReader(from, ops.MaxFileSize+1))
	return content, name, err
}

type exportCommand struct {
	File string `arg:"" help:"Where to write a JSON array of all books; - is standard output."`
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
	response, err := callAdmin(ctx, s.Data, http.MethodGet, "/export", nil, nil)
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
	err = store.load(ctx)
	if err == nil {
		err = ops.Export(store.catalog, to)
	}
	return errors.Join(err, store.close())
}
