package check

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// clockTolerance is how far before the last change the clock may be: machines of one library
// need not agree to the second.
const clockTolerance = time.Minute

// Log checks an open log: its blocks, rows, sequences and relations, and the clock against its last
// change. now is the clock.
// Errors: those that keep it from looking.
func Log(ctx context.Context, log *sqlitelog.Log, now time.Time) ([]Fault, error) {
	var faults []Fault
	err := log.Check(ctx)
	var damage *sqlitelog.Damage
	if err != nil && !errors.As(err, &damage) {
		return nil, err
	}
	if damage != nil {
		for _, finding := range damage.Findings {
			name := LogDamaged
			if finding.Kind == sqlitelog.OrphanedRow {
				name = FavoriteWithoutBook
			}
			faults = append(faults, New(name, finding.Text))
		}
	}
	last, err := log.LastChangeAt(ctx)
	if err != nil {
		return append(faults, New(LogDamaged, err.Error())), nil
	}
	if behind := last.Sub(now); behind > clockTolerance {
		faults = append(faults, New(ClockBehind, fmt.Sprintf("the clock says %s, the last change was stored at %s, %s later",
			now.UTC().Format(time.RFC3339), last.Format(time.RFC3339), behind.Round(time.Second))))
	}
	return faults, nil
}

// DamagedWAL names the damaged write-ahead logs that were put aside in a data directory and that nobody
// has removed since.
func DamagedWAL(dir string) []Fault {
	var faults []Fault
	kept, _ := filepath.Glob(filepath.Join(dir, sqlitelog.DamagedWALPattern)) // the pattern is valid
	for _, aside := range kept {
		note, err := os.ReadFile(filepath.Join(aside, sqlitelog.DamagedWALNote))
		if err != nil {
			note = []byte(err.Error())
		}
		faults = append(faults, New(WALDamaged, fmt.Sprintf("%s: %s", aside, strings.TrimSpace(string(note)))))
	}
	return faults
}

// Unopened is the fault of a log that cannot be opened.
func Unopened(err error) Fault {
	if errors.As(err, new(*move.HeldError)) {
		return New(LogMoved, err.Error())
	}
	return New(LogUnreadable, err.Error())
}
