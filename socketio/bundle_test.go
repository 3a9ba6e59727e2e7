package socketio_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

func fetchFile(t *testing.T, method, url string, header map[string]string) (*http.Response, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" && method == http.MethodGet {
		if body, err = gzip.NewReader(response.Body); err != nil {
			t.Fatal(err)
		}
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(content)
}

func TestClientBundle(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"} {
		files[name] = &fstest.MapFile{Data: []byte("/* " + name + " */" + strings.Repeat(" ", 5000))}
		files[name+".map"] = &fstest.MapFile{Data: []byte(`{"file":"` + name + `"}`)}
	}
	files["secret.js"] = &fstest.MapFile{Data: []byte("secret")}
	server := serve(t, &socketio.Options{
		ClientFiles: files, ClientVersion: "4.8.3",
		Options: engineio.Options{CORS: &engineio.CORS{Origins: []string{"https://app.example"}}},
	}, nil)
	base := server.url + "/socket.io/"

	for name := range files {
		response, content := fetchFile(t, http.MethodGet, base+name+"?v=1", map[string]string{"Origin": "https://app.example"})
		if name == "secret.js" {
			if response.StatusCode == http.StatusOK || strings.Contains(content, "secret") {
				t.Errorf("%s is served: %d", name, response.StatusCode)
			}
			continue
		}
		if response.StatusCode != http.StatusOK || content != string(files[name].Data) {
			t.Errorf("%s: %d %.40q", name, response.StatusCode, content)
		}
		kind := "application/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".map") {
			kind = "application/json; charset=utf-8"
		}
		for header, want := range map[string]string{
			"ETag": `"4.8.3"`, "Cache-Control": "public, max-age=0", "Content-Type": kind,
			"Access-Control-Allow-Origin": "https://app.example", "X-Content-Type-Options": "nosniff",
		} {
			if got := response.Header.Get(header); got != want {
				t.Errorf("%s: %s = %q, want %q", name, header, got, want)
			}
		}
	}

	for tag, want := range map[string]int{`"4.8.3"`: 304, `W/"4.8.3"`: 304, `"4.8.2"`: 200, `"1", "4.8.3"`: 304} {
		response, content := fetchFile(t, http.MethodGet, base+"socket.io.js", map[string]string{"If-None-Match": tag})
		if response.StatusCode != want || (want == 304) != (content == "") {
			t.Errorf("If-None-Match %s: %d with %d bytes, want %d", tag, response.StatusCode, len(content), want)
		}
	}
	for accepted, want := range map[string]string{"gzip": "gzip", "br, gzip;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.0": "", "br": ""} {
		response, content := fetchFile(t, http.MethodGet, base+"socket.io.js", map[string]string{"Accept-Encoding": accepted})
		if got := response.Header.Get("Content-Encoding"); got != want || content != string(files["socket.io.js"].Data) {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q and %d bytes", accepted, got, len(content))
		}
	}
	if response, content := fetchFile(t, http.MethodHead, base+"socket.io.js", nil); response.StatusCode != 200 || content != "" {
		t.Errorf("HEAD: %d, %q", response.StatusCode, content)
	}
	if response, _ := fetchFile(t, http.MethodPost, base+"socket.io.js", nil); response.StatusCode < 400 {
		t.Errorf("POST: %d", response.StatusCode)
	}
	server.connect(t) // the rest of the path is still the transports'
}

// Without a version the tag follows the content; without files nothing is served.
func TestClientBundleWithoutVersion(t *testing.T) {
	tags := make(map[string]bool)
	for _, content := range []string{"one", "two"} {
		files := fstest.MapFS{"socket.io.js": &fstest.MapFile{Data: []byte(content)}}
		server := serve(t, &socketio.Options{ClientFiles: files}, nil)
		response, _ := fetchFile(t, http.MethodGet, server.url+"/socket.io/socket.io.js", nil)
		tags[response.Header.Get("ETag")] = true
		if response, _ = fetchFile(t, http.MethodGet, server.url+"/socket.io/socket.io.min.js", nil); response.StatusCode < 400 {
			t.Errorf("a file that is not there: %d", response.StatusCode)
		}
	}
	if len(tags) != 2 || tags[""] {
		t.Errorf("tags = %v", tags)
	}
	named := fstest.MapFS{
		"socket.io.js":     &fstest.MapFile{Data: []byte("/*!\n * Socket.IO v4.8.4\n * (c) somebody\n */\n")},
		"socket.io.js.map": &fstest.MapFile{Data: []byte("{}")},
	}
	server := serve(t, &socketio.Options{ClientFiles: named}, nil)
	for name := range named {
		response, _ := fetchFile(t, http.MethodGet, server.url+"/socket.io/"+name, nil)
		if tag := response.Header.Get("ETag"); tag != `"4.8.4"` {
			t.Errorf("%s: ETag = %s", name, tag)
		}
	}
	server = serve(t, nil, nil)
	if response, _ := fetchFile(t, http.MethodGet, server.url+"/socket.io/socket.io.js", nil); response.StatusCode < 400 {
		t.Errorf("served without files: %d", response.StatusCode)
	}
}
