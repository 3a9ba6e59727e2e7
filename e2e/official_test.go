//go:build e2e

package e2e

import (
	"net/url"
	"testing"
)

// The official clients, the newest 4 and the oldest, do with package socketio what they do with
// their own server, whichever way the transports are set. In Node these are the scenarios that the
// package's own tests (socketio/testdata/client) do not have.
func TestOfficialClientsInNode(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	startScript(t, "node", "official/node.mjs", map[string]string{"url": s.serverURL(), "stage": s.url})
	s.judge(t)
}

func TestOfficialClientsInChromium(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	startScript(t, "chromium", "official/chromium.mjs", map[string]string{"url": s.pageURL()})
	s.judge(t)
}

func TestOfficialClientsInFirefox(t *testing.T) {
	t.Parallel()
	s := startStage(t)
	startFirefox(t).open(s.pageURL())
	s.judge(t)
}

func (s *stage) serverURL() string { return "http://" + s.address }

func (s *stage) pageURL() string {
	return s.url + "/?" + url.Values{"url": {s.serverURL()}}.Encode()
}
