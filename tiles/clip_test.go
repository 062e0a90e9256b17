package tiles

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/clip"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"
)

// star draws a polygon without self-crossings around a middle: corners by rising angle. A hole is the same, smaller.
func star(t *rapid.T, x, y, radius float64, label string) []vertex {
	n := rapid.IntRange(8, 90).Draw(t, label) // so many that a hole of 0.4 lies inside
	var out []vertex
	for k := range n {
		a := 2 * math.Pi * float64(k) / float64(n)
		r := radius * rapid.Float64Range(0.55, 1).Draw(t, "radius")
		out = append(out, vertex{x + r*math.Cos(a), y + r*math.Sin(a)})
	}
	return append(out, out[0])
}

func reversed(v []vertex) []vertex {
	out := make([]vertex, len(v))
	for i, p := range v {
		out[len(v)-1-i] = p
	}
	return out
}

func shapeOf(rings ...ring) shape {
	s := shape{rings: rings, box: emptyBox}
	for _, r := range rings {
		s.box = s.box.union(r.box)
	}
	return s
}

// drawnShape is a star in units of the tile 0/0/0, often with a hole and a second part, about or around the tile.
func drawnShape(t *rapid.T, sizes ...float64) shape {
	x, y := rapid.Float64Range(-1000, 5000).Draw(t, "x")/Extent, rapid.Float64Range(-1000, 5000).Draw(t, "y")/Extent
	radius := rapid.SampledFrom(sizes).Draw(t, "size") / Extent
	rings := []ring{{newPath(star(t, x, y, radius, "shell")), true}}
	if rapid.Bool().Draw(t, "holed") {
		rings = append(rings, ring{newPath(reversed(star(t, x, y, radius*0.4, "hole"))), false})
		if rapid.Bool().Draw(t, "island") {
			rings = append(rings, ring{newPath(star(t, x, y, radius*0.15, "island")), true})
		}
	}
	return shapeOf(rings...)
}

// rounded is the shape in whole units of the tile, as orb has it.
func rounded(c *clipper, s *shape) (polygons orb.MultiPolygon) {
	for _, r := range s.rings {
		var o orb.Ring
		for _, v := range r.vertices {
			p := c.at(v)
			o = append(o, orb.Point{p.x, p.y})
		}
		polygons = append(polygons, orb.Polygon{o})
	}
	return polygons
}

func decodePolygon(t *rapid.T, c *clipper) [][]pixel {
	lines, err := decodeGeometry(typePolygon, mustPack(t, c.encode(nil)))
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func mustPack(t *rapid.T, b []byte) []uint64 {
	list, err := packed(b)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A clipped polygon is the polygon in the box: the same area as orb's clipping gives, and the same places inside.
func TestClippedPolygonIsThePolygonInTheBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clipper
		c.aim(Address{})
		s := drawnShape(t, 3, 40, 900, 3000, 9000)
		source := rounded(&c, &s)

		var lines [][]pixel
		if c.polygon(&s) {
			lines = decodePolygon(t, &c)
		}
		area2 := int64(0)
		length := 0.0
		for _, r := range lines {
			area2 += ringArea2(r)
			for i, p := range r {
				if p.x < -Buffer || p.x > Extent+Buffer || p.y < -Buffer || p.y > Extent+Buffer {
					t.Fatalf("%v lies beyond the buffer", p)
				}
				q := r[(i+1)%len(r)]
				length += math.Hypot(float64(q.x-p.x), float64(q.y-p.y))
			}
		}
		want := 0.0
		box := orb.Bound{Min: orb.Point{clipLo, clipLo}, Max: orb.Point{clipHi, clipHi}}
		for i, poly := range source {
			a := planar.Area(clip.Ring(box, poly[0].Clone()))
			if !s.rings[i].shell {
				a = -math.Abs(a)
			} else {
				a = math.Abs(a)
			}
			want += a
		}
		// Rounding moves what was cut by half a unit.
		if got := float64(area2) / 2; math.Abs(got-want) > length*0.75+4 {
			t.Fatalf("%v square units, want %v", got, want)
		}
		for range 20 {
			p := orb.Point{
				rapid.Float64Range(-60, Extent+60).Draw(t, "px"), rapid.Float64Range(-60, Extent+60).Draw(t, "py"),
			}
			inSource, inTile, near := false, false, math.Inf(1)
			for _, poly := range source {
				inSource = inSource != planar.RingContains(poly[0], p)
				near = min(near, planar.DistanceFrom(orb.LineString(poly[0]), p))
			}
			for _, r := range lines {
				var o orb.Ring
				for _, q := range r {
					o = append(o, orb.Point{float64(q.x), float64(q.y)})
				}
				inTile = inTile != planar.RingContains(append(o, o[0]), p)
			}
			if near > 1.5 && inSource != inTile {
				t.Fatalf("%v: in the polygon %v, in the tile %v", p, inSource, inTile)
			}
		}
	})
}

// Neighbours on a grid of tiles see the same whole units: what one tile draws, the next one draws there too.
func TestClippingIsTheSameInNeighbouringTiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawnShape(t, 200, 900, 3000, 9000)
		for i := range s.rings { // into tile 0/0 and 1/0 of zoom 1
			for k := range s.rings[i].vertices {
				s.rings[i].vertices[k].x = s.rings[i].vertices[k].x/2 + 0.25
				s.rings[i].vertices[k].y /= 2
			}
			s.rings[i].path = newPath(s.rings[i].vertices)
		}
		s = shapeOf(s.rings...)
		seen := [2]map[pixel]bool{{}, {}}
		for x := range uint32(2) {
			var c clipper
			c.aim(Address{1, x, 0})
			c.polygon(&s)
			for _, l := range c.loops {
				for _, p := range c.pixels[l.lo:l.hi] {
					p.x += int32(x) * Extent
					// Inside both boxes, so far from what was cut that no corner between two cuts is flattened away.
					const margin = Buffer - 16
					if p.x > Extent-margin && p.x < Extent+margin && p.y > -margin && p.y < Extent+margin {
						seen[x][p] = true
					}
				}
			}
		}
		for x, other := range []int{1, 0} {
			for p := range seen[x] {
				if !seen[other][p] {
					t.Fatalf("corner %v stands in tile %d alone", p, x)
				}
			}
		}
	})
}

// Where rounding makes rings cross, the result is still closed, inside the buffer and right in area.
func TestCrossedRingsAreCutBySides(t *testing.T) {
	at := func(points ...float64) ring {
		var v []vertex
		for i := 0; i < len(points); i += 2 {
			v = append(v, vertex{points[i] / Extent, points[i+1] / Extent})
		}
		return ring{newPath(append(v, v[0])), true}
	}
	// Two shells that overlap on the box's side: entries and exits do not alternate.
	s := shapeOf(at(-500, 100, 500, 100, 500, 300, -500, 300), at(-500, 200, 400, 200, 400, 400, -500, 400))
	var c clipper
	c.aim(Address{})
	if !c.polygon(&s) || len(c.loops) != 2 {
		t.Fatalf("%d rings", len(c.loops))
	}
	if a, b := c.loops[0].area2/2, c.loops[1].area2/2; a != (500+Buffer)*200 || b != (400+Buffer)*200 {
		t.Errorf("areas %d and %d", a, b)
	}
}

func TestClippedLinesKeepTheirLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clipper
		c.aim(Address{})
		p := newPath(star(t, rapid.Float64Range(-0.2, 1.2).Draw(t, "x"), rapid.Float64Range(-0.2, 1.2).Draw(t, "y"),
			rapid.SampledFrom([]float64{0.01, 0.4, 2}).Draw(t, "size"), "line"))
		var line orb.LineString
		for _, v := range p.vertices {
			s := c.at(v)
			line = append(line, orb.Point{s.x, s.y})
		}
		box := orb.Bound{Min: orb.Point{clipLo, clipLo}, Max: orb.Point{clipHi, clipHi}}
		want := planar.Length(clip.LineString(box, line))
		c.start()
		c.cut(&p, false)
		got := 0.0
		for _, ch := range c.chains {
			for i := ch.lo + 1; i < ch.hi; i++ {
				got += math.Hypot(c.spots[i].x-c.spots[i-1].x, c.spots[i].y-c.spots[i-1].y)
			}
		}
		if math.Abs(got-want) > 1e-6*(1+want) {
			t.Fatalf("%v units of line, want %v", got, want)
		}
	})
}
