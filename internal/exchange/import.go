package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Batches are stored one after the other, so that those who write meanwhile wait for one only.
const (
	batchBooks = 1000
	batchBytes = 1 << 20
)

// ErrRefused means that nothing was changed, because rows were refused and Options.Strict is set.
var ErrRefused = errors.New("nothing was changed, as some rows were refused")

// Store brings books into a catalogue as catalog.Restore does that keeps others, or only says what
// that would change.
type Store func(ctx context.Context, books []catalog.Book, dryRun bool) (catalog.Difference, error)

// Options of Import. The zero value imports JSON.
type Options struct {
	Format Format // default JSON
	Name   string // of the file, for errors
	// Strict changes nothing if one row is refused, and otherwise stores all of them or none, for
	// which they have to fit into memory.
	Strict bool
	DryRun bool // changes nothing

	Refused func(Row) // is told of each row that is refused; nil: nobody is
	Rejects io.Writer // gets them, in the file's format; nil: nobody does
	// Progress is told now and then how much of the file was looked at, and after that how much of
	// it is stored, in percent of both together; nil: nobody is.
	Progress func(percent int)
}

// Result is what an import did.
type Result struct {
	catalog.Difference
	Rows    int // books in the file, the refused ones included
	Refused int
}

// Import adds the books of a file to a catalogue. A book whose id the catalogue has is brought to
// what the file says, a book without an id gets one, and all others stay; where a file says nothing
// of favourites (no such member, or null, or no such column) a book keeps those that it has. So
// importing a file of books with ids twice changes nothing the second time.
//
// The file is read twice: a file that is broken changes nothing. Rows that are no books, or whose id
// came before, are refused, and the others go in.
//
// Errors: *BrokenError; ErrRefused; those of reading; those of store, after which the rows
// before are in (the error says up to which) and, if they have ids, a repetition goes on.
func Import(ctx context.Context, file io.ReadSeeker, store Store, options Options) (Result, error) {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return Result{}, fmt.Errorf("reading %s: %w", options.Name, err)
	}
	one := &importing{file: file, size: max(1, size), store: store, options: options}
	if err := one.survey(ctx); err != nil {
		return one.result, err
	}
	if options.Strict && one.result.Refused > 0 {
		return one.result, ErrRefused
	}
	return one.result, one.storeAll(ctx)
}

// importing is one import. It is for one goroutine.
type importing struct {
	file    io.ReadSeeker
	size    int64
	store   Store
	options Options
	result  Result
}

// each reads the file from its beginning and gives what is a book and what is refused.
func (i *importing) each(ctx context.Context, opened func(rows) error, do func(rows, *Row) error) error {
	if _, err := i.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading %s: %w", i.options.Name, err)
	}
	from, err := open(i.file, i.options.Format, i.options.Name)
	if err != nil {
		return err
	}
	if err := opened(from); err != nil {
		return err
	}
	numbers := make(map[int64]int) // id → row
	for {
		row, err := from.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && row.Number%batchBooks == 0 {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		examine(&row, numbers)
		if err := do(from, &row); err != nil {
			return err
		}
	}
}

// examine holds a row against the catalogue's rules and against the rows before.
func examine(row *Row, numbers map[int64]int) {
	if row.Problem != "" {
		return
	}
	book, err := row.Book.Normalized()
	if err != nil {
		row.Problem = reasonOf(err)
		return
	}
	row.Book = book
	if book.ID == 0 {
		return
	}
	if first, repeated := numbers[book.ID]; repeated {
		row.Problem = fmt.Sprintf("the id %d stands in row %d already", book.ID, first)
		return
	}
	numbers[book.ID] = row.Number
}

func reasonOf(err error) string {
	var wrong *catalog.Error
	if errors.As(err, &wrong) && wrong.Field != "" {
		return wrong.Field + " " + wrong.Detail
	}
	return err.Error()
}

// survey reads the whole file once, and tells of what is refused.
func (i *importing) survey(ctx context.Context) error {
	var out *rejects
	err := i.each(ctx, func(from rows) (err error) {
		out, err = newRejects(i.options.Rejects, i.options.Format, from.header())
		return err
	}, func(from rows, row *Row) error {
		i.result.Rows++
		if row.Number%batchBooks == 0 {
			i.progress(from.offset())
		}
		if row.Problem == "" {
			return nil
		}
		i.result.Refused++
		if i.options.Refused != nil {
			i.options.Refused(*row)
		}
		return out.add(row)
	})
	return errors.Join(err, out.close())
}

// storeAll reads it again and stores what is not refused.
func (i *importing) storeAll(ctx context.Context) error {
	var batch []catalog.Book
	began, stored := int64(0), 0
	flush := func(from rows, last int) error {
		if len(batch) == 0 {
			return nil
		}
		difference, err := i.store(ctx, batch, i.options.DryRun)
		if err != nil {
			if stored > 0 {
				err = fmt.Errorf("the rows up to %d are in, then: %w", stored, err)
			}
			return err
		}
		i.result.Difference = i.result.Plus(difference)
		batch, began, stored = batch[:0], from.offset(), last
		i.progress(i.size + from.offset())
		return nil
	}
	var source rows
	last := 0
	err := i.each(ctx, func(from rows) error { source = from; return nil }, func(from rows, row *Row) error {
		if row.Problem != "" {
			return nil
		}
		batch, last = append(batch, row.Book), row.Number
		if !i.options.Strict && (len(batch) >= batchBooks || from.offset()-began >= batchBytes) {
			return flush(from, last)
		}
		return nil
	})
	if err == nil {
		err = flush(source, last)
	}
	if err == nil {
		i.progress(2 * i.size)
	}
	return err
}

func (i *importing) progress(done int64) {
	if i.options.Progress != nil {
		i.options.Progress(int(min(100, 50*done/i.size)))
	}
}
