package catalog

import (
	"strconv"
	"strings"
)

// Sequence is the place of a change in a log: the first one is 1, later ones are larger,
// and none is ever given twice. 0 means "never written".
type Sequence uint64

// maxEpochLength bounds what ParsePosition accepts, so that a hostile offset stays small.
const maxEpochLength = 64

// Position names one state of the catalogue, on every node: the log (by its epoch, made
// together with it) and the last change that has been applied.
type Position struct {
	Epoch    string   // letters and digits
	Sequence Sequence // 0: nothing has been applied yet
}

// String gives the form that travels to clients and back: "<epoch>-<sequence>".
func (p Position) String() string {
	return string(p.appendTo(make([]byte, 0, len(p.Epoch)+21)))
}

func (p Position) appendTo(dst []byte) []byte {
	dst = append(dst, p.Epoch...)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, uint64(p.Sequence), 10)
}

// ParsePosition reads what [Position.String] wrote, and nothing else: a position has
// exactly one spelling. Any other input gives an [Error] with [CodeInvalidInput].
func ParsePosition(s string) (Position, error) {
	epoch, digits, found := strings.Cut(s, "-")
	if !found || !validEpoch(epoch) {
		return Position{}, invalidField("position", "is not a position")
	}
	sequence, ok := parseSequence(digits)
	if !ok {
		return Position{}, invalidField("position", "is not a position")
	}
	return Position{Epoch: epoch, Sequence: sequence}, nil
}

// parseSequence accepts the canonical decimal form only: no sign, no leading zeros, and no
// more than a signed 64-bit column holds, which is what SQL stores have.
func parseSequence(digits string) (Sequence, bool) {
	if digits == "" || len(digits) > 19 || (digits[0] == '0' && digits != "0") {
		return 0, false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return Sequence(n), err == nil
}

func validEpoch(epoch string) bool {
	if epoch == "" || len(epoch) > maxEpochLength {
		return false
	}
	for i := range len(epoch) {
		c := epoch[i]
		if !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return false
		}
	}
	return true
}
