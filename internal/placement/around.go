package placement

import (
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// Shape returns a face of a level as it was given to New, double for double and edge for edge; nil for a level that is answered
// through the one below and never measured.
func (x *Index) Shape(level int, face int32) orb.MultiPolygon {
	p := x.levels[level].plane
	if p == nil {
		return nil
	}
	var out orb.MultiPolygon
	f := p.faces[p.number(face)]
	for _, r := range p.rings[f.from:f.to] {
		from, to := p.runs[r.from].from, p.runs[r.to-1].to
		ring := slices.Clone(orb.Ring(p.pts[from : to+1]))
		if r.outer {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], ring)
	}
	return out
}

// aroundStepM is how far apart the border's points are at most from which Around looks.
const aroundStepM = 50.0

// Around returns the grids that come within reachM (at most MaxAccuracyM) of a grid, without itself, in the order of their codes.
// Some that are up to half of aroundStepM further away may be among them; none that is nearer is missing.
func (x *Index) Around(face int32, reachM float64) []int32 {
	p := x.levels[x.grid].plane
	near := map[int32]bool{}
	look := func(at orb.Point) {
		for _, o := range p.within(metricAt(at), min(reachM, MaxAccuracyM)+aroundStepM/2) {
			near[o.face] = true
		}
	}
	for _, polygon := range x.Shape(x.grid, face) {
		for _, ring := range polygon {
			for k := 1; k < len(ring); k++ {
				a, b := ring[k-1], ring[k]
				m := metricAt(a)
				steps := math.Ceil(math.Hypot((b[0]-a[0])*m.lonM, (b[1]-a[1])*m.latM) / aroundStepM)
				for s := range int(max(steps, 1)) {
					t := float64(s) / max(steps, 1)
					look(orb.Point{a[0] + t*(b[0]-a[0]), a[1] + t*(b[1]-a[1])})
				}
			}
		}
	}
	delete(near, face)
	out := make([]int32, 0, len(near))
	for f := range near {
		out = append(out, f)
	}
	codes := x.levels[x.grid].codes
	slices.SortFunc(out, func(a, b int32) int { return strings.Compare(codes[a], codes[b]) })
	return out
}
