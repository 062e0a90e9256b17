package app_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/cube"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/tiles"
)

// No report is lost in a density: over the part of the city that is seen, it holds as many as lie there, and nothing beyond; around a lonely
// one it is the kernel's own; and the tile shows it.
func TestDensityHoldsEachReport(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	l := node(t, db.URL(), apptest.Clock)
	lonely := at(1, 2, "02")
	file(t, l.City, lonely)
	rng := rand.New(rand.NewPCG(3, 0))
	for range 300 {
		n := random(rng)
		n.Item = "01"
		file(t, l.City, n)
	}
	caughtUp(t, l)
	whole := policy.Reach{City: true}
	for name, reach := range map[string]policy.Reach{"the city": whole, "a village": {Areas: []policy.Area{apptest.VillageArea(1, 0)}}} {
		for _, kernel := range []hotspot.Kernel{hotspot.Gaussian, hotspot.Quartic} {
			d, err := l.Density(t.Context(), &app.DensityQuery{Kernel: kernel, Bandwidth: 300}, &reach)
			if err != nil {
				t.Fatal(err)
			}
			inside := 0
			page, err := l.List(t.Context(), report.Query{Limit: 1000}, cube.Filter{}, &reach)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Reports {
				p := &r.Placement
				if r.Lon != nil && p.Grid != "" && p.Method != "nearest" && (reach.City || p.Village == apptest.VillageCode(1, 0)) {
					inside++
				}
			}
			volume := 0.0
			n := math.Exp2(float64(d.Z))
			for c, v := range d.PerKM2 {
				lat := math.Atan(math.Sinh(math.Pi*(1-2*(float64(d.Y)+float64(c/d.Cols)+.5)/n))) * 180 / math.Pi
				side := 2 * math.Pi * 6378.137 / n * math.Cos(lat*math.Pi/180) // km, on a sphere
				volume += float64(v) * side * side
			}
			// A square on the rim belongs to the city whole, and what lies just beyond with it.
			if math.Abs(volume-float64(d.Reports)) > 0.01*volume || d.Reports < inside || d.Reports > inside+inside/20+2 || inside < 40 {
				t.Errorf("%s, %s: the density holds %.1f of %d, of which %d lie there", name, kernel, volume, d.Reports, inside)
			}
		}
	}
	item, _ := l.Names().Item("02")
	d, err := l.Density(t.Context(), &app.DensityQuery{Filter: cube.Filter{Items: []uint16{item}}, Key: "02", Kernel: hotspot.Gaussian, Bandwidth: 200}, &whole)
	if want := 1 / (2 * math.Pi * .2 * .2); err != nil || math.Abs(float64(d.Peak)-want) > 0.02*want {
		t.Errorf("a lonely report has a density of %g, the kernel has %g; %v", d.Peak, want, err)
	}
	p := apptest.Center(1, 2)
	z := maptile.At(p, 14)
	tile := l.Maker.Density(nil, tiles.Address{Z: uint32(z.Z), X: z.X, Y: z.Y}, &tiles.Surface{Squares: d.Squares, Values: d.PerKM2, Peak: d.Peak})
	layers, err := mvt.Unmarshal(tile)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range layers[0].Features {
		b := f.Geometry.Bound() // in 128ths of the tile
		x, y := (float64(z.X)+b.Center()[0]/128)/(1<<14), (float64(z.Y)+b.Center()[1]/128)/(1<<14)
		lon, lat := x*360-180, math.Atan(math.Sinh(math.Pi*(1-2*y)))*180/math.Pi
		share, away := f.Properties["share"].(float64), math.Hypot((lon-p[0])*95.9, (lat-p[1])*110.9)
		if want := math.Exp(-away * away / (2 * .2 * .2)); b.Right()-b.Left() == 1 {
			if seen++; math.Abs(share-want) > 0.04 {
				t.Errorf("%.2f km away the tile has a share of %g, the kernel %g", away, share, want)
			}
		}
	}
	if seen < 100 {
		t.Errorf("the tile shows %d squares", seen)
	}
	none, err := l.Density(t.Context(), &app.DensityQuery{Filter: cube.Filter{Items: []uint16{999}}, Key: "none", Kernel: hotspot.Gaussian}, &whole)
	if err != nil || none.Bandwidth != 0 || none.Peak != 0 || len(l.Maker.Density(nil, tiles.Address{}, &tiles.Surface{Squares: none.Squares, Values: none.PerKM2, Peak: none.Peak})) != 0 {
		t.Errorf("without reports: %+v, %v", none.Peak, err)
	}
}

// Where the smallest units have a gap that is meant, reports lie in none: a density has them, for who sees the whole city.
func TestDensityHasWhatLiesInAGap(t *testing.T) {
	db, c := apptest.City(t)
	for i, role := range apptest.Roles {
		level, err := c.Plans.Level(string(role))
		if err != nil {
			t.Fatal(err)
		}
		faces, why := apptest.Faces(role, 0), ""
		if role == jurisdiction.RoleGrid {
			faces, why = slices.DeleteFunc(faces, func(f jurisdiction.Face) bool { return f.Code == apptest.GridCode(1, 1) }), "a lake"
		}
		in := jurisdiction.Import{Plan: "lake", Level: level, File: "made", Faces: faces, WithParent: i > 0, AcceptGaps: why}
		if _, err := c.Plans.ImportLevel(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Plans.Publish(t.Context(), "lake", apptest.Now.AddDate(-1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	l := node(t, db.URL(), apptest.Clock)
	for range 25 {
		file(t, l.City, at(1, 1, "01"))
	}
	caughtUp(t, l)
	for name, want := range map[string]struct {
		reach policy.Reach
		n     int
	}{
		"the city":  {policy.Reach{City: true}, 25},
		"a village": {policy.Reach{Areas: []policy.Area{apptest.VillageArea(0, 0)}}, 0},
	} {
		d, err := l.Density(t.Context(), &app.DensityQuery{Kernel: hotspot.Gaussian, Bandwidth: 100}, &want.reach)
		if err != nil || d.Reports != want.n || (d.Peak > 0) != (want.n > 0) {
			t.Errorf("%s: the density is of %d reports, there are %d; %v", name, d.Reports, want.n, err)
		}
	}
}
