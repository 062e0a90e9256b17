package tilebench

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/coverage"
	"gridgov/internal/postgres/pgtest"
	"gridgov/tiles"
)

// lattice is a city of n × n grids with crooked sides, and the villages of 4 × 4 of them.
func lattice(t *testing.T, n int) []tiles.Level {
	t.Helper()
	const west, south, step, parts = 120.40, 30.30, 0.008, 8
	at := func(i, j int) orb.Point { // a lattice finer by parts; only its lines are used
		x, y := float64(i)/parts, float64(j)/parts
		return orb.Point{west + step*(x+0.2*math.Sin(3.1*y+x)), south + step*(y+0.2*math.Sin(2.7*x-y))}
	}
	var polygons []coverage.Polygon
	for i := range n {
		for j := range n {
			var ring orb.Ring
			for k := range parts {
				ring = append(ring, at(i*parts+k, j*parts))
			}
			for k := range parts {
				ring = append(ring, at((i+1)*parts, j*parts+k))
			}
			for k := range parts {
				ring = append(ring, at((i+1)*parts-k, (j+1)*parts))
			}
			for k := range parts {
				ring = append(ring, at(i*parts, (j+1)*parts-k))
			}
			polygons = append(polygons, coverage.Polygon{Code: fmt.Sprintf("%02d%02d-%02d%02d", i/4, j/4, i, j), Shape: orb.MultiPolygon{{append(ring, ring[0])}}})
		}
	}
	grids, err := coverage.FromFaces(polygons)
	if err != nil {
		t.Fatal(err)
	}
	level := func(role string, c *coverage.Coverage) tiles.Level {
		l := tiles.Level{Role: role, Coverage: c}
		for _, f := range c.Faces {
			l.Units = append(l.Units, tiles.Unit{Code: f.Code, Name: "网格" + f.Code, NameLatin: "Grid " + f.Code})
		}
		return l
	}
	return []tiles.Level{
		level("city", grids.Dissolve(func(int) string { return "city" })),
		level("village", grids.Dissolve(func(i int) string { return grids.Faces[i].Code[:4] })),
		level("grid", grids),
	}
}

// Boundary tiles hold the polygons and labels that SQL finds.
func TestRunBoundaries(t *testing.T) {
	ctx := context.Background()
	pool := pgtest.New(t)
	b, err := tiles.NewBoundaries(lattice(t, 12))
	if err != nil {
		t.Fatal(err)
	}
	if err := PrepareBoundaries(ctx, pool, b); err != nil {
		t.Fatal(err)
	}
	f, err := RunBoundaries(ctx, Config{Pool: pool, Seed: 1, Requests: 220, Each: 200 * time.Millisecond, Rounds: 1, Out: t.Output()}, b)
	if err != nil {
		t.Fatal(err)
	}
	if f.Ours == 0 || f.SQL == 0 || f.Polygons[0] < 500 || f.Tiles != 220 {
		t.Errorf("%+v", f)
	}
}
