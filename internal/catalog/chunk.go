package catalog

import (
	"hash/crc32"
	"sync"
)

// Bounds of a chunk, in books. A change makes the encodings of one chunk anew, so small ones cost a
// change less; but each is compressed by itself and written by itself, so large ones make a smaller
// answer in fewer writes. docs/performance.md has the figures.
const (
	maxChunk = 512
	minChunk = maxChunk / 4 // all but the last chunk hold at least as many
)

// chunk is a run of live books with rising ids, with their encodings. While its age is the
// chunkList's, it belongs to the projection, which may change records; once it is part of a
// Snapshot it never changes again. The encodings are made by the first who needs them, so by
// then it is part of one; whoever comes meanwhile waits and shares them.
type chunk struct {
	first   int64     // the id of records[0]
	records []*record // never empty
	age     int       // of the chunkList when the chunk was made
	forms   perView[chunkForm]
}

// chunkForm is a chunk in one view.
type chunkForm struct {
	encodeOnce sync.Once
	plain      []byte // each book's wire form with a comma before it

	deflateOnce sync.Once
	deflated    []byte   // commaBlock, and then plain without its first comma as deflate blocks
	sum         checksum // of plain without its first comma
}

// encoded gives the books as JSON, each with a comma before it.
func (c *chunk) encoded(view View) []byte {
	form := c.forms.of(view)
	form.encodeOnce.Do(func() {
		size := 0
		for _, r := range c.records {
			size += r.sizeHint() + 1
		}
		plain := make([]byte, 0, size)
		for _, r := range c.records {
			plain = append(plain, ',')
			plain = r.appendTo(plain, view)
		}
		form.plain = plain
	})
	return form.plain
}

// compressed gives the same as deflate blocks, and the checksum of what is in them without the
// first comma.
func (c *chunk) compressed(deflate Deflate, view View) ([]byte, checksum) {
	form := c.forms.of(view)
	form.deflateOnce.Do(func() {
		books := c.encoded(view)[1:]
		// The blocks of the one place that compresses are copied to their length: they stay.
		blocks := deflate([]byte(commaBlock), books)
		form.deflated = append(make([]byte, 0, len(blocks)), blocks...)
		form.sum = checksumOf(books)
	})
	return form.deflated, form.sum
}

// checksum is the CRC-32 of some bytes, ready to be joined with that of bytes before them.
type checksum struct {
	crc    uint32
	length int64
	shift  uint32 // what length bytes do to a CRC that stands before them
}

func checksumOf(data []byte) checksum {
	return checksum{crc: crc32.ChecksumIEEE(data), length: int64(len(data)), shift: crcShift(int64(len(data)))}
}

// join gives the checksum of what s and next are of, one after the other. Only crc and length
// of the result are known.
func (s checksum) join(next checksum) checksum {
	return checksum{crc: crcMultiply(next.shift, s.crc) ^ next.crc, length: s.length + next.length}
}

// A CRC-32 is a polynomial over GF(2) modulo crc32.IEEE, here with the highest power in the lowest
// bit. Bytes that follow multiply it by x to the power of eight for each, which is one
// multiplication once that power is known. (zlib's crc32_combine_op does the same.)
const (
	crcOne  uint32 = 1 << 31 // x⁰
	crcByte uint32 = 1 << 23 // x⁸
)

// crcMultiply multiplies two polynomials.
func crcMultiply(a, b uint32) uint32 {
	var product uint32
	for ; a != 0; a <<= 1 {
		if a&crcOne != 0 {
			product ^= b
		}
		carry := b & 1
		b >>= 1
		if carry != 0 {
			b ^= crc32.IEEE
		}
	}
	return product
}

// crcShift gives x to the power of 8·length.
func crcShift(length int64) uint32 {
	shift := crcOne
	for power := crcByte; length > 0; length >>= 1 {
		if length&1 != 0 {
			shift = crcMultiply(power, shift)
		}
		power = crcMultiply(power, power)
	}
	return shift
}
