package move

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Contents counts what a log holds.
type Contents struct {
	Books        int `json:"books"`
	Favorites    int `json:"favorites"`
	Deletions    int `json:"deletions"` // remembered, for who was away
	Changes      int `json:"changes"`   // all records, favourites taken back among them
	Claims       int `json:"idempotencyKeys"`
	ClientStates int `json:"clientStates"`
}

// maxShown bounds the favourites that a deletion carries along, in bytes of user ids: they are only
// for show, and a message of NATS holds no more than a megabyte.
const maxShown = 256 << 10

// reading reads the changes of a log that nobody writes, twice: once to learn which books live.
// Favourites of a life that has ended are left out, as every reader ignores them; but the newest
// change stays, whatever it is, as its sequence must not be given again.
type reading struct {
	log    catalog.Log
	head   catalog.Sequence
	living map[int64]bool
	ends   map[int64]catalog.Sequence
	sum    hash.Hash // of the changes that were given last
	counts Contents
}

func newReading(ctx context.Context, log catalog.Log) (*reading, error) {
	r := &reading{log: log, living: make(map[int64]bool), ends: make(map[int64]catalog.Sequence)}
	var err error
	if r.head, err = log.Head(ctx); err != nil {
		return nil, err
	}
	err = r.raw(ctx, func(changes []catalog.Change) error {
		for i := range changes {
			switch change := &changes[i]; change.Kind {
			case catalog.KindBook:
				r.living[change.BookID] = true
			case catalog.KindBookDeleted:
				r.ends[change.BookID] = change.Sequence
				delete(r.living, change.BookID)
			}
		}
		return nil
	})
	return r, err
}

// anew reads a copy of the same log, in which the same books live.
func (r *reading) anew(ctx context.Context, copied catalog.Log) (*reading, error) {
	head, err := copied.Head(ctx)
	return &reading{log: copied, head: head, living: r.living, ends: r.ends}, err
}

var errAll = errors.New("that is all")

// raw gives every change up to the head.
func (r *reading) raw(ctx context.Context, each func([]catalog.Change) error) error {
	if r.head == 0 {
		return nil
	}
	err := r.log.Tail(ctx, 0, func(changes []catalog.Change) error {
		if err := each(changes); err != nil {
			return err
		}
		if changes[len(changes)-1].Sequence >= r.head {
			return errAll
		}
		return nil
	})
	switch {
	case errors.Is(err, errAll):
		return nil
	case err == nil: // a Tail ends so with its context
		return context.Cause(ctx)
	}
	return err
}

// changes gives what counts, in one form whatever log it comes from, and sums it up.
func (r *reading) changes(ctx context.Context, each func([]catalog.Change) error) error {
	r.sum, r.counts = sha256.New(), Contents{Books: len(r.living)}
	encoder := json.NewEncoder(r.sum)
	var kept []catalog.Change
	return r.raw(ctx, func(changes []catalog.Change) error {
		kept = kept[:0]
		for i := range changes {
			if !r.counted(&changes[i]) {
				continue
			}
			kept = append(kept, plain(changes[i]))
			if err := encoder.Encode(wholeOf(&kept[len(kept)-1])); err != nil {
				return err
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return each(kept)
	})
}

// whole is a change with every field of its book, whoever may see them.
type whole struct {
	catalog.Change
	Book *wholeBook
}

type wholeBook catalog.Book

func wholeOf(change *catalog.Change) whole {
	return whole{*change, (*wholeBook)(change.Book)}
}

// counted tells whether a change is to be kept, and counts it.
func (r *reading) counted(change *catalog.Change) bool {
	switch change.Kind {
	case catalog.KindBookDeleted:
		r.counts.Deletions++
	case catalog.KindFavorite:
		isOf := r.living[change.BookID] && change.Sequence > r.ends[change.BookID]
		if isOf && change.Favorite {
			r.counts.Favorites++
		}
		if !isOf && change.Sequence < r.head {
			return false
		}
	}
	r.counts.Changes++
	return true
}

// plain gives a change in the form in which changes of different logs are equal.
func plain(change catalog.Change) catalog.Change {
	change.At, change.RequestID = millisecond(change.At), ""
	if change.Book == nil {
		return change
	}
	book := *change.Book
	book.CreatedAt, book.UpdatedAt = millisecond(book.CreatedAt), millisecond(book.UpdatedAt)
	if book.ReturnDateTime != nil {
		book.ReturnDateTime = new(millisecond(*book.ReturnDateTime))
	}
	book.FavoriteSequence = 0
	size := 0
	for _, userID := range book.Favorites {
		size += len(userID)
	}
	if change.Kind == catalog.KindBook {
		change.At = book.UpdatedAt
	}
	if change.Kind == catalog.KindBook || len(book.Favorites) == 0 || size > maxShown {
		book.Favorites = nil
	}
	change.Book = &book
	return change
}

// millisecond is how exactly logs keep times.
func millisecond(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// extras are the claims and client states of a log, by hashes.
type extras struct {
	claims map[[32]byte]claimSum
	states map[string]time.Time
}

// claimSum is what a claim says, and until when.
type claimSum struct {
	says    [32]byte
	expires time.Time
}

func readExtras(ctx context.Context, log Log) (*extras, error) {
	x := &extras{claims: make(map[[32]byte]claimSum), states: make(map[string]time.Time)}
	err := log.Claims(ctx, func(claim catalog.Claim) error {
		x.addClaim(&claim)
		return nil
	})
	if err == nil {
		err = log.ClientStates(ctx, func(name string, until time.Time) error {
			x.states[name] = millisecond(until)
			return nil
		})
	}
	return x, err
}

func (x *extras) addClaim(claim *catalog.Claim) {
	key := sha256.Sum256(fmt.Appendf(nil, "%q %q", claim.UserID, claim.Key))
	says := sha256.Sum256(append(claim.Fingerprint[:], claim.Answer...))
	x.claims[key] = claimSum{says, millisecond(claim.Expires)}
}

// in fails if something of it is missing elsewhere, or other there, and has not expired meanwhile.
func (x *extras) in(other *extras, now time.Time) error {
	for key, claim := range x.claims {
		if claim.expires.After(now) && other.claims[key] != claim {
			return errors.New("an idempotency key is missing, or says something else")
		}
	}
	for name, until := range x.states {
		if until.After(now) && !other.states[name].Equal(until) {
			return errors.New("the state of a client is missing")
		}
	}
	return nil
}
