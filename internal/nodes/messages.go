package nodes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Tell sends a message about a topic to every other node that is there now. It waits for nobody,
// and nobody says that it was heard: a node that did not hear it learns of its content in another
// way, or need not.
func (n *Nodes) Tell(topic string, message []byte) {
	if err := n.publish(n.subject("tell", topic), "", message); err != nil {
		n.options.Logger.Debug("the other nodes are not told", "topic", topic, "error", err)
	}
}

func (n *Nodes) publish(subject, reply string, content []byte) error {
	if len(content) > maxMessage {
		return errTooLarge
	}
	message := nats.NewMsg(subject)
	message.Reply, message.Data = reply, content
	message.Header.Set(headerNode, n.id)
	return n.options.Conn.PublishMsg(message)
}

func (n *Nodes) readTellings(subscription *nats.Subscription) {
	for message := range n.messages(subscription) {
		if hear := n.hear[topicOf(message)]; hear != nil { // one that is not known is of a later version
			n.ignore(hear(message.Data), message.Subject)
		}
	}
}

// readQuestions answers the other nodes.
func (n *Nodes) readQuestions(subscription *nats.Subscription) {
	for message := range n.messages(subscription) {
		answer := n.answer[topicOf(message)]
		if answer == nil || message.Reply == "" {
			continue // of a later version, which sees that there is no answer
		}
		content, err := answer(message.Data)
		if err == nil {
			err = n.publish(message.Reply, "", content)
		}
		if err != nil {
			reply := nats.NewMsg(message.Reply)
			reply.Header.Set(headerNode, n.id)
			reply.Header.Set(headerError, strings.Join(strings.Fields(err.Error()), " "))
			_ = n.options.Conn.PublishMsg(reply) // without a connection its silence says the same
		}
	}
}

// messages gives the other nodes' messages until the subscription ends.
func (n *Nodes) messages(subscription *nats.Subscription) func(yield func(*nats.Msg) bool) {
	return func(yield func(*nats.Msg) bool) {
		for {
			message, err := subscription.NextMsg(time.Minute)
			switch {
			case ended(err):
				return
			case err != nil || message.Header.Get(headerNode) == n.id: // nothing came, or too much, or from here
			case len(message.Data) > maxMessage:
				n.ignore(errTooLarge, message.Subject)
			case !yield(message):
				return
			}
		}
	}
}

// topicOf gives the last token of a subject.
func topicOf(message *nats.Msg) string {
	return message.Subject[strings.LastIndexByte(message.Subject, '.')+1:]
}

// Answer is what one node has answered.
type Answer struct {
	Node    Node
	Content []byte
	Err     error // the node's own; nil with Content
}

// Ask asks every other node that is there about a topic, and gives what was answered before ctx
// ended, and the nodes from which nothing came. It returns as soon as all have answered. A ctx
// without an end is refused: some node may never answer.
func (n *Nodes) Ask(ctx context.Context, topic string, request []byte) (answers []Answer, missing []Node, err error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return nil, nil, errors.New("asking other nodes needs a deadline")
	}
	others := n.Others()
	if len(others) == 0 {
		return nil, nil, nil
	}
	inbox := n.options.Conn.NewInbox()
	subscription, err := subscribe(n.options.Conn, inbox)
	if err != nil {
		return nil, others, fmt.Errorf("asking the other nodes: %w", err)
	}
	defer func() { _ = subscription.Unsubscribe() }() // fails when the connection is closed, which ends it too
	if err := n.publish(n.subject("ask", topic), inbox, request); err != nil {
		return nil, others, fmt.Errorf("asking the other nodes: %w", err)
	}
	waiting := make(map[string]Node, len(others))
	for _, node := range others {
		waiting[node.ID] = node
	}
	for len(waiting) > 0 {
		message, err := subscription.NextMsgWithContext(ctx)
		if err != nil {
			break
		}
		node, asked := waiting[message.Header.Get(headerNode)]
		if !asked {
			continue // it has come since, or it repeats itself
		}
		delete(waiting, node.ID)
		answer := Answer{Node: node, Content: message.Data}
		if text := message.Header.Get(headerError); text != "" {
			answer.Content, answer.Err = nil, errors.New(text)
		}
		answers = append(answers, answer)
	}
	for _, node := range others {
		if _, still := waiting[node.ID]; still {
			missing = append(missing, node)
		}
	}
	return answers, missing, nil
}
