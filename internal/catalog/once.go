package catalog

import "context"

// claimKey names an idempotency key of a user.
type claimKey struct{ userID, key string }

// Once runs a command under an idempotency key and gives the encoded answer to it: that of the
// first time, when the key stands for the same request already, and then nothing happens. The
// claim's Answer and AnswerTo are ignored; answer makes them, from the result. It may be called
// while the log stores the change, so it must be quick, and its result must not be empty.
//
// The claim is stored together with the change, so whatever ends the process, either both are
// there or neither is. Identical requests that come at the same time take turns. A command that
// fails claims nothing, as it has changed nothing: its repetition is a new attempt. command gets
// a context that carries the claim to the one change that it makes.
//
// Errors: those of command; CodeKeyReused when the key stands for another request;
// CodeTooManyRequests, CodeUnavailable.
func (c *Catalog) Once(ctx context.Context, claim Claim, answer func(Result) []byte, command func(context.Context) (Result, error)) ([]byte, error) {
	k := claimKey{claim.UserID, claim.Key}
	if err := c.claims.enter(ctx, k); err != nil {
		return nil, err
	}
	defer c.claims.leave(k)
	if known, err := c.claimed(ctx, &claim); known != nil || err != nil {
		return known, err
	}
	carried := &carriedClaim{claim: claim, answer: answer}
	result, err := command(context.WithValue(ctx, carriedKey{}, carried))
	switch {
	case carried.stored && (err == nil || ErrorCode(err) == CodeNotFound):
		// Even if the book was deleted right after: a repetition must hear the same.
		return carried.given, nil
	case err == nil:
		claim.Answer = answer(result) // there was nothing to change
		if err = c.log.Claim(ctx, claim); err == nil {
			return claim.Answer, nil
		}
	}
	if code := ErrorCode(err); code == CodeKeyReused || code == CodeNotFound || code == CodePreconditionFailed {
		// Another node may have been faster with the same request, and the command have met what it did.
		if known, failure := c.claimed(ctx, &claim); known != nil || failure != nil {
			return known, failure
		}
	}
	return nil, err
}

// claimed gives the answer that stands under a claim's key, nil if there is none.
// Errors: CodeKeyReused when it is of another request; CodeUnavailable.
func (c *Catalog) claimed(ctx context.Context, claim *Claim) ([]byte, error) {
	known, err := c.log.Claimed(ctx, claim.UserID, claim.Key)
	if known == nil || err != nil {
		return nil, err
	}
	if known.Fingerprint != claim.Fingerprint {
		return nil, KeyReused()
	}
	return known.Answer, nil
}

// carriedKey is where a context carries the claim from Once to commit.
type carriedKey struct{}

// carriedClaim belongs to one call of Once. While the log stores the change, it belongs to the
// log; Append's return hands it back.
type carriedClaim struct {
	claim  Claim
	answer func(Result) []byte
	given  []byte // the answer to the change
	stored bool   // the change is, and given with it
}

func claimOf(ctx context.Context) *carriedClaim {
	carried, _ := ctx.Value(carriedKey{}).(*carriedClaim)
	return carried
}

// forChange makes the claim that goes with a change which is decided from a state.
func (carried *carriedClaim) forChange(c *Catalog, current state) *Claim {
	claim := carried.claim
	claim.AnswerTo = func(stored *Change) []byte {
		carried.given = carried.answer(c.resultOf(stored, current))
		return carried.given
	}
	return &claim
}

// resultOf is the result of a change as it is being stored, before it is applied. What others
// change meanwhile (favourites, for a book) is not in it.
func (c *Catalog) resultOf(stored *Change, before state) Result {
	result := Result{Position: c.at(stored.Sequence)}
	switch stored.Kind {
	case KindBook:
		result.Book = *stored.Book
		if before.record != nil {
			result.Book.Favorites = before.record.book.Favorites
			result.Book.FavoriteSequence = before.record.book.FavoriteSequence
		}
	case KindBookDeleted:
		result.Book = *stored.Book
	case KindFavorite:
		result.FavoritesCount = len(before.record.book.Favorites)
		if stored.Favorite {
			result.FavoritesCount++
		} else {
			result.FavoritesCount--
		}
	}
	return result
}
