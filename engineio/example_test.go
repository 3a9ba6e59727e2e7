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
