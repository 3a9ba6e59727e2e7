//go:build e2e

package e2e

import (
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/shelfcast/shelfcast/web"
)

// A browser that keeps the app for the times without a network takes a new build at the next load,
// tells a page that stays open, and has the new one without a network, behind a broken proxy and
// on a line on which nothing comes.
func TestBrowserTakesANewBuild(t *testing.T) {
	t.Parallel()
	server := startServer(t)
	newAPI(t, server).add(t, "Emma", "Author Name")
	second, err := web.Handler(secondBuild(t))
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(server.url())
	if err != nil {
		t.Fatal(err)
	}
	data := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // as the server's own origin
		},
		ErrorLog: log.New(io.Discard, "", 0), // of requests that a page gave up
	}
	var state atomic.Value // what was last asked for
	state.Store("")
	stopped := make(chan struct{})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch state.Load() {
		case "break": // as a proxy whose server is down
			http.Error(w, "Bad gateway", http.StatusBadGateway)
			return
		case "hang":
			select {
			case <-stopped:
			case <-r.Context().Done():
			}
			return
		}
		isData := strings.HasPrefix(r.URL.Path, "/books") || strings.HasPrefix(r.URL.Path, "/socket.io/")
		if state.Load() == "deploy" && !isData {
			second.ServeHTTP(w, r)
			return
		}
		data.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(stopped)
		front.Close()
	})
	deeds := make(map[string]func() string)
	for _, deed := range []string{"deploy", "break", "hang"} {
		deeds[deed] = func() string { state.Store(deed); return deed }
	}
	playAt(t, front.URL, "new-build", deeds)
}

// secondBuild is the present build as a later one would be: one of its parts has another name, and
// the page and the list of what to keep name that one.
func secondBuild(t *testing.T) fs.FS {
	t.Helper()
	build := make(fstest.MapFS)
	err := fs.WalkDir(web.Build(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Build(), name)
		build[name] = &fstest.MapFile{Data: content}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rename := func(name string) {
		text := string(build[name].Data)
		if !strings.Contains(text, "/theme.js") {
			t.Fatalf("%s does not name /theme.js", name)
		}
		build[name].Data = []byte(strings.ReplaceAll(text, "/theme.js", "/theme-two.js"))
	}
	rename("index.html")
	rename("sw.js")
	digest := regexp.MustCompile(`"[0-9a-f]{16}"`)
	build["sw.js"].Data = digest.ReplaceAll(build["sw.js"].Data, []byte(`"0123456789abcdef"`))
	build["theme-two.js"] = build["theme.js"]
	delete(build, "theme.js")
	return build
}
