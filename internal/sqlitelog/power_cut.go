package sqlitelog

import (
	"log/slog"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// While a log is open in interval mode, its table meta says so, and under which run of the machine:
// only when the machine itself has stopped since can changes be lost that were acknowledged. Their
// sequences would be given again, to other changes, and whoever saw the lost ones would be told that
// nothing is missing. A new epoch says that the history is another one (ADR 0009).

// unsyncedBoot is the name in meta. Its value is the machine's run, "" where that is not known.
const unsyncedBoot = "unsynced_boot"

// settlePowerCut gives the log a new epoch if it was open in interval mode when the machine stopped,
// and notes whether it is open in interval mode now. It returns when that note is on the disk, and
// with it all that a run that was killed has left unsynced.
func settlePowerCut(conn *sqlite.Conn, id *identity, mode Sync, boot string, logger *slog.Logger) (err error) {
	if err := setPragmas(conn, "synchronous = FULL"); err != nil {
		return err
	}
	if err := settleEpoch(conn, id, mode, boot, logger); err != nil {
		return err
	}
	return setPragmas(conn, "synchronous = "+synchronousFor(mode))
}

func settleEpoch(conn *sqlite.Conn, id *identity, mode Sync, boot string, logger *slog.Logger) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)

	before, wasOpen, err := noted(conn)
	if err != nil {
		return err
	}
	if wasOpen && (before == "" || before != boot) {
		lost := id.epoch
		if err := renewEpoch(conn, id); err != nil {
			return err
		}
		logger.Warn("the machine stopped while the log was open with sync interval: its last changes may be lost, "+
			"so every client reads the catalogue anew", "former_epoch", lost, "epoch", id.epoch)
	}
	if mode == SyncInterval {
		return sqlitex.Execute(conn, "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
			&sqlitex.ExecOptions{Args: []any{unsyncedBoot, boot}})
	}
	if wasOpen {
		return forgetUnsynced(conn)
	}
	return nil
}

// settleLostEnd gives a log a new epoch that ends before a sequence that it is known to have
// reached: somebody or something has taken its end away, and what was said above holds for it too.
func settleLostEnd(conn *sqlite.Conn, id *identity, atLeast catalog.Sequence, logger *slog.Logger) error {
	head, err := storedHead(conn)
	if err != nil || head >= atLeast {
		return err
	}
	lost := id.epoch
	if err := renewEpoch(conn, id); err != nil {
		return err
	}
	logger.Warn("the log has lost its last changes, so every client reads the catalogue anew",
		"last", uint64(head), "had_reached", uint64(atLeast), "former_epoch", lost, "epoch", id.epoch)
	return nil
}

// renewEpoch is durable with the transaction it is in, or at once.
func renewEpoch(conn *sqlite.Conn, id *identity) error {
	epoch := newEpoch()
	err := sqlitex.Execute(conn, "UPDATE meta SET value = ?1 WHERE name = 'epoch'", &sqlitex.ExecOptions{Args: []any{epoch}})
	if err == nil {
		id.epoch = epoch
	}
	return err
}

// forgetUnsynced notes that everything is on the disk.
func forgetUnsynced(conn *sqlite.Conn) error {
	return sqlitex.Execute(conn, "DELETE FROM meta WHERE name = ?1", &sqlitex.ExecOptions{Args: []any{unsyncedBoot}})
}

// noted reads whether the log was left open in interval mode, and in which run of the machine.
func noted(conn *sqlite.Conn) (boot string, wasOpen bool, err error) {
	err = sqlitex.Execute(conn, "SELECT value FROM meta WHERE name = ?1", &sqlitex.ExecOptions{
		Args: []any{unsyncedBoot},
		ResultFunc: func(stmt *sqlite.Stmt) error {
			boot, wasOpen = strings.TrimSpace(stmt.ColumnText(0)), true
			return nil
		},
	})
	return boot, wasOpen, err
}
