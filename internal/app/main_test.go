package app_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/casework"
	"gridgov/internal/feed"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

// clock goes on by a microsecond each time it is asked, as no two changes of a report happen at once, and leaps when the
// test says so.
type clock struct{ unixMicro atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.leap(at)
	return c
}

func (c *clock) now() time.Time { return time.UnixMicro(c.unixMicro.Add(1)).UTC() }

func (c *clock) leap(to time.Time) { c.unixMicro.Store(to.UnixMicro()) }

// open opens the test's city as another process would.
func open(t testing.TB, db *postgres.Database, now func() time.Time) *app.City {
	t.Helper()
	info, err := db.City(t.Context(), pgtest.CityCode)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, nil, apptest.Quiet(), now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// node opens the test's city through connections of its own and makes it live.
func node(t testing.TB, url string, now func() time.Time) *app.Live {
	t.Helper()
	db, err := postgres.Connect(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := open(t, db, now).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Stop(); db.Close() })
	return l
}

// random makes a report somewhere in the city or beside it.
func random(rng *rand.Rand) report.New {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], rng.Uint64())
	binary.BigEndian.PutUint64(id[8:], rng.Uint64())
	n := report.New{ID: report.ID(id), Source: report.Sources[rng.IntN(len(report.Sources))], Item: []string{"01", "02"}[rng.IntN(2)],
		CapturedAt: apptest.Now.Add(-time.Duration(rng.IntN(1e6)) * time.Second)}
	if k := rng.IntN(len(report.Kinds) + 1); k > 0 {
		n.Kind = report.Kinds[k-1]
	}
	if rng.IntN(10) == 0 {
		n.Address = "a place that no gazetteer has"
		return n
	}
	p := randomPoint(rng)
	n.X, n.Y = &p[0], &p[1]
	return n
}

func randomPoint(rng *rand.Rand) orb.Point {
	return orb.Point{apptest.West + (rng.Float64()*1.2-.1)*apptest.Side*apptest.Step, apptest.South + rng.Float64()*apptest.Side*apptest.Step}
}

// await polls until the condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// caughtUp waits until the cube holds what the feed holds now, and returns the feed's head.
func caughtUp(t testing.TB, l *app.Live) feed.ID {
	t.Helper()
	head, err := feed.Head(t.Context(), l.Pool)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := l.WaitApplied(ctx, head); err != nil {
		t.Fatalf("the cube is at %s, the feed at %s: %v", l.Applied(), head, err)
	}
	return head
}

// recount holds the cube against the tables, report by report, once nobody has written while it read both.
func recount(t testing.TB, l *app.Live) {
	t.Helper()
	for range 100 {
		head := caughtUp(t, l)
		faults := differences(t, l)
		if again := caughtUp(t, l); again == head {
			for _, f := range faults {
				t.Error(f)
			}
			return
		}
	}
	t.Fatal("the city does not come to rest")
}

// differences are those between the cube and the tables.
func differences(t testing.TB, l *app.Live) (faults []string) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	view, names := l.View(), l.Names()
	rows, err := l.Pool.Query(t.Context(), `
		SELECT r.num, r.lon, r.lat, floor(extract(epoch FROM r.captured_at))::bigint, r.item, coalesce(r.kind, ''), r.source, coalesce(p.grid, '')
		FROM report r JOIN placement p ON p.report_num = r.num`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all, nowhere := 0, 0
	for rows.Next() {
		var num uint32
		var lon, lat *float64
		var at int64
		var item, kind, source, grid string
		if err := rows.Scan(&num, &lon, &lat, &at, &item, &kind, &source, &grid); err != nil {
			t.Fatal(err)
		}
		all++
		got, ok := view.Get(num)
		if lon == nil {
			if nowhere++; ok {
				fault("report %d has no point and is in the cube", num)
			}
			continue
		}
		face := ""
		if int(got.Face) < len(names.Faces) {
			face = names.Grids[names.Faces[got.Face]]
		}
		if !ok || math.Abs(got.Lon-*lon) > 1e-7 || math.Abs(got.Lat-*lat) > 1e-7 || int64(got.At) != at || face != grid ||
			names.Names.Items[got.Item] != item || names.Kinds[got.Kind] != kind || names.Sources[got.Source] != source {
			fault("report %d: the cube has %+v (%v) in %q, SQL %v %v %d %s %s %s %q", num, got, ok, face, *lon, *lat, at, item, kind, source, grid)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	err = l.Cases.Fates(t.Context(), 0, math.MaxUint32, func(f *casework.Fate) {
		got, ok := view.Get(uint32(f.Report))
		if ok && (int(got.Crew) >= len(names.Crews) || names.Crews[got.Crew].Lead != f.Lead || !slices.Equal(names.Crews[got.Crew].Others, f.Others) ||
			int(got.State) != f.State.Number() || int(got.End) != f.SettledBy.Number() || int64(got.Amber) != f.AmberAt || int64(got.Due) != f.DueAt) {
			fault("report %d: the cube has %+v of its case, SQL %+v", f.Report, got, *f)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if view.Len() != all-nowhere {
		fault("the cube holds %d reports, SQL %d", view.Len(), all-nowhere)
	}
	total, without, err := l.Totals(t.Context())
	if err != nil || total != all || without != nowhere {
		fault("totals are %d and %d, want %d and %d: %v", total, without, all, nowhere, err)
	}
	return faults
}

// misplaced counts the reports whose answer is not PostGIS's under the plan in force. What lies outside and was given to
// the nearest grid is no matter of containment.
func misplaced(t testing.TB, c *app.City) (n int) {
	t.Helper()
	err := c.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM report r JOIN placement p ON p.report_num = r.num
		WHERE r.lon IS NOT NULL AND (p.distance_m IS NULL OR p.method = 'unplaced') AND p.grid IS DISTINCT FROM (
			SELECT b.code FROM boundary b
			WHERE b.role = 'grid' AND ST_Covers(b.geom, ST_Point(r.lon, r.lat, 4490))
				AND b.plan_id = (SELECT id FROM plan WHERE state = 'published' AND in_force_from <= $1 ORDER BY in_force_from DESC LIMIT 1)
			ORDER BY b.code COLLATE "C" LIMIT 1)`, c.Reports.Now()).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
