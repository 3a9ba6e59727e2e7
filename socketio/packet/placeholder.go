package packet

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// placeholder is one {"_placeholder":true,"num":i} inside an argument.
type placeholder struct {
	start, end int // of the object within the argument
	num        int // of the attachment
}

// checkPlaceholders refuses a packet whose placeholders do not fit its
// attachments. A number that is no index crashed servers once (CVE-2022-2421).
// An attachment that is named twice is refused as well: no encoder writes that,
// and one megabyte of placeholders that all name a large attachment would make
// gigabytes of it.
func checkPlaceholders(p *Packet) error {
	seen := make([]bool, len(p.Attachments))
	for _, arg := range p.Args {
		found, err := findPlaceholders(arg, len(p.Attachments))
		if err != nil {
			return err
		}
		for _, ph := range found {
			if seen[ph.num] {
				return invalid("attachment used twice")
			}
			seen[ph.num] = true
		}
	}
	return nil
}

// findPlaceholders returns the placeholders in a valid JSON value, in order.
func findPlaceholders(data []byte, attachments int) ([]placeholder, error) {
	var found []placeholder
	for i := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{':
			ph, ok, err := readPlaceholder(data, i, attachments)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, ph)
				i = ph.end
				continue
			}
			i++
		default:
			i++
		}
	}
	return found, nil
}

// readPlaceholder looks whether the object that starts at i is a placeholder:
// "_placeholder" and "num" in either order, nothing else. It gives up at the
// first other member or nested value, so that deeply nested objects cost linear
// time.
func readPlaceholder(data []byte, start, attachments int) (placeholder, bool, error) {
	isPlaceholder, num := false, -1
	i := skipSpace(data, start+1)
	for i < len(data) && data[i] == '"' {
		nameEnd := skipString(data, i)
		name := string(data[i:nameEnd])
		i = skipSpace(data, nameEnd)
		i = skipSpace(data, i+1) // the colon
		if data[i] == '{' || data[i] == '[' {
			if isPlaceholder && name == `"num"` {
				return placeholder{}, false, invalid("illegal attachment number")
			}
			return placeholder{}, false, nil
		}
		valueEnd := skipValue(data, i)
		switch name {
		case `"_placeholder"`:
			isPlaceholder = string(data[i:valueEnd]) == "true"
		case `"num"`:
			num = index(data[i:valueEnd])
		default:
			return placeholder{}, false, nil
		}
		i = skipSpace(data, valueEnd)
		if i < len(data) && data[i] == ',' {
			i = skipSpace(data, i+1)
		}
	}
	if !isPlaceholder {
		return placeholder{}, false, nil
	}
	if num < 0 || num >= attachments {
		return placeholder{}, false, invalid("illegal attachment number")
	}
	return placeholder{start: start, end: i + 1, num: num}, true, nil
}

// index returns a JSON value as an attachment's number, -1 when it is not one.
func index(value []byte) int {
	if digits := leadingDigits(value); digits == 0 || digits != len(value) {
		return -1
	}
	n, err := strconv.Atoi(string(value))
	if err != nil {
		return -1
	}
	return n
}

// inline returns the argument with every placeholder replaced by the
// attachment's base64 text, which is how encoding/json represents a []byte, so
// that the result can be unmarshalled into types with []byte fields. An
// argument without placeholders is returned as it is.
func inline(arg json.RawMessage, attachments [][]byte) (json.RawMessage, error) {
	if len(attachments) == 0 {
		return arg, nil
	}
	found, err := findPlaceholders(arg, len(attachments))
	if err != nil || len(found) == 0 {
		return arg, err
	}
	size := len(arg)
	for _, ph := range found {
		size += base64.StdEncoding.EncodedLen(len(attachments[ph.num])) + 2
	}
	out := make([]byte, 0, size)
	from := 0
	for _, ph := range found {
		out = append(out, arg[from:ph.start]...)
		out = append(out, '"')
		out = base64.StdEncoding.AppendEncode(out, attachments[ph.num])
		out = append(out, '"')
		from = ph.end
	}
	return append(out, arg[from:]...), nil
}
