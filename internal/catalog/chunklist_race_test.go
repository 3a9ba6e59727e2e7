package catalog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// Snapshots are encoded and compressed by several readers while the list goes on changing, splitting
// and joining chunks. Nothing that was shared may change.
func TestChunksAreReadWhileTheyChange(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 4))
	var list chunkList
	zipper := newGzipEncoder(newStandardDeflate())
	shared := make(chan []*chunk, 4)
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for chunks := range shared {
				var plain, zipped bytes.Buffer
				_, _ = joinPlain(chunks, WholeView()).WriteTo(&plain)
				_, _ = zipper.encode(chunks, WholeView()).WriteTo(&zipped)
				unzip, err := gzip.NewReader(&zipped)
				if err != nil {
					t.Error(err)
					continue
				}
				if got, err := io.ReadAll(unzip); err != nil || !bytes.Equal(got, plain.Bytes()) {
					t.Errorf("the compressed form is another one: %v", err)
				}
				var books []Book
				if err := json.Unmarshal(plain.Bytes(), &books); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for round := range 12 {
		for range 300 {
			id := 1 + random.Int64N(2000)
			if (round/3)%2 == 0 == (random.IntN(4) > 0) {
				list.put(newRecord(Book{ID: id, Title: strings.Repeat("x", random.IntN(30))}))
			} else {
				list.remove(id)
			}
		}
		chunks := list.share()
		shared <- chunks
		if round%4 == 0 {
			shared <- chunks // two readers of one snapshot
		}
	}
	close(shared)
	readers.Wait()
}
