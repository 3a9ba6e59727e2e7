package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxHead bounds the head of an HTTP response.
const maxHead = 64 << 10

var (
	errNotHTTP    = errors.New("the answer is not HTTP/1.1")
	errHeadSize   = fmt.Errorf("the head of an HTTP response has more than %d bytes", maxHead)
	errNoLength   = errors.New("an HTTP response without a length")
	errBadChunk   = errors.New("an HTTP response in broken chunks")
	errBadLengths = errors.New("an HTTP response with a broken or second Content-Length")
)

// response takes the responses on one HTTP/1.1 connection apart, however the bytes come (RFC 9112).
// Only what a Socket.IO client needs is understood: the status, Sec-WebSocket-Accept, and where the
// body ends. net/http's reader blocks, and so would need a goroutine for each client. The zero value
// is ready for the first response.
type response struct {
	rest []byte // what came so far of a response that is not whole
}

// answer is one response.
type answer struct {
	status int
	accept string // Sec-WebSocket-Accept
	body   []byte // the taker's until it returns
}

// head is what a response's head says.
type head struct {
	status  int
	accept  string
	length  int // of the body; -1 if it is not said
	chunked bool
	size    int // of the head
}

// feed calls take for each whole response. After a 101 it returns the bytes behind it, which belong
// to the other protocol. An error is final.
func (r *response) feed(data []byte, take func(answer) error) (behind []byte, err error) {
	if len(r.rest) > 0 {
		r.rest = append(r.rest, data...)
		data = r.rest
	}
	for len(data) > 0 {
		h, whole, err := parseHead(data)
		if err != nil {
			return nil, err
		}
		if !whole {
			break
		}
		if h.status == 101 {
			r.rest = nil
			return data[h.size:], take(answer{status: h.status, accept: h.accept})
		}
		body, size, whole, err := h.body(data[h.size:])
		if err != nil {
			return nil, err
		}
		if !whole {
			break
		}
		if h.status/100 != 1 { // others of 1xx announce the real one
			if err := take(answer{status: h.status, body: body}); err != nil {
				return nil, err
			}
		}
		data = data[h.size+size:]
	}
	if len(data) > 0 {
		r.rest = append(r.rest[:0], data...)
	} else {
		r.rest = nil
	}
	return nil, nil
}

// parseHead parses a head if it is whole.
func parseHead(data []byte) (h head, whole bool, err error) {
	end := bytes.Index(data[:min(len(data), maxHead)], []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) >= maxHead {
			return head{}, false, errHeadSize
		}
		return head{}, false, nil
	}
	lines := data[:end]
	line, lines, _ := bytes.Cut(lines, []byte("\r\n"))
	const version = "HTTP/1.1 "
	if len(line) < len(version)+3 || string(line[:len(version)]) != version {
		return head{}, false, errNotHTTP
	}
	digits := line[len(version):]
	if len(digits) > 3 && digits[3] != ' ' {
		return head{}, false, errNotHTTP
	}
	h = head{length: -1, size: end + 4}
	if h.status, err = strconv.Atoi(string(digits[:3])); err != nil || h.status < 100 {
		return head{}, false, errNotHTTP
	}
	for len(lines) > 0 {
		line, lines, _ = bytes.Cut(lines, []byte("\r\n"))
		if err := h.field(line); err != nil {
			return head{}, false, err
		}
	}
	if h.status/100 == 1 || h.status == 204 || h.status == 304 { // these have no body
		h.length, h.chunked = 0, false
	}
	return h, true, nil
}

func (h *head) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch len(name) { // most fields are of no interest
	case len("Content-Length"):
		if !strings.EqualFold(string(name), "Content-Length") {
			return nil
		}
		length, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil || h.length >= 0 {
			return errBadLengths
		}
		if length > maxMessage {
			return errMessageSize
		}
		h.length = int(length)
	case len("Transfer-Encoding"):
		if strings.EqualFold(string(name), "Transfer-Encoding") {
			h.chunked = strings.EqualFold(string(value), "chunked")
		}
	case len("Sec-WebSocket-Accept"):
		if strings.EqualFold(string(name), "Sec-WebSocket-Accept") {
			h.accept = string(value)
		}
	}
	return nil
}

// body finds the body in what follows the head. size is what it takes on the wire.
func (h *head) body(data []byte) (body []byte, size int, whole bool, err error) {
	switch {
	case h.chunked:
		return dechunk(data)
	case h.length < 0:
		return nil, 0, false, errNoLength
	case len(data) < h.length:
		return nil, 0, false, nil
	}
	return data[:h.length], h.length, true, nil
}

// dechunk joins the chunks of a body (RFC 9112, 7.1). It begins anew each time that more bytes have
// come: bodies that are worth their length do not come in chunks.
func dechunk(data []byte) (body []byte, size int, whole bool, err error) {
	if len(data) > maxMessage {
		return nil, 0, false, errMessageSize
	}
	rest := data
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found {
			if len(line) > maxHead {
				return nil, 0, false, errBadChunk
			}
			return nil, 0, false, nil
		}
		digits, _, _ := bytes.Cut(line, []byte(";"))
		length, err := strconv.ParseUint(string(bytes.TrimRight(digits, " \t")), 16, 31)
		if err != nil {
			return nil, 0, false, errBadChunk
		}
		if length == 0 {
			return trailer(data, after, body)
		}
		if len(after) < int(length)+2 {
			return nil, 0, false, nil
		}
		if after[length] != '\r' || after[length+1] != '\n' {
			return nil, 0, false, errBadChunk
		}
		body = append(body, after[:length]...)
		rest = after[length+2:]
	}
}

// trailer skips the fields after the last chunk, up to an empty line.
func trailer(data, rest, body []byte) ([]byte, int, bool, error) {
	for {
		line, after, found := bytes.Cut(rest, []byte("\r\n"))
		if !found {
			return nil, 0, false, nil
		}
		if rest = after; len(line) == 0 {
			return body, len(data) - len(rest), true, nil
		}
	}
}
