package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/golang-jwt/jwt/v5"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live/sockettest"
	"github.com/shelfcast/shelfcast/internal/logs"
)

// hostile are texts that mean something to whoever prints them unseen: line ends, the language of
// terminals, the forms of our own log, the ends of a table's cell.
func hostile() []string {
	return []string{
		"a\r\nSet-Cookie: owner=1", "a\nlevel=ERROR msg=forged", "a\r\n\r\n<script>alert(1)</script>",
		"\x1b[2J\x1b[31mgone", "\u009b31mgone", "\x00\x07\x08", "\u202eesrever", "\u2028line",
		`x" level=ERROR msg="forged`, `x","level":"ERROR","msg":"forged`, `{"level":"ERROR","msg":"forged"}`,
		"a level=ERROR msg=forged", "\xff\xfe", `=HYPERLINK("http://evil.example")`, "| a | b |", "%0d%0aSet-Cookie:%20owner=1",
	}
}

// Whatever clients say of themselves goes into the log as a value and nothing else, in both of its
// forms; it comes back in no header, and the tables of the commands show it harmlessly.
func TestNobodyWritesIntoTheLog(t *testing.T) {
	t.Parallel()
	for _, text := range []bool{true, false} {
		t.Run(map[bool]string{true: "as text", false: "as JSON"}[text], func(t *testing.T) {
			t.Parallel()
			for _, mode := range []string{"demo", "jwt"} {
				journal := &journal{}
				settings := defaults(t, t.TempDir())
				settings.Auth, settings.Limits, settings.TrustedProxies = mode, "off", []string{"127.0.0.0/8", "::1"}
				if mode == "jwt" {
					settings.JWTSecret = tokenSecret
				}
				level := new(slog.LevelVar)
				p := &running{t: t, journal: journal, Program: New(settings, "test", &logs.Log{Logger: logs.Direct(journal, text, slog.LevelDebug), Level: level})}
				if err := p.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(p.stop)
				for _, said := range hostile() {
					p.sayEverywhere(said)
				}
				p.checkTables()
				p.stop()
				if text {
					checkTextLog(t, journal.String())
				} else {
					checkLog(t, journal.String())
				}
			}
		})
	}
}

// sayEverywhere says a text in every place that a client fills.
func (p *running) sayEverywhere(said string) {
	p.t.Helper()
	encoded, err := json.Marshal(said)
	if err != nil {
		p.t.Fatal(err)
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": said, "role": "owner", "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(tokenSecret))
	if err != nil {
		p.t.Fatal(err)
	}
	good := tokenFor(p.t, "olga", catalog.RoleOwner)
	escaped := url.QueryEscape(said)
	body := fmt.Sprintf(`{"title":%s,"author":%s,"readerName":%s}`, encoded, encoded, encoded)
	post := "Content-Type: application/json\r\nAuthorization: Bearer " + good + fmt.Sprintf("\r\nContent-Length: %d\r\n", len(body))
	for _, request := range []string{
		"GET /" + url.PathEscape(said) + " HTTP/1.1\r\n",
		"GET /books/" + said + " HTTP/1.1\r\n",
		"GET /books?q=" + escaped + "&limit=1&after=" + escaped + " HTTP/1.1\r\nAuthorization: Bearer " + good + "\r\n",
		"GET /books?q=" + escaped + "&limit=1 HTTP/1.1\r\nAuthorization: Bearer " + good + "\r\n",
		"GET /books?userId=" + escaped + " HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n",
		"GET /socket.io/?EIO=4&transport=" + escaped + " HTTP/1.1\r\n",
		"GET /socket.io/?EIO=4&transport=polling&sid=" + escaped + " HTTP/1.1\r\n",
		"POST /books HTTP/1.1\r\n" + post,
		"POST /books HTTP/1.1\r\nIdempotency-Key: " + said + "\r\n" + post,
		"POST /books HTTP/1.1\r\nX-Request-Id: " + said + "\r\n" + post,
		"POST /books HTTP/1.1\r\nX-User-Id: " + said + "\r\n" + post,
		"POST /books HTTP/1.1\r\nOrigin: http://" + said + "\r\n" + post,
		"POST /books HTTP/1.1\r\nX-Forwarded-For: " + said + "\r\nForwarded: for=" + said + "\r\n" + post,
		"POST /books HTTP/1.1\r\nUser-Agent: " + said + "\r\nReferer: " + said + "\r\nCookie: " + said + "\r\n" + post,
		"DELETE /blocks?address=" + escaped + " HTTP/1.1\r\nAuthorization: Bearer " + good + "\r\n",
		"DELETE /connections/" + url.PathEscape(said) + " HTTP/1.1\r\nAuthorization: Bearer " + good + "\r\n",
		"POST /backups/" + url.PathEscape(said) + "/verify HTTP/1.1\r\nContent-Length: 0\r\nAuthorization: Bearer " + good + "\r\n",
	} {
		content := ""
		if strings.Contains(request, post) {
			content = body
		}
		statuses, answer := p.raw(request+"Host: localhost\r\nConnection: close\r\n\r\n"+content, false)
		for head, rest, found := "", answer, true; found && rest != ""; {
			head, rest, found = strings.Cut(rest, "\r\n\r\n")
			if strings.Contains(head, "HTTP/1.1") && strings.Contains(head, "\r\nSet-Cookie") || strings.ContainsFunc(head, func(c rune) bool { return unicode.IsControl(c) && c != '\r' && c != '\n' }) {
				p.t.Errorf("%q: a header was written: %q", request, answer)
			}
		}
		for _, status := range statuses {
			if status == http.StatusInternalServerError {
				p.t.Errorf("%q: %q", request, answer)
			}
		}
	}
	for _, h := range []sockettest.Handshake{
		{Query: url.Values{"userId": {said}, "role": {"owner"}}, Auth: map[string]any{"token": token}},
		{Query: url.Values{"userId": {"olga"}, "role": {said}}, Auth: map[string]any{"token": said, "pid": said, "offset": said}},
		{Query: url.Values{"userId": {"olga"}, "role": {"owner"}}, Auth: map[string]any{"token": good}},
	} {
		c, err := sockettest.Try(p.t, p.URL(), h)
		if err != nil {
			continue // refused, which is fine
		}
		c.Ask(said, said)
		c.Ask("customEvent", map[string]any{"bookId": said, "action": said})
		c.Ask("renew", map[string]any{"token": said})
		c.Emit(said, said)
		c.Drain()
	}
}

// checkTables prints what is known of clients as a person at a terminal sees it.
func (p *running) checkTables() {
	p.t.Helper()
	for _, args := range [][]string{{"connections"}, {"refusals"}, {"block"}, {"backup", "list"}, {"check"}} {
		_, stdout, stderr := execute(p.t, "", append(args, "--data", p.settings.Data)...)
		for _, shown := range stdout + stderr {
			if shown != '\n' && !unicode.IsPrint(shown) {
				p.t.Errorf("shelfcast %s prints %q in %q", args, shown, stdout+stderr)
				break
			}
		}
	}
}

// checkTextLog holds every line to the form key=value, with nothing of a client's outside of quotes.
func checkTextLog(t *testing.T, log string) {
	t.Helper()
	form := regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN) msg=("(\\.|[^"\\])*"|[^" ]+)( [\w.]+=("(\\.|[^"\\])*"|[^" ]*))*\n$`)
	for line := range bytes.Lines([]byte(log)) {
		if !form.Match(line) {
			t.Errorf("not a line of ours: %q", line)
		}
	}
}

// A page of another origin neither reads nor writes nor listens, by whichever transport; who is no
// page may.
func TestHandshakesOfPages(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.CORSOrigin = []string{"https://library.example"} })
	for _, test := range []struct {
		name, origin string
		allowed      bool
	}{
		{"none: no page", "", true},
		{"allowed", "https://library.example", true},
		{"the server's own", p.URL(), true},
		{"foreign", "https://evil.example", false},
		{"null: a sandboxed frame, a file", "null", false},
		{"the same name, no TLS", "http://library.example", false},
		{"the same name, another port", "https://library.example:8443", false},
		{"begins like it", "https://library.example.evil.example", false},
		{"ends like it", "https://evil-library.example", false},
		{"a name below it", "https://a.library.example", false},
		{"with a user", "https://library.example@evil.example", false},
		{"with a path", "https://library.example/", false},
		{"two in one", "https://library.example https://evil.example", false},
		{"a file", "file://", false},
		{"an extension", "chrome-extension://abcdefghijklmnop", false},
	} {
		var header []string
		if test.origin != "" {
			header = []string{"Origin", test.origin}
		}
		status, answered, body := p.do(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", header...)
		if (status == http.StatusOK) != test.allowed || !test.allowed && status != http.StatusForbidden {
			t.Errorf("%s, polling: %d %s", test.name, status, body)
		}
		if allows := answered.Get("Access-Control-Allow-Origin"); allows != "" && (!test.allowed || allows == "*") {
			t.Errorf("%s, polling: the answer may be read by %s", test.name, allows)
		}
		if _, status := dialWebSocket(t, p, test.origin); (status == http.StatusSwitchingProtocols) != test.allowed || !test.allowed && status != http.StatusBadRequest { // as the official server
			t.Errorf("%s, WebSocket: %d", test.name, status)
		}
		status, _, body = p.do(http.MethodPost, "/books", `{"title":"T","author":"A"}`, append(header, "Content-Type", "application/json")...)
		if (status == http.StatusCreated) != test.allowed || !test.allowed && status != http.StatusForbidden {
			t.Errorf("%s, POST: %d %s", test.name, status, body)
		}
		status, answered, _ = p.do(http.MethodGet, "/books", "", header...)
		if allows := answered.Get("Access-Control-Allow-Origin"); status != http.StatusOK || allows != "" && !test.allowed {
			t.Errorf("%s, GET: %d, may be read by %q", test.name, status, allows)
		}
	}
	p.stop()
	checkLog(t, p.journal.String())
}
