package sqlitelog

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// SQLite reads a write-ahead log up to the first frame that it cannot believe, passes over the
// rest in silence, and removes the file when the database is closed. After a crash that is right:
// what follows is the transaction that was being written. If more than that follows, the file was
// damaged, and with it goes the only trace of what was lost. So such a log is copied before SQLite
// may touch it (ADR 0025).

// DamagedWALPattern is what the directories of such copies are called, in the data directory.
const DamagedWALPattern = "damaged-wal-*"

// DamagedWALNote is the file in such a directory that says for people what was found and when.
const DamagedWALNote = "README.txt"

// keepDamagedWAL copies the write-ahead log of a database, and the database, if that log is damaged.
// One that was copied already, by a start that came no further, is not copied again. It works
// under the lock of the data directory and before SQLite opens the database.
func keepDamagedWAL(database string, now time.Time, logger *slog.Logger) error {
	name := database + "-wal"
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := walDamage(bufio.NewReaderSize(file, 1<<20))
	if err != nil || found == "" {
		return err
	}
	sum := sha256.New()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	dir := filepath.Dir(database)
	aside := filepath.Join(dir, "damaged-wal-"+hex.EncodeToString(sum.Sum(nil)[:6]))
	if _, err := os.Stat(aside); err == nil {
		return nil
	}
	note := fmt.Sprintf("found %s: the write-ahead log %s", now.UTC().Format(time.RFC3339), found)
	if err := copyAside(aside, note, database, name); err != nil {
		return fmt.Errorf("the write-ahead log %s, and cannot be copied before it is dropped (make room, or move %s away): %w", found, name, err)
	}
	logger.Warn("the write-ahead log is damaged: the changes behind that place are not in the log. A copy is kept",
		"found", found, "copy", aside)
	return nil
}

// copyAside makes a directory with copies of files, whole or not at all.
func copyAside(aside, note string, files ...string) (err error) {
	made, err := os.MkdirTemp(filepath.Dir(aside), ".damaged-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(made) // the error that led here says more
		}
	}()
	if err := os.WriteFile(filepath.Join(made, DamagedWALNote), []byte(note+"\n"), 0o600); err != nil {
		return err
	}
	for _, name := range files {
		if err := copyFile(filepath.Join(made, filepath.Base(name)), name); err != nil {
			return err
		}
	}
	if err := syncDirectory(made); err != nil {
		return err
	}
	if err := os.Rename(made, aside); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(aside))
}

func copyFile(to, from string) error {
	source, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Sync()
	}
	return errors.Join(err, target.Close())
}

// The form of a write-ahead log: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
const (
	walHeaderSize      = 32
	walFrameHeaderSize = 24
	walLittleEndian    = 0x377f0682 // magic number; the lowest bit says in which order checksums read
	walBigEndian       = 0x377f0683
	minPageSize        = 512
	maxPageSize        = 64 << 10
)

// walDamage reads a write-ahead log as SQLite's recovery does and says where it is damaged; "" if it
// is not. A transaction is written only after the one before it, so when a frame cannot be believed
// and yet another transaction follows, the frame was whole once. Frames that the log of before has
// left in the file differ in their salts.
func walDamage(from io.Reader) (string, error) {
	header := make([]byte, walHeaderSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return "", unlessEnd(err) // a header that was never finished has no frames behind it
	}
	magic, pageSize := binary.BigEndian.Uint32(header), binary.BigEndian.Uint32(header[8:])
	order := binary.ByteOrder(binary.LittleEndian)
	if magic == walBigEndian {
		order = binary.BigEndian
	}
	sum := walChecksum{order: order}
	sum.add(header[:24])
	if magic != walLittleEndian && magic != walBigEndian || !sum.is(header[24:]) || pageSize < minPageSize || pageSize > maxPageSize {
		if bytes.Equal(header, make([]byte, walHeaderSize)) { // a power cut came before its first sync
			return "", nil
		}
		return "is damaged in its header", nil
	}
	salts := header[16:24]
	frame := make([]byte, walFrameHeaderSize+pageSize)
	broken, ended := int64(-1), false // where it breaks; whether the transaction there has ended
	for at := int64(walHeaderSize); ; at += int64(len(frame)) {
		if _, err := io.ReadFull(from, frame); err != nil {
			return "", unlessEnd(err) // an unfinished frame is the last one's
		}
		ours := bytes.Equal(frame[8:16], salts)
		if ended && ours {
			return fmt.Sprintf("is damaged from byte %d on, and goes on after that", broken), nil
		}
		if broken < 0 {
			sum.add(frame[:8])
			sum.add(frame[walFrameHeaderSize:])
			if !ours || !sum.is(frame[16:24]) {
				broken = at
			}
		}
		commits := binary.BigEndian.Uint32(frame[4:]) != 0
		ended = ended || broken >= 0 && ours && commits
	}
}

// unlessEnd takes the end of a file for no error.
func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// walChecksum is SQLite's, over all that was added.
type walChecksum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (c *walChecksum) add(content []byte) {
	for ; len(content) >= 8; content = content[8:] {
		c.s0 += c.order.Uint32(content) + c.s1
		c.s1 += c.order.Uint32(content[4:]) + c.s0
	}
}

// is compares with a checksum as it is stored, which is big-endian always.
func (c *walChecksum) is(stored []byte) bool {
	return binary.BigEndian.Uint32(stored) == c.s0 && binary.BigEndian.Uint32(stored[4:]) == c.s1
}
