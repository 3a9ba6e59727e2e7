package natslog

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// republished is what stands before the subject of a republished message.
const republished = "rp."

// DefaultStream is the default of Options.Stream.
const DefaultStream = "SHELFCAST"

// subjects makes and reads the subjects of a stream, which begin with its name.
type subjects string

// CheckName refuses names that a stream cannot have: they are tokens of subjects, and parts of file
// names on the servers.
func CheckName(stream string) error {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(stream) {
		return fmt.Errorf("%q is no name for a stream: it may have up to 64 letters, digits, - and _", stream)
	}
	return nil
}

func (s subjects) all() string       { return string(s) + ".>" }
func (s subjects) changes() string   { return string(s) + ".c.>" }
func (s subjects) clients() string   { return string(s) + ".m.>" }
func (s subjects) allShared() string { return string(s) + ".s.>" }
func (s subjects) claims() string    { return string(s) + ".k.>" }
func (s subjects) series() string    { return string(s) + ".r.>" }

// held is what a stream listens on that takes no writes.
func (s subjects) held() string { return string(s) + ".held" }

func (s subjects) book(id int64) string { return string(s) + ".c." + strconv.FormatInt(id, 10) + ".b" }
func (s subjects) end(id int64) string  { return string(s) + ".c." + strconv.FormatInt(id, 10) + ".e" }

func (s subjects) favorite(id int64, userID string) string {
	return string(s) + ".c." + strconv.FormatInt(id, 10) + ".f." + token(userID)
}

func (s subjects) claim(userID, key string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(userID), userID, key))
	return string(s) + ".k." + token(string(sum[:]))
}

func (s subjects) client(name string) string  { return string(s) + ".m." + token(name) }
func (s subjects) shared(name string) string  { return string(s) + ".s." + token(name) }
func (s subjects) barrier(node string) string { return string(s) + ".n." + node }

func (s subjects) piece(series string, n int) string {
	return string(s) + ".r." + series + "." + strconv.Itoa(n)
}

// table is where a part of the table of positions stands.
func (s subjects) table(n int) string { return string(s) + ".t." + strconv.Itoa(n) }

func (s subjects) commit(series string) string { return string(s) + ".r." + series + ".commit" }

// token spells any text with the characters that a subject's token may have.
func token(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// changeSubject is what the subject of a change says.
type changeSubject struct {
	bookID int64
	form   byte // 'b', 'e' or 'f'
	userID string
}

// change reads the subject of a change; false for every other one.
func (s subjects) change(subject string) (changeSubject, bool) {
	rest, found := strings.CutPrefix(subject, string(s)+".c.")
	if !found {
		return changeSubject{}, false
	}
	digits, rest, _ := strings.Cut(rest, ".")
	id, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return changeSubject{}, false
	}
	if rest == "b" || rest == "e" {
		return changeSubject{bookID: id, form: rest[0]}, true
	}
	user, found := strings.CutPrefix(rest, "f.")
	if !found {
		return changeSubject{}, false
	}
	userID, err := base64.RawURLEncoding.DecodeString(user)
	if err != nil {
		return changeSubject{}, false
	}
	return changeSubject{bookID: id, form: 'f', userID: string(userID)}, true
}
