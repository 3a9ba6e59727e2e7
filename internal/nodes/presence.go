package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// DefaultBeat is the default of Options.Beat.
	DefaultBeat = 3 * time.Second
	// DefaultSilence is the default of Options.Silence: three beats may be lost.
	DefaultSilence = 10 * time.Second

	// maxNodes bounds the others that are known.
	maxNodes = 256
	// maxName is how many bytes a node's name may have.
	maxName = 128
	// maxMessage bounds what one node says at once, in bytes; a server's own bound may be lower.
	maxMessage = 512 << 10
	// envelope is more than what surrounds a description or a message takes.
	envelope = 1 << 10
)

// beat is what a node says of itself.
type beat struct {
	Name        string          `json:"name"`
	Sequence    uint64          `json:"sequence"` // rises with each beat of a node
	Leaving     bool            `json:"leaving,omitempty"`
	Description json.RawMessage `json:"description,omitempty"`
}

// Why a message is ignored.
var (
	errMalformed = errors.New("it is malformed")
	errTooLarge  = errors.New("it is too large")
	errTooMany   = errors.New("there are too many nodes")
	errLate      = errors.New("a later one was heard")
)

func readBeat(content []byte) (beat, error) {
	var b beat
	if len(content) > maxMessage {
		return b, errTooLarge
	}
	if err := json.Unmarshal(content, &b); err != nil {
		return b, fmt.Errorf("%w: %w", errMalformed, err)
	}
	if !isName(b.Name) || b.Sequence == 0 {
		return b, fmt.Errorf("%w: its name or sequence", errMalformed)
	}
	return b, nil
}

// isName tells whether a node can be called so. Names are shown to people.
func isName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// validID tells a node's id, a token that nuid makes.
var validID = regexp.MustCompile(`^[A-Za-z0-9]{1,32}$`)

// member is another node as it was heard of last.
type member struct {
	Node
	sequence uint64
}

// Node is another node of the cluster.
type Node struct {
	ID    string    // of this run of it
	Name  string    // for people; two nodes may have the same
	Heard time.Time // when it last said that it is there
}

// roster is who is there. It is not safe for concurrent use.
type roster struct {
	silence time.Duration
	members map[string]*member
}

func newRoster(silence time.Duration) *roster {
	return &roster{silence: silence, members: make(map[string]*member)}
}

// hear notes a beat, and says whether its node was unknown.
// Errors: errTooMany, errLate; then nothing has changed.
func (r *roster) hear(id string, b *beat, now time.Time) (isNew bool, err error) {
	known := r.members[id]
	switch {
	case known != nil && b.Sequence <= known.sequence:
		return false, errLate
	case known == nil && len(r.members) >= maxNodes:
		return false, errTooMany
	}
	r.members[id] = &member{Node: Node{ID: id, Name: b.Name, Heard: now}, sequence: b.Sequence}
	return known == nil, nil
}

// leave forgets a node that says that it goes; false if it was not known.
func (r *roster) leave(id string) (Node, bool) {
	known := r.members[id]
	if known == nil {
		return Node{}, false
	}
	delete(r.members, id)
	return known.Node, true
}

// expire forgets the nodes that were silent for too long, and gives them.
func (r *roster) expire(now time.Time) []Node {
	var gone []Node
	for id, each := range r.members {
		if now.Sub(each.Heard) >= r.silence {
			delete(r.members, id)
			gone = append(gone, each.Node)
		}
	}
	return gone
}
