// Package apptest gives tests a small city at work on a real database: one town of four villages of four square grids.
package apptest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/blob"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/keyring"
	"gridgov/internal/photo"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// The city's extent: 4 × 4 grids of Step degrees from the south-west corner.
const (
	West  = 120.6
	South = 30.5
	Step  = 0.01
	Side  = 4
)

// Now is the time at which the city's clock stands.
var Now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// Clock is the city's clock.
func Clock() time.Time { return Now }

// Quiet is a logger for tests that look at no log.
func Quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// VillageCode is the code of the village in column vx, row vy (0 or 1) from the south-west.
func VillageCode(vx, vy int) string { return fmt.Sprintf("33048110100%d", 1+vx+2*vy) }

// GridCode is the code of the grid in column x, row y (0 to 3) from the south-west: a serial in its village.
func GridCode(x, y int) string {
	return fmt.Sprintf("%s%03d", VillageCode(x/2, y/2), 1+x%2+2*(y%2))
}

// Center is the middle of a grid.
func Center(x, y int) orb.Point {
	return orb.Point{West + (float64(x)+.5)*Step, South + (float64(y)+.5)*Step}
}

// box is the rectangle of cells [x0, x1) × [y0, y1), with a vertex at each cell's corner, so that neighbours share theirs.
func box(x0, y0, x1, y1 int, shift float64) orb.MultiPolygon {
	at := func(x, y int) orb.Point {
		p := orb.Point{West + float64(x)*Step, South + float64(y)*Step}
		if x > 0 && x < Side && y > 0 && y < Side {
			p[0] += shift
		}
		return p
	}
	var ring orb.Ring
	for x := x0; x < x1; x++ {
		ring = append(ring, at(x, y0))
	}
	for y := y0; y < y1; y++ {
		ring = append(ring, at(x1, y))
	}
	for x := x1; x > x0; x-- {
		ring = append(ring, at(x, y1))
	}
	for y := y1; y > y0; y-- {
		ring = append(ring, at(x0, y))
	}
	return orb.MultiPolygon{{append(ring, ring[0])}}
}

// Faces are the faces of a level; shift moves all inner corners east by so many degrees.
func Faces(role jurisdiction.Role, shift float64) []jurisdiction.Face {
	var out []jurisdiction.Face
	switch role {
	case jurisdiction.RoleCity:
		out = append(out, jurisdiction.Face{Code: "330481", Name: "海宁市", NameLatin: "Haining", Shape: box(0, 0, Side, Side, shift)})
	case jurisdiction.RoleTown:
		out = append(out, jurisdiction.Face{Code: "330481101", Name: "许村镇", NameLatin: "Xucun Town", Parent: "330481", Shape: box(0, 0, Side, Side, shift)})
	case jurisdiction.RoleVillage:
		for vy := range 2 {
			for vx := range 2 {
				out = append(out, jurisdiction.Face{Code: VillageCode(vx, vy), Name: fmt.Sprintf("村%d%d", vx, vy), Parent: "330481101",
					Shape: box(2*vx, 2*vy, 2*vx+2, 2*vy+2, shift)})
			}
		}
	case jurisdiction.RoleGrid:
		for y := range Side {
			for x := range Side {
				out = append(out, jurisdiction.Face{Code: GridCode(x, y), Name: fmt.Sprintf("网格%d%d", x, y), Parent: VillageCode(x/2, y/2),
					Households: new(400), Shape: box(x, y, x+1, y+1, shift)})
			}
		}
	}
	for i := range out {
		out[i].Line = i + 1
	}
	return out
}

// Roles are the levels the city has boundaries of, top first.
var Roles = []jurisdiction.Role{jurisdiction.RoleCity, jurisdiction.RoleTown, jurisdiction.RoleVillage, jurisdiction.RoleGrid}

// Draft imports a plan's levels.
func Draft(t testing.TB, c *app.City, plan string, shift float64) {
	t.Helper()
	for i, role := range Roles {
		level, err := c.Plans.Level(string(role))
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: plan, Level: level, File: "made", Faces: Faces(role, shift), WithParent: i > 0})
		if err != nil {
			t.Fatalf("level %s: %v", role, err)
		}
		if len(out.Findings) > 0 || len(out.Rejects) > 0 {
			t.Fatalf("level %s: %+v %v", role, out.Findings, out.Rejects)
		}
	}
}

// Ring makes a key file of the test's own.
func Ring(t testing.TB) *keyring.Ring {
	t.Helper()
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// City opens the test database's city with two items (01 and 02), keys and no plan.
func City(t testing.TB) (*postgres.Database, *app.City) {
	t.Helper()
	db, info := pgtest.Database(t)
	c, err := app.Open(t.Context(), db, info, Ring(t), Quiet(), Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	items := []report.Item{{Code: "01", Name: "露天焚烧", NameEN: "Open burning"}, {Code: "02", Name: "河道倾倒", NameEN: "River dumping"}}
	if err := c.Reports.SetItems(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	return db, c
}

// Publish drafts and publishes a plan, and makes it the one at hand.
func Publish(t testing.TB, c *app.City, plan string, shift float64, from time.Time) jurisdiction.Plan {
	t.Helper()
	Draft(t, c, plan, shift)
	p, err := c.Plans.Publish(t.Context(), plan, from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// Server serves the city with a plan in force since a year, and is ready.
func Server(t testing.TB) (*app.Server, *app.Live) { return ServerAt(t, Clock) }

// ServerAt is Server by another clock.
func ServerAt(t testing.TB, clock func() time.Time) (*app.Server, *app.Live) {
	t.Helper()
	db, c := City(t)
	Publish(t, c, "first", 0, Now.AddDate(-1, 0, 0))
	return serve(t, db, c, clock)
}

func serve(t testing.TB, db *postgres.Database, c *app.City, clock func() time.Time) (*app.Server, *app.Live) {
	t.Helper()
	s := app.NewServer(db, c.Contacts.Ring, Quiet(), clock)
	photos, err := blob.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.PhotosIn(photos, photo.NewWorkshop(photo.DefaultMemory))
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
	deadline := time.Now().Add(30 * time.Second)
	for s.Ready() != nil {
		if time.Now().After(deadline) {
			t.Fatal(s.Ready())
		}
		time.Sleep(5 * time.Millisecond) // polls a condition
	}
	live, _ := s.City(c.Code)
	return s, live
}
