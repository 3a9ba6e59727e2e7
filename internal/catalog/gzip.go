package catalog

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"sync"
)

// Deflate appends to dst what holds plain as deflate blocks (RFC 1951) that can stand anywhere in
// a stream: they refer to nothing before them, none is the final one, and they end at the end of
// a byte. (That is what a new compressor gives when it is flushed instead of closed.) It is
// called from many goroutines.
type Deflate func(dst, plain []byte) []byte

// Compressor is what makes deflate blocks: a *flate.Writer of the standard library, or of a library
// with the same interface. One goroutine uses it at a time.
type Compressor interface {
	io.Writer
	Flush() error
	Reset(io.Writer)
}

// NewDeflate makes a Deflate of compressors that newCompressor makes. They are large, so some are
// kept, for as long as the garbage collector lets them be. newCompressor is called from many
// goroutines.
func NewDeflate(newCompressor func() Compressor) Deflate {
	pool := sync.Pool{New: func() any { return newCompressor() }}
	return func(dst, plain []byte) []byte {
		compressor := pool.Get().(Compressor)
		defer pool.Put(compressor)
		out := bytes.NewBuffer(dst)
		compressor.Reset(out)
		// A bytes.Buffer takes everything, so neither call has anything to report.
		_, _ = compressor.Write(plain)
		_ = compressor.Flush()
		return out.Bytes()
	}
}

// newStandardDeflate compresses with the standard library.
func newStandardDeflate() Deflate {
	return NewDeflate(func() Compressor {
		compressor, err := flate.NewWriter(nil, flate.DefaultCompression)
		if err != nil { // the level is a constant that exists
			panic(err)
		}
		return compressor
	})
}

// The parts of a gzip member (RFC 1952) that are the same in each. A block of one byte is a
// stored one (RFC 1951, section 3.2.4): a header, the length, its complement, the byte.
const (
	gzipHeader   = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" // deflate, no name, no time, no system
	openingBlock = "\x00\x01\x00\xfe\xff["
	commaBlock   = "\x00\x01\x00\xfe\xff,"
	closingBlock = "\x01\x01\x00\xfe\xff]" // the final one
)

// gzipEncoder compresses the snapshots of one catalogue. It is safe for concurrent use.
type gzipEncoder struct {
	deflate Deflate
	pieces  perView[pieces]
}

func newGzipEncoder(deflate Deflate) *gzipEncoder { return &gzipEncoder{deflate: deflate} }

// chunksToPieceEnd: one chunk in so many may end a piece. Its checksum is as good as chance, and
// the same as long as the chunk is.
const chunksToPieceEnd = 4

// encode makes one gzip member of the JSON array of all books in a view: the chunks' blocks one after the
// other, and a checksum that is made of theirs. Nothing is compressed that is known already. A
// chunk's blocks are short, so those of neighbours are written as one piece.
func (g *gzipEncoder) encode(chunks []*chunk, view View) Encoding {
	sum, comma := checksumOf([]byte("[")), checksumOf([]byte(","))
	parts := make([]part, len(chunks))
	for i, c := range chunks {
		blocks, of := c.compressed(g.deflate, view)
		if i > 0 {
			sum = sum.join(comma)
		}
		sum = sum.join(of)
		parts[i] = part{blocks, of.crc%chunksToPieceEnd == 0}
	}
	joined := g.pieces.of(view).join(parts)
	e := newEncoding(len(joined) + 2)
	e.add([]byte(gzipHeader + openingBlock))
	for i, piece := range joined {
		if i == 0 {
			piece = piece[len(commaBlock):]
		}
		e.add(piece)
	}
	sum = sum.join(checksumOf([]byte("]")))
	trailer := []byte(closingBlock)
	trailer = binary.LittleEndian.AppendUint32(trailer, sum.crc)
	e.add(binary.LittleEndian.AppendUint32(trailer, uint32(sum.length))) // modulo 2³², as section 2.3.1 says
	return e
}

// joinPlain makes the JSON array of all books in a view.
func joinPlain(chunks []*chunk, view View) Encoding {
	e := newEncoding(len(chunks) + 2)
	e.add([]byte("["))
	for i, c := range chunks {
		books := c.encoded(view)
		if i == 0 {
			books = books[1:]
		}
		e.add(books)
	}
	e.add([]byte("]"))
	return e
}
