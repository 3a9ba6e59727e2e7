package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/shelfcast/shelfcast/web"
)

const page = `<!doctype html><title>Shelfcast</title><script>theme()</script><script type="module" src="/assets/app-1a2b.js"></script>`

func serve(t *testing.T, files map[string]string) http.Handler {
	t.Helper()
	build := fstest.MapFS{}
	for name, content := range files {
		build[name] = &fstest.MapFile{Data: []byte(content)}
	}
	handler, err := web.Handler(build)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

func get(handler http.Handler, path string, header ...string) *http.Response {
	request := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, response *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestHandlerRoutes(t *testing.T) {
	handler := serve(t, map[string]string{
		"index.html": page, "favicon.svg": "<svg/>", "assets/app-1a2b.js": "run()", ".gitkeep": "",
		"sw.js": "keep()", "manifest.webmanifest": `{"name":"Shelfcast"}`,
	})
	tests := []struct {
		path, contains, cache string
		status                int
	}{
		{"/", "theme()", "no-cache", 200},
		{"/index.html", "theme()", "no-cache", 200},
		{"/owner", "theme()", "no-cache", 200},
		{"/a/place/that/the/app/knows", "theme()", "no-cache", 200},
		{"/assets/app-1a2b.js", "run()", "public, max-age=31536000, immutable", 200},
		{"/assets/app-old.js", "Not found", "", 404},
		{"/.gitkeep", "Not found", "", 404},
		{"/../../etc/passwd.txt", "Not found", "", 404},
		{"/favicon.svg", "<svg/>", "no-cache", 200},
		{"/sw.js", "keep()", "no-cache", 200}, // or a new build would not be noticed
		{"/manifest.webmanifest", "Shelfcast", "no-cache", 200},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			response := get(handler, test.path)
			if response.StatusCode != test.status {
				t.Fatalf("status %d, want %d", response.StatusCode, test.status)
			}
			if got := body(t, response); !strings.Contains(got, test.contains) {
				t.Errorf("body %q lacks %q", got, test.contains)
			}
			if got := response.Header.Get("Cache-Control"); got != test.cache {
				t.Errorf("Cache-Control %q, want %q", got, test.cache)
			}
			if response.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Error("nosniff is missing")
			}
		})
	}
}

// Browsers refuse a service worker that does not come as JavaScript, and one whose policy forbids
// what it has to do: fetch from its own server.
func TestHandlerServesTheServiceWorker(t *testing.T) {
	response := get(serve(t, map[string]string{"index.html": page, "sw.js": "keep()"}), "/sw.js")
	if got := response.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	policy := response.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "connect-src 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%q is not in the policy %q", part, policy)
		}
	}
}

func TestHandlerPolicyNamesTheInlineScript(t *testing.T) {
	policy := get(serve(t, map[string]string{"index.html": page}), "/").Header.Get("Content-Security-Policy")
	if strings.Count(policy, "'sha256-") != 1 {
		t.Errorf("want exactly the inline script's hash in %q", policy)
	}
	script := policy[strings.Index(policy, "script-src"):]
	if script = script[:strings.Index(script, ";")]; strings.Contains(script, "unsafe") {
		t.Errorf("scripts are not restricted: %q", script)
	}
}

func TestHandlerCompressesAndRevalidates(t *testing.T) {
	script := strings.Repeat("console.log('shelf');", 200)
	handler := serve(t, map[string]string{"index.html": page, "assets/app-1.js": script})

	plain := get(handler, "/assets/app-1.js")
	if plain.Header.Get("Content-Encoding") != "" || body(t, plain) != script {
		t.Error("a client that accepts nothing must get the plain file")
	}
	compressed := get(handler, "/assets/app-1.js", "Accept-Encoding", "br;q=0, gzip")
	if compressed.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Content-Encoding %q", compressed.Header.Get("Content-Encoding"))
	}
	reader, err := gzip.NewReader(compressed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(reader); err != nil || string(unpacked) != script {
		t.Fatalf("gzip round trip: %v", err)
	}
	if plain.Header.Get("ETag") == compressed.Header.Get("ETag") {
		t.Error("two encodings share one ETag")
	}
	if refused := get(handler, "/assets/app-1.js", "Accept-Encoding", "gzip;q=0.0"); refused.Header.Get("Content-Encoding") != "" {
		t.Error("a refused encoding was used")
	}
	again := get(handler, "/assets/app-1.js", "Accept-Encoding", "gzip", "If-None-Match", compressed.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, want 304", again.StatusCode)
	}
}

func TestHandlerPrefersPrecompressedFiles(t *testing.T) {
	handler := serve(t, map[string]string{"index.html": page, "assets/a.css": "body{}", "assets/a.css.br": "BROTLI"})
	response := get(handler, "/assets/a.css", "Accept-Encoding", "gzip, br")
	if response.Header.Get("Content-Encoding") != "br" || body(t, response) != "BROTLI" {
		t.Error("the build's own .br file is not used")
	}
	if missing := get(handler, "/assets/a.css.br"); missing.StatusCode != http.StatusNotFound {
		t.Errorf("the compressed twin is served by its own name: %d", missing.StatusCode)
	}
}

func TestHandlerRefusesWrites(t *testing.T) {
	recorder := httptest.NewRecorder()
	serve(t, map[string]string{"index.html": page}).ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", nil))
	if recorder.Code != http.StatusMethodNotAllowed || recorder.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("status %d, Allow %q", recorder.Code, recorder.Header().Get("Allow"))
	}
}

func TestHandlerWithoutBuildSaysHow(t *testing.T) {
	response := get(serve(t, map[string]string{".gitkeep": ""}), "/")
	if response.StatusCode != http.StatusOK || !strings.Contains(body(t, response), "make build") {
		t.Error("the page must say how to build the web app")
	}
	if response.Header.Get("Cache-Control") != "no-store" {
		t.Error("the page must not outlive the next build in a cache")
	}
}

func TestEmbeddedBuildCanBeServed(t *testing.T) {
	if _, err := web.Handler(web.Build()); err != nil {
		t.Fatal(err)
	}
}
