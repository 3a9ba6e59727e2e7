package main

import (
	"github.com/klauspost/compress/flate"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// deflateLevel: what has changed is compressed anew whenever somebody reads, so time counts.
// 10,000 made-up books in chunks, 2.4 MB, on one slow core: level 1 takes 6 ms for 415 KB, level 5
// 10 ms for 368 KB, level 6 11 ms for 362 KB, level 7 21 ms for 361 KB, level 9 86 ms for 342 KB;
// the standard library's default level 43 ms for 347 KB.
const deflateLevel = 6

// newDeflate makes what compresses the catalogue's snapshots.
func newDeflate() catalog.Deflate {
	return catalog.NewDeflate(func() catalog.Compressor {
		compressor, err := flate.NewWriter(nil, deflateLevel)
		if err != nil { // the level is a constant that exists
			panic(err)
		}
		return compressor
	})
}
