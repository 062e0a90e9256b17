package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"gridgov/internal/app/apptest"
	"gridgov/internal/soak"
)

// The service and its database are killed again and again while reports pour in, twenty times, or two hundred with
// GRIDGOV_SOAK=1. What was acknowledged must be there, once and placed; what was never sent must not; the feed must have
// no hole and have reached who followed it, event by event; and the map of the service that comes up at last must equal
// a recount by SQL.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	kills := soak.Or(20, 200)
	const seed, writers = 1, 8
	s := newService(t)
	s.start()
	s.makeCity()

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := newSender(s), &watcher{service: s, last: "1-0"}
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() { out.write(ctx, rand.New(rand.NewPCG(seed, uint64(w)))) })
	}
	work.Go(func() { in.watch(ctx) })

	rng := rand.New(rand.NewPCG(seed, 1000))
	restart := func() { s.kill(); s.start() }
	ways := []struct {
		name string
		kill func()
	}{
		{"service", restart},
		{"database", s.killDatabase},
		{"postmaster", s.killPostmaster},
		{"immediate", s.immediate},
		{"session", func() {
			if list := sessions(s.postmaster()); len(list) > 0 {
				_ = syscall.Kill(list[rng.IntN(len(list))], syscall.SIGKILL) // may be gone
			}
		}},
		{"database and service", func() { s.killDatabase(); restart() }},
		{"service and database", func() { s.kill(); s.killDatabase(); s.start() }},
	}
	for i := range kills {
		if !out.awaitMore(ctx, 1+rng.IntN(60)) {
			t.Fatal("no more reports are acknowledged")
		}
		way := ways[rng.IntN(len(ways))]
		if i < len(ways) {
			way = ways[i] // each at least once
		}
		t.Logf("kill %d: %s", i+1, way.name)
		way.kill()
	}
	out.awaitMore(ctx, 20)
	stop()
	work.Wait()
	for _, w := range out.wrong {
		t.Errorf("an answer that must not be: %s", w)
	}
	s.kill()
	s.start()
	check(t, s, out, in)
}

// check holds what is there against what was sent and acknowledged.
func check(t *testing.T, s *service, out *sender, in *watcher) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, s.status().URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `SET search_path = crash, public`); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(ctx, `SELECT id::text, num, item, lon, lat FROM report WHERE source <> 'import'`)
	if err != nil {
		t.Fatal(err)
	}
	points := []orb.Point{apptest.Center(0, 0), apptest.Center(0, 0)} // the two imported at first
	items := map[string]int{"01": 1, "02": 1}
	kept := map[string]int{}
	var id, item string
	var num int
	var p orb.Point
	if _, err := pgx.ForEachRow(rows, []any{&id, &num, &item, &p[0], &p[1]}, func() error {
		if !out.sent[id] {
			t.Errorf("report %s was never sent", id)
		}
		kept[id], points = num, append(points, p)
		items[item]++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, num := range out.acked {
		if kept[id] != num {
			t.Errorf("report %s was acknowledged as %d and is %d", id, num, kept[id])
		}
	}
	t.Logf("%d sent, %d acknowledged, %d kept, %d events", len(out.sent), len(out.acked), len(kept), len(in.seen))
	one := func(want int, what, sql string) {
		t.Helper()
		var got int
		if err := conn.QueryRow(ctx, sql).Scan(&got); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	one(0, "reports without placement or reporter", `SELECT count(*) FROM report r LEFT JOIN placement p ON p.report_num = r.num
		LEFT JOIN reporter w ON w.report_num = r.num WHERE p.method IS NULL OR (w.contact_id IS NULL) <> (r.source = 'import')`)
	one(0, "reports in another grid than PostGIS says", `
		SELECT count(*) FROM report r JOIN placement p ON p.report_num = r.num
		WHERE p.method <> 'nearest' AND p.grid IS DISTINCT FROM (
			SELECT b.code FROM boundary b WHERE b.role = 'grid' AND ST_Covers(b.geom, ST_Point(r.lon, r.lat, 4490)) ORDER BY b.code LIMIT 1)`)
	one(len(kept), "cases of reports", `SELECT count(*) FROM report r JOIN cases c ON c.report_num = r.num AND c.part = 0 AND c.due_at IS NOT NULL
		AND EXISTS (SELECT FROM clock k WHERE k.report_num = r.num AND k.due_at = c.due_at) WHERE r.source <> 'import'`)
	one(0, "reports without a case", `SELECT count(*) FROM report r WHERE NOT EXISTS (SELECT FROM cases c WHERE c.report_num = r.num)`)
	var head, events, filed int
	if err := conn.QueryRow(ctx, `SELECT f.seq, e.n, e.filed FROM feed f, (SELECT count(*) AS n,
		count(DISTINCT data ->> 'num') FILTER (WHERE type = 'report.filed') AS filed FROM event) e`).Scan(&head, &events, &filed); err != nil {
		t.Fatal(err)
	}
	if head != events || filed != len(kept) {
		t.Errorf("the feed's head is %d with %d events, %d reports of %d are filed in it", head, events, filed, len(kept))
	}
	one(0, "reports whose event names another number", `SELECT count(*) FROM event e WHERE e.type = 'report.filed'
		AND NOT EXISTS (SELECT FROM report r WHERE r.num = (e.data ->> 'num')::bigint AND r.id::text = e.data ->> 'id')`)
	one(filed, "reports filed in the feed more than once", `SELECT count(*) FROM event WHERE type = 'report.filed'`)
	one(filed, "acts of filing on record", `SELECT count(*) FROM audit WHERE act = 'report.file'`)
	one(filed, "reports that are on record as filed", `SELECT count(DISTINCT r.num) FROM report r JOIN audit a ON a.act = 'report.file' AND a.subject = 'report:' || r.num`)
	s.run("", "audit", "verify", "--city", "crash", "--anchor", filepath.Join(s.data, "anchors")) // of each start, too

	await(t, "the service that was started again has the city", func() bool { status, _ := s.fetch("/crash/v1/"); return status == http.StatusOK })
	in.until(ctx, head)
	for i, seq := range in.seen {
		if seq != i+1 {
			t.Fatalf("the follower saw event %d where %d was due", seq, i+1)
		}
	}
	if len(in.seen) != head || in.resets > 0 {
		t.Errorf("the follower saw %d events of %d, and %d resets", len(in.seen), head, in.resets)
	}
	var counts struct {
		All    int            `json:"all"`
		ByItem map[string]int `json:"by_item"`
	}
	s.get("/crash/v1/counts", &counts)
	if counts.All != len(points) || !maps.Equal(counts.ByItem, items) {
		t.Errorf("the service counts %d reports, %v; SQL %d, %v", counts.All, counts.ByItem, len(points), items)
	}
	checkHeat(t, s, points)
}

// checkHeat holds every tile of a low zoom, and every one of a high zoom that holds a report or lies beside one that
// does, against the points.
func checkHeat(t *testing.T, s *service, points []orb.Point) {
	t.Helper()
	for _, z := range []maptile.Zoom{3, 13} {
		want := map[maptile.Tile]int{}
		for _, p := range points {
			want[maptile.At(p, z)]++
		}
		ask := map[maptile.Tile]bool{}
		for tile := range want {
			for dx := -1; dx <= 1; dx++ {
				for dy := -1; dy <= 1; dy++ {
					ask[maptile.New(uint32(int(tile.X)+dx), uint32(int(tile.Y)+dy), z)] = true
				}
			}
		}
		for x := range uint32(8) {
			for y := range uint32(8) {
				if z == 3 {
					ask[maptile.New(x, y, z)] = true
				}
			}
		}
		for tile := range ask {
			if got := heat(t, s, tile); got != want[tile] {
				t.Errorf("tile %d/%d/%d counts %d reports, SQL %d", z, tile.X, tile.Y, got, want[tile])
			}
		}
	}
}

func heat(t *testing.T, s *service, tile maptile.Tile) (sum int) {
	t.Helper()
	status, body := s.fetch(fmt.Sprintf("/crash/v1/tiles/heat/%d/%d/%d", tile.Z, tile.X, tile.Y))
	if status == http.StatusNoContent {
		return 0
	}
	if status != http.StatusOK {
		t.Fatalf("tile %v: %d %s", tile, status, body)
	}
	layers, err := mvt.Unmarshal(body)
	if err != nil {
		t.Fatalf("tile %v: %v", tile, err)
	}
	for _, l := range layers {
		for _, f := range l.Features {
			n, ok := f.Properties["count"].(float64)
			if !ok {
				t.Fatalf("tile %v: a count is %v", tile, f.Properties["count"])
			}
			sum += int(n)
		}
	}
	return sum
}
