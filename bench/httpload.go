package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// httpLoad sends requests over a few connections that stay open, each as soon as the answer to the
// one before has arrived. It reads no more of an answer than its status and length: on two cores
// whatever the load costs is missing to the server.
type httpLoad struct {
	address     string
	connections int
	length      time.Duration
	// request is the nth request, counted over all connections; it may be called at one time by all
	// of them.
	request func(n int64) []byte
	status  int // that every answer must have
	// every keeps the pace: with it, requests begin this far apart, over all connections.
	every time.Duration
}

// httpRun is what a load did.
type httpRun struct {
	answers int
	took    time.Duration
	waits   []time.Duration // from request to the answer's end, sorted
	bytes   int64           // of answers, heads included
}

func (r httpRun) perSecond() float64 { return float64(r.answers) / r.took.Seconds() }

// quantile of how long answers took, q from 0 to 1; 0 without answers.
func (r httpRun) quantile(q float64) time.Duration {
	if len(r.waits) == 0 {
		return 0
	}
	return r.waits[min(int(q*float64(len(r.waits))), len(r.waits)-1)]
}

// run sends until the time is over or ctx ends. An answer that is not the expected one is an error.
func (l httpLoad) run(ctx context.Context) (httpRun, error) {
	ctx, cancel := context.WithTimeout(ctx, l.length)
	defer cancel()
	var (
		numbers turnstile
		workers sync.WaitGroup
		each    = make([]httpRun, l.connections)
		failed  = make([]error, l.connections)
	)
	numbers.every = l.every
	begin := time.Now()
	numbers.next = begin
	for i := range l.connections {
		workers.Go(func() {
			if each[i], failed[i] = l.drive(ctx, &numbers); failed[i] != nil {
				cancel()
			}
		})
	}
	workers.Wait()
	total := httpRun{took: time.Since(begin)}
	for _, one := range each {
		total.answers += one.answers
		total.bytes += one.bytes
		total.waits = append(total.waits, one.waits...)
	}
	slices.Sort(total.waits)
	return total, errors.Join(failed...)
}

// turnstile numbers the requests and holds them apart. It is safe for concurrent use.
type turnstile struct {
	every time.Duration

	mu     sync.Mutex
	passed int64
	next   time.Time
}

// pass waits for its turn; false when ctx ended first.
func (t *turnstile) pass(ctx context.Context) (int64, bool) {
	t.mu.Lock()
	number, at := t.passed, t.next
	t.passed++
	t.next = t.next.Add(t.every)
	t.mu.Unlock()
	if t.every == 0 {
		return number, ctx.Err() == nil
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return number, true
	case <-ctx.Done():
		return number, false
	}
}

// drive is one connection's part.
func (l httpLoad) drive(ctx context.Context, numbers *turnstile) (httpRun, error) {
	var done httpRun
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return done, err
	}
	defer connection.Close()
	// Far beyond what an answer takes: a server that hangs fails the run.
	if err := connection.SetDeadline(time.Now().Add(l.length + time.Minute)); err != nil {
		return done, err
	}
	answers := answerReader{from: connection, buffer: make([]byte, 256<<10)}
	for {
		number, ok := numbers.pass(ctx)
		if !ok {
			return done, nil
		}
		sent := time.Now()
		if _, err := connection.Write(l.request(number)); err != nil {
			return done, err
		}
		status, size, err := answers.next()
		if err != nil {
			return done, err
		}
		if status != l.status {
			return done, fmt.Errorf("the server answered %d, not %d", status, l.status)
		}
		done.answers++
		done.bytes += size
		done.waits = append(done.waits, time.Since(sent))
	}
}

// answerReader reads HTTP/1.1 answers that give their length (RFC 9112, section 6.3) and throws
// their content away.
type answerReader struct {
	from   io.Reader
	buffer []byte
	filled int // bytes of the next answer that came along
	head   []byte
}

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\ncontent-length:")
)

// next reads one answer to its end.
func (a *answerReader) next() (status int, size int64, err error) {
	end := -1
	for end < 0 {
		if a.filled == len(a.buffer) {
			return 0, 0, errors.New("the head of an answer is too long")
		}
		count, err := a.from.Read(a.buffer[a.filled:])
		a.filled += count
		if end = bytes.Index(a.buffer[:a.filled], headEnd); end < 0 && err != nil {
			return 0, 0, fmt.Errorf("reading an answer: %w", err)
		}
	}
	status, length, err := parseHead(a.buffer[:end])
	if err != nil {
		return 0, 0, err
	}
	a.head = append(a.head[:0], a.buffer[:end]...)
	size = int64(end+len(headEnd)) + length
	missing := size - int64(a.filled)
	if missing < 0 {
		return 0, 0, errors.New("more arrived than the answer's length")
	}
	for a.filled = 0; missing > 0; {
		count, err := a.from.Read(a.buffer[:min(missing, int64(len(a.buffer)))])
		if missing -= int64(count); missing > 0 && err != nil {
			return 0, 0, fmt.Errorf("reading an answer: %w", err)
		}
	}
	return status, size, nil
}

// parseHead reads the status and the length of the content from an answer's head, which comes
// without the empty line that ends it.
func parseHead(head []byte) (status int, length int64, err error) {
	const first = len("HTTP/1.1 200")
	if len(head) < first || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) {
		return 0, 0, fmt.Errorf("not an answer of HTTP/1.1: %.40q", head)
	}
	if status, err = strconv.Atoi(string(head[first-3 : first])); err != nil {
		return 0, 0, fmt.Errorf("status: %w", err)
	}
	if status == 304 || status == 204 {
		return status, 0, nil // never with content, whatever the length says (RFC 9110, section 15.4.5)
	}
	_, rest, found := bytes.Cut(bytes.ToLower(head), contentLength)
	if !found {
		return 0, 0, fmt.Errorf("an answer without Content-Length: %.200q", head)
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	if length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil || length < 0 {
		return 0, 0, fmt.Errorf("Content-Length %q", value)
	}
	return status, length, nil
}
