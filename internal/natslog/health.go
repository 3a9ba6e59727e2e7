package natslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

const (
	// barrierInterval is how long no write may have been acknowledged before a barrier is written:
	// a message that nobody reads, and whose acknowledgement shows that writes work. What servers say
	// of themselves does not: they call a stream healthy that has no quorum.
	barrierInterval = 500 * time.Millisecond
	// freshAcknowledgement is how long an acknowledgement counts as proof, unless somebody has waited
	// for one in vain since. Without it writes are refused at once, so that those of one book do not
	// wait in line for as long as each of them may.
	freshAcknowledgement = 2 * time.Second
	// lookInterval is the time between two looks, while writes do not work, whether the stream is still
	// there and the log in it.
	lookInterval = time.Second
	// settingsInterval is the same while they do: somebody may change the stream's settings at any time.
	settingsInterval = 5 * time.Second
	// barrierLifetime is when the stream may forget a node that is gone.
	barrierLifetime = time.Hour
)

var (
	errOtherStream = errors.New("the stream has been made anew: it is another log")
	errLostEnd     = errors.New("the stream ends before what it has acknowledged: its end is lost")
)

// health knows whether writes work and how old what was read is. Its lock is a leaf.
type health struct {
	mu             sync.Mutex
	acknowledgedAt time.Time        // when a write last was
	unansweredFrom time.Time        // when the last request of a writer began that was given up without an answer
	highest        catalog.Sequence // that was acknowledged or read
	// A tail that has read a message has read everything that was stored before that was sent. So each
	// acknowledged write, barriers too, dates what the tail shows as soon as it comes to that.
	reached   catalog.Sequence // by the tail
	awaited   catalog.Sequence // of a write that is acknowledged and not reached; 0: none
	sentAt    time.Time        // that write
	currentAt time.Time        // when the tail's state was the newest there was; zero: never
	dangers   string           // of the stream's settings as they are now; "": none
}

// noteDangers notes what the stream's settings endanger, and reports whether that is news.
func (h *health) noteDangers(dangers string) (isNew bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	isNew = h.dangers != dangers
	h.dangers = dangers
	return isNew
}

// acknowledged notes a write and when it was sent.
func (h *health) acknowledged(sequence catalog.Sequence, sentAt time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acknowledgedAt = time.Now()
	h.highest = max(h.highest, sequence)
	if h.awaited == 0 { // a later one would be a moving target
		h.awaited, h.sentAt = sequence, sentAt
		h.dateLocked()
	}
}

// unanswered notes that a writer has waited in vain since a time.
func (h *health) unanswered(from time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if from.After(h.unansweredFrom) {
		h.unansweredFrom = from
	}
}

// read notes what a tail was given, and has applied.
func (h *health) read(sequence catalog.Sequence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.highest = max(h.highest, sequence)
	h.reached = max(h.reached, sequence)
	h.dateLocked()
}

func (h *health) dateLocked() {
	if h.awaited != 0 && h.reached >= h.awaited {
		h.awaited = 0
		if h.sentAt.After(h.currentAt) {
			h.currentAt = h.sentAt
		}
	}
}

// silent reports for how long no write was acknowledged, if that is too long: either by
// freshAcknowledgement, or because a writer has found nobody since.
func (h *health) silent() (age time.Duration, tooLong bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	age = time.Since(h.acknowledgedAt)
	return age, age >= freshAcknowledgement || h.unansweredFrom.After(h.acknowledgedAt)
}

// state gives how long ago a write was acknowledged, and the highest sequence known.
func (h *health) state() (age time.Duration, highest catalog.Sequence) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.acknowledgedAt), h.highest
}

// Age is how old the newest state is, at most, that a Tail can have shown: below a second while the
// cluster works, rising while it does not, even where a server still answers that has lost touch with
// the others. Before the first Tail it is 0.
func (l *Log) Age() time.Duration {
	l.health.mu.Lock()
	defer l.health.mu.Unlock()
	if l.health.currentAt.IsZero() {
		return 0
	}
	return time.Since(l.health.currentAt)
}

// Silence is how long ago a write was acknowledged, barriers included.
func (l *Log) Silence() time.Duration {
	age, _ := l.health.state()
	return age
}

// Failing tells why writes are refused now, as Writable; nil if they are not. It never waits.
func (l *Log) Failing() error {
	if l.life.Err() != nil {
		return catalog.Unavailable(context.Cause(l.life))
	}
	return l.refusing()
}

// Writable implements [catalog.Log]: it is the age of the last acknowledged write. One that
// nobody asked for, a barrier, is written when there is no other.
func (l *Log) Writable(ctx context.Context) error {
	if err := l.usable(ctx); err != nil {
		return err
	}
	return l.refusing()
}

// refusing fails when a write would not be acknowledged, or could be lost after that.
func (l *Log) refusing() error {
	if err := l.acknowledging(); err != nil {
		return err
	}
	l.health.mu.Lock()
	dangers := l.health.dangers
	l.health.mu.Unlock()
	if dangers == "" {
		return nil
	}
	return unavailable(fmt.Errorf("%w: %s", ErrWrongSettings, dangers), "the settings of the stream in NATS were changed, and books could be lost")
}

// acknowledging fails when no write was acknowledged for too long.
func (l *Log) acknowledging() error {
	age, tooLong := l.health.silent()
	if !tooLong {
		return nil
	}
	return unavailable(fmt.Errorf("no write was acknowledged for %s", age.Round(time.Second)), "the NATS cluster does not acknowledge writes")
}

// unavailable adds what everybody may know of the cause.
func unavailable(cause error, detail string) error {
	err := catalog.Unavailable(cause)
	if known := (*catalog.Error)(nil); errors.As(err, &known) {
		known.Detail = detail
	}
	return err
}

// barrier writes a barrier and gives its sequence: when it is acknowledged, what became of every
// write before it is settled.
func (l *Log) barrier(ctx context.Context) (catalog.Sequence, error) {
	message := newMessage(l.subjects.barrier(l.node), nil)
	expireAfter(message, barrierLifetime)
	return l.publish(ctx, nuid.Next(), []*nats.Msg{message})
}

// watchHealth writes barriers until the log closes, and ends the tails when the stream is not the
// one that was opened any more.
func (l *Log) watchHealth() {
	ticker := time.NewTicker(barrierInterval / 2)
	defer ticker.Stop()
	writable := true
	looked := time.Now() // at the stream
	for {
		select {
		case <-l.life.Done():
			return
		case <-ticker.C:
		case <-l.reconnected:
			if err := l.sameStream(); err != nil {
				l.lose(err)
				return
			}
		}
		age, highest := l.health.state()
		if age >= barrierInterval {
			ctx, cancel := context.WithTimeout(l.life, answerTimeout)
			sequence, err := l.barrier(ctx)
			cancel()
			if err == nil && sequence <= highest {
				l.lose(errLostEnd)
				return
			}
		}
		now := l.acknowledging() == nil
		switch {
		case l.life.Err() != nil:
			return
		case writable && !now:
			l.logger.Error("the NATS cluster does not acknowledge writes: they are refused until it does", "silent", age.Round(time.Millisecond))
		case !now && time.Since(looked) < lookInterval:
		case !writable || time.Since(looked) >= settingsInterval:
			if err := l.sameStream(); err != nil {
				l.lose(err)
				return
			}
			if looked = time.Now(); now && !writable {
				l.logger.Info("the NATS cluster acknowledges writes again")
			}
		}
		writable = now
	}
}

// lose ends the log as one that must not go on.
func (l *Log) lose(err error) {
	l.logger.Error("the log cannot go on", "error", err, slog.String("stream", string(l.subjects)))
	l.end(err)
}

// sameStream fails if the stream has gone, is another one, or its log was moved elsewhere. It notes
// dangerous settings. What cannot be found out is no failure.
func (l *Log) sameStream() error {
	ctx, cancel := context.WithTimeout(l.life, answerTimeout)
	defer cancel()
	info, err := readStream(ctx, l.conn, l.subjects)
	switch {
	case errors.Is(err, ErrNoStream):
		return errOtherStream
	case err != nil:
		return nil
	}
	found, err := identityOf(info.Config.Metadata)
	if err != nil || found.epoch != l.identity.epoch {
		return errOtherStream
	}
	if found.mark.State == move.Moved {
		return &move.HeldError{Place: l.place, Mark: found.mark}
	}
	if texts := strings.Join(dangers(&info.Config, l.subjects), "; "); !l.health.noteDangers(texts) {
		return nil
	} else if texts != "" {
		l.logger.Error("the stream's settings were changed so that books could be lost: changes are refused until they are as before", "settings", texts)
	} else {
		l.logger.Info("the stream's settings are as before")
	}
	return nil
}
