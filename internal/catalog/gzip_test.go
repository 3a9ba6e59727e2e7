package catalog

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// writtenOut gives an encoding in one piece.
func writtenOut(t testing.TB, e Encoding) []byte {
	t.Helper()
	var out bytes.Buffer
	if n, err := e.WriteTo(&out); err != nil || n != e.Len() || out.Len() != int(n) {
		t.Fatalf("wrote %d of %d bytes and says %d, %v", out.Len(), e.Len(), n, err)
	}
	return out.Bytes()
}

// unzipped reads exactly one gzip member, whose checksum and length must be right.
func unzipped(t testing.TB, zipped []byte) []byte {
	t.Helper()
	rest := bytes.NewReader(zipped)
	reader, err := gzip.NewReader(rest)
	if err != nil {
		t.Fatal(err)
	}
	reader.Multistream(false) // some clients read no second member
	plain, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("after %d bytes: %v", len(plain), err)
	}
	if rest.Len() != 0 {
		t.Fatalf("%d bytes come after the member", rest.Len())
	}
	return plain
}

// TestSnapshotsOfRandomHistories: after every few changes, both forms of the snapshot must say
// what encoding all books by themselves says, those of earlier snapshots too.
func TestSnapshotsOfRandomHistories(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 5))
	var list chunkList
	books := make(map[int64]*record)
	type expectation struct {
		snapshot *Snapshot
		plain    string
	}
	var expected []expectation
	zipper := newGzipEncoder(newStandardDeflate())
	for round := range 30 {
		for range random.IntN(300) {
			id := 1 + random.Int64N(2000)
			if random.IntN(5) == 0 {
				delete(books, id)
				list.remove(id)
				continue
			}
			title := strings.Repeat(fmt.Sprint("Löwe, \"", random.IntN(50), "\u2028"), random.IntN(6))
			books[id] = newRecord(Book{ID: id, Title: title, Favorites: []string{"anna", title}})
			list.put(books[id])
		}
		snapshot := newSnapshot(Position{Epoch: "e", Sequence: Sequence(round)}, len(books), list.share(), zipper)
		var sorted []*record
		for r := range snapshot.records() {
			sorted = append(sorted, r)
		}
		if len(sorted) != len(books) {
			t.Fatalf("%d books, want %d", len(sorted), len(books))
		}
		expected = append(expected, expectation{snapshot, string(encodeArray(sorted, WholeView()))})
	}
	for round, e := range expected {
		if got := string(writtenOut(t, e.snapshot.JSON(WholeView()))); got != e.plain || !json.Valid([]byte(got)) {
			t.Fatalf("round %d: plain form differs", round)
		}
		if got := string(unzipped(t, writtenOut(t, e.snapshot.Gzip(WholeView())))); got != e.plain {
			t.Fatalf("round %d: compressed form differs", round)
		}
	}
}

func TestSnapshotWithoutBooks(t *testing.T) {
	t.Parallel()
	snapshot := newSnapshot(Position{Epoch: "e"}, 0, nil, newGzipEncoder(newStandardDeflate()))
	if got := string(writtenOut(t, snapshot.JSON(WholeView()))); got != "[]" {
		t.Errorf("plain %s", got)
	}
	if got := string(unzipped(t, writtenOut(t, snapshot.Gzip(WholeView())))); got != "[]" {
		t.Errorf("compressed %s", got)
	}
}

// TestUnchangedChunksAreCompressedOnce counts the work for a small change in a large catalogue.
func TestUnchangedChunksAreCompressedOnce(t *testing.T) {
	t.Parallel()
	standard := newStandardDeflate()
	var bytesIn int
	zipper := newGzipEncoder(func(dst, plain []byte) []byte {
		bytesIn += len(plain)
		return standard(dst, plain)
	})
	var list chunkList
	for id := range int64(40 * maxChunk) {
		list.put(newRecord(Book{ID: id + 1, Title: "Walden"}))
	}
	snapshotNow := func() *Snapshot { return newSnapshot(Position{}, 0, list.share(), zipper) }
	first := snapshotNow()
	first.Gzip(WholeView())
	whole := bytesIn
	if int64(whole) > first.JSON(WholeView()).Len() {
		t.Errorf("%d bytes compressed, of %d", whole, first.JSON(WholeView()).Len())
	}
	first.Gzip(WholeView())
	snapshotNow().Gzip(WholeView())
	if bytesIn != whole {
		t.Errorf("without a change, %d bytes are compressed again", bytesIn-whole)
	}
	list.put(newRecord(Book{ID: 5000, Title: "On Walden Pond"}))
	snapshotNow().Gzip(WholeView())
	if again := bytesIn - whole; again < 1 || again > whole/39 {
		t.Errorf("for one changed book, %d of %d bytes are compressed again", again, whole)
	}
}

// TestWritingASnapshotAllocatesNothing: an answer is written from what is there.
func TestWritingASnapshotAllocatesNothing(t *testing.T) {
	var list chunkList
	for id := range int64(10 * maxChunk) {
		list.put(newRecord(Book{ID: id + 1, Title: "Walden"}))
	}
	snapshot := newSnapshot(Position{}, 0, list.share(), newGzipEncoder(newStandardDeflate()))
	for name, form := range map[string]func(View) Encoding{"plain": snapshot.JSON, "gzip": snapshot.Gzip} {
		if n := testing.AllocsPerRun(20, func() { _, _ = form(WholeView()).WriteTo(io.Discard) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzChecksumJoin(f *testing.F) {
	f.Add([]byte(""), []byte(""))
	f.Add([]byte("["), []byte(`{"id":1}`))
	f.Add(bytes.Repeat([]byte{0}, 70_000), []byte{0xff})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		joined := checksumOf(a).join(checksumOf(b))
		both := append(bytes.Clone(a), b...)
		if joined.crc != crc32.ChecksumIEEE(both) || joined.length != int64(len(both)) {
			t.Errorf("joined %08x of %d bytes, want %08x of %d", joined.crc, joined.length, crc32.ChecksumIEEE(both), len(both))
		}
	})
}

// FuzzJoinGzip joins whatever texts, cut into chunks anywhere.
func FuzzJoinGzip(f *testing.F) {
	f.Add("Walden", "Middlemarch", uint16(3), uint16(1000))
	f.Add("", "\x00\u2028\"\\", uint16(0), uint16(1))
	zipper := newGzipEncoder(newStandardDeflate())
	f.Fuzz(func(t *testing.T, title, author string, first, second uint16) {
		var list chunkList
		for id := range int64(first%1500) + 1 {
			list.put(newRecord(Book{ID: id + 1, Title: title, Author: author}))
		}
		for id := range int64(second % 1500) {
			list.put(newRecord(Book{ID: 10_000 - id, Title: author}))
		}
		snapshot := newSnapshot(Position{}, 0, list.share(), zipper)
		plain := writtenOut(t, snapshot.JSON(WholeView()))
		if got := unzipped(t, writtenOut(t, snapshot.Gzip(WholeView()))); !bytes.Equal(got, plain) {
			t.Errorf("compressed form of %d bytes differs from the plain one of %d", len(got), len(plain))
		}
	})
}
