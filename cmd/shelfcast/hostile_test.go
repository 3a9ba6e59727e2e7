package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// raw sends bytes as they are, and gives the statuses of the answers and everything that was said
// until the server closes. A text that promises more than it has is ended by its sender.
func (p *running) raw(text string, ends bool) (statuses []int, said string) {
	p.t.Helper()
	connection, err := (&net.Dialer{}).DialContext(p.t.Context(), "tcp", fmt.Sprint("localhost:", portOfURL(p.t, p.URL())))
	if err != nil {
		p.t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		p.t.Fatal(err)
	}
	sent := make(chan struct{})
	defer func() { <-sent }()
	go func() { // the server may answer and close before it has read everything
		defer close(sent)
		_, _ = io.WriteString(connection, text)
		if ends {
			_ = connection.(*net.TCPConn).CloseWrite()
		}
	}()
	var everything strings.Builder
	defer func() { said = everything.String() }()
	reader := bufio.NewReader(io.TeeReader(connection, &everything))
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return statuses, ""
		}
		statuses = append(statuses, response.StatusCode)
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil {
			return statuses, ""
		}
	}
}

// lines looks through a log: each line is one, and none says that the server failed.
func checkLog(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry struct {
			Level, Msg string
			Status     int
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" {
			t.Errorf("not a line of ours: %q", line)
		}
		if entry.Level == "ERROR" || entry.Status >= 500 || strings.Contains(entry.Msg, "panic") {
			t.Error(line)
		}
	}
}

// What no client of ours sends, byte by byte: each gets the answer that RFC 9112 or the contract
// has for it, changes nothing that was not asked for, and neither crashes nor confuses the server.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.Limits = "off" })
	p.add("Stays")
	const (
		book  = `{"title":"T","author":"A"}`
		host  = "Host: localhost\r\n"
		end   = "Connection: close\r\n\r\n"
		typed = "Content-Type: application/json\r\n"
	)
	post := func(body, headers string) string {
		return "POST /books HTTP/1.1\r\n" + host + typed + headers + fmt.Sprintf("Content-Length: %d\r\n", len(body)) + end + body
	}
	get := func(target, headers string) string { return "GET " + target + " HTTP/1.1\r\n" + host + headers + end }
	mega := strings.Repeat("a", 1<<20)
	for _, test := range []struct {
		name, send string
		want       []int // statuses, in order; nil: the connection is closed without a word
		adds       int   // books
		ends       bool  // the sender says that nothing more comes
	}{
		{"a target of 1 MB", get("/books/"+mega, ""), []int{431}, 0, false},
		{"a query of 1 MB", get("/books?q="+mega, ""), []int{431}, 0, false},
		{"a query of 60 kB", get("/books?q="+mega[:60_000], ""), []int{200}, 0, false},
		{"a header of 1 MB", get("/books", "X-Long: "+mega+"\r\n"), []int{431}, 0, false},
		{"a name of 1 MB", get("/books", mega+": x\r\n"), []int{431}, 0, false},
		{"10,000 headers", get("/books", strings.Repeat("X-A: b\r\n", 10_000)), []int{431}, 0, false},
		{"2,000 cookies", get("/books", strings.Repeat("Cookie: a=b\r\n", 2_000)), []int{200}, 0, false},
		{"a body of 3 MB", post(`{"author":"A","title":"`+mega+mega+mega+`"}`, ""), []int{413}, 0, false},
		{"no such method", "BREW /books HTTP/1.1\r\n" + host + end, []int{405}, 0, false},
		{"a method of 1 MB", mega + " /books HTTP/1.1\r\n" + host + end, []int{431}, 0, false},
		{"TRACE", "TRACE /books HTTP/1.1\r\n" + host + end, []int{405}, 0, false},
		{"CONNECT", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n" + end, []int{421}, 0, false},
		{"the method in a header", post(book, "X-HTTP-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\n"), []int{201}, 1, false},
		{"the method in the query", "POST /books?_method=DELETE HTTP/1.1\r\n" + host + typed + "Content-Length: 26\r\n" + end + book, []int{201}, 1, false},
		{"up and out", get("/books/../../../../etc/passwd", ""), []int{404}, 0, false},
		{"up and out, encoded", get("/%2e%2e/%2e%2e/etc/passwd", ""), []int{404}, 0, false},
		{"up and out, with a file's name", get("/assets/..%2f..%2f..%2fetc%2fpasswd.js", ""), []int{404}, 0, false},
		{"up and out, backwards", get(`/assets/..\..\secret.js`, ""), []int{404}, 0, false},
		{"up in a backup's name", "POST /backups/..%2f..%2fetc/verify HTTP/1.1\r\n" + host + "Content-Length: 0\r\n" + end, []int{404}, 0, false},
		{"NUL in the path", get("/books/1%00", ""), []int{404}, 0, false},
		{"not UTF-8 in the path", get("/books/%ff%fe", ""), []int{404}, 0, false},
		{"a broken escape", get("/books/%zz", ""), []int{400}, 0, false},
		{"a broken escape in the query", get("/books?q=%zz&limit=%", ""), []int{200}, 0, false},
		{"a number beyond all", get("/books?limit=99999999999999999999999", ""), []int{400}, 0, false},
		{"a number with an exponent", get("/books?limit=1e2", ""), []int{400}, 0, false},
		{"no host", "GET /books HTTP/1.1\r\n" + end, []int{400}, 0, false},
		{"two hosts", "GET /books HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" + end, []int{400}, 0, false},
		{"a foreign host", "GET /books HTTP/1.1\r\nHost: evil.example\r\n" + end, []int{421}, 0, false},
		{"an absolute target of another host", "GET http://evil.example/books HTTP/1.1\r\n" + host + end, []int{421}, 0, false},
		{"HTTP/1.0", "GET /healthz HTTP/1.0\r\n" + host + "\r\n", []int{200}, 0, false},
		{"HTTP/0.9", "GET /healthz\r\n", []int{400}, 0, true},
		{"HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{421}, 0, false},
		{"HTTP/9.9", "GET /healthz HTTP/9.9\r\n" + host + end, []int{505}, 0, false},
		{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}, 0, false},
		{"an empty request", "\r\n\r\n", []int{400}, 0, true},
		{"a space in a header's name", get("/books", "X Y: z\r\n"), []int{400}, 0, false},
		{"a folded header", get("/books", "X-A: b\r\n c\r\n"), []int{200}, 0, false},
		{"NUL in a header", get("/books", "X-A: b\x00c\r\n"), []int{400}, 0, false},
		{"a lone CR in a header", get("/books", "X-A: b\rX-B: c\r\n"), []int{400}, 0, false},
		{"an expectation of nothing known", post(book, "Expect: 200-maybe\r\n"), []int{417}, 0, false},
		{"an upgrade to nothing known", get("/books", "Upgrade: h2c\r\nHTTP2-Settings: AAA\r\nConnection: upgrade\r\n"), []int{200}, 0, false},
		{"three requests in one breath", "GET /healthz HTTP/1.1\r\n" + host + "\r\n" + "GET /nothing HTTP/1.1\r\n" + host + "\r\n" + get("/healthz", ""), []int{200, 404, 200}, 0, false},
		{"a length that is none", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: many\r\n" + end + book, []int{400}, 0, false},
		{"a length below zero", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: -1\r\n" + end + book, []int{400}, 0, false},
		{"a length with a sign", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: +26\r\n" + end + book, []int{400}, 0, false},
		{"two lengths", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: 26\r\nContent-Length: 5\r\n" + end + book, []int{400}, 0, false},
		{"fewer bytes than announced", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: 100\r\n" + end + book, []int{400}, 0, true},
		{"chunks", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: chunked\r\n" + end + "1a\r\n" + book + "\r\n0\r\n\r\n", []int{201}, 1, false},
		{"chunks of nonsense", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: chunked\r\n" + end + "zz\r\n" + book + "\r\n0\r\n\r\n", []int{400}, 0, false},
		{"a chunk beyond all", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: chunked\r\n" + end + "fffffffffffffffff\r\n" + book, []int{400}, 0, true},
		{"chunks that stop", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: chunked\r\n" + end + "1a\r\n" + book[:9], []int{400}, 0, true},
		{"chunks with endless extensions", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: chunked\r\n" + end + "1a;" + mega + "\r\n" + book + "\r\n0\r\n\r\n", []int{400}, 0, false},
		{"an encoding that is none", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: gzip, chunked\r\n" + end + "1a\r\n" + book + "\r\n0\r\n\r\n", []int{501}, 0, false},
		{"an encoding in disguise", "POST /books HTTP/1.1\r\n" + host + typed + "Transfer-Encoding: xchunked\r\nContent-Length: 26\r\n" + end + book, []int{501}, 0, false},
		// RFC 9112, section 6.3: chunks go before a length, and the connection must not be kept.
		{"smuggled behind chunks", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\n" + book + "\r\n0\r\n\r\n" + get("/healthz", ""), []int{201}, 1, false},
		{"smuggled behind a length", "POST /books HTTP/1.1\r\n" + host + typed + "Content-Length: 70\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get("/healthz", ""), []int{400}, 0, false},
		{"a request in a GET's body", "GET /healthz HTTP/1.1\r\n" + host + "Content-Length: 40\r\n\r\n" + post(book, "")[:40] + get("/healthz", ""), []int{200, 200}, 0, false},
		{"numbers beyond all", post(`{"title":"T","author":"A","version":1e999999,"id":-99999999999999999999999}`, ""), []int{201}, 1, false},
		{"a title that is a number beyond all", post(`{"title":1e999999,"author":"A"}`, ""), []int{400}, 0, false},
		{"a text direction in the title", post(`{"title":"\u202egnp.exe","author":"A"}`, ""), []int{201}, 1, false},
		{"a handshake of nothing", get("/socket.io/", ""), []int{400}, 0, false},
		{"a handshake of another protocol", get("/socket.io/?EIO=3&transport=polling", ""), []int{400}, 0, false},
		{"a handshake by carrier pigeon", get("/socket.io/?EIO=4&transport=pigeon", ""), []int{400}, 0, false},
		{"a session that is not there", get("/socket.io/?EIO=4&transport=polling&sid=..%2f..%2fetc", ""), []int{400}, 0, false},
		{"a WebSocket without a key", get("/socket.io/?EIO=4&transport=websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"), []int{400}, 0, false},
		{"a WebSocket of another version", get("/socket.io/?EIO=4&transport=websocket", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), []int{426}, 0, false},
		{"a post to a session that is not there", "POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\n" + host + "Content-Length: 1048576\r\n" + end + mega, []int{400}, 0, false},
	} {
		before := p.store.catalog.Stats().TotalBooks
		statuses, said := p.raw(test.send, test.ends)
		if !slices.Equal(statuses, test.want) {
			t.Errorf("%s: %v, want %v; %.300q", test.name, statuses, test.want, said)
		}
		if added := p.store.catalog.Stats().TotalBooks - before; added != test.adds {
			t.Errorf("%s: %d books were added", test.name, added)
		}
	}
	if status, _, body := p.do(http.MethodGet, "/healthz", ""); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
	p.stop()
	checkLog(t, p.journal.String())
}
