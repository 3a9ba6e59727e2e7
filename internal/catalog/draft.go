package catalog

import "time"

// Draft is what a person enters for a book: a new one ([Catalog.Add]) or a whole
// replacement ([Catalog.Replace]). The commands trim, cut and check the texts; a text
// that is empty then counts as missing.
type Draft struct {
	Title          string
	Author         string
	ReturnDateTime *time.Time // any zone; nil: none
	ReaderName     *string    // nil or empty: nobody
}

// Optional is a field that a patch may leave alone, clear or set.
type Optional[T any] struct {
	Present bool // false: left alone
	Value   *T   // nil: cleared
}

// BookPatch is a partial change of a book (JSON merge patch, RFC 7396).
type BookPatch struct {
	Title          *string // nil: left alone; empty after trimming: an error
	Author         *string // nil: left alone; empty after trimming: an error
	ReturnDateTime Optional[time.Time]
	ReaderName     Optional[string]
}

// IsEmpty reports whether the patch leaves everything alone.
func (p BookPatch) IsEmpty() bool {
	return p.Title == nil && p.Author == nil && !p.ReturnDateTime.Present && !p.ReaderName.Present
}

// clean applies the rules of the contract's table "Book"; it leaves empty texts to the caller.
func (d Draft) clean() (Draft, error) {
	var err error
	if d.Title, err = cleanTitle(d.Title); err != nil {
		return Draft{}, err
	}
	if d.Author, err = cleanAuthor(d.Author); err != nil {
		return Draft{}, err
	}
	if d.ReturnDateTime, err = cleanDate("returnDateTime", d.ReturnDateTime); err != nil {
		return Draft{}, err
	}
	if d.ReaderName, err = cleanReader(d.ReaderName); err != nil {
		return Draft{}, err
	}
	return d, nil
}

// requireTexts is the rule of POST: a book has a title and an author.
func (d Draft) requireTexts() error {
	if d.Title == "" {
		return titleAndAuthorRequired("title")
	}
	if d.Author == "" {
		return titleAndAuthorRequired("author")
	}
	return nil
}

func (p BookPatch) clean() (BookPatch, error) {
	var err error
	if p.Title, err = cleanPatchText("title", p.Title, cleanTitle); err != nil {
		return BookPatch{}, err
	}
	if p.Author, err = cleanPatchText("author", p.Author, cleanAuthor); err != nil {
		return BookPatch{}, err
	}
	if p.ReturnDateTime.Value, err = cleanDate("returnDateTime", p.ReturnDateTime.Value); err != nil {
		return BookPatch{}, err
	}
	if p.ReaderName.Value, err = cleanReader(p.ReaderName.Value); err != nil {
		return BookPatch{}, err
	}
	return p, nil
}

func cleanPatchText(field string, text *string, clean func(string) (string, error)) (*string, error) {
	if text == nil {
		return nil, nil
	}
	cleaned, err := clean(*text)
	if err != nil {
		return nil, err
	}
	if cleaned == "" {
		return nil, titleAndAuthorRequired(field)
	}
	return &cleaned, nil
}

// applyTo gives the book as PUT makes it: an empty title or author keeps its value, a
// missing date or reader becomes null (contract, Book).
func (d Draft) applyTo(book Book) Book {
	if d.Title != "" {
		book.Title = d.Title
	}
	if d.Author != "" {
		book.Author = d.Author
	}
	book.ReturnDateTime = d.ReturnDateTime
	book.ReaderName = d.ReaderName
	return book
}

// applyTo gives the book as the patch makes it.
func (p BookPatch) applyTo(book Book) Book {
	if p.Title != nil {
		book.Title = *p.Title
	}
	if p.Author != nil {
		book.Author = *p.Author
	}
	if p.ReturnDateTime.Present {
		book.ReturnDateTime = p.ReturnDateTime.Value
	}
	if p.ReaderName.Present {
		book.ReaderName = p.ReaderName.Value
	}
	return book
}
