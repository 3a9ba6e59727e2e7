package engineio

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// compressThreshold is the smallest polling answer that is compressed, as in the official
// server. Below it the headers cost more than is saved.
const compressThreshold = 1024

func (s *Server) compresses(r *http.Request, size int) bool {
	return !s.options.DisableCompression && size >= compressThreshold && acceptsGzip(r.Header.Values("Accept-Encoding"))
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3) as far as gzip goes.
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for offer := range strings.SplitSeq(value, ",") {
			coding, params, _ := strings.Cut(offer, ";")
			if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				continue
			}
			weight, found := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
			return !found || strings.Trim(weight, "0.") != ""
		}
	}
	return false
}

// compress joins and compresses the packets of a payload. Compressors are pooled, as each
// holds hundreds of kilobytes.
func (s *Server) compress(parts [][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := s.compressors.Get().(*gzip.Writer)
	defer s.compressors.Put(z)
	z.Reset(&out)
	for i, p := range parts {
		if i > 0 {
			if _, err := z.Write([]byte{packet.Separator}); err != nil {
				return nil, err
			}
		}
		if _, err := z.Write(p); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
