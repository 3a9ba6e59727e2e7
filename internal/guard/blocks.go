package guard

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxBlocks bounds how many blocks there can be. A list that long wants a firewall.
const maxBlocks = 10_000

// widest is the shortest prefix that is blocked without force: one part in 256 of all addresses.
const widest = 8

// The reasons for which a block is refused. Their texts are safe to show.
var (
	ErrTooWide       = errors.New("that is more than one part in 256 of all addresses")
	ErrProxy         = errors.New("that is a trusted proxy: everyone behind it would be blocked")
	ErrTooManyBlocks = fmt.Errorf("there are %d blocks already", maxBlocks)
	ErrNoBlock       = errors.New("that is not blocked")
)

// Block keeps one address or network out.
type Block struct {
	Prefix    netip.Prefix
	Until     time.Time // zero: until it is lifted
	By        string    // who has asked for it
	CreatedAt time.Time
	Refused   uint64 // connections and requests since the server's start
}

// BlocksOptions are what Blocks needs; each has a default.
type BlocksOptions struct {
	// File keeps the blocks over a restart. "": nothing does.
	File string
	// Share, if it is set, keeps the blocks in the place of File, for all nodes of a cluster: under a
	// name, each its own. Whatever is shared, by whichever node, is handed to Take, and only then
	// holds; what is shared here before Share returns.
	Share func(name string, block []byte) error
	// Proxies may only be blocked with force.
	Proxies Proxies
	Logger  *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
}

// Blocks are the addresses that are kept out. Who asks whether an address is blocked waits for
// nobody: it reads a table that never changes, which every edit replaces. mu serializes edits, the
// writing of the file included. Safe for concurrent use.
type Blocks struct {
	options BlocksOptions
	table   atomic.Pointer[blockTable]

	mu       sync.Mutex
	gathered map[netip.Prefix]*blockEntry // the next table's, while Gather runs; nil otherwise
}

// blockTable never changes, but for the counts in its entries.
type blockTable struct {
	entries map[netip.Prefix]*blockEntry
	widths  []int // of the IPv4 prefixes among them, each once
	widths6 []int // of the IPv6 ones
}

type blockEntry struct {
	block   Block
	refused atomic.Uint64
}

func newBlockTable(entries map[netip.Prefix]*blockEntry) *blockTable {
	t := &blockTable{entries: entries}
	for prefix := range entries {
		widths := &t.widths
		if prefix.Addr().Is6() {
			widths = &t.widths6
		}
		if !slices.Contains(*widths, prefix.Bits()) {
			*widths = append(*widths, prefix.Bits())
		}
	}
	return t
}

// OpenBlocks reads the blocks of the options' file. One that cannot be read is set aside and
// logged, not obeyed: a server that does not start would keep everybody out.
func OpenBlocks(options BlocksOptions) *Blocks {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	b := &Blocks{options: options}
	b.table.Store(newBlockTable(b.load()))
	return b
}

// Covers tells whether an address is blocked, and counts it as refused if it is. The zero address
// never is.
func (b *Blocks) Covers(address netip.Addr) bool {
	table := b.table.Load()
	if len(table.entries) == 0 || !address.IsValid() {
		return false
	}
	entry := table.find(address.Unmap().WithZone(""), b.options.Now())
	if entry == nil {
		return false
	}
	entry.refused.Add(1)
	return true
}

func (t *blockTable) find(address netip.Addr, now time.Time) *blockEntry {
	widths := t.widths
	if address.Is6() {
		widths = t.widths6
	}
	for _, bits := range widths {
		prefix, err := address.Prefix(bits)
		if err != nil {
			continue // cannot happen: the width is of the address's family
		}
		if entry := t.entries[prefix]; entry != nil && !entry.block.ended(now) {
			return entry
		}
	}
	return nil
}

func (b *Block) ended(now time.Time) bool { return !b.Until.IsZero() && !b.Until.After(now) }

// lasts is for people: the end, or that there is none.
func (b *Block) lasts() string {
	if b.Until.IsZero() {
		return "it is lifted"
	}
	return b.Until.Format(time.RFC3339)
}

// Contains tells whether a network that people wrote is blocked as a whole, without counting it.
func (b *Blocks) Contains(prefix netip.Prefix) bool {
	table, now := b.table.Load(), b.options.Now()
	for bits := prefix.Bits(); bits >= 0; bits-- {
		wider, err := prefix.Addr().Prefix(bits)
		if err != nil {
			return false
		}
		if entry := table.entries[wider]; entry != nil && !entry.block.ended(now) {
			return true
		}
	}
	return false
}

// Add keeps a network out for a time, 0 until it is lifted; one that is blocked already from now
// on for that time. Connections that are open are not its affair. force blocks networks that
// nobody blocks on purpose.
// Errors: ErrTooWide, ErrProxy, ErrTooManyBlocks, or that of writing the file or of Share; then
// nothing has changed, unless Share's error leaves open what became of it.
func (b *Blocks) Add(prefix netip.Prefix, lasting time.Duration, by string, force bool) (Block, error) {
	if !force && prefix.Bits() < widest {
		return Block{}, ErrTooWide
	}
	if !force && b.options.Proxies.overlap(prefix) {
		return Block{}, ErrProxy
	}
	now := b.options.Now()
	entry := &blockEntry{block: Block{Prefix: prefix, By: by, CreatedAt: now.UTC()}}
	if lasting > 0 {
		entry.block.Until = now.Add(lasting).UTC()
	}
	if b.options.Share != nil {
		return entry.block, b.share(&entry.block)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	entries := b.currentLocked(now)
	if before := entries[prefix]; before != nil {
		entry.refused.Store(before.refused.Load())
	} else if len(entries) >= maxBlocks {
		return Block{}, ErrTooManyBlocks
	}
	entries[prefix] = entry
	if err := b.replaceLocked(entries); err != nil {
		return Block{}, err
	}
	b.options.Logger.Warn("address blocked", "address", BlockName(prefix), "until", entry.block.lasts(), "by", by)
	return entry.block, nil
}

// Remove lets a network in again.
// Errors: ErrNoBlock, or that of writing the file or of Share; as with Add.
func (b *Blocks) Remove(prefix netip.Prefix, by string) error {
	if b.options.Share != nil {
		return b.shareLifted(prefix, by)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	entries := b.currentLocked(b.options.Now())
	if entries[prefix] == nil {
		return ErrNoBlock
	}
	delete(entries, prefix)
	if err := b.replaceLocked(entries); err != nil {
		return err
	}
	b.options.Logger.Warn("address no longer blocked", "address", BlockName(prefix), "by", by)
	return nil
}

// List gives the blocks that hold, the newest first.
func (b *Blocks) List() []Block {
	now := b.options.Now()
	table := b.table.Load()
	list := make([]Block, 0, len(table.entries))
	for _, entry := range table.entries {
		if entry.block.ended(now) {
			continue
		}
		block := entry.block
		block.Refused = entry.refused.Load()
		list = append(list, block)
	}
	slices.SortFunc(list, func(x, y Block) int {
		return cmp.Or(y.CreatedAt.Compare(x.CreatedAt), x.Prefix.Addr().Compare(y.Prefix.Addr()), x.Prefix.Bits()-y.Prefix.Bits())
	})
	return list
}

// currentLocked copies the entries that still hold.
func (b *Blocks) currentLocked(now time.Time) map[netip.Prefix]*blockEntry {
	entries := make(map[netip.Prefix]*blockEntry)
	for prefix, entry := range b.table.Load().entries {
		if !entry.block.ended(now) {
			entries[prefix] = entry
		}
	}
	return entries
}

// replaceLocked stores entries before they hold.
func (b *Blocks) replaceLocked(entries map[netip.Prefix]*blockEntry) error {
	if err := b.store(entries); err != nil {
		return err
	}
	b.table.Store(newBlockTable(entries))
	return nil
}
