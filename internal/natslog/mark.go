package natslog

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

const (
	// configTimeout bounds a change of the stream's configuration, which the servers agree on.
	configTimeout = 15 * time.Second
	// holdSettle is how long a held stream must not have grown until nothing can be on its way.
	holdSettle = 500 * time.Millisecond
)

var (
	errGrown      = errors.New("something was stored although the stream is held")
	errOpenSeries = errors.New("a restore was committed and is still being carried out; it is by any node within a minute")
)

func markOf(metadata map[string]string) (mark move.Mark, err error) {
	text := metadata[metadataMove]
	if text == "" {
		return mark, nil
	}
	if err := json.Unmarshal([]byte(text), &mark); err != nil || mark.IsServed() {
		return mark, fmt.Errorf("what a move has noted is damaged: %.100q", text)
	}
	return mark, nil
}

// isHeld tells whether a stream with a mark takes no writes.
func isHeld(mark move.Mark) bool { return mark.State == move.Leaving || mark.State == move.Moved }

// Mark implements [move.Log].
func (l *Log) Mark(ctx context.Context) (move.Mark, error) {
	info, err := l.info(ctx)
	if err != nil {
		return move.Mark{}, err
	}
	return markOf(info.Config.Metadata)
}

func (l *Log) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	info, err := readStream(asking, l.conn, l.subjects)
	if err != nil {
		return nil, catalog.Unavailable(err)
	}
	return info, nil
}

// setMark notes what a move has done. A stream that is held or has moved listens on none of its
// subjects: its servers themselves take no write from anybody, and go on answering reads.
func (l *Log) setMark(ctx context.Context, mark move.Mark) error {
	note := ""
	if !mark.IsServed() {
		text, err := json.Marshal(mark)
		if err != nil {
			return err
		}
		note = string(text)
	}
	return l.configure(ctx, func(config *jetstream.StreamConfig) {
		if config.Metadata[metadataMove] = note; note == "" {
			delete(config.Metadata, metadataMove)
		}
		config.Subjects = []string{l.subjects.all()}
		if isHeld(mark) {
			config.Subjects = []string{l.subjects.held()}
		}
	})
}

// configure changes the stream's configuration, whatever else was changed in it, and waits until the
// servers have it.
func (l *Log) configure(ctx context.Context, change func(*jetstream.StreamConfig)) error {
	ctx, cancel := context.WithTimeout(ctx, configTimeout)
	defer cancel()
	js, err := jetstream.New(l.conn)
	if err != nil {
		return err
	}
	for {
		info, err := l.info(ctx)
		if err == nil {
			config := info.Config
			config.Metadata = maps.Clone(config.Metadata)
			maps.DeleteFunc(config.Metadata, func(name, _ string) bool { return strings.HasPrefix(name, "_nats.") }) // the servers'
			change(&config)
			if _, err = js.UpdateStream(ctx, config); err == nil {
				return nil
			}
		}
		// While servers elect a leader. Doing it twice is doing it once.
		if pause(ctx, 10*retryPause); ctx.Err() != nil {
			return fmt.Errorf("changing the configuration of stream %s: %w", l.subjects, err)
		}
	}
}

// Hold implements [move.Log].
func (l *Log) Hold(ctx context.Context, other string) error {
	err := l.setMark(ctx, move.Mark{State: move.Leaving, Other: other, At: l.now().UTC()})
	if err == nil {
		err = l.settleHeld(ctx)
	}
	if err == nil {
		err = l.refuseOpenSeries(ctx)
	}
	if err != nil && l.identity.mark.IsServed() {
		err = errors.Join(err, l.setMark(context.WithoutCancel(ctx), l.identity.mark))
	}
	return err
}

// settleHeld waits until the stream has stopped growing, and notes where it ends.
func (l *Log) settleHeld(ctx context.Context) error {
	for last, since := uint64(0), time.Now(); ; {
		info, err := l.info(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil || info.State.LastSeq != last:
			since = time.Now()
			if err == nil {
				last = info.State.LastSeq
			}
		case time.Since(since) >= holdSettle:
			l.heldAt = last
			return nil
		}
		pause(ctx, 10*retryPause)
	}
}

// refuseOpenSeries fails while a series that was committed to is not stored as a whole.
func (l *Log) refuseOpenSeries(ctx context.Context) error {
	open, err := l.openSeries(ctx, 0)
	if err == nil && len(open) > 0 {
		err = errOpenSeries
	}
	return err
}

// Retire implements [move.Log].
func (l *Log) Retire(ctx context.Context, other string) error {
	info, err := l.info(ctx)
	if err != nil {
		return err
	}
	if l.heldAt != 0 && info.State.LastSeq != l.heldAt {
		return errGrown
	}
	return l.setMark(ctx, move.Mark{State: move.Moved, Other: other, At: l.now().UTC()})
}

// Release implements [move.Log].
func (l *Log) Release(ctx context.Context) error { return l.setMark(ctx, move.Mark{}) }

// Claims implements [move.Log].
func (l *Log) Claims(ctx context.Context, each func(catalog.Claim) error) error {
	return l.readAll(ctx, l.subjects.claims(), func(message *nats.Msg, sequence catalog.Sequence) error {
		claim, err := decodeClaim(message.Data, sequence)
		if err != nil || !claim.Expires.After(l.now()) {
			return err
		}
		return each(*claim)
	})
}

// ClientStates implements [move.Log].
func (l *Log) ClientStates(ctx context.Context, each func(name string, until time.Time) error) error {
	return l.readAll(ctx, l.subjects.clients(), func(message *nats.Msg, _ catalog.Sequence) error {
		var stored storedState
		subject := message.Header.Get(jetstream.SubjectHeader)
		name, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(subject, l.subjects.client("")))
		if err == nil {
			err = json.Unmarshal(message.Data, &stored)
		}
		if err != nil {
			return fmt.Errorf("the message on %s: %w", subject, err)
		}
		if !stored.Until.After(l.now()) {
			return nil
		}
		return each(string(name), stored.Until)
	})
}

// readAll calls each with every message on a filter, up to the last that the stream's leader knows.
func (l *Log) readAll(ctx context.Context, filter string, each func(*nats.Msg, catalog.Sequence) error) error {
	reader, err := newDirectReader(l.conn, l.subjects)
	if err != nil {
		return catalog.Unavailable(err)
	}
	defer reader.close()
	reading, cancel := l.whileOpen(ctx)
	defer cancel()
	var failure error
	for seen := catalog.Sequence(0); ; {
		newest, err := l.last(reading, filter) // again each time: it may expire
		if err == nil && newest.sequence() <= seen {
			return nil
		}
		if err == nil {
			_, err = reader.read(reading, filter, seen+1, func(message *nats.Msg, sequence catalog.Sequence) error {
				seen = sequence
				failure = each(message, sequence)
				return failure
			})
		}
		switch {
		case failure != nil:
			return failure
		case reading.Err() != nil:
			return catalog.Unavailable(context.Cause(reading))
		case err != nil:
			pause(reading, retryPause)
		}
	}
}
