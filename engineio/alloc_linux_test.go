package engineio

import "testing"

// The broadcast path must not allocate per delivery, or the garbage of one write to
// thousands of clients costs more than the writes.
func TestBroadcastDoesNotAllocate(t *testing.T) {
	const clients, passes = 20, 100
	ts := serve(t, Options{Shards: 1})
	group := ts.NewGroup()
	for range clients {
		ts.openSocket()
		group.Add(ts.next().session)
	}
	eventually(t, "all are members", func() bool { return group.Len() == clients })
	frame := NewFrame(text("an event of about a hundred bytes, so that the sockets' buffers take all of them unread............"))

	// What a worker does, on a shard of the test's own; the server's workers are idle.
	sh := newShard(ts.Server, 0)
	broadcast := &operation{kind: opBroadcast, group: &group.shards[0], frame: frame}
	perPass := testing.AllocsPerRun(passes, func() { sh.deliver(broadcast, frame) })
	if perPass > 0.5 {
		t.Errorf("%.1f allocations for %d deliveries", perPass, clients)
	}

	// The same when frames are staged, as for several targets at once.
	perPass = testing.AllocsPerRun(passes, func() {
		for range 3 {
			sh.stage(broadcast, frame)
		}
		for _, s := range sh.staged.first {
			s.flushStaged(sh.writer)
		}
		sh.staged.clear()
	})
	if perPass > 0.5 {
		t.Errorf("%.1f allocations for %d staged deliveries", perPass, 3*clients)
	}
}
