package bench

import (
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// handshake is what all clients say when they connect.
type handshake struct {
	host     string // of the Host field
	path     string // with "?" or "&" at its end, so that a query may follow
	token    string
	recovery Recovery
	plain    bool // WebSocket without Socket.IO
	greeting string
	stayAway bool
	key      string // Sec-WebSocket-Key
	accept   string // and what answers it
}

// newHandshake prepares what all clients say. One key serves them all: it is there to tell a
// WebSocket server from others, not to be secret (RFC 6455, 1.3).
func newHandshake(o *Options, base *url.URL) handshake {
	path := base.EscapedPath() + o.Path
	if strings.Contains(path, "?") {
		path += "&"
	} else {
		path += "?"
	}
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return handshake{
		host: base.Host, path: path, token: o.Token, recovery: o.Recovery,
		plain: o.Protocol == WebSocket, greeting: o.Greeting, stayAway: o.StayAway,
		key: key, accept: base64.StdEncoding.EncodeToString(sum[:]),
	}
}

// upgrade sends a WebSocket handshake (RFC 6455, 4.1).
func (l *loop) upgrade(c *client) {
	request := append(l.scratch[:0], "GET "...)
	request = append(request, l.path...)
	if !l.plain {
		request = append(request, "EIO=4&transport=websocket&"...)
	}
	request = l.identity(request, c)
	request = append(request, " HTTP/1.1\r\nHost: "...)
	request = append(request, l.host...)
	request = append(request, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "...)
	request = append(request, l.key...)
	request = append(request, "\r\n\r\n"...)
	l.scratch = request
	l.poller.write(c.connection, request)
}

// poll sends the next GET of a client that polls, the handshake's first.
func (l *loop) poll(c *client) {
	if c.connection == nil {
		return
	}
	request := append(l.scratch[:0], "GET "...)
	request = append(request, l.path...)
	request = append(request, "EIO=4&transport=polling&"...)
	request = l.identity(request, c)
	if c.state != stateOpening {
		request = append(request, "&sid="...)
		request = append(request, c.session...)
	}
	request = append(request, " HTTP/1.1\r\nHost: "...)
	request = append(request, l.host...)
	request = append(request, "\r\n\r\n"...)
	l.scratch = request
	l.poller.write(c.connection, request)
}

// identity appends the query that the handbook's clients connect with.
func (l *loop) identity(request []byte, c *client) []byte {
	request = append(request, "userId=bench-"...)
	request = strconv.AppendInt(request, int64(c.number), 10)
	if c.visits > 0 {
		request = append(request, '-')
		request = strconv.AppendInt(request, int64(c.visits), 10)
	}
	return append(request, "&role=reader"...)
}

func (l *loop) sendFrame(c *client, op opcode, payload []byte) {
	if c.connection != nil {
		l.scratch = appendFrame(l.scratch[:0], op, payload)
		l.poller.write(c.connection, l.scratch)
	}
}

// sendPacket sends an Engine.IO packet: in a frame, or with a POST on another connection, since the
// client's own waits for the answer to its GET.
func (l *loop) sendPacket(c *client, packet string) {
	if !c.polling {
		l.sendFrame(c, opText, []byte(packet))
		return
	}
	connection := c.connection
	query := l.path + string(l.identity([]byte("EIO=4&transport=polling&"), c)) + "&sid=" + c.session
	l.requests.packet(query, packet, func(err error) {
		if err == nil {
			return
		}
		l.do(func() {
			if c.connection == connection {
				l.fail(c, fmt.Errorf("sending a packet: %w", err))
			}
		})
	})
}
