package tiles

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/cube"
	"gridgov/internal/postgres/pgtest"
)

// A tile of cases has those that SQL finds by PostGIS's own envelope of the tile, each with state, unit, colour and due as SQL says them.
func TestCasesAgreeWithSQL(t *testing.T) {
	ctx := context.Background()
	pool := pgtest.New(t)
	const now = 1_750_000_000
	words := *names
	words.States, words.Units = []string{"", "reported", "dispatched", "closed"}, []int64{7, 300, 7}
	rng := rand.New(rand.NewPCG(12, 0))
	rows := sample(11, 20_000)
	for i := range rows {
		r := &rows[i]
		r.State, r.Crew = uint8(rng.IntN(4)), cube.CrewNone
		if r.State > 0 {
			r.Crew = uint32(rng.IntN(3))
		}
		if r.State > 0 && rng.IntN(3) > 0 {
			r.Due = now - 50 + rng.Uint32N(100)
			r.Amber = r.Due - rng.Uint32N(30)
		}
		if rng.IntN(20) == 0 {
			r.Amber = 0
		}
	}
	if _, err := pool.Exec(ctx, `CREATE TABLE kept (num bigint PRIMARY KEY, lon double precision, lat double precision, item text, state text, unit bigint, amber bigint, due bigint)`); err != nil {
		t.Fatal(err)
	}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"kept"}, []string{"num", "lon", "lat", "item", "state", "unit", "amber", "due"}, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := rows[i]
		row := []any{int64(r.Num), r.Lon, r.Lat, nil, words.States[r.State], nil, nil, nil}
		if int(r.Item) < len(words.Items) {
			row[3] = words.Items[r.Item]
		}
		if r.Crew != cube.CrewNone {
			row[5] = words.Units[r.Crew]
		}
		if r.Amber != 0 {
			row[6] = int64(r.Amber)
		}
		if r.Due != 0 {
			row[7] = int64(r.Due)
		}
		return row, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	view := load(rows)
	var m Maker
	x, y := cellOf(rows[1], 12)
	for _, a := range []Address{{12, x / 64, y / 64}, {8, x / 64 >> 4, y / 64 >> 4}} {
		for name, tc := range map[string]struct {
			f     cube.Filter
			where string
		}{
			"all":            {cube.Filter{}, `state <> ''`},
			"not opened":     {cube.Filter{States: 1}, `state <> ''`},
			"open":           {cube.Filter{States: 0b110}, `state IN ('reported', 'dispatched')`},
			"overdue":        {cube.Filter{Clocks: cube.Red}, `state <> '' AND due < 1750000000`},
			"amber or green": {cube.Filter{Clocks: cube.Amber | cube.Green}, `state <> '' AND due >= 1750000000`},
			"of an item":     {cube.Filter{Items: []uint16{1}}, `state <> '' AND item = '02'`},
		} {
			tc.f.Now = now
			tile, truncated := m.Cases(nil, view, a, tc.f, &words)
			if truncated {
				t.Fatal("the tile is thinned")
			}
			drawn := map[int64]*tileFeature{}
			for _, f := range decodeLayers(t, tile)["cases"].features {
				drawn[int64(f.id)] = &f
			}
			found, err := pool.Query(ctx, `
				WITH tile AS (SELECT ST_Transform(ST_TileEnvelope($1, $2, $3), 4326) AS box)
				SELECT num, coalesce(item, ''), state, coalesce(unit, 0), coalesce(due, 0),
					CASE WHEN due IS NULL THEN 'none' WHEN due < 1750000000 THEN 'red' WHEN amber <= 1750000000 THEN 'amber' ELSE 'green' END
				FROM kept, tile
				WHERE lon >= ST_XMin(box) AND lon < ST_XMax(box) AND lat > ST_YMin(box) AND lat <= ST_YMax(box) AND `+tc.where, int32(a.Z), int32(a.X), int32(a.Y))
			if err != nil {
				t.Fatal(err)
			}
			var num, unit, due int64
			var item, state, colour string
			n := len(drawn)
			_, err = pgx.ForEachRow(found, []any{&num, &item, &state, &unit, &due, &colour}, func() error {
				want := map[string]any{"state": state, "unit": uint64(unit), "colour": colour}
				if item != "" {
					want["item"] = item
				}
				if due != 0 {
					want["due"] = uint64(due)
				}
				f := drawn[num]
				if f == nil || f.kind != typePoint || len(f.properties) != len(want) {
					t.Fatalf("%s at zoom %d: case %d is drawn as %+v, want %v", name, a.Z, num, f, want)
				}
				for key, value := range want {
					if f.properties[key] != value {
						t.Fatalf("%s: case %d: %s is %v, want %v", name, num, key, f.properties[key], value)
					}
				}
				delete(drawn, num)
				return nil
			})
			if err != nil || len(drawn) > 0 || n < 30 {
				t.Errorf("%s at zoom %d: of %d drawn SQL does not have %d, %v", name, a.Z, n, len(drawn), err)
			}
		}
	}
	if tile, _ := m.Cases(nil, view, Address{MinCaseZoom - 1, 0, 0}, cube.Filter{}, &words); len(tile) > 0 {
		t.Error("cases are drawn further out than is said")
	}
}
