package natslog

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

const (
	// maxFill bounds the bytes of one batch of a copy.
	maxFill = 4 << 20
	// fillTimeout is how long one batch may take, elections of the servers included.
	fillTimeout = 30 * time.Second
	// fillAnswer is how long the servers have to acknowledge a batch.
	fillAnswer = 5 * time.Second
)

// Target is a stream that a log is moved to.
type Target struct {
	// Options of the log, of which Marked is implied.
	Options Options
}

var _ move.Target = (*Target)(nil)

// Place implements [move.Target].
func (t *Target) Place() string { return t.Options.Place() }

// Find implements [move.Target].
func (t *Target) Find(ctx context.Context) (move.Log, error) {
	options := t.Options
	options.Marked = true
	log, err := Open(ctx, options)
	if errors.Is(err, ErrNoStream) {
		return nil, nil
	}
	if err != nil { // not a nil *Log as an interface
		return nil, err
	}
	return log, nil
}

// Remove implements [move.Target]: a stream cannot be put aside.
func (t *Target) Remove(ctx context.Context) error {
	return t.connected(ctx, func(js jetstream.JetStream, name subjects) error {
		err := js.DeleteStream(ctx, string(name))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		return err
	})
}

// MakeAfter makes the stream of a new log, if there is none, with sequences above one: those of a log
// that was lost are not given again, as versions of books that somebody may remember.
func (t *Target) MakeAfter(ctx context.Context, last catalog.Sequence) error {
	return t.connected(ctx, func(js jetstream.JetStream, name subjects) error {
		config := streamConfig(name, cmp.Or(t.Options.Replicas, DefaultReplicas), newIdentity())
		config.FirstSeq = uint64(last) + 1
		_, err := js.CreateStream(ctx, config)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil
		}
		return err
	})
}

func (t *Target) connected(ctx context.Context, do func(jetstream.JetStream, subjects) error) error {
	options, err := t.Options.withDefaults()
	if err != nil {
		return err
	}
	conn, err := options.Connection.dial(ctx, options.Name, options.Logger, func() {})
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	return do(js, subjects(options.Stream))
}

// filler writes the records of another log into a new stream, with a table of the positions that
// they have. It writes alone: every batch expects the sequence that the one before has ended with.
type filler struct {
	log       *Log
	numbering numbering
	last      catalog.Sequence // of the stream
}

// Make implements [move.Target].
func (t *Target) Make(ctx context.Context, id move.Identity, from string) (move.Filler, error) {
	mark, err := json.Marshal(move.Mark{State: move.Filling, Other: from, At: time.Now().UTC()})
	if err != nil {
		return nil, err
	}
	err = t.connected(ctx, func(js jetstream.JetStream, name subjects) error {
		config := streamConfig(name, cmp.Or(t.Options.Replicas, DefaultReplicas), identity{epoch: id.Epoch, key: id.Key})
		config.FirstSeq = uint64(id.Head) + 1
		config.Metadata[metadataHorizon] = strconv.FormatUint(uint64(id.Horizon), 10)
		config.Metadata[metadataMove] = string(mark)
		_, err := js.CreateStream(ctx, config)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making the stream: %w", err)
	}
	options := t.Options
	options.Marked = true
	log, err := Open(ctx, options)
	if err != nil {
		return nil, err
	}
	return &filler{log: log, numbering: numbering{first: id.Head + 1}, last: id.Head}, nil
}

// Store implements [move.Filler].
func (f *filler) Store(ctx context.Context, changes []catalog.Change) error {
	var messages []*nats.Msg
	for i := range changes {
		stored, err := f.log.subjects.changeMessages(&changes[i], 0, f.log.maxPayload())
		if err != nil {
			return err
		}
		for range stored {
			f.numbering.positions = append(f.numbering.positions, changes[i].Sequence)
		}
		messages = append(messages, stored...)
	}
	return f.put(ctx, messages)
}

// StoreClaims implements [move.Filler].
func (f *filler) StoreClaims(ctx context.Context, claims []catalog.Claim) error {
	var messages []*nats.Msg
	for i := range claims {
		// The change that it is of has another place here, and the answer is known.
		message, err := f.log.subjects.claimMessage(&claims[i], [][]byte{claims[i].Answer}, 0, f.log.now())
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	return f.put(ctx, messages)
}

// StoreClientStates implements [move.Filler].
func (f *filler) StoreClientStates(ctx context.Context, states []move.ClientState) error {
	var messages []*nats.Msg
	for _, state := range states {
		message, err := f.log.subjects.stateMessage(state.Name, state.Until, state.Until.Sub(f.log.now()))
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	return f.put(ctx, messages)
}

// Finish implements [move.Filler].
func (f *filler) Finish(ctx context.Context) error {
	var messages []*nats.Msg
	for i, content := range f.numbering.contents() {
		messages = append(messages, newMessage(f.log.subjects.table(i), content))
	}
	if err := f.put(ctx, messages); err != nil {
		return err
	}
	table, err := f.numbering.encode()
	if err != nil || table == "" {
		return err
	}
	return f.log.configure(ctx, func(config *jetstream.StreamConfig) { config.Metadata[metadataTable] = table })
}

// Close implements [move.Filler].
func (f *filler) Close() error { return f.log.Close() }

// put stores messages, in batches.
func (f *filler) put(ctx context.Context, messages []*nats.Msg) error {
	for len(messages) > 0 {
		count, size := 0, 0
		for count < len(messages) && count < maxBatch && (count == 0 || size+len(messages[count].Data) <= maxFill) {
			size += len(messages[count].Data)
			count++
		}
		if err := f.putBatch(ctx, messages[:count]); err != nil {
			return err
		}
		messages = messages[count:]
	}
	return nil
}

// putBatch stores a batch, whatever the servers do meanwhile: as it expects where the stream ends,
// it cannot be stored twice, and the stream's end tells what became of it.
func (f *filler) putBatch(ctx context.Context, messages []*nats.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	for {
		for _, message := range messages {
			message.Header.Del(jetstream.ExpectedLastSubjSeqHeader) // no reader can be in the way
		}
		forgetBatch(messages)
		messages[0].Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(uint64(f.last), 10))
		end := f.last + catalog.Sequence(len(messages))
		publishing, cancel := context.WithTimeout(ctx, fillAnswer)
		_, err := f.log.publish(publishing, "move", messages)
		cancel()
		if err != nil {
			if info, failure := f.log.info(ctx); failure == nil && catalog.Sequence(info.State.LastSeq) == end {
				err = nil
			} else if failure == nil && catalog.Sequence(info.State.LastSeq) != f.last {
				return fmt.Errorf("somebody else writes into the stream: it ends at %d instead of %d", info.State.LastSeq, f.last)
			}
		}
		if err == nil {
			f.last = end
			return nil
		}
		if pause(ctx, carryPause); ctx.Err() != nil {
			return catalog.Unavailable(err)
		}
	}
}
