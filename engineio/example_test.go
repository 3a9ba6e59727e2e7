package engineio_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/engineio/packet"
)

// echo sends every message back.
type echo struct{ session *engineio.Session }

func (e echo) Message(m packet.Message)      { e.session.Send(m) }
func (e echo) Closed(engineio.Reason, error) {}

func ExampleNewServer() {
	server := engineio.NewServer(engineio.Options{
		Handler: func(s *engineio.Session) engineio.Handler { return echo{s} },
	})
	listener := httptest.NewServer(server) // in a program: http.Handle("/engine.io/", server)
	defer listener.Close()
	defer server.Close(context.Background())

	// A client that polls. Browsers use the engine.io-client package instead.
	url := listener.URL + "/engine.io/?EIO=4&transport=polling"
	opened := get(url)
	url += "&sid=" + strings.Split(opened, `"`)[3]
	post(url, "4hello")
	fmt.Println(get(url))
	// Output: 4hello
}

// Everybody in a group gets a frame that is encoded once.
func ExampleGroup() {
	var room *engineio.Group
	server := engineio.NewServer(engineio.Options{
		Handler: func(s *engineio.Session) engineio.Handler {
			room.Add(s)
			return echo{s}
		},
	})
	defer server.Close(context.Background())
	room = server.NewGroup()

	frame := engineio.NewFrame(packet.Message{Data: []byte("news")})
	room.Send(frame, engineio.SendOptions{})
	room.Send(frame, engineio.SendOptions{Volatile: true}) // only who can take it at once
}

func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func post(url, body string) {
	response, err := http.Post(url, "text/plain;charset=UTF-8", strings.NewReader(body))
	if err == nil {
		response.Body.Close()
	}
}

// reasons is a Meter that counts sessions by how they end.
type reasons struct{ ended map[engineio.Reason]int }

func (reasons) SessionOpened(engineio.Transport)         {}
func (reasons) SessionUpgraded()                         {}
func (reasons) FannedOut(engineio.Pass)                  {}
func (m reasons) SessionClosed(e engineio.SessionEnd)    { m.ended[e.Reason]++ }
func newEcho(session *engineio.Session) engineio.Handler { return echo{session} }

// A server behind a proxy that names the client in a header of its own.
func ExampleOptions_proxy() {
	server := engineio.NewServer(engineio.Options{
		Handler: newEcho,
		ClientAddress: func(r *http.Request) string {
			return r.Header.Get("X-Real-Ip") // set by the proxy, whatever the client sent
		},
		MaxSessionsPerAddress: 2,
	})
	defer server.Close(context.Background())
	for range 3 {
		r := httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil)
		r.Header.Set("X-Real-Ip", "203.0.113.9")
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		fmt.Println(answer.Code)
	}
	// Output:
	// 200
	// 200
	// 429
}

func ExampleMeter() {
	meter := reasons{make(map[engineio.Reason]int)}
	server := engineio.NewServer(engineio.Options{Handler: newEcho, Meter: meter})
	r := httptest.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=polling", nil)
	server.ServeHTTP(httptest.NewRecorder(), r)
	fmt.Println(server.Stats().Sessions, "session")
	_ = server.Close(context.Background())
	fmt.Println(meter.ended)
	// Output:
	// 1 session
	// map[server shutting down:1]
}
