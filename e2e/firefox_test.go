//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// firefox is Debian's Firefox without a window, driven over WebDriver BiDi
// (https://www.w3.org/TR/webdriver-bidi/), of which opening a page takes three commands. The methods
// are for the goroutine of the test.
type firefox struct {
	t      *testing.T
	conn   net.Conn
	stream io.ReadWriter
	last   int // id of the last command
}

// quiet keeps the browser from calling anybody but the page.
const quiet = `
user_pref("app.normandy.enabled", false);
user_pref("app.update.auto", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.region.network.url", "");
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("toolkit.telemetry.enabled", false);
`

// startFirefox starts the browser with an empty profile; it ends with the test.
func startFirefox(t *testing.T) *firefox {
	t.Helper()
	profile := t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(quiet), 0o600); err != nil {
		t.Fatal(err)
	}
	program := "firefox-esr"
	if other := os.Getenv("FIREFOX"); other != "" {
		program = other
	}
	command := exec.Command(program, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank")
	command.Env = append(os.Environ(), "HOME="+profile)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatalf("%v (tools/install-firefox installs it)", err)
	}
	output := newTranscript()
	go output.follow(reader)
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		command.Wait()
		writer.Close()
	}()
	f := &firefox{t: t}
	t.Cleanup(func() {
		f.close(exited)
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // its helpers too
		<-exited
		if t.Failed() {
			t.Logf("firefox told:\n%s", output)
		}
	})
	const announcement = "WebDriver BiDi listening on "
	line, _, err := output.await(0, func(line string) bool { return strings.Contains(line, announcement) })
	if err != nil {
		t.Fatalf("waited for firefox: %v", err)
	}
	_, address, _ := strings.Cut(line, announcement)
	f.dial(strings.TrimSpace(address) + "/session")
	f.command("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	return f
}

func (f *firefox) dial(address string) {
	f.t.Helper()
	conn, buffered, _, err := ws.Dial(f.t.Context(), address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.conn, f.stream = conn, conn
	if buffered != nil {
		rest, _ := io.ReadAll(io.LimitReader(buffered, int64(buffered.Buffered())))
		ws.PutReader(buffered)
		f.stream = struct {
			io.Reader
			io.Writer
		}{io.MultiReader(bytes.NewReader(rest), conn), conn}
	}
}

// command sends one and waits for its result.
func (f *firefox) command(method string, params, result any) {
	f.t.Helper()
	f.last++
	f.write(method, params)
	for {
		data, _, err := wsutil.ReadServerData(f.stream)
		if err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
		var answer struct {
			ID      int
			Error   string
			Message string
			Result  json.RawMessage
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
		if answer.ID != f.last {
			continue // an event
		}
		if answer.Error != "" {
			f.t.Fatalf("%s: %s: %s", method, answer.Error, answer.Message)
		}
		if result != nil {
			if err := json.Unmarshal(answer.Result, result); err != nil {
				f.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

func (f *firefox) write(method string, params any) {
	f.t.Helper()
	text, err := json.Marshal(map[string]any{"id": f.last, "method": method, "params": params})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		f.t.Fatal(err)
	}
	if err := wsutil.WriteClientText(f.stream, text); err != nil {
		f.t.Fatalf("%s: %v", method, err)
	}
}

// open shows a page in the browser's tab.
func (f *firefox) open(url string) {
	f.t.Helper()
	var tree struct{ Contexts []struct{ Context string } }
	f.command("browsingContext.getTree", map[string]any{}, &tree)
	if len(tree.Contexts) == 0 {
		f.t.Fatal("firefox has no tab")
	}
	f.command("browsingContext.navigate", map[string]any{"context": tree.Contexts[0].Context, "url": url, "wait": "complete"}, nil)
}

// close asks the browser to end, so that it leaves its profile alone before that is removed.
func (f *firefox) close(exited <-chan struct{}) {
	if f.conn == nil {
		return
	}
	defer f.conn.Close()
	f.last++
	f.write("browser.close", map[string]any{})
	select {
	case <-exited:
	case <-time.After(patience):
		f.t.Error("firefox did not close")
	}
}
