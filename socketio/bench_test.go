package socketio_test

import (
	"encoding/json"
	"testing"

	"github.com/shelfcast/shelfcast/socketio"
)

// What one emission costs the emitter, whoever is there to get it: the benchmark's
// room has no members, so that the kernel is left out.
func BenchmarkEmit(b *testing.B) {
	server := socketio.NewServer(nil)
	defer server.Close(b.Context())
	payload := json.RawMessage(`{"id":1,"title":"a book","author":"somebody"}`)
	for name, target := range map[string]socketio.Broadcast{
		"namespace": server.To(),
		"room":      server.To("room"),
		"two rooms": server.To("room", "other"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := target.Emit("bookAdded", payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
