package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// pieceBytes is how much of a series one message holds, about.
	pieceBytes = 256 << 10
	// seriesLifetime is how long what was written down of a series stays: long enough for somebody
	// to come and carry it out.
	seriesLifetime = 7 * 24 * time.Hour
	// seriesInterval is the time between two looks for a series that nobody carries out any more,
	// and seriesPatience how old its commit then is.
	seriesInterval = 30 * time.Second
	seriesPatience = 30 * time.Second
	// carryPause is the time between attempts while the cluster does not store.
	carryPause = 250 * time.Millisecond
)

// largeSeries is a series of more messages than an atomic batch may have. Its steps are written
// down in pieces that no reader looks at, then one message commits to it, and then the steps are
// carried out, in batches. Whoever opens the log later, or has it open already, carries out a
// series that was committed and not finished, so that it is there as a whole or not at all,
// whatever process dies. Carrying a step out twice changes nothing, as each expects the sequence
// that its key had before.
//
// Between the commit and the last batch readers see a part of it; and a step whose key another node
// has changed in that time is left out, as if that change had come right after the series.
type largeSeries struct {
	log   *Log
	id    string
	steps []step
}

// storedStep is a message of a step as a piece holds it.
type storedStep struct {
	Subject string          `json:"subject"`
	Expect  string          `json:"expect,omitempty"`
	Content json.RawMessage `json:"content"`
}

// storedCommit is the content of the message that commits to a series.
type storedCommit struct {
	Pieces int       `json:"pieces"`
	At     time.Time `json:"at"`
	Done   bool      `json:"done,omitempty"`
}

func (l *Log) appendLarge(ctx context.Context, steps []step) (catalog.Sequence, error) {
	if err := l.checkSteps(ctx, steps); err != nil {
		return 0, err
	}
	s := &largeSeries{log: l, id: nuid.Next(), steps: steps}
	commit, err := s.write(ctx)
	if err != nil {
		return 0, err
	}
	// From here on it will happen; the caller's patience decides nothing any more.
	return s.carryOut(l.life, commit)
}

// checkSteps refuses steps whose keys have other last sequences than they expect. It reads every
// change there is.
func (l *Log) checkSteps(ctx context.Context, steps []step) error {
	last := make(map[string]catalog.Sequence, len(steps))
	for _, one := range steps {
		last[one[0].Subject] = 0
	}
	head, err := l.Head(ctx)
	if err != nil {
		return err
	}
	reader, err := newDirectReader(l.conn, l.subjects)
	if err != nil {
		return catalog.Unavailable(err)
	}
	defer reader.close()
	reading, cancel := l.whileOpen(ctx)
	defer cancel()
	for seen := catalog.Sequence(0); l.numbering.position(seen) < head; {
		// A copy of the newest deletion comes after the head: then there is one message more.
		more, err := reader.read(reading, l.subjects.changes(), seen+1, func(message *nats.Msg, sequence catalog.Sequence) error {
			seen = sequence
			if subject := message.Header.Get(jetstream.SubjectHeader); len(last) > 0 {
				if _, asked := last[subject]; asked {
					last[subject] = sequence
				}
			}
			return nil
		})
		if reading.Err() != nil {
			return catalog.Unavailable(context.Cause(reading))
		}
		if err != nil || !more {
			pause(reading, retryPause) // a server that lags, or none
		}
	}
	for i, one := range steps {
		current := last[one[0].Subject]
		if !isCurrent(one[0], &lastMessage{Sequence: current}) {
			return catalog.InSeries(i, l.numbering.conflict(current))
		}
	}
	return nil
}

// write writes the series down and commits to it.
func (s *largeSeries) write(ctx context.Context) (*storedCommit, error) {
	commit := &storedCommit{At: s.log.now().UTC()}
	var piece [][]storedStep
	size := 0
	put := func() error {
		content, err := json.Marshal(piece)
		if err != nil {
			return catalog.Unavailable(err)
		}
		message := newMessage(s.log.subjects.piece(s.id, commit.Pieces), content)
		expireAfter(message, seriesLifetime)
		expectLast(message, 0)
		if _, err := s.log.store(ctx, newStoring([]*nats.Msg{message}, 0)); err != nil {
			return err
		}
		piece, size = nil, 0
		commit.Pieces++
		return nil
	}
	for _, one := range s.steps {
		var stored []storedStep
		for _, message := range one {
			stored = append(stored, storedStep{message.Subject, message.Header.Get(jetstream.ExpectedLastSubjSeqHeader), message.Data})
			size += 256 + len(message.Data)
		}
		piece = append(piece, stored)
		if size >= pieceBytes {
			if err := put(); err != nil {
				return nil, err
			}
		}
	}
	if len(piece) > 0 {
		if err := put(); err != nil {
			return nil, err
		}
	}
	return commit, s.note(ctx, commit, 0)
}

// note stores the commit, or that the series is done.
func (s *largeSeries) note(ctx context.Context, commit *storedCommit, expect catalog.Sequence) error {
	content, err := json.Marshal(commit)
	if err != nil {
		return catalog.Unavailable(err)
	}
	message := newMessage(s.log.subjects.commit(s.id), content)
	expireAfter(message, seriesLifetime)
	if !commit.Done {
		expectLast(message, expect)
	}
	_, err = s.log.store(ctx, newStoring([]*nats.Msg{message}, 0))
	return err
}

// carryOut stores the steps until all are stored or left out, and gives the sequence of the last.
// Errors: catalog.CodeUnavailable when ctx ends first.
func (s *largeSeries) carryOut(ctx context.Context, commit *storedCommit) (catalog.Sequence, error) {
	highest := catalog.Sequence(0)
	for group, rest := 0, s.steps; len(rest) > 0; group++ {
		count, size := 0, 0
		for count < len(rest) && size+len(rest[count]) <= maxBatch {
			size += len(rest[count])
			count++
		}
		last, err := s.carryGroup(ctx, group, rest[:count])
		if err != nil {
			return 0, err
		}
		highest = max(highest, last)
		rest = rest[count:]
	}
	done := *commit
	done.Done = true
	// If this fails, somebody carries it out again, which changes nothing.
	_ = s.note(ctx, &done, 0)
	return highest, nil
}

// carryGroup stores the steps of one batch; if something is in the way of one of them, each by
// itself. Names of commands tell a later attempt what is stored already.
func (s *largeSeries) carryGroup(ctx context.Context, group int, steps []step) (catalog.Sequence, error) {
	messages, firsts := joinSteps(steps)
	name := fmt.Sprintf("%s.%d", s.id, group)
	first, err := s.carry(ctx, name, messages)
	if err == nil {
		return first + catalog.Sequence(firsts[len(firsts)-1]), nil
	}
	if stale := (*staleError)(nil); !errors.As(err, &stale) {
		return 0, err
	}
	highest := catalog.Sequence(0)
	for i, one := range steps {
		first, err := s.carry(ctx, fmt.Sprintf("%s.%d", name, i), one)
		if stale := (*staleError)(nil); errors.As(err, &stale) {
			s.log.logger.Warn("a step of a restore is left out, as another node has changed the same in the meantime", "subject", one[0].Subject)
			continue
		}
		if err != nil {
			return 0, err
		}
		highest = max(highest, first)
	}
	return highest, nil
}

// carry stores messages, however long the cluster takes to do so.
func (s *largeSeries) carry(ctx context.Context, command string, messages []*nats.Msg) (catalog.Sequence, error) {
	for {
		forgetBatch(messages)
		first, err := s.log.store(ctx, &storing{command: command, messages: messages})
		if stale := (*staleError)(nil); err == nil || errors.As(err, &stale) || ctx.Err() != nil {
			return first, err
		}
		pause(ctx, carryPause)
	}
}

// watchSeries carries out what nobody carries out any more, until the log closes.
func (l *Log) watchSeries() {
	ticker := time.NewTicker(seriesInterval)
	defer ticker.Stop()
	for {
		select {
		case <-l.life.Done():
			return
		case <-ticker.C:
			_ = l.finishSeries(l.life, seriesPatience) // the next look tries again
		}
	}
}

// finishSeries carries out every series that was committed longer ago than patience and is not done.
func (l *Log) finishSeries(ctx context.Context, patience time.Duration) error {
	open, err := l.openSeries(ctx, patience)
	if err != nil {
		return err
	}
	for id, commit := range open {
		s := &largeSeries{log: l, id: id}
		if err := s.read(ctx, commit); err != nil {
			return err
		}
		l.logger.Warn("carrying out a restore that was committed and not finished", "changes", len(s.steps), "committed", commit.At)
		if _, err := s.carryOut(ctx, commit); err != nil {
			return err
		}
	}
	return nil
}

// openSeries gives every series that was committed longer ago than patience and is not done, by id.
func (l *Log) openSeries(ctx context.Context, patience time.Duration) (map[string]*storedCommit, error) {
	open := make(map[string]*storedCommit)
	prefix := len(l.subjects.series()) - 1
	return open, l.readAll(ctx, string(l.subjects)+".r.*.commit", func(message *nats.Msg, _ catalog.Sequence) error {
		commit := new(storedCommit)
		subject := message.Header.Get(jetstream.SubjectHeader)
		if err := json.Unmarshal(message.Data, commit); err != nil {
			return fmt.Errorf("the commit on %s: %w", subject, err)
		}
		if !commit.Done && l.now().Sub(commit.At) >= patience {
			open[subject[prefix:len(subject)-len(".commit")]] = commit
		}
		return nil
	})
}

// read reads what was written down of a series.
func (s *largeSeries) read(ctx context.Context, commit *storedCommit) error {
	for n := range commit.Pieces {
		found, err := s.log.last(ctx, s.log.subjects.piece(s.id, n))
		if err != nil {
			return err
		}
		if found == nil {
			return fmt.Errorf("piece %d of series %s is missing", n, s.id)
		}
		var piece [][]storedStep
		if err := json.Unmarshal(found.Data, &piece); err != nil {
			return fmt.Errorf("piece %d of series %s: %w", n, s.id, err)
		}
		for _, stored := range piece {
			var one step
			for _, part := range stored {
				message := newMessage(part.Subject, part.Content)
				if part.Expect != "" {
					message.Header.Set(jetstream.ExpectedLastSubjSeqHeader, part.Expect)
				}
				one = append(one, message)
			}
			s.steps = append(s.steps, one)
		}
	}
	return nil
}
