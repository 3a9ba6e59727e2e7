package main

import (
	"fmt"
	"io"
	"strings"
)

// progressBar shows on a terminal how far a command is; elsewhere it does nothing. It is for one
// goroutine.
type progressBar struct {
	to      io.Writer // nil: no terminal
	verb    string
	percent int // that is shown; -1: none
}

func newProgressBar(to io.Writer, verb string) *progressBar {
	bar := &progressBar{verb: verb, percent: -1}
	if isTerminal(to) {
		bar.to = to
	}
	return bar
}

func (b *progressBar) show(percent int) {
	if b.to == nil || percent == b.percent {
		return
	}
	b.percent = percent
	const width = 40
	done := width * percent / 100
	fmt.Fprintf(b.to, "\r%s [%s%s] %3d %%", b.verb, strings.Repeat("#", done), strings.Repeat(".", width-done), percent)
}

// clear takes it away, so that a line can be written.
func (b *progressBar) clear() {
	if b.to != nil && b.percent >= 0 {
		fmt.Fprint(b.to, "\r\x1b[K")
		b.percent = -1
	}
}
