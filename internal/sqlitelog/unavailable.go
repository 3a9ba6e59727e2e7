package sqlitelog

import (
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// refused is the error for changes that a failed transaction did not store. Its detail says to
// anybody what is wrong, as far as that gives nothing away; the cause is for the log.
func refused(cause error) error {
	err := catalog.Unavailable(cause)
	if known := (*catalog.Error)(nil); errors.As(err, &known) {
		known.Detail = whatIsWrong(cause)
	}
	return err
}

func whatIsWrong(cause error) string {
	if errors.Is(cause, errSyncFailed) {
		return "the disk could not be synced"
	}
	switch sqlite.ErrCode(cause).ToPrimary() {
	case sqlite.ResultFull:
		return "the disk is full"
	case sqlite.ResultIOErr, sqlite.ResultReadOnly, sqlite.ResultCantOpen:
		return "the disk does not take what is written"
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return "another program holds the database"
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return "the database is damaged"
	}
	return ""
}
