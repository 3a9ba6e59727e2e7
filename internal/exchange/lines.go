package exchange

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// lines reads NDJSON: a JSON object a line. Empty lines count, and are passed over.
type lines struct {
	name    string
	scanner *bufio.Scanner
	line    int
	number  int
	taken   int64
}

func newLines(source io.Reader, name string) *lines {
	scanner := bufio.NewScanner(source)
	scanner.Buffer(nil, maxRow)
	return &lines{name: name, scanner: scanner}
}

func (l *lines) header() []string { return nil }
func (l *lines) offset() int64    { return l.taken }

func (l *lines) next() (Row, error) {
	for l.scanner.Scan() {
		l.line++
		text := l.scanner.Bytes()
		l.taken += int64(len(text)) + 1
		if text = bytes.TrimSpace(text); len(text) > 0 {
			l.number++
			return jsonRow(l.number, l.line, text), nil
		}
	}
	switch err := l.scanner.Err(); {
	case err == nil:
		return Row{}, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return Row{}, &BrokenError{l.name, l.line + 1, "a line is longer than 8 MiB; is it --format json?"}
	default:
		return Row{}, fmt.Errorf("reading %s: %w", l.name, err)
	}
}
