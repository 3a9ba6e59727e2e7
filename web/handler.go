package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Handler serves the web app in build (normally Build()).
//
//   - A path that names a file gets that file. Files under assets/ carry a hash
//     of their content in their name, so they are immutable for a year; all
//     others are revalidated by ETag on each use.
//   - Any other path without a file extension gets index.html, because the
//     app's own router decides what it means. A missing file with an extension
//     is a 404: an old page that asks for a script of a former build must see
//     an error, not HTML.
//   - Text is gzip'ed once, on first use, and kept. A .br or .gz file that the
//     build put beside a file is preferred.
//
// The handler is safe for concurrent use. It reads build once, here, and
// returns an error only when that fails.
func Handler(build fs.FS) (http.Handler, error) {
	site := &site{files: make(map[string]*file)}
	err := fs.WalkDir(build, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		content, err := fs.ReadFile(build, name)
		if err != nil {
			return err
		}
		site.files["/"+name] = newFile(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the built web app: %w", err)
	}
	site.pairPrecompressed()
	site.index = site.files["/index.html"]
	if site.index == nil {
		site.index = newFile("index.html", []byte(notBuilt))
		site.index.unbuilt = true
	}
	site.policy = contentSecurityPolicy(site.index.content)
	return site, nil
}

// site is immutable after Handler returned it, but for each file's own
// once-computed compression.
type site struct {
	files  map[string]*file
	index  *file
	policy string
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Content-Security-Policy", s.policy)

	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	name := path.Clean("/" + r.URL.Path)
	found, ok := s.files[name]
	switch {
	case ok && found != s.index:
		found.serve(w, r)
	case !ok && path.Ext(name) != "":
		http.Error(w, "Not found", http.StatusNotFound)
	default:
		s.index.serve(w, r)
	}
}

// pairPrecompressed moves name.br and name.gz into the file that they are a
// compressed form of.
func (s *site) pairPrecompressed() {
	for name, compressed := range s.files {
		plain, extension := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
		original, ok := s.files[plain]
		if !ok {
			continue
		}
		switch extension {
		case ".br":
			original.brotli = compressed.content
		case ".gz":
			original.gzipped = sync.OnceValue(func() []byte { return compressed.content })
		default:
			continue
		}
		delete(s.files, name)
	}
}

type file struct {
	content     []byte
	contentType string
	hash        string
	immutable   bool
	unbuilt     bool
	brotli      []byte
	gzipped     func() []byte // nil when the content does not gain from it
}

func newFile(name string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{
		content:     content,
		contentType: contentType(name),
		hash:        hex.EncodeToString(sum[:12]),
		immutable:   strings.HasPrefix(name, "assets/"),
	}
	if compressible(f.contentType) && len(content) >= 1024 {
		f.gzipped = sync.OnceValue(func() []byte { return compress(content) })
	}
	return f
}

// serve answers with the form of the file that the client understands. Each
// form has an ETag of its own (RFC 9110, section 8.8.3.3).
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	switch {
	case f.unbuilt:
		header.Set("Cache-Control", "no-store")
	case f.immutable:
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	default:
		header.Set("Cache-Control", "no-cache")
	}
	body, encoding := f.content, ""
	if f.gzipped != nil || f.brotli != nil {
		header.Set("Vary", "Accept-Encoding")
		accepted := r.Header.Get("Accept-Encoding")
		switch {
		case f.brotli != nil && accepts(accepted, "br"):
			body, encoding = f.brotli, "br"
		case f.gzipped != nil && accepts(accepted, "gzip"):
			body, encoding = f.gzipped(), "gzip"
		}
	}
	tag := f.hash
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
		tag += "-" + encoding
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// accepts tells whether an Accept-Encoding header lists coding with a weight
// above zero.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight = strings.ReplaceAll(weight, " ", "")
		return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
	}
	return false
}

// contentType does not trust the machine's own MIME tables for the types that
// a browser refuses to run when they are wrong.
func contentType(name string) string {
	switch extension := path.Ext(name); extension {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	case ".ico":
		return "image/x-icon"
	default:
		if known := mime.TypeByExtension(extension); known != "" {
			return known
		}
		return "application/octet-stream"
	}
}

func compressible(contentType string) bool {
	return strings.HasPrefix(contentType, "text/") || strings.Contains(contentType, "json") ||
		strings.Contains(contentType, "xml")
}

func compress(content []byte) []byte {
	var out bytes.Buffer
	writer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = writer.Write(content)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil { // cannot happen: the level is valid, a Buffer does not fail
		panic(err)
	}
	return out.Bytes()
}

// inlineScript finds the scripts whose text stands in the page itself.
var inlineScript = regexp.MustCompile(`(?is)<script(\s[^>]*)?>(.*?)</script>`)

// contentSecurityPolicy allows what the app uses and nothing else: its own
// files, its own server (WebSocket included: CSP 3 lets 'self' match ws and
// wss), and the inline scripts of its own page by their hash. Styles need
// 'unsafe-inline' because MUI writes its style elements at run time.
func contentSecurityPolicy(index []byte) string {
	scripts := []string{"'self'"}
	for _, match := range inlineScript.FindAllSubmatch(index, -1) {
		if len(match[2]) == 0 {
			continue
		}
		sum := sha256.Sum256(match[2])
		scripts = append(scripts, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return strings.Join([]string{
		"default-src 'self'",
		"script-src " + strings.Join(scripts, " "),
		"style-src 'self' 'unsafe-inline'",
		"img-src 'self' data: blob:",
		"font-src 'self' data:",
		"connect-src 'self'",
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}, "; ")
}

const notBuilt = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shelfcast</title></head>
<body style="font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>The server runs; the web app is not in this binary</h1>
<p>It was built without its web app. In the repository, <code>make build</code> builds both, and
<code>make run</code> builds and serves them. While working on the app, <code>make dev</code>
serves it on port 3000 against this server.</p>
<p>REST and Socket.IO work as they are: <a href="/books">/books</a>, <a href="/docs">/docs</a>.</p>
</body>
</html>
`
