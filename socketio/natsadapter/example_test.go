package natsadapter_test

import (
	"log"
	"net/http"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/socketio"
	"github.com/shelfcast/shelfcast/socketio/natsadapter"
)

// A chat that runs on as many machines as it has to: whoever is in a room gets what is said there,
// wherever they are connected.
func Example() {
	conn, err := nats.Connect("nats://a:4222,nats://b:4222,nats://c:4222", nats.NoEcho(), nats.MaxReconnects(-1))
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	cluster, err := natsadapter.New(conn, &natsadapter.Options{Prefix: "chat"})
	if err != nil {
		log.Fatal(err)
	}
	io := socketio.NewServer(&socketio.Options{Adapter: cluster.Join})
	io.OnConnection(func(s *socketio.Socket) {
		s.On("say", func(e *socketio.Event) {
			var room, text string
			if err := e.Decode(&room, &text); err != nil {
				return
			}
			if err := io.To(room).Emit("said", text); err != nil {
				log.Print("only the clients of this server got it: ", err)
			}
		})
	})
	http.Handle("/socket.io/", io)
	log.Fatal(http.ListenAndServe(":3000", nil))
}
