package exchange

import (
	"errors"
	"io"
)

var errRowTooLong = errors.New("a row is longer than 8 MiB; is a quote or a bracket missing?")

// tracked tells in which line the reader of a source is and which text it took, however far that
// reads ahead, and bounds what it takes for one row. It is for one goroutine.
type tracked struct {
	source io.Reader
	began  int64   // where the row under way begins
	text   []byte  // from there on, as far as it was read
	breaks []int64 // the line breaks in text
	line   int     // of began, from 1
}

func newTracked(source io.Reader) *tracked { return &tracked{source: source, line: 1} }

// Read implements io.Reader.
func (t *tracked) Read(p []byte) (int, error) {
	room := maxRow - len(t.text)
	if room <= 0 {
		return 0, errRowTooLong
	}
	n, err := t.source.Read(p[:min(len(p), room)])
	end := t.began + int64(len(t.text))
	for i, c := range p[:n] {
		if c == '\n' {
			t.breaks = append(t.breaks, end+int64(i))
		}
	}
	t.text = append(t.text, p[:n]...)
	return n, err
}

// begin says that a row begins at an offset, which is none that was passed already.
func (t *tracked) begin(offset int64) {
	t.text = t.text[min(offset-t.began, int64(len(t.text))):]
	t.began = offset
	for len(t.breaks) > 0 && t.breaks[0] < offset {
		t.breaks = t.breaks[1:]
		t.line++
	}
}

// until is the text from the row's beginning to an offset.
func (t *tracked) until(offset int64) []byte {
	return t.text[:min(offset-t.began, int64(len(t.text)))]
}
