package socketio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// visitor is the client of the examples: a connection to the main namespace.
type visitor struct {
	conn   net.Conn
	stream io.ReadWriter
}

// visit connects to a server with an auth object and does what the example says; a
// refusal is printed.
func visit(server http.Handler, auth string, do func(*visitor)) {
	visitAs(server, auth, nil, do)
}

// visitAs is visit that keeps the server's answer to CONNECT.
func visitAs(server http.Handler, auth string, reply any, do func(*visitor)) {
	front := httptest.NewServer(server)
	defer front.Close()
	url := strings.Replace(front.URL, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
	conn, buffered, _, err := ws.Dial(context.Background(), url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	c := &visitor{conn: conn, stream: conn}
	if buffered != nil { // the handshake may have come with the upgrade's answer
		c.stream = struct {
			io.Reader
			io.Writer
		}{io.MultiReader(io.LimitReader(buffered, int64(buffered.Buffered())), conn), conn}
	}
	c.read()
	c.write("40" + auth)
	answer := c.read()
	if refusal, refused := strings.CutPrefix(answer, "44"); refused {
		fmt.Println("refused:", refusal)
		return
	}
	if reply != nil {
		if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "40")), reply); err != nil {
			fmt.Println(err)
		}
	}
	do(c)
}

// emit sends an event, request one that asks for an acknowledgement.
func (c *visitor) emit(payload string)    { c.write("42" + payload) }
func (c *visitor) request(payload string) { c.write("421" + payload) }

// print prints the payload of the next packet.
func (c *visitor) print() { fmt.Println(strings.TrimLeft(c.read(), "0123456789")) }

// answer acknowledges the next event.
func (c *visitor) answer(payload string) {
	id, _, _ := strings.Cut(strings.TrimPrefix(c.read(), "42"), "[")
	c.write("43" + id + payload)
}

func (c *visitor) write(text string) {
	if err := wsutil.WriteClientText(c.stream, []byte(text)); err != nil {
		fmt.Println(err)
	}
}

func (c *visitor) read() string {
	text, err := wsutil.ReadServerText(c.stream)
	if err != nil {
		fmt.Println(err)
	}
	return string(text)
}
