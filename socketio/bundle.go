package socketio

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
)

// clientFiles are those that the official server serves.
var clientFiles = []string{
	"socket.io.js", "socket.io.js.map",
	"socket.io.min.js", "socket.io.min.js.map",
	"socket.io.esm.min.js", "socket.io.esm.min.js.map",
	"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map",
}

// bundle serves the client's files below the server's path: revalidated at each
// use, by an entity tag that is the version (RFC 9110, 13.1.2), to pages of any
// origin that CORS allows.
type bundle struct {
	path  string
	cors  *engineio.CORS // nil: off
	files map[string]*clientFile
}

// clientFile is one file, compressed once, when first asked for.
type clientFile struct {
	name    string
	tag     string
	content []byte
	zip     sync.Once
	zipped  []byte
}

// newBundle reads the files, of which some may be missing; nil when there are none.
func newBundle(o *Options) *bundle {
	if o.ClientFiles == nil {
		return nil
	}
	b := &bundle{path: strings.TrimSuffix(o.Path, "/") + "/", cors: o.CORS, files: make(map[string]*clientFile)}
	for _, name := range clientFiles {
		content, err := fs.ReadFile(o.ClientFiles, name)
		if err != nil {
			o.Logger.Debug("client file is not served", slog.String("file", name), slog.Any("error", err))
			continue
		}
		version := o.ClientVersion
		if version == "" {
			version = namedVersion(o.ClientFiles, strings.TrimSuffix(name, ".map"))
		}
		if version == "" {
			sum := sha256.Sum256(content)
			version = hex.EncodeToString(sum[:8])
		}
		b.files[name] = &clientFile{name: name, tag: `"` + version + `"`, content: content}
	}
	return b
}

// bannerVersion finds the version in the comment that the client's files begin with.
var bannerVersion = regexp.MustCompile(`^/\*!\s*\*?\s*Socket\.IO v([0-9A-Za-z.+-]{1,40})\s`)

func namedVersion(files fs.FS, name string) string {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return ""
	}
	if found := bannerVersion.FindSubmatch(content[:min(len(content), 200)]); found != nil {
		return string(found[1])
	}
	return ""
}

// serve answers a request for a file. It reports false when it is none.
func (b *bundle) serve(w http.ResponseWriter, r *http.Request) bool {
	if b == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		return false
	}
	name, below := strings.CutPrefix(r.URL.Path, b.path)
	file := b.files[name]
	if !below || file == nil {
		return false
	}
	header := w.Header()
	if b.cors != nil {
		b.cors.Allow(header, r)
	}
	header.Set("Cache-Control", "public, max-age=0")
	header.Set("Content-Type", "application/javascript; charset=utf-8")
	if strings.HasSuffix(name, ".map") {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	header.Set("ETag", file.tag)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Add("Vary", "Accept-Encoding")
	content := file.content
	if r.Header.Get("Range") == "" && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		content = file.compressed()
	}
	http.ServeContent(w, r, file.name, time.Time{}, bytes.NewReader(content))
	return true
}

func (f *clientFile) compressed() []byte {
	f.zip.Do(func() {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, _ = z.Write(f.content) // a buffer takes everything
		_ = z.Close()
		f.zipped = out.Bytes()
	})
	return f.zipped
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(part, ";")
		if strings.TrimSpace(coding) == "gzip" {
			quality = strings.ReplaceAll(quality, " ", "")
			return strings.Trim(strings.TrimPrefix(quality, "q="), "0.") != "" || quality == ""
		}
	}
	return false
}
