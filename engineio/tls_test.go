package engineio

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// Over TLS writes may block, so everything takes the plainer path.

func TestTLS(t *testing.T) {
	ts := serveWith(t, Options{}, (*httptest.Server).StartTLS)
	c := ts.openSocket()
	r := ts.next()
	if !r.session.Handshake().Secure {
		t.Error("not secure")
	}
	group := ts.NewGroup()
	group.Add(r.session)
	c.send("4hello")
	if m := r.message(t); string(m.Data) != "hello" {
		t.Errorf("received %q", m.Data)
	}
	large := strings.Repeat("x", 500_000)
	var want []string
	for i := range 200 {
		group.Send(NewFrame(text(fmt.Sprint(i))), SendOptions{})
		r.session.Send(text(fmt.Sprint("own ", i)))
		want = append(want, fmt.Sprint("4", i), fmt.Sprint("4own ", i))
	}
	r.session.Send(text(large))
	r.session.Send(text("after"))
	c.want(append(want, "4"+large, "4after")...)

	c.write(ws.NewPingFrame([]byte("p")))
	if f, err := c.frame(); err != nil || f.Header.OpCode != ws.OpPong {
		t.Errorf("%v %v", f.Header.OpCode, err)
	}
	r.session.Send(text("bye"))
	r.session.Close(ReasonForcedClose)
	c.want("4bye")
	c.wantClose(1000)
	r.wantClosed(t, ReasonForcedClose)
}

func TestTLSUpgrade(t *testing.T) {
	ts := serveWith(t, Options{}, (*httptest.Server).StartTLS)
	query, _ := ts.openPolling()
	r := ts.next()
	c := ts.dial(socketQuery(query))
	c.send("2probe")
	c.want("3probe")
	r.session.Send(text("waits"))
	c.send("5", "4hello")
	c.want("4waits")
	if m := r.message(t); string(m.Data) != "hello" {
		t.Errorf("received %q", m.Data)
	}
}

func TestTLSSlowClient(t *testing.T) {
	for name, options := range map[string]Options{
		"bytes": {MaxPendingBytes: 200_000, MaxPendingAge: time.Hour},
		"age":   {MaxPendingBytes: 1 << 30, MaxPendingAge: 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			testSlowClient(t, serveWith(t, options, (*httptest.Server).StartTLS))
		})
	}
}
