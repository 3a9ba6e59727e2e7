package logs

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/DeRuina/timberjack"
)

const (
	// maxFileMegabytes is when a file is rotated before its day is over.
	maxFileMegabytes = 100
	// maxFiles bounds how much disk a flood of lines can take: old files beyond it go early.
	maxFiles = 60
	// closeTimeout is how long Close waits for somebody who does not read.
	closeTimeout = 2 * time.Second
)

// Options of Open. Stream is required.
type Options struct {
	Stream io.Writer     // where lines go without a File
	File   string        // rotated at midnight and at 100 MB; "": none
	Keep   time.Duration // how long rotated files stay, in whole days; 0: for ever
	Text   bool          // for people; else JSON, an object a line
	Level  slog.Level    // the least severe that is written
}

// Log is an open log. Safe for concurrent use. One that is made of a Logger and a Level alone
// writes as that Logger does, and is closed by nobody.
type Log struct {
	Logger *slog.Logger
	Level  *slog.LevelVar

	queue *queue
	file  io.Closer // nil without a file
}

// Open starts the goroutine that writes. Close ends it.
func Open(o Options) (*Log, error) {
	l := &Log{Level: new(slog.LevelVar)}
	l.Level.Set(o.Level)
	out := o.Stream
	if o.File != "" {
		file, err := openFile(o.File, o.Keep)
		if err != nil {
			return nil, err
		}
		out, l.file = file, file
	}
	handler := func(w io.Writer) slog.Handler { return newHandler(w, o.Text, l.Level) }
	l.queue = newQueue(out, slog.New(handler(out)))
	l.Logger = slog.New(handler(l.queue))
	return l, nil
}

// Direct is a logger that writes each line before it returns, for commands that do one
// thing.
func Direct(w io.Writer, text bool, level slog.Level) *slog.Logger {
	return slog.New(newHandler(w, text, level))
}

func newHandler(w io.Writer, text bool, level slog.Leveler) slog.Handler {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration { // JSON would show nanoseconds
			a.Value = slog.StringValue(a.Value.Duration().String())
		}
		return a
	}}
	if text {
		return slog.NewTextHandler(w, options)
	}
	return slog.NewJSONHandler(w, options)
}

// openFile checks first that the file can be written: the library would only say so at the first
// line. Its names for rotated files end in .log too, as the handbook's own cleaning expects.
func openFile(name string, keep time.Duration) (*timberjack.Logger, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return nil, fmt.Errorf("the log's directory: %w", err)
	}
	probe, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("the log file: %w", err)
	}
	if err := probe.Close(); err != nil {
		return nil, fmt.Errorf("the log file: %w", err)
	}
	return &timberjack.Logger{
		Filename: name, MaxSize: maxFileMegabytes, MaxBackups: maxFiles, MaxAge: int(keep / (24 * time.Hour)),
		RotateAt: []string{"00:00"}, LocalTime: true, Compression: "none", FileMode: 0o640,
	}, nil
}

// Dropped counts the lines that were lost because whoever takes them is too slow.
func (l *Log) Dropped() uint64 {
	if l.queue == nil {
		return 0
	}
	return l.queue.dropped.Load()
}

// Close writes what waits and closes the file. Lines that come later are lost. It gives up after
// two seconds on a stream that takes nothing.
func (l *Log) Close() error {
	err := l.queue.close(closeTimeout)
	if l.file != nil && err == nil {
		err = l.file.Close()
	}
	if err != nil {
		return errors.Join(errors.New("the end of the log may be missing"), err)
	}
	return nil
}
