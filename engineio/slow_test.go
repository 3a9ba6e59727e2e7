package engineio

import (
	"net"
	"strings"
	"testing"
	"time"
)

// A client that never reads is closed at one of the bounds, and the others do not notice.
func TestSlowClient(t *testing.T) {
	tests := []struct {
		name    string
		options Options
	}{
		{"bytes", Options{MaxPendingBytes: 200_000, MaxPendingAge: time.Hour}},
		{"age", Options{MaxPendingBytes: 1 << 30, MaxPendingAge: 200 * time.Millisecond}},
		{"small socket buffer", Options{MaxPendingBytes: 100_000, SocketBuffer: 16_000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ts := serve(t, tt.options)
			testSlowClient(t, ts)
		})
	}
}

func testSlowClient(t *testing.T, ts *testServer) {
	t.Helper()
	group := ts.NewGroup()
	slow := ts.openSocket()
	if tcp, ok := slow.conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	slowSession := ts.next()
	quick := ts.openSocket()
	group.Add(slowSession.session)
	group.Add(ts.next().session)

	frame := NewFrame(text(strings.Repeat("x", 10_000)))
	deadline := time.Now().Add(patience)
	for n := 0; len(slowSession.closed) == 0; n++ {
		if time.Now().After(deadline) {
			t.Fatal("the slow client is never closed")
		}
		group.Send(frame, SendOptions{})
		if got := len(quick.text()); got != 10_001 {
			t.Fatalf("the quick client got %d bytes", got)
		}
	}
	slowSession.wantClosed(t, ReasonSlowClient)
	group.Send(NewFrame(text("after")), SendOptions{})
	quick.want("4after")
	eventually(t, "one session", func() bool { return ts.Count() == 1 })
}

// A client that pings and does not read cannot pile up our pongs.
func TestSlowClientThatPings(t *testing.T) {
	ts := serve(t, Options{MaxPendingBytes: 50_000, MaxPendingAge: time.Hour})
	c := ts.openSocket()
	r := ts.next()
	ping := make([]byte, 0, 131*1000)
	for range 1000 {
		ping = append(ping, 0x89, 0x80|125, 0, 0, 0, 0)
		ping = append(ping, make([]byte, 125)...)
	}
	go func() {
		for {
			if _, err := c.conn.Write(ping); err != nil {
				return
			}
		}
	}()
	r.wantClosed(t, ReasonSlowClient)
}
