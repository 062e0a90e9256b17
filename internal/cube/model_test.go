package cube

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"gridgov/internal/soak"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	m.Run()
}

var (
	washington, _ = time.LoadLocation("America/New_York")
	dial          = DialOf(washington)
)

// model is the cube's naive twin: a map of rows, every question a loop over all of them in degrees and doubles.
type model map[uint32]Row

func (m model) apply(ch Change) {
	old, known := m[ch.Row.Num]
	switch {
	case ch.Remove:
		delete(m, ch.Row.Num)
		return
	case ch.Set == AllFields:
		old, known = ch.Row, true
	}
	if !known {
		return
	}
	if ch.Set&FieldPosition != 0 {
		old.Lon, old.Lat = ch.Row.Lon, ch.Row.Lat
	}
	if ch.Set&FieldAt != 0 {
		old.At = ch.Row.At
	}
	if ch.Set&FieldItem != 0 {
		old.Item = ch.Row.Item
	}
	if ch.Set&FieldKind != 0 {
		old.Kind = ch.Row.Kind
	}
	if ch.Set&FieldSource != 0 {
		old.Source = ch.Row.Source
	}
	if ch.Set&FieldFace != 0 {
		old.Face = ch.Row.Face
	}
	if ch.Set&FieldCase != 0 {
		old.State, old.End, old.Crew, old.Amber, old.Due = ch.Row.State, ch.Row.End, ch.Row.Crew, ch.Row.Amber, ch.Row.Due
	}
	if math.IsNaN(old.Lon) || math.IsNaN(old.Lat) || math.IsInf(old.Lon, 0) || math.IsInf(old.Lat, 0) {
		delete(m, ch.Row.Num)
		return
	}
	m[ch.Row.Num] = old
}

func (f Filter) naive(r Row) bool {
	return (len(f.Items) == 0 || slices.Contains(f.Items, r.Item)) &&
		(f.Kinds == 0 || f.Kinds&(1<<r.Kind) != 0) &&
		(f.Sources == 0 || f.Sources&(1<<r.Source) != 0) &&
		r.At >= f.From && (f.To == 0 || r.At < f.To) &&
		f.Faces.Has(r.Face) &&
		(f.Hours == nil || f.Hours.wanted>>time.Unix(int64(r.At), 0).In(washington).Hour()&1 == 1) &&
		(f.States == 0 || f.States&(1<<r.State) != 0) &&
		(f.Ends == 0 || f.Ends&(1<<r.End) != 0) &&
		(f.Crews == nil || r.Crew != CrewNone && f.Crews.Has(r.Crew)) &&
		(f.Within.Has(r.Face) || f.Also != nil && r.Crew != CrewNone && f.Also.Has(r.Crew)) &&
		(f.Clocks == 0 || f.Clocks&naiveColour(r, f.Now) != 0)
}

func naiveColour(r Row, now uint32) Clocks {
	switch {
	case r.Due > 0 && now > r.Due:
		return Red
	case r.Due > 0 && r.Amber > 0 && now >= r.Amber:
		return Amber
	case r.Due > 0:
		return Green
	}
	return Stopped
}

// slippy is the tile of a position by the textbook formula.
func slippy(lon, lat float64, z uint32) (x, y uint32) {
	n := math.Exp2(float64(z))
	s := math.Sin(math.Max(-85.0511287, math.Min(85.0511287, lat)) * math.Pi / 180)
	fx := math.Floor((lon + 180) / 360 * n)
	fy := math.Floor((0.5 - math.Atanh(s)/(2*math.Pi)) * n)
	return uint32(math.Max(0, math.Min(n-1, fx))), uint32(math.Max(0, math.Min(n-1, fy)))
}

func (m model) heat(z, x, y uint32, f Filter) map[[2]uint8]uint32 {
	cells := map[[2]uint8]uint32{}
	for _, r := range m {
		cx, cy := slippy(r.Lon, r.Lat, z+6)
		if cx>>6 == x && cy>>6 == y && f.naive(r) {
			cells[[2]uint8{uint8(cx & 63), uint8(cy & 63)}]++
		}
	}
	return cells
}

func (m model) count(f Filter, b *orb.Bound) (n uint64) {
	for _, r := range m {
		if f.naive(r) && (b == nil || b.Contains(orb.Point{r.Lon, r.Lat})) {
			n++
		}
	}
	return n
}

// drawn positions lie on few spots near one another, so that codes repeat and tiles are shared; some are far out.
func position() *rapid.Generator[orb.Point] {
	return rapid.Custom(func(t *rapid.T) orb.Point {
		switch rapid.IntRange(0, 19).Draw(t, "place") {
		case 0:
			return orb.Point{
				rapid.SampledFrom([]float64{-180, 179.99, 0, 200, -400}).Draw(t, "lon"),
				rapid.SampledFrom([]float64{-90, 90, 88, -86, 0, 400}).Draw(t, "lat"),
			}
		case 1:
			return orb.Point{math.NaN(), 30}
		}
		return orb.Point{
			120.5 + float64(rapid.IntRange(0, 40).Draw(t, "dx"))*0.0007,
			30.4 + float64(rapid.IntRange(0, 40).Draw(t, "dy"))*0.0007,
		}
	})
}

func row() *rapid.Generator[Row] {
	return rapid.Custom(func(t *rapid.T) Row {
		p := position().Draw(t, "position")
		return Row{
			Num: uint32(rapid.IntRange(0, 60).Draw(t, "num")) * 37_501, Lon: p[0], Lat: p[1],
			At:   rapid.SampledFrom([]uint32{0, 1, 99, 100, 101, 500, 10 * 3600, 1_700_000_000, math.MaxUint32 - 1, math.MaxUint32}).Draw(t, "at"),
			Item: rapid.SampledFrom([]uint16{0, 1, 2, 3, 700, 65535}).Draw(t, "item"),
			Kind: uint8(rapid.IntRange(0, 7).Draw(t, "kind")), Source: uint8(rapid.IntRange(0, 7).Draw(t, "source")),
			Face:  rapid.SampledFrom([]uint32{0, 1, 2, 63, 64, 130, FaceNone}).Draw(t, "face"),
			State: uint8(rapid.IntRange(0, 31).Draw(t, "state")), End: uint8(rapid.IntRange(0, 3).Draw(t, "end")),
			Crew:  rapid.SampledFrom([]uint32{0, 1, 65, CrewNone}).Draw(t, "crew"),
			Amber: rapid.SampledFrom([]uint32{0, 1, 50, math.MaxUint32}).Draw(t, "amber"),
			Due:   rapid.SampledFrom([]uint32{0, 2, 60, math.MaxUint32}).Draw(t, "due"),
		}
	})
}

func filter() *rapid.Generator[Filter] {
	return rapid.Custom(func(t *rapid.T) Filter {
		f := Filter{
			Items: rapid.SliceOfN(rapid.SampledFrom([]uint16{0, 1, 2, 3, 9, 700, 65535}), 0, 5).Draw(t, "items"),
			From:  rapid.SampledFrom([]uint32{0, 0, 1, 100, 101, math.MaxUint32}).Draw(t, "from"),
			To:    rapid.SampledFrom([]uint32{0, 0, 1, 100, 101, 501, math.MaxUint32}).Draw(t, "to"),
		}
		if rapid.Bool().Draw(t, "by attributes") {
			f.Kinds, f.Sources = rapid.Uint8().Draw(t, "kinds"), rapid.Uint8().Draw(t, "sources")
		}
		if rapid.IntRange(0, 3).Draw(t, "by face") == 0 {
			f.Faces = FacesOf(rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 2, 64, 130, 131, 1 << 30, FaceNone}), 0, 3).Draw(t, "faces")...)
		}
		if rapid.IntRange(0, 3).Draw(t, "by hour") == 0 {
			f.Hours = dial.Hours(rapid.Uint32().Draw(t, "hours"))
		}
		crews := func(name string) *FaceSet {
			return FacesOf(rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 1, 65, 66, CrewNone, FaceNone}), 0, 3).Draw(t, name)...)
		}
		if rapid.IntRange(0, 3).Draw(t, "by case") == 0 {
			f.States, f.Ends = rapid.Uint32().Draw(t, "states"), uint8(rapid.IntRange(0, 15).Draw(t, "ends"))
		}
		if rapid.IntRange(0, 3).Draw(t, "by crew") == 0 {
			f.Crews = crews("crews")
		}
		if rapid.IntRange(0, 3).Draw(t, "by clock") == 0 {
			f.Clocks, f.Now = Clocks(rapid.IntRange(0, 15).Draw(t, "clocks")), rapid.SampledFrom([]uint32{0, 1, 2, 49, 50, 60, math.MaxUint32}).Draw(t, "now")
		}
		if rapid.IntRange(0, 3).Draw(t, "cut") == 0 {
			f.Within = FacesOf(rapid.SliceOfN(rapid.SampledFrom([]uint32{0, 2, 64, FaceNone}), 0, 2).Draw(t, "within")...)
			if rapid.Bool().Draw(t, "and crews") {
				f.Also = crews("also")
			}
		}
		return f
	})
}

// The cube answers as its naive twin whatever was done to it.
func TestCubeEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := withoutLost(rapid.SliceOfN(row(), 0, 80).Draw(t, "loaded"))
		c, twin := Load(slices.Values(first)), model{}
		for _, r := range first {
			twin.apply(Change{Row: r, Set: AllFields})
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { equal(t, c, twin) },
			"apply": func(t *rapid.T) {
				changes := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Change {
					ch := Change{Row: row().Draw(t, "row"), Set: AllFields}
					switch rapid.IntRange(0, 3).Draw(t, "how") {
					case 0:
						ch.Remove = true
					case 1:
						ch.Set = Fields(rapid.IntRange(0, int(AllFields)).Draw(t, "fields"))
					}
					return ch
				}), 1, 12).Draw(t, "changes")
				want := 0
				for _, ch := range changes {
					if _, known := twin[ch.Row.Num]; !known && !ch.Remove && ch.Set != AllFields {
						want++
					}
					twin.apply(ch)
				}
				if missed := c.Apply(changes); missed != want {
					t.Fatalf("missed %d changes, want %d", missed, want)
				}
			},
			"merge": func(*rapid.T) { c.Merge() },
			"tier":  func(*rapid.T) { c.settle() },
			"freeze": func(t *rapid.T) { // a merge during which other changes come
				old := c.state.Load()
				c.state.Store(&state{base: old.base, clocks: old.clocks, deltas: old.deltas, frozen: len(old.deltas)})
			},
		})
	})
}

// settle closes the topmost delta, as its growing beyond smallRows would.
func (c *Cube) settle() {
	old := c.state.Load()
	c.state.Store(&state{base: old.base, clocks: old.clocks, deltas: append(slices.Clone(old.deltas), delta{&segment{}, &segment{}}), frozen: old.frozen})
}

// withoutLost leaves out rows without a position: a cube that is loaded takes no notice of them, even of a known number.
func withoutLost(rows []Row) []Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return math.IsNaN(r.Lon) })
}

func equal(t *rapid.T, c *Cube, twin model) {
	v := c.View()
	if v.Len() != len(twin) {
		t.Fatalf("the cube holds %d reports, the model %d", v.Len(), len(twin))
	}
	f := filter().Draw(t, "filter")
	z := rapid.SampledFrom([]uint32{0, 1, 9, 10, 12, 14, 22}).Draw(t, "z")
	p := position().Draw(t, "asked")
	if math.IsNaN(p[0]) {
		p = orb.Point{120.51, 30.41}
	}
	x, y := slippy(p[0], p[1], z)

	cells := v.Heat(z, x, y, f, nil)
	want := twin.heat(z, x, y, f)
	if len(cells) != len(want) {
		t.Fatalf("tile %d/%d/%d has %d cells, want %d", z, x, y, len(cells), len(want))
	}
	for _, cell := range cells {
		if want[[2]uint8{cell.X, cell.Y}] != cell.Count {
			t.Fatalf("tile %d/%d/%d: %+v, want %d", z, x, y, cell, want[[2]uint8{cell.X, cell.Y}])
		}
	}
	equalPoints(t, v, twin, z, x, y, f)
	equalCounts(t, v, twin, f)

	num := uint32(rapid.IntRange(0, 60).Draw(t, "get")) * 37_501
	got, ok := v.Get(num)
	has, known := twin[num]
	if ok != known || ok && (got.Item != has.Item || got.Kind != has.Kind || got.Source != has.Source || got.At != has.At || got.Face != has.Face ||
		got.State != has.State || got.End != has.End || got.Crew != has.Crew || got.Amber != has.Amber || got.Due != has.Due) {
		t.Fatalf("report %d is %+v %v, want %+v %v", num, got, ok, has, known)
	}
}

func equalPoints(t *rapid.T, v View, twin model, z, x, y uint32, f Filter) {
	points, truncated := v.Points(z, x, y, f, 1000, nil)
	n := 0
	for _, r := range twin {
		if rx, ry := slippy(r.Lon, r.Lat, z); rx == x && ry == y && f.naive(r) {
			n++
		}
	}
	if truncated || len(points) != n {
		t.Fatalf("tile %d/%d/%d has %d points (truncated %v), want %d", z, x, y, len(points), truncated, n)
	}
	if !slices.IsSortedFunc(points, func(a, b Point) int {
		if before(&a, &b) {
			return -1
		}
		return 1
	}) {
		t.Fatal("points are not in order")
	}
	for _, p := range points {
		r, ok := twin[p.Num]
		if !ok || !f.naive(r) || r.Item != p.Item || r.Kind != p.Kind || r.Source != p.Source || r.At != p.At || r.Face != p.Face || r.State != p.State() || r.Crew != p.Crew() {
			t.Fatalf("point %+v, but the report is %+v", p, r)
		}
	}
	limit := rapid.IntRange(1, 30).Draw(t, "limit")
	thin, truncated := v.Points(z, x, y, f, limit, nil)
	if truncated != (n > limit) || len(thin) > limit || !truncated && len(thin) != n {
		t.Fatalf("of %d points with limit %d: %d, truncated %v", n, limit, len(thin), truncated)
	}
	for _, p := range thin {
		if !slices.Contains(points, p) {
			t.Fatalf("%+v is in the sample but not in the tile", p)
		}
	}
}

func equalCounts(t *rapid.T, v View, twin model, f Filter) {
	var within *orb.Bound
	if rapid.Bool().Draw(t, "bounded") {
		// Sides lie between the drawn positions, so that 32-bit cells and doubles agree.
		west := 120.5 + (float64(rapid.IntRange(-3, 40).Draw(t, "west"))-0.5)*0.0007
		south := 30.4 + (float64(rapid.IntRange(-3, 40).Draw(t, "south"))-0.5)*0.0007
		within = &orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{
			west + float64(rapid.IntRange(0, 50).Draw(t, "width"))*0.0007,
			south + float64(rapid.IntRange(0, 50).Draw(t, "height"))*0.0007,
		}}
	}
	if got, want := v.Count(f, within), twin.count(f, within); got != want {
		t.Fatalf("counted %d, want %d", got, want)
	}
	edges := rapid.SampledFrom([][]uint32{
		{0, math.MaxUint32}, {1, 2}, {0, 1, 100, 101, 102, 500, 501}, {99, 100, math.MaxUint32 - 1, math.MaxUint32}, {5}, nil,
	}).Draw(t, "edges")
	hist := v.Histogram(f, within, edges)
	for i := range hist {
		want := uint64(0)
		for _, r := range twin {
			if r.At >= edges[i] && r.At < edges[i+1] && f.naive(r) && (within == nil || within.Contains(orb.Point{r.Lon, r.Lat})) {
				want++
			}
		}
		if hist[i] != want {
			t.Fatalf("bucket %d of %v: %d, want %d", i, edges, hist[i], want)
		}
	}
	equalPlaces(t, v, twin, f, edges)
	states, ends := v.CountByFate(f, within)
	crews := make([]uint64, 65)
	otherCrews := v.CountByCrew(f, within, crews)
	for _, r := range twin {
		if !f.naive(r) || within != nil && !within.Contains(orb.Point{r.Lon, r.Lat}) {
			continue
		}
		states[r.State]--
		ends[r.End]--
		if r.Crew < 65 {
			crews[r.Crew]--
		} else {
			otherCrews--
		}
	}
	if slices.Max(states[:]) != 0 || slices.Max(ends[:]) != 0 || slices.Max(crews) != 0 || otherCrews != 0 {
		t.Fatalf("counts by case differ from the model by %v %v %v %d", states, ends, crews, otherCrews)
	}
	faces, items := make([]uint64, 100), make([]uint64, 701)
	otherFaces, otherItems := v.CountByFace(f, within, faces), v.CountByItem(f, within, items)
	for _, r := range twin {
		if !f.naive(r) || within != nil && !within.Contains(orb.Point{r.Lon, r.Lat}) {
			continue
		}
		if int(r.Item) < len(items) {
			items[r.Item]--
		} else {
			otherItems--
		}
		if r.Face < 100 {
			faces[r.Face]--
		} else {
			otherFaces--
		}
	}
	if otherFaces != 0 || otherItems != 0 || slices.Max(faces) != 0 || slices.Max(items) != 0 {
		t.Fatalf("counts by face or item differ from the model by %v %d, %v %d", faces, otherFaces, items, otherItems)
	}
}

func equalPlaces(t *rapid.T, v View, twin model, f Filter, edges []uint32) {
	places := []int32{2, -1, 0, 63: 1, 64: 0}
	wide := max(0, len(edges)-1)
	counts := make([]uint64, 3*wide)
	v.CountByPlace(f, places, edges, counts)
	squares := Squares{Z: 18, X: 218_810, Y: 107_795, Cols: 40, Rows: 30}
	inSquares := make([]float64, squares.Cols*squares.Rows)
	v.CountBySquare(f, squares, inSquares)
	for _, r := range twin {
		if !f.naive(r) {
			continue
		}
		x, y := slippy(r.Lon, r.Lat, squares.Z)
		if x >= squares.X && x < squares.X+40 && y >= squares.Y && y < squares.Y+30 {
			inSquares[(y-squares.Y)*40+x-squares.X]--
		}
		for step := range wide {
			if r.At >= edges[step] && r.At < edges[step+1] && r.Face < 65 && places[r.Face] >= 0 {
				counts[int(places[r.Face])*wide+step]--
			}
		}
	}
	if slices.ContainsFunc(counts, func(n uint64) bool { return n != 0 }) || slices.ContainsFunc(inSquares, func(n float64) bool { return n != 0 }) {
		t.Fatalf("counts by place and step differ from the model by %v, by square by %v", counts, inSquares)
	}
}
