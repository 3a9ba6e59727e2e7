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

	"github.com/shelfcast/shelfcast/internal/catalog"
)

const (
	// getBatch is how many messages are asked for at once; the server allows no more than 1,024.
	getBatch = 1000
	// getBytes bounds the memory that they take.
	getBytes = 8 << 20
	// answerTimeout is how long a server may take to answer, or to go on answering.
	answerTimeout = time.Second
	// headerPending is how many more messages there are; jetstream has no name for it.
	headerPending = "Nats-Num-Pending"
	statusEnd     = "204"
	statusNothing = "404"
)

// directReader reads stored messages from whichever server has a copy of the stream (ADR-31 of the
// NATS architecture). That one may lag: what it gives is a beginning of what there is. It belongs to
// one goroutine.
type directReader struct {
	conn    *nats.Conn
	request string // subject
	inbox   string
	sub     *nats.Subscription
	asked   int
}

func newDirectReader(conn *nats.Conn, stream subjects) (*directReader, error) {
	r := &directReader{conn: conn, request: "$JS.API.DIRECT.GET." + string(stream), inbox: nats.NewInbox()}
	var err error
	r.sub, err = conn.SubscribeSync(r.inbox + ".*")
	return r, err
}

func (r *directReader) close() { _ = r.sub.Unsubscribe() } // fails when it is gone already

var errGap = errors.New("a part of an answer was lost")

// read calls each with the messages on a filter from a sequence on, in order, and tells whether
// there are more of them. What was given before an error is without a gap.
func (r *directReader) read(ctx context.Context, filter string, from catalog.Sequence, each func(*nats.Msg, catalog.Sequence) error) (more bool, err error) {
	request, err := json.Marshal(map[string]any{"seq": from, "batch": getBatch, "max_bytes": getBytes, "next_by_subj": filter})
	if err != nil {
		return false, err
	}
	r.asked++
	reply := r.inbox + "." + strconv.Itoa(r.asked)
	if err := r.conn.PublishRequest(r.request, reply, request); err != nil {
		return false, err
	}
	last := ""
	for {
		message, err := r.next(ctx)
		if err != nil {
			return false, err
		}
		if message.Subject != reply {
			continue // the rest of an answer that came too late
		}
		switch message.Header.Get("Status") {
		case "":
		case statusEnd:
			if last != message.Header.Get(jetstream.LastSequenceHeader) && last != "" {
				return false, errGap
			}
			return message.Header.Get(headerPending) != "0", nil
		case statusNothing:
			return false, nil
		default:
			return false, fmt.Errorf("reading the stream: %s %s", message.Header.Get("Status"), message.Header.Get("Description"))
		}
		if last != "" && message.Header.Get(jetstream.LastSequenceHeader) != last {
			return false, errGap
		}
		last = message.Header.Get(jetstream.SequenceHeader)
		sequence, err := sequenceOf(message)
		if err != nil {
			return false, err
		}
		if err := each(message, sequence); err != nil {
			return false, err
		}
	}
}

func (r *directReader) next(ctx context.Context) (*nats.Msg, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.sub.NextMsg(answerTimeout)
}

// sequenceOf reads where in the stream a message is that was republished or read.
func sequenceOf(message *nats.Msg) (catalog.Sequence, error) {
	n, err := strconv.ParseUint(message.Header.Get(jetstream.SequenceHeader), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("a message without its sequence: %w", err)
	}
	return catalog.Sequence(n), nil
}
