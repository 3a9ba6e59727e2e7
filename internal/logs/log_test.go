package logs

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stuck is a reader that takes nothing until it is let go.
type stuck struct {
	entered, free chan struct{}
	text          bytes.Buffer
}

func (s *stuck) Write(lines []byte) (int, error) {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.free
	return s.text.Write(lines)
}

// Whoever logs never waits for who reads; what is lost is counted and said.
func TestAStuckReaderCostsLinesOnly(t *testing.T) {
	t.Parallel()
	reader := &stuck{entered: make(chan struct{}, 1), free: make(chan struct{})}
	log, err := Open(Options{Stream: reader})
	if err != nil {
		t.Fatal(err)
	}
	log.Logger.Info("first")
	<-reader.entered
	long := strings.Repeat("x", 1<<20)
	for range 20 { // would block for ever if anybody waited
		log.Logger.Info("emit", "text", long)
	}
	dropped := log.Dropped()
	if dropped < 10 || dropped >= 20 {
		t.Errorf("%d of 20 lines of 1 MB were dropped", dropped)
	}
	close(reader.free)
	for log.Dropped() == dropped { // until what waits is written there may be no room for this line
		log.Logger.Info("there is room again")
		if bytesWaiting(log.queue) == 0 {
			break
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if text := reader.text.String(); !strings.Contains(text, `"msg":"first"`) || !strings.Contains(text, `"msg":"log lines were dropped`) {
		t.Error("the log lacks its first line, or that lines were dropped")
	}
	log.Logger.Info("too late") // is lost, and harms nobody
}

func bytesWaiting(q *queue) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

// full is a disk with room for the first few bytes.
type full struct{ room int }

func (f *full) Write(lines []byte) (int, error) {
	n := min(f.room, len(lines))
	f.room -= n
	if n < len(lines) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func TestLinesThatCannotBeWrittenAreCounted(t *testing.T) {
	t.Parallel()
	q := newQueue(&full{room: 7}, slog.New(slog.DiscardHandler))
	if _, err := io.WriteString(q, "first\nsecond\nthird\n"); err != nil {
		t.Fatal(err)
	}
	if err := q.close(time.Minute); err != nil {
		t.Fatal(err)
	}
	if dropped := q.dropped.Load(); dropped != 2 {
		t.Errorf("%d lines were dropped, want 2", dropped)
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	reader := &stuck{entered: make(chan struct{}, 1), free: make(chan struct{})}
	q := newQueue(reader, slog.New(slog.DiscardHandler))
	if _, err := io.WriteString(q, "line\n"); err != nil {
		t.Fatal(err)
	}
	<-reader.entered
	if err := q.close(time.Millisecond); err == nil {
		t.Error("what was not written counts as written")
	}
	close(reader.free)
	<-q.done
}

// One call of the logger is one line, whatever it is given.
func TestLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	for _, text := range []bool{false, true} {
		var out bytes.Buffer
		log, err := Open(Options{Stream: &out, Text: text})
		if err != nil {
			t.Fatal(err)
		}
		evil := "anna\nlevel=ERROR msg=forged\r\n{\"msg\":\"forged\"}\x1b[31m\u2028"
		log.Logger.Info("connection", "user", evil, "took", 1500*time.Millisecond)
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		line := out.String()
		if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\r\x1b") || !strings.Contains(line, "1.5s") {
			t.Errorf("text %t: %q", text, line)
		}
		var fields map[string]any
		if !text && (json.Unmarshal(out.Bytes(), &fields) != nil || fields["user"] != evil) {
			t.Errorf("the line is not JSON with the user: %q", line)
		}
	}
}

func TestLevelChangesWhileRunning(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := Open(Options{Stream: &out, Level: slog.LevelWarn})
	if err != nil {
		t.Fatal(err)
	}
	log.Logger.Info("hidden")
	log.Level.Set(slog.LevelDebug)
	log.Logger.Debug("shown")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "hidden") || !strings.Contains(text, "shown") {
		t.Error(text)
	}
}

// A file is continued, rotated under a name that the handbook's cleaning finds, and what is too old
// goes.
func TestFileIsRotatedAndOldOnesGo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "logs")
	name := filepath.Join(dir, "server.log")
	for range 2 {
		log, err := Open(Options{Stream: io.Discard, File: name, Keep: 30 * 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		log.Logger.Info("connection")
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(name)
	if err != nil || strings.Count(string(content), "connection") != 2 {
		t.Fatalf("the second start did not continue the file: %q, %v", content, err)
	}
	days := func(n int) string {
		return filepath.Join(dir, "server-"+time.Now().AddDate(0, 0, -n).Format("2006-01-02T15-04-05.000")+"-time.log")
	}
	young, old := days(29), days(31)
	for _, name := range []string{young, old} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := openFile(name, 30*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Rotate(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil { // waits for the cleaning
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err == nil || len(left) != 3 { // the file, what it was, and 29 days
		t.Errorf("left: %q", left)
	}
}

func TestUnwritableFileIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(file, "server.log"), t.TempDir()} {
		if log, err := Open(Options{Stream: io.Discard, File: name}); err == nil {
			t.Errorf("%s was opened (%v)", name, log.Close())
		}
	}
}
