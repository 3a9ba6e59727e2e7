package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Headers of our messages and of JetStream's atomic batches (ADR-50 of the NATS architecture), for
// which jetstream has no names.
const (
	headerCommand       = "Shelfcast-Command" // which write stored the message
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// Codes of the server that jetstream has no names for.
const (
	// A cluster's leader says so, without naming the last sequence, while another write of the
	// subject is under way.
	codeWrongLastSequenceConstant jetstream.ErrorCode = 10164
)

// maxBatch is how many messages the servers store together, unless they are set otherwise.
const maxBatch = 1000

var (
	// errConflict: some message's expected sequence is not the subject's last. Nothing is stored.
	errConflict = errors.New("the subject has another last sequence")
	// errNotStored: the stream did not take the messages, and will not.
	errNotStored = errors.New("the stream did not take it")
	// errUnknown: the messages may be stored, now or later.
	errUnknown = errors.New("the stream did not answer in time")
)

func newMessage(subject string, content []byte) *nats.Msg {
	message := nats.NewMsg(subject)
	message.Data = content
	return message
}

// expectLast lets a message be stored only after a certain one on its subject; 0: as the first.
func expectLast(message *nats.Msg, sequence catalog.Sequence) {
	message.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(uint64(sequence), 10))
}

// expireAfter lets a message expire; JetStream counts whole seconds.
func expireAfter(message *nats.Msg, d time.Duration) {
	message.Header.Set(jetstream.MsgTTLHeader, (max(d, time.Second) + time.Second - 1).Truncate(time.Second).String())
}

// acknowledgement is the server's answer to what was published.
type acknowledgement struct {
	Error    *jetstream.APIError `json:"error"`
	Stream   string              `json:"stream"`
	Sequence catalog.Sequence    `json:"seq"`
}

// publish stores messages, all or none, with gapless sequences, and gives the last of them. Each
// message carries command, by which it is known again. At most maxBatch messages.
// Errors wrap errConflict, errNotStored or errUnknown.
func (l *Log) publish(ctx context.Context, command string, messages []*nats.Msg) (catalog.Sequence, error) {
	last := len(messages) - 1
	batch := ""
	if last > 0 {
		batch = nuid.Next() // of this attempt: a batch's id must not come twice
	}
	for i, message := range messages {
		message.Header.Set(headerCommand, command)
		if batch != "" {
			message.Header.Set(headerBatchID, batch)
			message.Header.Set(headerBatchSequence, strconv.Itoa(i+1))
		}
		if i == last {
			break
		}
		if err := l.conn.PublishMsg(message); err != nil {
			return 0, fmt.Errorf("%w: %w", errNotStored, err) // a batch without its end is nothing
		}
	}
	if batch != "" {
		messages[last].Header.Set(headerBatchCommit, "1")
	}
	sentAt := time.Now()
	answer, err := l.conn.RequestMsgWithContext(ctx, messages[last])
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrReconnectBufExceeded),
		errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrConnectionClosed):
		return 0, fmt.Errorf("%w: %w", errNotStored, err)
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errUnknown, err)
	}
	var ack acknowledgement
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, fmt.Errorf("%w: %w", errUnknown, err)
	}
	if ack.Error != nil {
		switch ack.Error.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence, codeWrongLastSequenceConstant:
			return 0, fmt.Errorf("%w: %w", errConflict, ack.Error)
		}
		return 0, fmt.Errorf("%w: %w", errNotStored, ack.Error)
	}
	if ack.Stream != string(l.subjects) {
		return 0, fmt.Errorf("%w: stream %q answered", errNotStored, ack.Stream)
	}
	l.health.acknowledged(ack.Sequence, sentAt)
	l.meter.Acknowledged(time.Since(sentAt))
	return ack.Sequence, nil
}

// forgetBatch makes messages of an attempt that failed ready for another.
func forgetBatch(messages []*nats.Msg) {
	for _, message := range messages {
		for _, header := range []string{headerBatchID, headerBatchSequence, headerBatchCommit} {
			message.Header.Del(header)
		}
	}
}

// lastMessage is the newest message of a subject; nil if there is none.
type lastMessage struct {
	Subject  string           `json:"subject"`
	Sequence catalog.Sequence `json:"seq"`
	Header   []byte           `json:"hdrs"` // as on the wire
	Data     []byte           `json:"data"`
}

func (m *lastMessage) sequence() catalog.Sequence {
	if m == nil {
		return 0
	}
	return m.Sequence
}

// header gives a header's value, "" if there is none.
func (m *lastMessage) header(name string) string {
	if m == nil {
		return ""
	}
	header, err := nats.DecodeHeadersMsg(m.Header)
	if err != nil {
		return ""
	}
	return header.Get(name)
}

// last asks the stream's leader, who knows everything that was acknowledged, for the newest message
// of a subject, which may have wildcards; nil if there is none.
func (l *Log) last(ctx context.Context, subject string) (*lastMessage, error) {
	request, err := json.Marshal(map[string]string{"last_by_subj": subject})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for {
		found, err := l.askLeader(ctx, request)
		if err == nil {
			return found, nil
		}
		// While servers elect a leader, or one has just been elected, they answer that there is none.
		if pause(ctx, storePause); ctx.Err() != nil {
			return nil, err
		}
	}
}

func (l *Log) askLeader(ctx context.Context, request []byte) (*lastMessage, error) {
	answer, err := l.conn.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+string(l.subjects), request)
	if err != nil {
		return nil, err
	}
	var found struct {
		Error   *jetstream.APIError `json:"error"`
		Message *lastMessage        `json:"message"`
	}
	if err := json.Unmarshal(answer.Data, &found); err != nil {
		return nil, err
	}
	if found.Error != nil {
		if found.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound {
			return nil, nil
		}
		return nil, found.Error
	}
	return found.Message, nil
}
