package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/exchange"
	"github.com/shelfcast/shelfcast/internal/ops"
)

// shownRefusals is how many refused rows a person is told of one by one.
const shownRefusals = 20

type importCommand struct {
	File   string `arg:"" optional:"" help:"Books as a JSON array (such as books.json or an export), NDJSON or CSV; - is standard input."`
	Sample bool   `help:"Load the 50 sample books into an empty catalogue instead."`
	formatFlag
	DryRun  bool   `help:"Only say what would change."`
	Strict  bool   `help:"Change nothing if one row is refused, and store all rows or none."`
	Rejects string `help:"Write refused rows with their problems to this file, in the same format, to mend and import them." placeholder:"FILE"`
}

// Run imports through the running server if there is one, so that connected
// clients see the books arrive; otherwise it opens the log itself.
func (c importCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.Sample == (c.File != "") {
		return errors.New("import needs either a file (- for standard input) or --sample")
	}
	if c.Sample {
		return importSample(ctx, p, s)
	}
	file, done, err := p.openBooks(c.File)
	if err != nil {
		return err
	}
	defer done()
	result, err := c.run(ctx, p, s, file)
	if err != nil {
		if errors.Is(err, exchange.ErrRefused) {
			err = fmt.Errorf("%d of %d rows: %w", result.Refused, result.Rows, err)
		}
		return err
	}
	would := ""
	if c.DryRun {
		would = "would be "
	}
	fmt.Fprintf(p.stdout, "%d books %sadded, %d changed, %d unchanged, %d refused; %d favourites %sgiven, %d taken back\n",
		result.Added, would, result.Updated, result.Unchanged, result.Refused, result.FavoritesGiven, would, result.FavoritesEnded)
	if result.Refused > 0 {
		return &exitError{exitRefused, fmt.Errorf("%d of %d rows were refused", result.Refused, result.Rows)}
	}
	return nil
}

// run imports, and tells of refused rows and of the progress.
func (c importCommand) run(ctx context.Context, p *process, s *Settings, file *os.File) (result exchange.Result, err error) {
	bar := newProgressBar(p.stderr, "importing")
	refused := 0
	options := exchange.Options{
		Format: c.of(c.File), Name: nameOfBooks(c.File), Strict: c.Strict, DryRun: c.DryRun, Progress: bar.show,
		Refused: func(row exchange.Row) {
			if refused++; refused <= shownRefusals {
				bar.clear()
				fmt.Fprintf(p.stderr, "row %d (line %d): %s\n", row.Number, row.Line, row.Problem)
			}
		},
	}
	err = withExchangeStore(ctx, p, s, c.DryRun, func(store exchange.Store) (err error) {
		if c.Rejects == "" {
			result, err = exchange.Import(ctx, file, store, options)
			return err
		}
		// What was refused is kept even if the import fails.
		kept := ops.ReplaceFile(filepath.Clean(c.Rejects), 0o640, func(to io.Writer) error {
			options.Rejects = to
			result, err = exchange.Import(ctx, file, store, options)
			return nil
		})
		return errors.Join(err, kept)
	})
	bar.clear()
	if more := refused - shownRefusals; more > 0 {
		fmt.Fprintf(p.stderr, "and %d rows more; --rejects FILE takes them all\n", more)
	}
	return result, err
}

// nameOfBooks is what errors call the file that an argument names.
func nameOfBooks(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// openBooks opens a file that an argument names; the caller calls done at the end. What comes from
// standard input is kept in a file first, as an import reads twice.
func (p *process) openBooks(file string) (opened *os.File, done func(), err error) {
	if file != "-" {
		opened, err = os.Open(file)
		return opened, func() { _ = opened.Close() }, err // it was only read
	}
	if opened, err = os.CreateTemp("", "shelfcast-import-*"); err != nil {
		return nil, nil, err
	}
	done = func() { _ = errors.Join(opened.Close(), os.Remove(opened.Name())) } // nobody misses it
	size, err := io.Copy(opened, io.LimitReader(p.stdin, ops.MaxFileSize+1))
	if err == nil && size > ops.MaxFileSize {
		err = fmt.Errorf("standard input is larger than %d bytes", ops.MaxFileSize)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return opened, done, nil
}

// importSample loads the sample books.
func importSample(ctx context.Context, p *process, s *Settings) error {
	var difference catalog.Difference
	err := askServer(ctx, s, http.MethodPost, "/samples", nil, nil, &difference)
	if errors.Is(err, errNoServer) {
		err = withStore(ctx, p, s, (*store).start, func(b *backups) (err error) {
			difference.Added, err = ops.NewSamples(b.catalog, nil).Load(ctx, operator())
			return err
		})
	}
	if err == nil {
		_, err = fmt.Fprintf(p.stdout, "%d books added\n", difference.Added)
	}
	return err
}
