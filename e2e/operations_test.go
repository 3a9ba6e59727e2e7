//go:build e2e

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestBrowserOperations(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := newAPI(t, server)
	client.add(t, "Emma", "Author Name")
	elsewhere := &http.Client{
		Timeout: patience,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       (&net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).DialContext,
		},
	}
	play(t, server, "operations", map[string]func() string{
		"connect from elsewhere": func() string {
			response, err := elsewhere.Get("http://127.0.0.1:" + strconv.Itoa(server.port) + "/socket.io/?EIO=4&transport=polling")
			if err != nil {
				return "turned away"
			}
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return "turned away"
			}
			return "let in"
		},
		"log level": func() string {
			answer, err := client.try(http.MethodGet, "/log-level", nil)
			if err != nil {
				return err.Error()
			}
			var told struct{ Level string }
			if err := json.Unmarshal(answer.body, &told); err != nil {
				return err.Error()
			}
			return told.Level
		},
	})
}
