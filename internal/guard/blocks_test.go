package guard

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestParseBlock(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", " 192.0.2.0/24 ": "192.0.2.0/24", "2001:db8::1": "2001:db8::1", "2001:db8::/64": "2001:db8::/64",
		"::ffff:192.0.2.7": "192.0.2.7", "::ffff:192.0.2.0/120": "192.0.2.0/24", "192.0.2.7/32": "192.0.2.7", "0.0.0.0/0": "0.0.0.0/0",
	} {
		prefix, err := ParseBlock(text)
		if err != nil || BlockName(prefix) != want {
			t.Errorf("%q: %s %v", text, BlockName(prefix), err)
		}
	}
	for _, text := range []string{"", "x", "192.0.2.7/24", "192.0.2.0/33", "fe80::1%eth0", "::ffff:0.0.0.0/90", strings.Repeat("1", 10_000)} {
		if _, err := ParseBlock(text); err == nil || len(err.Error()) > 300 {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

func mustParse(t *testing.T, text string) netip.Prefix {
	t.Helper()
	prefix, err := ParseBlock(text)
	if err != nil {
		t.Fatal(err)
	}
	return prefix
}

func TestBlocksHoldOverARestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "blocks.json")
	now := time.Now()
	open := func() *Blocks { return OpenBlocks(BlocksOptions{File: file, Now: func() time.Time { return now }}) }
	b := open()
	for text, lasting := range map[string]time.Duration{"192.0.2.0/24": time.Hour, "2001:db8::/64": 0, "198.51.100.7": time.Minute} {
		if _, err := b.Add(mustParse(t, text), lasting, "olga", false); err != nil {
			t.Fatal(err)
		}
	}
	covered := func(b *Blocks) (names string) {
		for _, text := range []string{"192.0.2.9", "::ffff:192.0.2.9", "2001:db8::7", "198.51.100.7", "198.51.100.8", "2001:db8:0:1::7"} {
			if b.Covers(netip.MustParseAddr(text)) {
				names += text + " "
			}
		}
		return names
	}
	if got := covered(b); got != "192.0.2.9 ::ffff:192.0.2.9 2001:db8::7 198.51.100.7 " {
		t.Errorf("blocked: %s", got)
	}
	now = now.Add(30 * time.Minute)
	b = open()
	if got := covered(b); got != "192.0.2.9 ::ffff:192.0.2.9 2001:db8::7 " {
		t.Errorf("after a restart: %s", got)
	}
	if list := b.List(); len(list) != 2 || list[0].By != "olga" || list[0].Refused+list[1].Refused != 3 {
		t.Errorf("listed: %+v", list)
	}
	if err := b.Remove(mustParse(t, "192.0.2.0/24"), "olga"); err != nil {
		t.Error(err)
	}
	if err := b.Remove(mustParse(t, "192.0.2.0/24"), "olga"); !errors.Is(err, ErrNoBlock) {
		t.Error(err)
	}
	if got := covered(open()); got != "2001:db8::7 " {
		t.Errorf("after it was lifted: %s", got)
	}
}

func TestBlocksThatNobodyMeans(t *testing.T) {
	t.Parallel()
	b := OpenBlocks(BlocksOptions{Proxies: Proxies{mustParse(t, "10.0.0.1")}})
	for text, want := range map[string]error{"0.0.0.0/0": ErrTooWide, "::/0": ErrTooWide, "128.0.0.0/7": ErrTooWide, "10.0.0.0/8": ErrProxy, "10.0.0.1": ErrProxy} {
		if _, err := b.Add(mustParse(t, text), 0, "", false); !errors.Is(err, want) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := b.Add(mustParse(t, text), 0, "", true); err != nil {
			t.Errorf("%s by force: %v", text, err)
		}
	}
}

func TestABrokenListOfBlocksIsSetAside(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{}", `[{"address":"x"}]`, `[{"address":"192.0.2.1","for":"ever"}]`, "[" + strings.Repeat(" ", maxBlocksFile)} {
		file := filepath.Join(t.TempDir(), "blocks.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if list := OpenBlocks(BlocksOptions{File: file}).List(); len(list) > 0 {
			t.Errorf("%.40s: %v", content, list)
		}
		if kept, err := os.ReadFile(file + ".broken"); err != nil || string(kept) != content {
			t.Errorf("%.40s is not kept: %v", content, err)
		}
	}
}

// The log says until when, and of a block without an end not that it ended long ago.
func TestBlocksAreLoggedWithTheirEnd(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	noon := time.Date(2024, 12, 25, 12, 0, 0, 0, time.UTC)
	b := OpenBlocks(BlocksOptions{Logger: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return noon }})
	for text, want := range map[string]string{"192.0.2.1": `until="it is lifted"`, "192.0.2.2": `until=2024-12-25T13:00:00Z`} {
		lasting := time.Duration(0)
		if text == "192.0.2.2" {
			lasting = time.Hour
		}
		log.Reset()
		if _, err := b.Add(mustParse(t, text), lasting, "olga", false); err != nil || !strings.Contains(log.String(), want) {
			t.Errorf("%s: %v %s", text, err, log.String())
		}
	}
}

// A block that cannot be stored does not hold either: it would end with the next restart.
func TestBlocksThatCannotBeStored(t *testing.T) {
	t.Parallel()
	b := OpenBlocks(BlocksOptions{File: filepath.Join(t.TempDir(), "missing", "blocks.json")})
	if _, err := b.Add(mustParse(t, "192.0.2.1"), 0, "", false); err == nil || len(b.List()) > 0 {
		t.Errorf("%v, listed %v", err, b.List())
	}
}

func TestListenerRefusesBlocked(t *testing.T) {
	t.Parallel()
	b := OpenBlocks(BlocksOptions{})
	if _, err := b.Add(mustParse(t, "127.0.0.9"), 0, "", false); err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan string, 1)
	listener := NewListener(inner, func(remote string) bool {
		if !b.Covers(Peer(remote)) {
			return true
		}
		refused <- remote
		return false
	})
	defer listener.Close()
	from := func(address string) net.Conn {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
		connection, err := dialer.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { connection.Close() })
		return connection
	}
	blocked, welcome := from("127.0.0.9"), from("127.0.0.8")
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	if got := accepted.RemoteAddr().String(); got != welcome.LocalAddr().String() {
		t.Errorf("%s was accepted", got)
	}
	if got := <-refused; got != blocked.LocalAddr().String() {
		t.Errorf("%s was refused", got)
	}
	if _, err := blocked.Read(make([]byte, 1)); err == nil {
		t.Error("the blocked connection is open")
	}
}

func TestRefusalsAreBoundedAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := NewRefusals(nil, nil)
		for range 3 {
			r.Note(KindToken, "192.0.2.1:5", "", "connection")
			time.Sleep(time.Second)
		}
		r.Note(KindToken, "192.0.2.1:6", "anna", "connection")
		list := r.List(10)
		if len(list) != 2 || list[0].UserID != "anna" || list[1].Count != 3 || !list[1].At.Equal(list[0].At.Add(-time.Second)) {
			t.Errorf("%+v", list)
		}
		for i := range maxRefusals * 2 {
			r.Note(KindOrigin, "[2001:db8::1]:5", "", fmt.Sprint(i, strings.Repeat("é", maxRefusalText)))
		}
		list = r.List(maxRefusals * 2)
		if len(list) != maxRefusals || len(r.known) != maxRefusals || !strings.HasPrefix(list[0].Detail, fmt.Sprint(maxRefusals*2-1)) || len(list[0].Detail) > maxRefusalText+3 ||
			list[0].Address != "2001:db8::/64" {
			t.Errorf("%d are kept, the latest is %+v", len(list), list[0])
		}
	})
}

// Blocks that nodes share hold when they are taken, whoever shared them.
func TestSharedBlocks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var nodes []*Blocks
	down := false
	share := func(_ string, block []byte) error {
		if down {
			return errors.New("the cluster is down")
		}
		for _, node := range nodes {
			node.Take(block)
		}
		return nil
	}
	for range 2 {
		nodes = append(nodes, OpenBlocks(BlocksOptions{Share: share, Now: func() time.Time { return now }}))
	}
	one, two := nodes[0], nodes[1]
	address, network := netip.MustParseAddr("192.0.2.9"), mustParse(t, "192.0.2.0/24")
	if block, err := one.Add(network, time.Hour, "olga", false); err != nil || block.By != "olga" {
		t.Fatal(block, err)
	}
	if !one.Covers(address) || !two.Covers(address) || two.List()[0].Until.IsZero() || two.List()[0].By != "olga" {
		t.Errorf("they hold as %v and %v", one.List(), two.List())
	}
	// Another time for the same: who was refused so far is not forgotten.
	if _, err := two.Add(network, 0, "anna", false); err != nil || one.List()[0].Refused != 1 || !one.List()[0].Until.IsZero() {
		t.Errorf("with another end: %v %v", one.List(), err)
	}
	down = true
	if err := one.Remove(network, "olga"); err == nil || !two.Covers(address) || !one.Covers(address) {
		t.Errorf("it was lifted although nobody heard: %v", err)
	}
	down = false
	if err := two.Remove(network, "anna"); err != nil || one.Covers(address) || two.Covers(address) {
		t.Errorf("it still holds: %v", err)
	}
	if err := one.Remove(network, "olga"); !errors.Is(err, ErrNoBlock) {
		t.Errorf("lifting it again: %v", err)
	}
	if _, err := one.Add(mustParse(t, "0.0.0.0/1"), 0, "olga", false); !errors.Is(err, ErrTooWide) {
		t.Errorf("half of all addresses: %v", err)
	}
	for _, nonsense := range []string{"", "[]", `{"address":"x"}`, `{"address":"192.0.2.9/24"}`} {
		if _, isNew := one.Take([]byte(nonsense)); isNew || len(one.List()) != 0 {
			t.Errorf("%q blocks %v", nonsense, one.List())
		}
	}
	ended := `{"address":"192.0.2.9","until":"2001-01-01T00:00:00Z","by":"o","createdAt":"2001-01-01T00:00:00Z"}`
	if _, isNew := one.Take([]byte(ended)); isNew || one.Covers(address) {
		t.Error("a block that has ended holds")
	}
}

// As many blocks as there can be are gathered at once; one that was lifted among them does not hold.
func TestGatheredBlocks(t *testing.T) {
	t.Parallel()
	b := OpenBlocks(BlocksOptions{Share: func(string, []byte) error { return nil }})
	failure := errors.New("the cluster went away")
	err := b.Gather(func() error {
		for i := range maxBlocks + 1 {
			b.Take(fmt.Appendf(nil, `{"address":"10.0.%d.%d"}`, i/256, i%256))
		}
		b.Take([]byte(`{"address":"10.0.0.7","lifted":true}`))
		return failure
	})
	if list := b.List(); !errors.Is(err, failure) || len(list) != maxBlocks-1 {
		t.Errorf("%d hold, %v", len(list), err)
	}
	if b.Covers(netip.MustParseAddr("10.0.0.7")) || !b.Covers(netip.MustParseAddr("10.0.0.8")) {
		t.Error("what was lifted holds, or what was blocked does not")
	}
	if network, isNew := b.Take([]byte(`{"address":"192.0.2.9"}`)); !isNew || !b.Contains(network) {
		t.Error("a later one does not hold")
	}
}

func FuzzTakeBlock(f *testing.F) {
	f.Add([]byte(`{"address":"192.0.2.0/24","until":null,"by":"o","createdAt":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"address":"::/0","lifted":true}`))
	f.Fuzz(func(t *testing.T, shared []byte) {
		blocks := OpenBlocks(BlocksOptions{Share: func(string, []byte) error { return nil }})
		if network, isNew := blocks.Take(shared); isNew && !blocks.Contains(network) {
			t.Errorf("%q blocks %s, and does not", shared, network)
		}
	})
}
