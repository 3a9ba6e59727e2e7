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

func TestBrowserOperationsAreAccessible(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	client := newAPI(t, server)
	play(t, server, "operations-accessible", map[string]func() string{
		"make a mess": func() string {
			client.call(t, http.StatusCreated, http.MethodPost, "/blocks", book{"address": "198.51.100.0/24", "for": "1h"})
			client.call(t, http.StatusCreated, http.MethodPost, "/blocks", book{"address": "2001:db8::/48"})
			client.add(t, "A title of many words, which goes on until it is far too long for the screen of any phone", "Author Name")
			client.call(t, http.StatusCreated, http.MethodPost, "/backups", nil)
			return "made"
		},
		"tidy up": func() string {
			client.call(t, http.StatusOK, http.MethodDelete, "/blocks?address=198.51.100.0/24", nil)
			client.call(t, http.StatusOK, http.MethodDelete, "/blocks?address=2001:db8::/48", nil)
			return "done"
		},
	})
}
