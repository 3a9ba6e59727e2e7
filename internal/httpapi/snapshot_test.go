package httpapi_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"testing"
)

func TestWholeCatalogue(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	plain := f.send(t, http.MethodGet, "/books", "", nil)
	body := readAll(t, plain)
	etag, position := plain.Header.Get("ETag"), plain.Header.Get("Shelfcast-Position")
	if want := f.catalog.Position().String(); position != want {
		t.Errorf("Shelfcast-Position %q, want %q", position, want)
	}
	if etag == "" || etag[0] != '"' {
		t.Errorf("ETag %q is not a strong one", etag)
	}
	if vary := plain.Header.Values("Vary"); !slices.Contains(vary, "Accept-Encoding") {
		t.Errorf("Vary %q lacks Accept-Encoding", vary)
	}

	zipped := f.send(t, http.MethodGet, "/books", "", map[string]string{"Accept-Encoding": "br, gzip;q=0.5"})
	if coding := zipped.Header.Get("Content-Encoding"); coding != "gzip" {
		t.Fatalf("Content-Encoding %q, want gzip", coding)
	}
	if zipped.Header.Get("ETag") == etag {
		t.Error("two encodings share a strong ETag")
	}
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if string(unzipped) != body {
		t.Errorf("the compressed catalogue differs: %s", unzipped)
	}

	for name, tag := range map[string]string{"plain": etag, "zipped": zipped.Header.Get("ETag"), "weak": "W/" + etag, "any": "*", "in a list": `"x", ` + etag} {
		scenario{
			name: name, method: "GET", target: "/books", headers: map[string]string{"If-None-Match": tag},
			status: 304, answers: map[string]string{"ETag": etag, "Shelfcast-Position": position},
		}.run(t, f)
	}
	head := f.send(t, http.MethodHead, "/books", "", nil)
	if got, want := head.Header.Get("Content-Length"), plain.Header.Get("Content-Length"); got != want {
		t.Errorf("HEAD says %s bytes, GET %s", got, want)
	}

	if response := f.send(t, http.MethodDelete, f.fill("/books/{other}"), "", nil); response.StatusCode != http.StatusOK {
		t.Fatalf("deleting: %d", response.StatusCode)
	}
	f.taken()
	scenario{
		name: "after a change", method: "GET", target: "/books", headers: map[string]string{"If-None-Match": etag},
		status: 200, has: []string{"Middlemarch"}, answers: map[string]string{"Shelfcast-Position": f.catalog.Position().String()},
	}.run(t, f)
}

func TestGzipOnlyForThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for accept, want := range map[string]string{
		"":                     "",
		"gzip":                 "gzip",
		"GZIP":                 "gzip",
		"deflate, x-gzip":      "gzip",
		"*":                    "gzip",
		"identity, *;q=0.1":    "gzip",
		"gzip;q=0":             "",
		"gzip;Q=0":             "",
		"gzip; q=0.0, *":       "",
		"*;q=0":                "",
		"*, gzip;q=0":          "",
		"br":                   "",
		"gzip;q=nonsense":      "",
		"gzipped":              "",
		"br;q=1.0, gzip;q=0.8": "gzip",
	} {
		response := f.send(t, http.MethodGet, "/books", "", map[string]string{"Accept-Encoding": accept})
		if got := response.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q gets %q, want %q", accept, got, want)
		}
	}
}
