package app

import (
	"context"
	"math"
	"slices"

	"github.com/maypok86/otter/v2"
	"github.com/paulmach/orb"
	"gonum.org/v1/gonum/floats"

	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/placement"
	"gridgov/internal/policy"
)

// DensityQuery says of which reports a density is asked.
type DensityQuery struct {
	Filter    cube.Filter // not cut to the reach
	Key       string      // says the same as Filter
	Kernel    hotspot.Kernel
	Bandwidth float64 // metres; 0: by rule
}

// Density is how many reports lie around each square of a city, by square kilometre.
type Density struct {
	cube.Squares
	PerKM2    []float32
	Peak      float32
	Kernel    hotspot.Kernel
	Bandwidth float64 // metres; 0: there is no report to go by
	Reports   int     // that were smoothed
}

// densityCells is how many squares a side the longer side of a city has at most.
const densityCells = 512

// densityKey is a question about a state of the reports.
type densityKey struct {
	layout    *jurisdiction.Layout
	seq       feed.ID
	filter    string
	from, to  uint32
	reach     string
	kernel    hotspot.Kernel
	bandwidth float64
}

// groundOf are the squares of a plan's city, and in which of its units their middles and corners lie.
type groundOf struct {
	layout *jurisdiction.Layout
	cube.Squares
	cell float64 // a side, in metres
	in   [][5]unitAt
}

// unitAt is the smallest unit at a point: of the last level, or of one above where that has a gap; −1: the point is outside of the city.
type unitAt struct{ level, unit int32 }

func smallestOf(faces *placement.Faces, levels int) unitAt {
	for level := levels - 1; level >= 0; level-- {
		if unit := faces[level]; unit != placement.None {
			return unitAt{int32(level), unit}
		}
	}
	return unitAt{unit: placement.None}
}

// Density smooths reports over the part of the city that a reach covers; over its rim none is lost. The same question is answered once until
// a report or a case changes. Fault: no_plan.
func (l *Live) Density(ctx context.Context, q *DensityQuery, reach *policy.Reach) (*Density, error) {
	at, layout := l.Applied(), l.State().Layout
	if layout == nil {
		return nil, fault.Unavailable("no_plan", "city %s has no plan in force: publish one first", l.Code)
	}
	key := densityKey{layout, at, q.Key, q.Filter.From, q.Filter.To, reachKey(reach), q.Kernel, q.Bandwidth}
	return l.spots.densities.Get(ctx, key, otter.LoaderFunc[densityKey, *Density](func(ctx context.Context, _ densityKey) (*Density, error) {
		if err := l.spots.begin(ctx); err != nil {
			return nil, err
		}
		defer l.spots.end()
		return l.smooth(q, reach, layout)
	}))
}

func (l *Live) smooth(q *DensityQuery, reach *policy.Reach, layout *jurisdiction.Layout) (*Density, error) {
	g := l.spots.groundOf(layout)
	raster := hotspot.Raster{Cell: g.cell, Cols: g.Cols, Rows: g.Rows, Values: make([]float64, g.Cols*g.Rows)}
	l.View().CountBySquare(l.Cut(q.Filter, reach), g.Squares, raster.Values)
	covered := make([][]bool, len(layout.Levels))
	for level := range covered {
		covered[level] = make([]bool, len(layout.Levels[level].Units))
		for unit := range covered[level] {
			covered[level][unit] = spotsIn(reach, layout, level, unit)
		}
	}
	inside := make([]bool, len(g.in))
	for c := range g.in {
		for _, at := range g.in[c] {
			inside[c] = inside[c] || at.unit >= 0 && covered[at.level][at.unit]
		}
		if !inside[c] {
			raster.Values[c] = 0
		}
	}
	out := &Density{Reports: int(floats.Sum(raster.Values)), Squares: g.Squares, PerKM2: make([]float32, len(inside)), Kernel: q.Kernel, Bandwidth: q.Bandwidth}
	if out.Bandwidth == 0 {
		// A single place, or a line, has no spread to go by; a square is the least that is seen.
		if out.Bandwidth = raster.Bandwidth(q.Kernel); out.Bandwidth == 0 && slices.Max(raster.Values) == 0 {
			return out, nil
		}
		out.Bandwidth = max(out.Bandwidth, g.cell)
	}
	smooth, err := raster.Smooth(q.Kernel, out.Bandwidth, inside)
	if err != nil {
		return nil, err
	}
	for c, v := range smooth.Values {
		out.PerKM2[c] = float32(v)
		out.Peak = max(out.Peak, float32(v))
	}
	return out, nil
}

// groundOf is the ground of a plan; that of the last one is kept.
func (r *spotRoom) groundOf(l *jurisdiction.Layout) *groundOf {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ground == nil || r.ground.layout != l {
		r.ground = newGround(l)
	}
	return r.ground
}

func newGround(l *jurisdiction.Layout) *groundOf {
	g := &groundOf{layout: l}
	world := func(p orb.Point) (x, y float64) {
		return (p[0] + 180) / 360, 0.5 - math.Atanh(math.Sin(p[1]*math.Pi/180))/(2*math.Pi)
	}
	west, south := world(l.Bound.Min)
	east, north := world(l.Bound.Max)
	for g.Z = 1; g.Z < 22; g.Z++ {
		if math.Exp2(float64(g.Z+1))*max(east-west, south-north) > densityCells-2 {
			break
		}
	}
	n := math.Exp2(float64(g.Z))
	g.X, g.Y = uint32(west*n), uint32(north*n)
	g.Cols, g.Rows = int(east*n)-int(g.X)+1, int(south*n)-int(g.Y)+1
	// Each square is tried at its middle and its corners, so those along a border belong to both sides.
	wide, high := 2*g.Cols+1, 2*g.Rows+1
	lons, lats := make([]float64, 0, wide*high), make([]float64, 0, wide*high)
	for j := range high {
		lat := math.Asin(math.Tanh(2*math.Pi*(0.5-(float64(g.Y)+float64(j)/2)/n))) * 180 / math.Pi
		for i := range wide {
			lons, lats = append(lons, (float64(g.X)+float64(i)/2)/n*360-180), append(lats, lat)
		}
	}
	faces := make([]placement.Faces, len(lons))
	l.Index.AtAll(lons, lats, faces)
	g.in = make([][5]unitAt, g.Cols*g.Rows)
	for c := range g.in {
		at := (2*(c/g.Cols)+1)*wide + 2*(c%g.Cols) + 1
		for i, k := range [5]int{at, at - wide - 1, at - wide + 1, at + wide - 1, at + wide + 1} {
			g.in[c][i] = smallestOf(&faces[k], len(l.Levels))
		}
	}
	middle := (lats[0] + lats[len(lats)-1]) / 2
	sides := hotspot.Plane([]orb.Point{{0, middle}, {360 / n, middle}})
	g.cell = sides[1][0] - sides[0][0]
	return g
}
