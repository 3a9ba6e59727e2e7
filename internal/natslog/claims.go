package natslog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// storedClaim is the content of an idempotency key's message. It says itself when it expires, as
// the stream may bring back a message that has expired.
type storedClaim struct {
	UserID      string    `json:"userId"`
	Key         string    `json:"key"`
	Fingerprint []byte    `json:"fingerprint"`
	Expires     time.Time `json:"expires"`
	// Answer is cut where the sequence of the change stands, which nobody knows before it is
	// stored: that of the claim's message and one. An answer to what changed nothing is one piece.
	Answer [][]byte `json:"answer"`
}

// Sequences that stand for the one of the change while its answer is cut: none that a stream
// reaches, of as many digits as fit.
const (
	standIn      catalog.Sequence = 9_087_654_321_012_345_678
	otherStandIn catalog.Sequence = 9_012_345_678_987_654_321
)

var errAnswerUncut = errors.New("the answer does not show the sequence as a plain number")

// cutAnswer gives the pieces of the answer to a change between which its sequence stands.
func cutAnswer(w *catalog.Write) ([][]byte, error) {
	answer := func(sequence catalog.Sequence) []byte {
		change := w.Change.Stored(sequence)
		return w.Claim.AnswerTo(&change)
	}
	pieces := bytes.Split(answer(standIn), strconv.AppendUint(nil, uint64(standIn), 10))
	// An answer that shows it in another way must not be stored as if it was known.
	if !bytes.Equal(joinAnswer(pieces, otherStandIn), answer(otherStandIn)) {
		return nil, errAnswerUncut
	}
	return pieces, nil
}

func joinAnswer(pieces [][]byte, sequence catalog.Sequence) []byte {
	return bytes.Join(pieces, strconv.AppendUint(nil, uint64(sequence), 10))
}

func (s subjects) claimMessage(claim *catalog.Claim, answer [][]byte, expect catalog.Sequence, now time.Time) (*nats.Msg, error) {
	content, err := json.Marshal(storedClaim{
		UserID: claim.UserID, Key: claim.Key, Fingerprint: claim.Fingerprint[:], Expires: claim.Expires.UTC(), Answer: answer,
	})
	if err != nil {
		return nil, err
	}
	message := newMessage(s.claim(claim.UserID, claim.Key), content)
	expectLast(message, expect)
	expireAfter(message, claim.Expires.Sub(now))
	return message, nil
}

// claimAt reads what stands under a key, and the sequence of its message, which may have expired;
// nil and 0 for nothing.
func (l *Log) claimAt(ctx context.Context, userID, key string) (*catalog.Claim, catalog.Sequence, error) {
	found, err := l.last(ctx, l.subjects.claim(userID, key))
	if err != nil || found == nil {
		return nil, 0, err
	}
	claim, err := decodeClaim(found.Data, found.Sequence)
	if err != nil {
		return nil, 0, err
	}
	if claim.UserID != userID || claim.Key != key {
		return nil, 0, errClaimDamaged
	}
	if !claim.Expires.After(l.now()) {
		return nil, found.Sequence, nil
	}
	return claim, found.Sequence, nil
}

var errClaimDamaged = errors.New("a stored idempotency key is damaged")

// decodeClaim reads the message of a claim that has a sequence.
func decodeClaim(content []byte, sequence catalog.Sequence) (*catalog.Claim, error) {
	var stored storedClaim
	if err := json.Unmarshal(content, &stored); err != nil {
		return nil, fmt.Errorf("%w: %w", errClaimDamaged, err)
	}
	claim := &catalog.Claim{UserID: stored.UserID, Key: stored.Key, Expires: stored.Expires, Answer: joinAnswer(stored.Answer, sequence+1)}
	if len(stored.Fingerprint) != len(claim.Fingerprint) {
		return nil, errClaimDamaged
	}
	copy(claim.Fingerprint[:], stored.Fingerprint)
	return claim, nil
}

// Claimed implements [catalog.Log].
func (l *Log) Claimed(ctx context.Context, userID, key string) (*catalog.Claim, error) {
	// Who looks one up is about to write: no need to wait for what will be refused.
	if err := l.Writable(ctx); err != nil {
		return nil, err
	}
	begun := time.Now()
	claim, _, err := l.claimAt(ctx, userID, key)
	if err != nil {
		if ctx.Err() == nil {
			l.health.unanswered(begun)
		}
		return nil, catalog.Unavailable(fmt.Errorf("look up an idempotency key: %w", err))
	}
	return claim, nil
}

// Claim implements [catalog.Log].
func (l *Log) Claim(ctx context.Context, claim catalog.Claim) error {
	_, err := l.storeClaimed(ctx, &claim, [][]byte{claim.Answer}, nil)
	return err
}

// appendClaimed stores a change together with its claim, in one batch.
func (l *Log) appendClaimed(ctx context.Context, w *catalog.Write, change []*nats.Msg) (catalog.Sequence, error) {
	answer, err := cutAnswer(w)
	if err != nil {
		return 0, catalog.Unavailable(err)
	}
	first, err := l.storeClaimed(ctx, w.Claim, answer, change)
	if err != nil {
		return 0, err
	}
	stored := w.Change.Stored(first + 1)
	w.Claim.AnswerTo(&stored) // so that its maker has the answer too
	return first + 1, nil
}

// storeClaimed stores a claim and the messages that go with it, and gives the claim's sequence. A
// refused batch does not say what was in its way: the claim that another node has stored for the
// same request, one that has expired, or another change of the key.
func (l *Log) storeClaimed(ctx context.Context, claim *catalog.Claim, answer [][]byte, change []*nats.Msg) (catalog.Sequence, error) {
	for expect := catalog.Sequence(0); ; {
		message, err := l.subjects.claimMessage(claim, answer, expect, l.now())
		if err != nil {
			return 0, catalog.Unavailable(err)
		}
		messages := append([]*nats.Msg{message}, change...)
		// What became of it is told by the change, if there is one: keys expire.
		first, err := l.store(ctx, newStoring(messages, min(1, len(change))))
		if err == nil {
			return first, nil
		}
		stale := (*staleError)(nil)
		if !errors.As(err, &stale) {
			return 0, err
		}
		// The key decides, even where the change is stale too: both may be by the same request.
		known, last, failure := l.claimAt(ctx, claim.UserID, claim.Key)
		switch {
		case failure != nil:
			return 0, catalog.Unavailable(errors.Join(err, failure))
		case known != nil:
			return 0, catalog.KeyReused()
		case stale.index > 0:
			return 0, l.numbering.conflict(stale.current)
		}
		expect = last
	}
}
