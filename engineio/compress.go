package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/shelfcast/shelfcast/engineio/packet"
)

// compressThreshold is the smallest polling answer that is compressed, as in the official
// server. Below it the headers cost more than is saved.
const compressThreshold = 1024

// coding is a content coding of HTTP (RFC 9110, 8.4.1), "" for none.
type coding string

const (
	codingGzip    coding = "gzip"
	codingDeflate coding = "deflate" // the zlib format
)

// compressors are pooled, as each holds hundreds of kilobytes.
type compressors map[coding]*sync.Pool // of compressor

type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

func newCompressors() compressors {
	return compressors{
		codingGzip: {New: func() any {
			z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
			return z
		}},
		codingDeflate: {New: func() any {
			z, _ := zlib.NewWriterLevel(nil, zlib.BestSpeed)
			return z
		}},
	}
}

// coding chooses how a polling answer of size bytes is compressed.
func (s *Server) coding(r *http.Request, size int) coding {
	if s.options.DisableCompression || size < compressThreshold {
		return ""
	}
	return acceptedCoding(r.Header.Values("Accept-Encoding"))
}

// acceptedCoding reads Accept-Encoding (RFC 9110, 12.5.3) as far as our codings go. The one
// with the higher weight is taken, gzip before deflate.
func acceptedCoding(values []string) coding {
	weights := map[coding]float64{codingGzip: -1, codingDeflate: -1}
	others := 0.0 // what "*" says of those that are not named
	for _, value := range values {
		for offer := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(offer, " ", "")), ";")
			weight := 1.0
			if q, found := strings.CutPrefix(params, "q="); found {
				weight, _ = strconv.ParseFloat(q, 64) // what is no number weighs nothing
			}
			if name == "*" {
				others = weight
			} else if _, ours := weights[coding(name)]; ours {
				weights[coding(name)] = weight
			}
		}
	}
	best, most := coding(""), 0.0
	for _, c := range []coding{codingGzip, codingDeflate} {
		weight := weights[c]
		if weight < 0 {
			weight = others
		}
		if weight > most {
			best, most = c, weight
		}
	}
	return best
}

// compress joins and compresses the packets of a payload.
func (s *Server) compress(c coding, parts [][]byte) ([]byte, error) {
	var out bytes.Buffer
	z := s.compressors[c].Get().(compressor)
	defer s.compressors[c].Put(z)
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
