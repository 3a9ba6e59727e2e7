package catalog

import "context"

// Log stores changes durably, in one order, with compare-and-set. It keeps the current
// state of every key ordered by its last change, not a journal: a change that was
// superseded by a later one of the same key may be forgotten. Only of a book that came back
// to life the last deletion is kept too, since a reader who knew the earlier life must hear
// of its end.
//
// Everything is safe for concurrent use. Package logsuite holds the tests that each
// implementation passes.
type Log interface {
	// Epoch identifies this log; it is made with the log, never changes, and holds letters and
	// digits only. Only a log that was lost and made anew has another one.
	Epoch() string

	// Key gives 32 random bytes that were made with the log and never change: the secret for
	// keyed hashes that must be recognised after a restart and on every node.
	Key() []byte

	// Append stores one change and returns its sequence once the change is durable (as the
	// log's settings define it) and not before. Sequences rise in the order of storing.
	//
	// Deleting a book (KindBookDeleted) also ends every favourite of it that was stored before.
	//
	// Errors, as *Error:
	//   - CodeConflict: w.Expect is not the key's last sequence. Nothing is stored.
	//     Error.Current is the key's last sequence, 0 if it has none or the log cannot tell.
	//   - CodeNotFound: a favourite of a book that does not exist. Nothing is stored. A log
	//     that cannot tell stores it; readers ignore it.
	//   - CodeInvalidInput: the change has no valid kind or lacks its book or user. Nothing
	//     is stored.
	//   - CodeKeyReused: w.Claim's key is claimed already. Nothing is stored.
	//   - CodeUnavailable: the log is full, closed or unreachable, or ctx ended before the
	//     change was taken up. It is not known whether the change is stored.
	//
	// When ctx ends while the change is being stored, Append reports what became of it if it
	// can find out soon. The memory that waiting changes take is bounded: Append waits for
	// room as long as ctx allows.
	Append(ctx context.Context, w Write) (Sequence, error)

	// AppendAll stores several changes, all or none, and returns the sequence of the last, once
	// all are durable and not before; whenever the process dies, they are there or none of them
	// is. Their sequences rise in the order of writes. No two are about the same key, and none
	// has a Claim; a favourite may follow the book that it is of. writes is not empty. The log
	// takes as long as storing them needs, during which an Append waits.
	//
	// Errors: those of Append, about any one of them. Error.Field then is "writes[n]", counted
	// from 0.
	AppendAll(ctx context.Context, writes []Write) (Sequence, error)

	// Claimed gives what was stored under an idempotency key and has not expired; nil if
	// nothing. It sees everything that Append and Claim have returned for.
	// Errors: CodeUnavailable.
	Claimed(ctx context.Context, userID, key string) (*Claim, error)

	// Claim stores a claim, with its Answer, of a write that turned out to change nothing.
	// Errors: CodeKeyReused, CodeUnavailable.
	Claim(ctx context.Context, claim Claim) error

	// Head gives the sequence of the newest stored change; 0 for an empty log. A log never
	// forgets its newest change, so a Tail that is started afterwards delivers it.
	// Errors: CodeUnavailable.
	Head(ctx context.Context) (Sequence, error)

	// Horizon gives the highest sequence of a deletion or taken-back favourite that the log
	// has forgotten; 0: none. Only from a position at or above it can a reader catch up. The log
	// has forgotten every one at or below it, and none above: the key of such a one counts as
	// never written. The newest change is never forgotten.
	Horizon() Sequence

	// Tail calls apply with every stored change whose sequence is above after, and then with
	// new ones as they are stored, in rising sequence, each at most once, several at a time.
	// It calls apply on the calling goroutine, never with an empty slice, and never with a
	// change that is not durable. A reader that lags may receive, instead of each change of
	// a key, only the last; so a favourite may come before the change of its book.
	// The slice is valid until apply returns; it and what the changes hold are read-only.
	//
	// Tail returns when ctx ends (nil), when apply fails (that error, wrapped), or when the
	// log cannot be read or is closed (CodeUnavailable). It never delays an Append.
	Tail(ctx context.Context, after Sequence, apply func([]Change) error) error

	// Writable reports whether an Append would succeed now, by trying if it must: nil, or an
	// error with CodeUnavailable. It is meant for readiness checks, a few times a second.
	Writable(ctx context.Context) error

	// Close stores what was already accepted, ends every Tail, waits for them, and releases
	// the log's resources. It must not be called from apply. Calling it again does nothing.
	Close() error
}
