package engineio

import "errors"

// A WebSocket on which nothing arrives has no goroutine. Its reader (webSocket.run) goes on
// while there is something to read; then it rests, until something wakes it: the poller,
// because the client has sent something or is gone, or whoever ends the connection. A
// connection that the poller cannot watch, such as TLS, and one that is being closed, on
// which reads have a deadline, keep their goroutine while they wait.
//
// What a reader needs besides is lent to it while it runs, or while a message is not whole.

// errNothingToRead is why a reader rests. It is returned by reads that may not wait.
var errNothingToRead = errors.New("engineio: nothing to read")

// activity says whether the reader of a connection runs.
type activity = uint32

const (
	activityRunning activity = iota
	activityWanted           // runs, and must look again before it rests
	activityResting
)

// socketReader is what is lent to a reader.
type socketReader struct {
	frames frameReader
	socketRead
}

// borrow gives the connection's reader what it needs, unless it has kept it.
func (c *webSocket) borrow() {
	if c.reader != nil {
		return
	}
	r := c.server.readers.Get().(*socketReader)
	o := &c.server.options
	r.frames = frameReader{maxPayload: o.MaxPayload, maxFragments: o.MaxFragments, deflate: c.deflate}
	r.frames.share.budget = &c.server.held
	c.reader = r
}

// rest ends the reader's goroutine until the next wake. It says false when that has come
// already.
func (c *webSocket) rest() bool {
	r := c.reader
	partial := r.frames.partial()
	if !partial {
		c.reader = nil
	}
	// Once it rests the connection belongs to whoever wakes it.
	if !c.activity.CompareAndSwap(activityRunning, activityResting) {
		c.reader = r
		c.activity.Store(activityRunning)
		return false
	}
	if !partial {
		c.server.readers.Put(r)
	}
	return true
}

// wake has the reader look at the connection. It may be called from any goroutine.
func (c *webSocket) wake() {
	if c.activity.Swap(activityWanted) == activityResting {
		go c.run()
	}
}

// wakeToEnd has the reader see that the connection was closed, or got a deadline.
func (c *webSocket) wakeToEnd() {
	c.leaving.Store(true)
	c.wake()
}
