package bench

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"strconv"
)

// marker makes and finds the titles of this run's posts: a prefix that no other title begins with,
// and the post's number. The prefix needs no escape in JSON.
type marker struct{ prefix []byte }

func newMarker() marker {
	var random [4]byte
	rand.Read(random[:]) // never fails
	return marker{prefix: []byte("Shelfcast bench " + hex.EncodeToString(random[:]) + " #")}
}

// title is the title of a post. The full stop ends the number, so that a message that was cut off
// counts for no other post.
func (m marker) title(number uint64) string {
	return string(append(strconv.AppendUint(bytes.Clone(m.prefix), number, 10), '.'))
}

// find returns the number of the first title in a message, and what comes after it.
func (m marker) find(message []byte) (number uint64, rest []byte, found bool) {
	at := bytes.Index(message, m.prefix)
	if at < 0 {
		return 0, nil, false
	}
	digits := message[at+len(m.prefix):]
	for i, c := range digits {
		switch {
		case c == '.' && i > 0:
			return number, digits[i+1:], true
		case c < '0' || c > '9' || i == 18: // 18 digits fit
			return 0, nil, false
		}
		number = 10*number + uint64(c-'0')
	}
	return 0, nil, false
}
