// Package madeup draws coverages and points for the tests and the bench of placement. Everything follows from a seed.
package madeup

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"gridgov/internal/placement"
)

// Town is a made-up coverage: a lattice of jittered nodes joined by wiggly lines, each made once, so that neighbours share
// every double. Some lattice lines stay straight along the axes, some cells are left out (lakes within, bays at the rim),
// some hold an island with a face of its own, whose ring is the cell's hole, and some faces have two cells far apart.
type Town struct {
	Faces   []placement.Face
	Parent  []int32        // of each face, in Parents
	Parents []string       // codes; those of the faces begin with them
	Rim     [][2]orb.Point // edges of one face only
	Edges   [][2]orb.Point // each edge once
}

// Plan says what to draw.
type Plan struct {
	West, South float64 // degrees
	CellDeg     float64 // of the lattice
	Columns     int
	Rows        int
	Bends       int  // edges of a lattice line between two nodes
	Plain       bool // no lakes, no islands, no faces in two parts: Columns × Rows faces
}

// New draws a town.
func New(seed uint64, plan Plan) Town {
	rng := rand.New(rand.NewPCG(seed, 7))
	nx, ny := plan.Columns+1, plan.Rows+1
	nodes := make([]orb.Point, nx*ny)
	for i := range nodes {
		x, y := i%nx, i/nx
		jx, jy := rng.Float64()*0.3-0.15, rng.Float64()*0.3-0.15
		if y%5 == 2 {
			jy = 0 // a line along a parallel
		}
		if x%5 == 2 {
			jx = 0 // and one along a meridian
		}
		nodes[i] = orb.Point{plan.West + (float64(x)+jx)*plan.CellDeg, plan.South + (float64(y)+jy)*plan.CellDeg}
	}
	line := func(a, b orb.Point) orb.LineString {
		l := orb.LineString{a}
		straight := a[0] == b[0] || a[1] == b[1]
		for k := 1; k < plan.Bends; k++ {
			t := (float64(k) + rng.Float64()*0.4 - 0.2) / float64(plan.Bends)
			off := (rng.Float64() - 0.5) * 0.16 * min(t, 1-t)
			if straight {
				off = 0
			}
			l = append(l, orb.Point{
				a[0] + (b[0]-a[0])*t - (b[1]-a[1])*off,
				a[1] + (b[1]-a[1])*t + (b[0]-a[0])*off,
			})
		}
		return append(l, b)
	}
	east, north := map[int]orb.LineString{}, map[int]orb.LineString{}
	for i := range nodes {
		if i%nx < plan.Columns {
			east[i] = line(nodes[i], nodes[i+1])
		}
		if i/nx < plan.Rows {
			north[i] = line(nodes[i], nodes[i+nx])
		}
	}
	var t Town
	shapes := map[string]orb.MultiPolygon{}
	var order []string
	add := func(code string, p orb.Polygon) {
		if _, known := shapes[code]; !known {
			order = append(order, code)
		}
		shapes[code] = append(shapes[code], p)
	}
	for _, c := range rng.Perm(plan.Columns * plan.Rows) {
		i := c/plan.Columns*nx + c%plan.Columns
		if !plan.Plain && rng.IntN(12) == 0 {
			continue
		}
		ring := orb.Ring{}
		ring = append(ring, east[i]...)
		ring = append(ring, north[i+1][1:]...)
		ring = append(ring, backward(east[i+nx])[1:]...)
		ring = append(ring, backward(north[i])[1:]...)
		if rng.IntN(2) == 0 {
			ring = orb.Ring(backward(orb.LineString(ring)))
		}
		polygon := orb.Polygon{ring}
		code := fmt.Sprintf("%02d%02d%06d", c/plan.Columns/3, c%plan.Columns/3, c)
		if plan.Plain {
			add(code, polygon)
			continue
		}
		if rng.IntN(10) == 0 {
			island := islandIn(rng, nodes[i], nodes[i+nx+1], plan.Bends*3)
			polygon = append(polygon, island)
			if rng.IntN(4) != 0 { // else a lake
				other := orb.Ring(backward(orb.LineString(island)))
				add(code+"i", orb.Polygon{other})
			}
		}
		if rng.IntN(20) == 0 && len(order) > 0 {
			code = order[rng.IntN(len(order))] // a second part
		}
		add(code, polygon)
	}
	for _, code := range order {
		t.Faces = append(t.Faces, placement.Face{Code: code, Shape: shapes[code]})
	}
	parents := map[string]int32{}
	for _, f := range t.Faces {
		p, known := parents[f.Code[:4]]
		if !known {
			p = int32(len(t.Parents))
			parents[f.Code[:4]] = p
			t.Parents = append(t.Parents, f.Code[:4])
		}
		t.Parent = append(t.Parent, p)
	}
	t.sortEdges()
	return t
}

func backward(l orb.LineString) orb.LineString {
	out := make(orb.LineString, len(l))
	for i, p := range l {
		out[len(l)-1-i] = p
	}
	return out
}

// islandIn is a star-shaped ring well within the box of a cell's corners.
func islandIn(rng *rand.Rand, a, b orb.Point, points int) orb.Ring {
	mid := orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
	radius := math.Abs(b[1]-a[1]) * 0.2
	var r orb.Ring
	for k := range points {
		angle := 2 * math.Pi * (float64(k) + rng.Float64()*0.5) / float64(points)
		d := radius * (0.5 + 0.5*rng.Float64())
		r = append(r, orb.Point{mid[0] + d*math.Cos(angle), mid[1] + d*math.Sin(angle)})
	}
	return append(r, r[0])
}

// sortEdges finds the distinct edges and those of the rim.
func (t *Town) sortEdges() {
	seen := map[[2]orb.Point]int{}
	for _, f := range t.Faces {
		eachEdge(f.Shape, func(a, b orb.Point) {
			e := undirected(a, b)
			if seen[e]++; seen[e] == 1 {
				t.Edges = append(t.Edges, e)
			}
		})
	}
	for _, e := range t.Edges {
		if seen[e] == 1 {
			t.Rim = append(t.Rim, e)
		}
	}
}

func undirected(a, b orb.Point) [2]orb.Point {
	if a[0] > b[0] || (a[0] == b[0] && a[1] > b[1]) {
		a, b = b, a
	}
	return [2]orb.Point{a, b}
}

func eachEdge(s orb.MultiPolygon, yield func(a, b orb.Point)) {
	for _, polygon := range s {
		for _, ring := range polygon {
			for i := 1; i < len(ring); i++ {
				yield(ring[i-1], ring[i])
			}
		}
	}
}

// Of is the town of given faces.
func Of(faces []placement.Face) Town {
	t := Town{Faces: faces}
	t.sortEdges()
	return t
}

// Bound is the box around the town.
func (t Town) Bound() orb.Bound {
	b := t.Faces[0].Shape.Bound()
	for _, f := range t.Faces {
		b = b.Union(f.Shape.Bound())
	}
	return b
}

// Random are points of the box around the town and a little beyond.
func (t Town) Random(rng *rand.Rand, n int) []orb.Point {
	b := t.Bound()
	w, h := b.Max[0]-b.Min[0], b.Max[1]-b.Min[1]
	out := make([]orb.Point, n)
	for i := range out {
		out[i] = orb.Point{b.Min[0] + w*(rng.Float64()*1.04-0.02), b.Min[1] + h*(rng.Float64()*1.04-0.02)}
	}
	return out
}

// Vertices are all of them, or n picked ones.
func (t Town) Vertices(rng *rand.Rand, n int) []orb.Point {
	var out []orb.Point
	seen := map[orb.Point]bool{}
	for _, e := range t.Edges {
		for _, p := range e {
			if !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:min(n, len(out))]
}

// OnEdges are points of the town's edges.
func (t Town) OnEdges(rng *rand.Rand, n int) []orb.Point { return On(rng, t.Edges, n) }

// On are points of edges rounded to doubles: truly on them where they run along an axis, within an ulp elsewhere. There
// are none of no edges.
func On(rng *rand.Rand, edges [][2]orb.Point, n int) []orb.Point {
	if len(edges) == 0 {
		return nil
	}
	out := make([]orb.Point, 0, n)
	for range n {
		e := edges[rng.IntN(len(edges))]
		f := rng.Float64()
		if rng.IntN(8) == 0 {
			f = 0.5
		}
		out = append(out, orb.Point{e[0][0] + (e[1][0]-e[0][0])*f, e[0][1] + (e[1][1]-e[0][1])*f})
	}
	return out
}

// Sort parts edges into those along an axis and the others.
func Sort(edges [][2]orb.Point) (axial, slanted [][2]orb.Point) {
	for _, e := range edges {
		if e[0][0] == e[1][0] || e[0][1] == e[1][1] {
			axial = append(axial, e)
		} else {
			slanted = append(slanted, e)
		}
	}
	return axial, slanted
}

// Ulps are the points moved by up to four ulps along each axis.
func Ulps(rng *rand.Rand, points []orb.Point) []orb.Point {
	out := make([]orb.Point, len(points))
	for i, p := range points {
		out[i] = orb.Point{step(p[0], rng.IntN(9)-4), step(p[1], rng.IntN(9)-4)}
	}
	return out
}

func step(v float64, ulps int) float64 {
	towards := math.Inf(ulps)
	if ulps < 0 {
		ulps = -ulps
	}
	for range ulps {
		v = math.Nextafter(v, towards)
	}
	return v
}

// Offsets are the points moved by 10 nm to 1 m in any direction.
func Offsets(rng *rand.Rand, points []orb.Point) []orb.Point {
	out := make([]orb.Point, len(points))
	for i, p := range points {
		d := math.Pow(10, -8+8*rng.Float64()) / 111_000
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		out[i] = orb.Point{p[0] + d*c/math.Cos(p[1]*math.Pi/180), p[1] + d*s}
	}
	return out
}

// Level are points of the latitude or longitude of a vertex near it.
func (t Town) Level(rng *rand.Rand, n int) []orb.Point {
	b := t.Bound()
	reach := (b.Max[0] - b.Min[0]) / 20
	out := t.Vertices(rng, n)
	for i := range out {
		out[i][rng.IntN(2)] += (rng.Float64() - 0.5) * reach
	}
	return out
}
