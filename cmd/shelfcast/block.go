package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/shelfcast/shelfcast/internal/guard"
	"github.com/shelfcast/shelfcast/internal/httpapi"
)

type blockCommand struct {
	Address string `arg:"" optional:"" help:"An address, or a CIDR such as 192.0.2.0/24. Without it, the blocks are listed."`
	For     string `help:"How long, such as 30m or 24h; without it, until it is lifted." placeholder:"TIME"`
	Force   bool   `help:"Block even more than one part in 256 of all addresses, or a trusted proxy. This command works all the same: it comes by the data directory."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// Run blocks through the running server, which cuts what is open from there. Without one, the
// block holds from the next start on; in a cluster at once, on every node that runs.
func (c blockCommand) Run(ctx context.Context, p *process, s *Settings) error {
	if c.Address == "" {
		return c.list(ctx, p, s)
	}
	network, lasting, err := readBlock(c.Address, c.For)
	if err != nil {
		return err
	}
	var block httpapi.Block
	query := url.Values{"address": {guard.BlockName(network)}, "for": {c.For}, "force": {strconv.FormatBool(c.Force)}}
	err = askServer(ctx, s, http.MethodPost, "/blocks", query, nil, &block)
	if errors.Is(err, errNoServer) {
		err = withBlocks(ctx, p, s, func(blocks *guard.Blocks) error {
			made, err := blocks.Add(network, lasting, operator().UserID, c.Force)
			block = shownBlock(made)
			return hintForce(err)
		})
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(p.stdout, block)
	}
	_, err = fmt.Fprintf(p.stdout, "%s is blocked %s\n", block.Address, lastsUntil(&block))
	return err
}

func (c blockCommand) list(ctx context.Context, p *process, s *Settings) error {
	if c.For != "" || c.Force {
		return errors.New("which address is to be blocked?")
	}
	blocks := []httpapi.Block{}
	err := askServer(ctx, s, http.MethodGet, "/blocks", nil, nil, &blocks)
	if errors.Is(err, errNoServer) {
		err = withBlocks(ctx, p, s, func(stored *guard.Blocks) error {
			for _, block := range stored.List() {
				blocks = append(blocks, shownBlock(block))
			}
			return nil
		})
	}
	switch {
	case err != nil:
		return err
	case c.JSON:
		return printJSON(p.stdout, blocks)
	case len(blocks) == 0:
		_, err := fmt.Fprintln(p.stdout, "no address is blocked")
		return err
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ADDRESS\tUNTIL\tREFUSED\tSINCE\tBY")
	for _, block := range blocks {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", block.Address, lastsUntil(&block), block.Refused,
			block.CreatedAt.Local().Format(time.DateTime), quoted(block.By))
	}
	return table.Flush()
}

type unblockCommand struct {
	Address string `arg:"" help:"As the list of blocks has it."`
}

// Run lifts a block, in the running server, in the cluster, or for the next server.
func (c unblockCommand) Run(ctx context.Context, p *process, s *Settings) error {
	network, err := guard.ParseBlock(c.Address)
	if err != nil {
		return err
	}
	err = askServer(ctx, s, http.MethodDelete, "/blocks", url.Values{"address": {guard.BlockName(network)}}, nil, &struct{}{})
	if errors.Is(err, errNoServer) {
		err = withBlocks(ctx, p, s, func(blocks *guard.Blocks) error { return blocks.Remove(network, operator().UserID) })
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is no longer blocked\n", guard.BlockName(network))
	return err
}

func readBlock(address, lasts string) (netip.Prefix, time.Duration, error) {
	network, err := guard.ParseBlock(address)
	if err != nil {
		return network, 0, err
	}
	lasting, err := httpapi.ParseLasting(lasts)
	if err != nil {
		return network, 0, fmt.Errorf("--for %w", err)
	}
	return network, lasting, nil
}

// hintForce tells an operator of the way around.
func hintForce(err error) error {
	if errors.Is(err, guard.ErrTooWide) || errors.Is(err, guard.ErrProxy) {
		return fmt.Errorf("%w; --force blocks it all the same", err)
	}
	return err
}

func lastsUntil(block *httpapi.Block) string {
	if block.Until == nil {
		return "until it is lifted"
	}
	return "until " + block.Until.Local().Format(time.DateTime)
}
