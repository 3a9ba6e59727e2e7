package engineio

// gatherSize bounds how many bytes of small frames are joined for one write. Larger
// frames are written as they are.
const gatherSize = maxChunkBytes

// writer is what a goroutine needs to write to connections without allocating. It serves
// one connection at a time; a shard's worker keeps one, others borrow from Server.writers.
type writer struct {
	scratch []byte // for joining frames; made when first needed
}

// scratchFor returns room to join n frames in, none for a single one.
func (w *writer) scratchFor(n int) []byte {
	if n < 2 {
		return nil
	}
	if w.scratch == nil {
		w.scratch = make([]byte, 0, gatherSize)
	}
	return w.scratch
}
