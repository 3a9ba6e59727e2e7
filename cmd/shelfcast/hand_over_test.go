package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/live/sockettest"
)

// While a node hands over, it says so to whoever balances load and takes no new clients, but serves
// every request.
func TestHandOverServesRequests(t *testing.T) {
	t.Parallel()
	p := boot(t, t.TempDir(), func(s *Settings) { s.Limits = "off" })
	var clients []*sockettest.Client
	for range 4 {
		clients = append(clients, sockettest.Dial(t, p.URL(), sockettest.Handshake{}))
	}
	const over = time.Second
	begun, ended := time.Now(), make(chan struct{})
	go func() {
		defer close(ended)
		p.HandOver(t.Context(), over)
	}()
	for {
		status, _, body := p.do(http.MethodGet, "/readyz", "")
		if status == http.StatusServiceUnavailable {
			break
		}
		if time.Since(begun) > over {
			t.Fatalf("/readyz is still %d %s", status, body)
		}
	}
	p.eventually("a new socket is refused", func() bool { // a moment later
		status, header, _ := p.do(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "")
		return status == http.StatusServiceUnavailable && header.Get("Retry-After") != ""
	})
	for n, more := 0, true; more; n++ {
		select {
		case <-ended:
			more = false
		default:
		}
		p.add(fmt.Sprintf("Book %d", n))
	}
	if took := time.Since(begun); took < over {
		t.Errorf("it took %s, less than %s", took, over)
	}
	for _, client := range clients {
		client.AwaitEnd()
	}
}
