package sqlitelog

import (
	"context"
	"fmt"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// claimReader looks idempotency keys up, on a connection that it opens when it is first asked.
type claimReader struct {
	mu   sync.Mutex // held while the connection is used
	conn *sqlite.Conn
	stmt *sqlite.Stmt
}

func (r *claimReader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	return r.conn.Close()
}

func (r *claimReader) prepareLocked(path string) error {
	if r.stmt != nil {
		return nil
	}
	conn, err := openReader(path)
	if err != nil {
		return err
	}
	stmt, err := conn.Prepare(`SELECT fingerprint, answer, expires_at FROM idempotency_keys
		WHERE user_id = ?1 AND key = ?2 AND expires_at > ?3`)
	if err != nil {
		_ = conn.Close() // the first error says more
		return err
	}
	r.conn, r.stmt = conn, stmt
	return nil
}

func (r *claimReader) read(path, userID, key string, now time.Time) (_ *catalog.Claim, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.prepareLocked(path); err != nil {
		return nil, err
	}
	r.stmt.BindText(1, userID)
	r.stmt.BindText(2, key)
	r.stmt.BindText(3, formatDate(now))
	defer func() {
		if failure := r.stmt.Reset(); err == nil {
			err = failure
		}
	}()
	hasRow, err := r.stmt.Step()
	if err != nil || !hasRow {
		return nil, err
	}
	claim := &catalog.Claim{UserID: userID, Key: key, Answer: make([]byte, r.stmt.ColumnLen(1))}
	if r.stmt.ColumnLen(0) != len(claim.Fingerprint) {
		return nil, fmt.Errorf("a stored fingerprint has %d bytes", r.stmt.ColumnLen(0))
	}
	r.stmt.ColumnBytes(0, claim.Fingerprint[:])
	r.stmt.ColumnBytes(1, claim.Answer)
	claim.Expires, err = columnDate(r.stmt, 2)
	return claim, err
}

// Claimed implements [catalog.Log].
func (l *Log) Claimed(ctx context.Context, userID, key string) (*catalog.Claim, error) {
	if ctx.Err() != nil {
		return nil, catalog.Unavailable(context.Cause(ctx))
	}
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.tails.Done()
	claim, err := l.claims.read(l.path, userID, key, l.now())
	if err != nil {
		return nil, catalog.Unavailable(fmt.Errorf("look up an idempotency key: %w", err))
	}
	return claim, nil
}

// Claim implements [catalog.Log].
func (l *Log) Claim(ctx context.Context, claim catalog.Claim) error {
	size := 256 + len(claim.Key) + len(claim.Answer)
	_, err := l.committer.submit(ctx, newOther(size, func(w *writer, now time.Time) error {
		if err := w.checkClaim(&claim, now); err != nil {
			return err
		}
		return w.storeClaim(&claim)
	}))
	return err
}

// checkClaim refuses a key that is claimed already.
func (w *writer) checkClaim(claim *catalog.Claim, now time.Time) error {
	w.claimed.BindText(1, claim.UserID)
	w.claimed.BindText(2, claim.Key)
	w.claimed.BindText(3, formatDate(now))
	hasRow, err := w.claimed.Step()
	if failure := w.claimed.Reset(); err == nil {
		err = failure
	}
	if err == nil && hasRow {
		err = catalog.KeyReused()
	}
	return err
}

func (w *writer) storeClaim(claim *catalog.Claim) error {
	w.keepClaim.BindText(1, claim.UserID)
	w.keepClaim.BindText(2, claim.Key)
	w.keepClaim.BindBytes(3, claim.Fingerprint[:])
	w.keepClaim.BindBytes(4, claim.Answer)
	w.keepClaim.BindText(5, formatDate(claim.Expires))
	return run(w.keepClaim)
}
