package catalog

import "time"

// Claim ties one write to an idempotency key of a user: as long as the log remembers it, a
// repetition gets the first answer instead of another change.
type Claim struct {
	UserID string // whose key it is; keys of different users have nothing to do with each other
	Key    string
	// Fingerprint tells whether a repetition asks for the same: a hash of the whole request.
	Fingerprint [32]byte
	Expires     time.Time // when the log may forget it
	// Answer is what a repetition is told, in the caller's own encoding.
	Answer []byte
	// AnswerTo makes the Answer of the change as it was stored, with its sequence. The log
	// calls it while it stores the change, so it must be quick. Only Log.Append needs it.
	AnswerTo func(stored *Change) []byte
}
