package app

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/casework"
	"gridgov/internal/cube"
	"gridgov/internal/report"
)

// What may be the same matter is this near, in space and in time.
const (
	sameWithinM = 50.0
	sameWithin  = 24 * time.Hour
	// maxSame bounds how many are told of: in a square full of reports the nearest are enough.
	maxSame = 20
	// maxLooked bounds how many reports near a point are looked at.
	maxLooked = 500
)

// Duplicate is an open case that may be the same matter as another one.
type Duplicate struct {
	*casework.Entry
	DistanceM float64
	Apart     time.Duration // from the other's capture to this one's
	SameItem  bool          // else it is of the same aspect
}

// Duplicates are the open cases that may be the same matter as a case of a report: of the same item, or of its aspect, at most
// 50 m and 24 h away, both bounds among them; the nearest first, at most 20. All of it is in memory: the cube is the index, the
// board says what is open. What has no point is the same as nothing.
func (l *Live) Duplicates(ref casework.Ref, item string) []Duplicate {
	view, board := l.View(), l.board.Load()
	here, ok := view.Get(uint32(ref.Report))
	if !ok {
		return nil
	}
	aspect := ""
	list := l.Regime().Catalogue
	if i := list.Item(item); i != nil {
		aspect = i.Aspect
	}
	var out []Duplicate
	for _, num := range near(view, here) {
		if num == uint32(ref.Report) {
			continue
		}
		there, ok := view.Get(num)
		if !ok {
			continue
		}
		away := metres(orb.Point{here.Lon, here.Lat}, orb.Point{there.Lon, there.Lat})
		apart := time.Duration(int64(there.At)-int64(here.At)) * time.Second
		if away > sameWithinM || apart.Abs() > sameWithin {
			continue
		}
		for _, e := range board.Of(report.Num(num)) {
			i := list.Item(e.Item)
			if e.Item == item || aspect != "" && i != nil && i.Aspect == aspect {
				out = append(out, Duplicate{e, away, apart, e.Item == item})
			}
		}
	}
	slices.SortFunc(out, func(a, b Duplicate) int {
		return cmp.Or(cmp.Compare(a.DistanceM, b.DistanceM), cmp.Compare(a.Report, b.Report), cmp.Compare(a.Part, b.Part))
	})
	return out[:min(len(out), maxSame)]
}

// near are the numbers of the reports about a report, a little more than those within the bounds.
func near(view cube.View, here cube.Row) []uint32 {
	perLon, perLat := metresPerDegree(here.Lat)
	dLon, dLat := (sameWithinM+1)/perLon, (sameWithinM+1)/perLat
	box := orb.Bound{Min: orb.Point{here.Lon - dLon, here.Lat - dLat}, Max: orb.Point{here.Lon + dLon, here.Lat + dLat}}
	day := uint32(sameWithin / time.Second)
	f := cube.Filter{From: here.At - min(day, here.At), To: here.At + day + 1} // To is excluded
	if f.To < here.At {
		f.To = 0 // no end
	}
	return view.Newest(f, &box, nil, maxLooked)
}

// metres is the distance of two points that are near each other, in degrees of EPSG:4490: on the plane that touches the
// ellipsoid between them. Over 100 m it is wrong by less than a millimetre.
func metres(a, b orb.Point) float64 {
	perLon, perLat := metresPerDegree((a[1] + b[1]) / 2)
	return math.Hypot((a[0]-b[0])*perLon, (a[1]-b[1])*perLat)
}

// metresPerDegree of longitude and latitude on the ellipsoid of CGCS2000 (a = 6378137 m, 1/f = 298.257222101).
func metresPerDegree(lat float64) (perLon, perLat float64) {
	const a, f = 6378137, 1 / 298.257222101
	const e2 = f * (2 - f)
	sin, cos := math.Sincos(lat * math.Pi / 180)
	w := 1 - e2*sin*sin
	return math.Pi / 180 * a * cos / math.Sqrt(w), math.Pi / 180 * a * (1 - e2) / (w * math.Sqrt(w))
}
