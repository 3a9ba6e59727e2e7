package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// maxBlocksFile is more than maxBlocks blocks need.
const maxBlocksFile = 4 << 20

// storedBlock is a block in the file, which people may read and edit while no server runs.
type storedBlock struct {
	Address   string     `json:"address"`
	Until     *time.Time `json:"until"`
	By        string     `json:"by"`
	CreatedAt time.Time  `json:"createdAt"`
}

func (b *Blocks) load() map[netip.Prefix]*blockEntry {
	entries := make(map[netip.Prefix]*blockEntry)
	if b.options.File == "" {
		return entries
	}
	stored, err := readBlocks(b.options.File)
	if errors.Is(err, fs.ErrNotExist) {
		return entries
	}
	if err == nil {
		err = enter(entries, stored, b.options.Now())
	}
	if err != nil {
		aside := b.options.File + ".broken"
		b.options.Logger.Error("the list of blocked addresses cannot be read: nobody is blocked", "error", err,
			"aside", aside, "rename", os.Rename(b.options.File, aside))
		return make(map[netip.Prefix]*blockEntry)
	}
	return entries
}

func readBlocks(name string) ([]storedBlock, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a named pipe would be waited for
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	if info.Size() > maxBlocksFile {
		return nil, fmt.Errorf("%s has %d bytes", name, info.Size())
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var stored []storedBlock
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	return stored, decoder.Decode(&stored)
}

func enter(entries map[netip.Prefix]*blockEntry, stored []storedBlock, now time.Time) error {
	if len(stored) > maxBlocks {
		return ErrTooManyBlocks
	}
	for i := range stored {
		block, err := stored[i].block()
		if err != nil {
			return err
		}
		if !block.ended(now) {
			entries[block.Prefix] = &blockEntry{block: block}
		}
	}
	return nil
}

func (s *storedBlock) block() (Block, error) {
	prefix, err := ParseBlock(s.Address)
	if err != nil {
		return Block{}, err
	}
	block := Block{Prefix: prefix, By: s.By, CreatedAt: s.CreatedAt}
	if s.Until != nil {
		block.Until = *s.Until
	}
	return block, nil
}

func (b *Block) stored() storedBlock {
	stored := storedBlock{Address: BlockName(b.Prefix), By: b.By, CreatedAt: b.CreatedAt}
	if !b.Until.IsZero() {
		stored.Until = &b.Until
	}
	return stored
}

func (b *Blocks) store(entries map[netip.Prefix]*blockEntry) error {
	if b.options.File == "" {
		return nil
	}
	stored := make([]storedBlock, 0, len(entries))
	for _, entry := range entries {
		stored = append(stored, entry.block.stored())
	}
	content, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the blocked addresses: %w", err)
	}
	if err := renameio.WriteFile(b.options.File, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("keeping the blocked addresses: %w", err)
	}
	return nil
}
