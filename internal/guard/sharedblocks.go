package guard

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// sharedBlock is what nodes share about an address: that it is blocked, or that it no longer is.
type sharedBlock struct {
	storedBlock
	Lifted bool `json:"lifted,omitempty"`
}

func (b *Blocks) share(block *Block) error {
	table := b.table.Load()
	if len(table.entries) >= maxBlocks && table.entries[block.Prefix] == nil {
		return ErrTooManyBlocks
	}
	return b.say(&sharedBlock{storedBlock: block.stored()})
}

func (b *Blocks) shareLifted(prefix netip.Prefix, by string) error {
	now := b.options.Now()
	entry := b.table.Load().entries[prefix]
	if entry == nil || entry.block.ended(now) {
		return ErrNoBlock
	}
	lifted := Block{Prefix: prefix, By: by, CreatedAt: now.UTC()}
	return b.say(&sharedBlock{storedBlock: lifted.stored(), Lifted: true})
}

func (b *Blocks) say(block *sharedBlock) error {
	content, err := json.Marshal(block)
	if err != nil {
		return fmt.Errorf("encoding a block: %w", err)
	}
	if err := b.options.Share(block.Address, content); err != nil {
		return fmt.Errorf("sharing a block with the other nodes: %w", err)
	}
	return nil
}

// Gather lets hold at once, when it returns, what follow and others hand to Take while it runs: a
// table for each of ten thousand blocks would be ten thousand copies. What follow has handed over
// before it failed holds too. follow must not share, and only one Gather may run at a time.
func (b *Blocks) Gather(follow func() error) error {
	b.mu.Lock()
	b.gathered = b.currentLocked(b.options.Now())
	b.mu.Unlock()
	err := follow()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.table.Store(newBlockTable(b.gathered))
	b.gathered = nil
	return err
}

// Take lets hold what a node has shared. Of one address the calls must come in the order of their
// sharing. When somebody is blocked who was not, or for another time, it gives the network. What
// makes no sense is logged and changes nothing.
func (b *Blocks) Take(shared []byte) (blocked netip.Prefix, isNew bool) {
	var told sharedBlock
	err := json.Unmarshal(shared, &told)
	block := Block{}
	if err == nil {
		block, err = told.block()
	}
	if err != nil {
		b.options.Logger.Error("what another node has shared about a blocked address cannot be read", "error", err)
		return netip.Prefix{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.options.Now()
	entries := b.gathered
	if entries == nil {
		entries = b.currentLocked(now)
	}
	before := entries[block.Prefix]
	switch {
	case told.Lifted || block.ended(now):
		if before == nil {
			return netip.Prefix{}, false
		}
		delete(entries, block.Prefix)
		b.options.Logger.Warn("address no longer blocked", "address", BlockName(block.Prefix), "by", block.By)
	case before == nil && len(entries) >= maxBlocks:
		b.options.Logger.Error("an address is not blocked", "address", BlockName(block.Prefix), "error", ErrTooManyBlocks)
		return netip.Prefix{}, false
	default:
		entry := &blockEntry{block: block}
		if before != nil {
			entry.refused.Store(before.refused.Load())
		}
		entries[block.Prefix] = entry
		blocked, isNew = block.Prefix, true
		b.options.Logger.Warn("address blocked", "address", BlockName(block.Prefix), "until", block.Until, "by", block.By)
	}
	if b.gathered == nil {
		b.table.Store(newBlockTable(entries))
	}
	return blocked, isNew
}
