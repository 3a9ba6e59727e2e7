package natslog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// The stream's leader dies under writers on two nodes. What was acknowledged is there afterwards, of
// two that expect one version at most one wins, and both nodes show the same.
func TestLeaderDiesDuringWrites(t *testing.T) {
	cluster := natstest.Start(t, 3, nil)
	nodes := []*Log{openAt(t, cluster, 3), openAt(t, cluster, 3)}
	var catalogs []*catalog.Catalog
	for _, node := range nodes {
		catalogs = append(catalogs, runCatalog(t, node))
	}
	contested := mustAppend(t, nodes[0], testBook(1, "contested"), 0)

	var mu sync.Mutex
	acknowledged := make(map[int64]string)
	winners := make(map[catalog.Sequence]int) // by the version that they replaced
	var count, nextID atomic.Int64
	nextID.Store(1)
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for n, node := range nodes {
		for w := range 4 {
			group.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					id, title := nextID.Add(1), fmt.Sprint(n, " ", w, " ", i)
					sequence, err := node.Append(context.WithoutCancel(ctx), catalog.Write{Change: testBook(id, title)})
					if err != nil {
						pause(ctx, 20*time.Millisecond)
						continue
					}
					count.Add(1)
					mu.Lock()
					acknowledged[id] = fmt.Sprint(sequence, " ", title)
					mu.Unlock()
				}
			})
		}
		group.Go(func() {
			for expect := contested; ctx.Err() == nil; {
				_, err := node.Append(context.WithoutCancel(ctx), catalog.Write{Change: testBook(1, fmt.Sprint("by ", n)), Expect: expect})
				if err == nil {
					mu.Lock()
					winners[expect]++
					mu.Unlock()
				}
				if book, found := catalogs[n].Book(1); found {
					expect = book.Version
				}
				pause(ctx, time.Millisecond)
			}
		})
	}
	eventually(t, 20*time.Second, "100 writes", func() bool { return count.Load() >= 100 })
	leader := cluster.Leader(DefaultStream)
	cluster.Stop(leader)
	before := count.Load()
	eventually(t, 30*time.Second, "writes after the leader's death", func() bool { return count.Load() >= before+100 })
	cluster.Restart(leader)
	stop()
	group.Wait()

	for version, won := range winners {
		if won > 1 {
			t.Errorf("%d writers have replaced version %d", won, version)
		}
	}
	eventually(t, 20*time.Second, "writable", func() bool { return nodes[0].Writable(t.Context()) == nil })
	titles := stored(t, nodes[0])
	for id, title := range acknowledged {
		if titles[id] != title {
			t.Errorf("book %d was acknowledged as %q, and is %q", id, title, titles[id])
		}
	}
	head, err := nodes[0].Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "both nodes at the head", func() bool {
		return catalogs[0].Position().Sequence >= head && catalogs[0].Position() == catalogs[1].Position()
	})
	if a, b := digest(t, catalogs[0]), digest(t, catalogs[1]); a != b {
		t.Error("the nodes show different catalogues at one position")
	}
}

// Without a majority nothing is acknowledged, and everybody hears so within two seconds; with one
// again, the same log goes on, its tail without a gap.
func TestNoQuorumIsSaidAndHeals(t *testing.T) {
	cluster := natstest.Start(t, 3, nil)
	log := openAt(t, cluster, 3)
	books := runCatalog(t, log)
	first := mustAppend(t, log, testBook(1, "before"), 0)
	eventually(t, 10*time.Second, "applied", func() bool { return books.Position().Sequence >= first })

	leader := cluster.Leader(DefaultStream)
	if leader < 0 {
		t.Fatal("the stream has no leader")
	}
	other := (leader + 1) % 3
	cluster.Stop(leader)
	cluster.Stop(other)
	var group sync.WaitGroup
	for i := range int64(8) {
		group.Go(func() {
			_, err := log.Append(t.Context(), catalog.Write{Change: testBook(100+i, "during")})
			if catalog.ErrorCode(err) != catalog.CodeUnavailable {
				t.Errorf("a write without a majority gave %v", err)
			}
		})
	}
	group.Wait()
	eventually(t, 10*time.Second, "readiness turned", func() bool { return log.Writable(t.Context()) != nil })
	if _, err := log.Append(t.Context(), catalog.Write{Change: testBook(2, "refused")}); catalog.ErrorCode(err) != catalog.CodeUnavailable {
		t.Errorf("a write gave %v", err)
	}
	if _, found := books.Book(1); !found {
		t.Error("reads have stopped")
	}
	// The server that is left still answers reads of the stream; that makes nothing newer.
	eventually(t, 10*time.Second, "what is shown counts as old", func() bool { return log.Age() > 3*time.Second })
	cluster.Restart(leader)
	cluster.Restart(other)
	eventually(t, 30*time.Second, "writable again", func() bool { return log.Writable(t.Context()) == nil })
	eventually(t, 10*time.Second, "what is shown counts as new", func() bool { return log.Age() < time.Second })
	last := mustAppend(t, log, testBook(3, "after"), 0)
	eventually(t, 10*time.Second, "the tail at the newest change", func() bool { return books.Position().Sequence >= last })
	// What was refused at once is not stored; what timed out may be, and then it is shown too.
	titles := stored(t, log)
	if _, found := titles[2]; found {
		t.Error("a write that was refused is stored")
	}
	if got := books.Stats().TotalBooks; got != len(titles) {
		t.Errorf("the catalogue has %d books, the log %d", got, len(titles))
	}
}

// A write whose acknowledgement never came is settled by its command.
func TestUnknownOutcomeIsSettled(t *testing.T) {
	cluster := natstest.Start(t, 1, nil)
	log := openAt(t, cluster, 1)
	messages := func(id int64, title string, expect catalog.Sequence) *storing {
		made, err := log.changeMessages(&catalog.Write{Change: testBook(id, title), Expect: expect})
		if err != nil {
			t.Fatal(err)
		}
		return newStoring(made, 0)
	}
	lost := messages(1, "stored, but nobody heard", 0)
	sequence, err := log.publish(t.Context(), lost.command, lost.messages)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := log.settle(t.Context(), lost, true); got != sequence || err != nil {
		t.Errorf("a stored write was settled as %d, %v; want %d", got, err, sequence)
	}
	if _, err := log.settle(t.Context(), messages(2, "never sent", 0), true); err != errNotStored { //nolint:errorlint // not wrapped
		t.Errorf("a write that was never sent was settled as %v", err)
	}
	// Another one won: it expected the same.
	if _, err := log.settle(t.Context(), messages(1, "lost", 0), true); err == nil || err.Error() != (&staleError{0, sequence}).Error() {
		t.Errorf("a write that lost was settled as %v", err)
	}
	// Ours may have been in between.
	second := mustAppend(t, log, testBook(1, "second"), sequence)
	if _, err := log.settle(t.Context(), messages(1, "perhaps", 0), true); catalog.ErrorCode(err) != catalog.CodeUnavailable {
		t.Errorf("a write that nobody can know of was settled as %v", err)
	}
	// Sent again, as after an attempt that was not stored, it is stored once.
	again := messages(1, "third", second)
	third, err := log.store(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := log.store(t.Context(), again); got != third || err != nil {
		t.Errorf("the same command once more gave %d, %v; want %d", got, err, third)
	}
}

// Nodes that start together on a cluster without a stream make one, and each finds it.
func TestNodesMakeOneStreamTogether(t *testing.T) {
	cluster := natstest.Start(t, 3, nil)
	for attempt := range 2 {
		stream := fmt.Sprint("TOGETHER", attempt)
		var group sync.WaitGroup
		epochs := make([]string, 4)
		for i := range epochs {
			group.Go(func() {
				log, err := Open(t.Context(), Options{Connection: Connection{URL: cluster.ServerURL(i % 3)}, Stream: stream})
				if err != nil {
					t.Errorf("node %d: %v", i, err)
					return
				}
				epochs[i] = log.Epoch()
				if err := log.Close(); err != nil {
					t.Errorf("node %d: close: %v", i, err)
				}
			})
		}
		group.Wait()
		if len(slices.Compact(epochs)) != 1 {
			t.Errorf("the nodes have opened the logs %q", epochs)
		}
	}
}

// Somebody sets an age after which the stream drops messages. Nothing is acknowledged that would be
// lost so, and once the setting is gone everything goes on.
func TestSettingsChangedUnderARunningLog(t *testing.T) {
	t.Parallel()
	log := openAt(t, natstest.Start(t, 1, nil), 1)
	first := mustAppend(t, log, testBook(1, "before"), 0)
	expireBooksAfter := func(age time.Duration) {
		t.Helper()
		if err := log.configure(t.Context(), func(config *jetstream.StreamConfig) { config.MaxAge = age }); err != nil {
			t.Fatal(err)
		}
	}
	expireBooksAfter(time.Hour)
	eventually(t, 30*time.Second, "refused", func() bool { return errors.Is(log.Failing(), ErrWrongSettings) })
	if _, err := log.Append(t.Context(), catalog.Write{Change: testBook(1, "would expire"), Expect: first}); !errors.Is(err, ErrWrongSettings) {
		t.Errorf("a change that would expire was answered %v", err)
	}
	expireBooksAfter(0)
	eventually(t, 30*time.Second, "taken again", func() bool { return log.Failing() == nil })
	mustAppend(t, log, testBook(1, "after"), first)
}

// Servers come back without the end of what they had acknowledged. A node that remembers a position
// beyond it begins a new epoch, which ends those that go on in the old one.
func TestLostEndBeginsAnEpoch(t *testing.T) {
	t.Parallel()
	cluster := natstest.Start(t, 1, nil)
	log := openAt(t, cluster, 1)
	known := catalog.Position{Epoch: log.Epoch(), Sequence: mustAppend(t, log, testBook(1, "Emma"), 0)}
	open := func() *Log {
		t.Helper()
		log, err := Open(t.Context(), Options{Connection: Connection{URL: cluster.URL()}, Replicas: 1, Known: known})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = log.Close() })
		return log
	}
	if open().Epoch() != log.Epoch() {
		t.Error("a stream that has its end is in a new epoch")
	}
	known.Sequence += 1000
	again := open()
	if again.Epoch() == log.Epoch() || again.Epoch() != open().Epoch() {
		t.Errorf("without its end the stream is in the epochs %s, %s and %s", log.Epoch(), again.Epoch(), open().Epoch())
	}
	eventually(t, 30*time.Second, "ended", func() bool { return errors.Is(log.Failing(), errOtherStream) })
	if titles := stored(t, again); len(titles) != 1 {
		t.Errorf("in the new epoch there are %v", titles)
	}
}
