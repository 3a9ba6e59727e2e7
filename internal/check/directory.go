package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// probeSize is what a write that succeeds must be able to store, in bytes: a commit of the log with
// its index takes less.
const probeSize = 256 << 10

// Directory checks that a directory can be written and has room, by writing to it, and that the
// files in it that hold the catalogue or its secret are nobody else's to read. With repair, it
// takes away what others may do.
func Directory(dir string, repair bool) []Fault {
	var faults []Fault
	if err := probe(dir); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		faults = append(faults, New(DiskFull, err.Error()))
	} else if err != nil {
		faults = append(faults, New(DirectoryUnwritable, err.Error()))
	}
	// books.json is everybody's on purpose: the handbook's commands read it.
	for name, allowed := range map[string]fs.FileMode{
		".":                             0o755,
		sqlitelog.DatabaseName:          0o640,
		sqlitelog.DatabaseName + "-wal": 0o640,
	} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&^allowed == 0 {
			continue // what is missing is nobody's
		}
		wanted := info.Mode().Perm() & allowed
		fault := New(PermissionsOpen, fmt.Sprintf("%s has the mode %04o; chmod %04o %s", path, info.Mode().Perm(), wanted, path))
		if repair {
			fault.Repair = fmt.Sprintf("the mode is now %04o", wanted)
			if err := os.Chmod(path, wanted); err != nil {
				fault.Repair = "failed: " + err.Error()
			}
		}
		faults = append(faults, fault)
	}
	return faults
}

func probe(dir string) (err error) {
	file, err := os.CreateTemp(dir, ".check-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	_, err = file.Write(make([]byte, probeSize))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
