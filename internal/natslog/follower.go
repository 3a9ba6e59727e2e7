package natslog

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// followPoll is the time between two looks for messages whose news was lost on the way here.
const followPoll = 5 * time.Second

// follower gives take the messages on a filter: those that are stored, then what is stored later, on
// a goroutine of its own. A message may come again, and an older one of its subject after it; what
// there is comes in the end.
type follower struct {
	log    *Log
	filter string
	take   func(subject string, sequence catalog.Sequence, content []byte)
	live   *nats.Subscription
	reader *directReader
	read   catalog.Sequence // up to where the stream was read
}

// follow has given take what is stored when it returns, and goes on until the log is closed.
func (l *Log) follow(ctx context.Context, filter string, take func(subject string, sequence catalog.Sequence, content []byte)) error {
	f := &follower{log: l, filter: filter, take: take}
	var err error
	if f.live, err = l.subscribe(filter); err != nil {
		return err
	}
	if f.reader, err = newDirectReader(l.conn, l.subjects); err != nil {
		return err // closing the connection ends the subscription
	}
	if err := f.catchUp(ctx); err != nil {
		return err
	}
	l.background.Go(f.run)
	return nil
}

func (f *follower) run() {
	defer f.reader.close()
	// NextMsg does not know contexts.
	defer context.AfterFunc(f.log.life, func() { _ = f.live.Unsubscribe() })()
	looked := time.Now()
	for f.log.life.Err() == nil {
		message, err := f.live.NextMsg(followPoll)
		if err == nil {
			if sequence, err := sequenceOf(message); err == nil {
				f.take(strings.TrimPrefix(message.Subject, republished), sequence, message.Data)
			}
		}
		if f.log.life.Err() == nil && (err != nil || time.Since(looked) > followPoll) {
			looked = time.Now()
			_ = f.catchUp(f.log.life) // the next look finds what this one has not
		}
	}
}

func (f *follower) catchUp(ctx context.Context) error {
	for more := true; more; {
		var err error
		more, err = f.reader.read(ctx, f.filter, f.read+1, func(message *nats.Msg, sequence catalog.Sequence) error {
			f.read = sequence
			f.take(message.Header.Get(jetstream.SubjectHeader), sequence, message.Data)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
