package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/fault"
)

// readItems finds out, once, which items there are.
func (im *importer) readItems(ctx context.Context) error {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.items != nil {
		return nil
	}
	rows, err := im.Pool.Query(ctx, `SELECT code FROM item ORDER BY code`)
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read items: %w", err)
	}
	im.items, im.claimed = map[string]bool{}, map[string]bool{}
	for _, c := range list {
		im.items[c] = true
	}
	return nil
}

// itemNames are the names that rows give their items, the first one of each.
func itemNames(rows []Row) map[string]string {
	names := map[string]string{}
	for _, r := range rows {
		if c := r.New.Item; names[c] == "" && checkText("item", r.ItemName, 200, false) == nil {
			names[c] = r.ItemName
		}
	}
	return names
}

// claim returns the codes of the rows' items that are to be created, in order.
func (im *importer) claim(rows []readyRow) ([]string, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	missing := map[string]bool{}
	for _, r := range rows {
		if im.items[r.Item] {
			continue
		}
		missing[r.Item] = true
		if !im.claimed[r.Item] && len(im.claimed) == maxNewItems {
			return nil, fault.Invalid("item", "too_many_items", "%q would be new item number %d of this import: map item to the column of the items' codes, or import in parts",
				clip(r.Item), maxNewItems+1).AtLine(r.line)
		}
		im.claimed[r.Item] = true
	}
	return slices.Sorted(maps.Keys(missing)), nil
}

// createItems creates those of the items that are not there.
func createItems(ctx context.Context, tx pgx.Tx, codes []string, names map[string]string) error {
	if len(codes) == 0 {
		return nil
	}
	b := &pgx.Batch{}
	for _, c := range codes {
		// Asked first, as a conflict too would use up a number.
		b.Queue(`
			INSERT INTO item (code, name) SELECT $1::text, $2::text WHERE NOT EXISTS (SELECT FROM item WHERE code = $1::text)
			ON CONFLICT (code) DO NOTHING`, c, cmp.Or(names[c], c))
	}
	return itemsFull(tx.SendBatch(ctx, b).Close())
}

func (im *importer) created(codes []string) {
	im.mu.Lock()
	defer im.mu.Unlock()
	for _, c := range codes {
		im.items[c] = true
	}
}

func (im *importer) known(item string) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	return im.items[item]
}
