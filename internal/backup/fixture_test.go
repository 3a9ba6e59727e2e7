package backup

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

var owner = catalog.Actor{UserID: "olga", Role: catalog.RoleOwner}

// library is a running catalogue on its real log.
type library struct {
	*catalog.Catalog
	log *sqlitelog.Log
	t   *testing.T
}

func open(t *testing.T, dir string, observers ...func([]catalog.Applied)) *library {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), dir, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &library{Catalog: catalog.New(log, catalog.Options{}), log: log, t: t}
	for _, observer := range observers {
		l.Observe(observer)
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the catalogue: %v", err)
		}
		if err := log.Close(); err != nil {
			t.Errorf("closing the log: %v", err)
		}
	})
	<-l.Loaded()
	return l
}

func (l *library) fill(books int) {
	l.t.Helper()
	for i := range books {
		book, err := l.Add(l.t.Context(), owner, catalog.Draft{Title: fmt.Sprint("Book ", i), Author: "Author Name"})
		if err != nil {
			l.t.Fatal(err)
		}
		for _, userID := range []string{"zoe", "ann", "bob"}[:i%4] {
			if _, err := l.SetFavorite(l.t.Context(), owner, book.ID, userID, true); err != nil {
				l.t.Fatal(err)
			}
		}
	}
}

func (l *library) json() string {
	var text strings.Builder
	_, _ = l.Snapshot().JSON(catalog.WholeView()).WriteTo(&text) // a builder takes everything
	return text.String()
}

func (l *library) create(d *Directory) Info {
	l.t.Helper()
	info, err := d.Create(l.Snapshot(), ReasonManual)
	if err != nil {
		l.t.Fatal(err)
	}
	return info
}
