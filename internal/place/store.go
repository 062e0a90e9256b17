package place

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
)

// Check validates an entry's words; its point is checked by crs.
func (e *Entry) Check() *fault.Error {
	if len(e.Code) > 64 || !utf8.ValidString(e.Code) || strings.IndexFunc(e.Code, unicode.IsControl) >= 0 {
		return fault.Invalid("code", "bad_code", "is longer than 64 bytes or holds a control character")
	}
	for i, name := range append([]string{e.Name}, e.Aliases...) {
		field := "name"
		if i > 0 {
			field = "aliases"
		}
		switch {
		case strings.TrimSpace(name) == "":
			return fault.Invalid(field, "required", "is empty: a place needs a name")
		case !utf8.ValidString(name):
			return fault.Invalid(field, "bad_encoding", "is not UTF-8")
		case utf8.RuneCountInString(name) > 200:
			return fault.Invalid(field, "too_long", "has more than 200 characters")
		case strings.IndexFunc(name, unicode.IsControl) >= 0:
			return fault.Invalid(field, "control_character", "holds a control character: remove it")
		}
	}
	return nil
}

// Load reads a city's gazetteer.
func Load(ctx context.Context, pool *pgxpool.Pool) ([]Entry, error) {
	rows, err := pool.Query(ctx, `SELECT coalesce(code, ''), name, aliases, kind, lon, lat FROM place ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Entry, error) {
		var e Entry
		err := row.Scan(&e.Code, &e.Name, &e.Aliases, &e.Kind, &e.Lon, &e.Lat)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("read places: %w", err)
	}
	return entries, nil
}

// Save adds places, and gives those that are there (same name, same point) the code, aliases and kind that came; it returns how
// many were new or changed. All go in or none.
func Save(ctx context.Context, pool *pgxpool.Pool, w *feed.Writer, at time.Time, entries []Entry) (changed int64, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		changed = 0
		b := &pgx.Batch{}
		for _, e := range entries {
			aliases := e.Aliases
			if aliases == nil {
				aliases = []string{}
			}
			b.Queue(`
				INSERT INTO place (code, name, aliases, kind, lon, lat) VALUES (nullif($1, ''), $2, $3, $4, $5, $6)
				ON CONFLICT (name, lon, lat) DO UPDATE SET code = excluded.code, aliases = excluded.aliases, kind = excluded.kind
				WHERE place.code IS DISTINCT FROM excluded.code OR place.aliases <> excluded.aliases OR place.kind <> excluded.kind`,
				e.Code, e.Name, aliases, e.Kind, e.Lon, e.Lat).Exec(func(tag pgconn.CommandTag) error {
				changed += tag.RowsAffected()
				return nil
			})
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil || changed == 0 {
			return err
		}
		_, err := w.Append(ctx, tx, at, []feed.Event{{Type: feed.CityChanged, Data: feed.Changed{What: "places"}}},
			audit.Record{Act: "places.import", Subject: "places", After: map[string]any{"changed": changed}})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("save places: %w", err)
	}
	return changed, nil
}
