package catalog

import (
	"strconv"
	"strings"
)

// Precondition is what a caller requires of a book before changing it (HTTP If-Match).
type Precondition struct {
	Any      bool       // any existing version will do (If-Match: *)
	Versions []Position // one of these: the log's epoch and the book's version
}

// holds reports whether the book is what the caller named. A nil precondition always holds.
func (p *Precondition) holds(epoch string, book *Book) bool {
	if p == nil || p.Any {
		return true
	}
	for _, version := range p.Versions {
		if version.Epoch == epoch && version.Sequence == book.Version {
			return true
		}
	}
	return false
}

// maxTags bounds how many entity tags of one header are looked at.
const maxTags = 64

// ParseIfMatch reads an If-Match header of book entity tags (see [Book.ETag]); nil for "".
// Well-formed tags that are not ours, weak ones included, match nothing (RFC 9110, section
// 13.1.1 asks for the strong comparison).
//
// Errors: CodeInvalidInput for a header that is not a list of at most 64 entity tags.
func ParseIfMatch(header string) (*Precondition, error) {
	rest := strings.Trim(header, " \t")
	if rest == "" {
		return nil, nil
	}
	if rest == "*" {
		return &Precondition{Any: true}, nil
	}
	precondition := new(Precondition)
	for count := 0; ; count++ {
		// RFC 9110, section 5.6.1.2: empty list elements are to be ignored.
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			return precondition, nil
		}
		tag, behind, ok := cutTag(rest)
		if !ok || count == maxTags {
			return nil, invalidField("If-Match", "is not a list of entity tags")
		}
		if version, ours := parseBookTag(tag); ours {
			precondition.Versions = append(precondition.Versions, version)
		}
		rest = strings.TrimLeft(behind, " \t")
		if rest != "" && rest[0] != ',' {
			return nil, invalidField("If-Match", "is not a list of entity tags")
		}
	}
}

// cutTag takes one entity-tag (RFC 9110, section 8.8.3) off the front; the tag is given with
// its W/ but without quotes.
func cutTag(s string) (tag, behind string, ok bool) {
	opaque, weak := strings.CutPrefix(s, "W/")
	if opaque == "" || opaque[0] != '"' {
		return "", "", false
	}
	end := strings.IndexByte(opaque[1:], '"')
	if end < 0 {
		return "", "", false
	}
	tag = opaque[1 : 1+end]
	if weak {
		tag = "W/" + tag
	}
	return tag, opaque[end+2:], true
}

// parseBookTag reads <epoch>-<version>-<favouriteSequence>, of which the last is not compared, nor
// what [View.Tag] may add.
func parseBookTag(tag string) (Position, bool) {
	last := strings.LastIndexByte(tag, '-')
	if mark, found := strings.CutPrefix(tag[last+1:], viewMark); found && last > 0 {
		if view, err := strconv.ParseUint(mark, 16, 16); err != nil || tag[last:] != View(view).Tag() {
			return Position{}, false
		}
		tag = tag[:last]
		last = strings.LastIndexByte(tag, '-')
	}
	if last < 0 {
		return Position{}, false
	}
	if _, ok := parseSequence(tag[last+1:]); !ok {
		return Position{}, false
	}
	version, err := ParsePosition(tag[:last])
	return version, err == nil
}
