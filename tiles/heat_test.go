package tiles

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/paulmach/orb/encoding/mvt"

	"gridgov/internal/cube"
)

// sample is n reports around one town and a few at the ends of the world.
func sample(seed uint64, n int) []cube.Row {
	rng := rand.New(rand.NewPCG(seed, 0))
	rows := make([]cube.Row, n)
	for i := range rows {
		rows[i] = cube.Row{
			Num: uint32(i + 1), Lon: 120.6 + rng.NormFloat64()*0.05, Lat: 30.4 + rng.NormFloat64()*0.04,
			At: 1_700_000_000 + rng.Uint32N(730*86400), Item: uint16(rng.IntN(5)),
			Kind: uint8(rng.IntN(3)), Source: uint8(rng.IntN(6)), Face: uint32(rng.IntN(9)),
		}
		if i%100 == 0 {
			rows[i].Lon, rows[i].Lat = rng.Float64()*360-180, rng.Float64()*180-90
		}
	}
	return rows
}

func load(rows []cube.Row) cube.View {
	return cube.Load(func(yield func(cube.Row) bool) {
		for _, r := range rows {
			if !yield(r) {
				return
			}
		}
	}).View()
}

// cellOf is the heat cell of a report among the 2^(z+6) of an axis, by the textbook's formula in doubles.
func cellOf(r cube.Row, z uint32) (x, y uint32) {
	n := math.Exp2(float64(z + 6))
	lat := max(-85.05112877980659, min(85.05112877980659, r.Lat)) * math.Pi / 180
	fy := (1 - math.Log(math.Tan(lat)+1/math.Cos(lat))/math.Pi) / 2 * n
	return uint32(min(n-1, (r.Lon+180)/360*n)), uint32(max(0, min(n-1, fy)))
}

// The cells of all tiles of a zoom are a recount of the reports, each once.
func TestHeatRecounts(t *testing.T) {
	rows := sample(1, 20_000)
	view := load(rows)
	var m Maker
	for _, z := range []uint32{0, 5, 10, 13, 22} {
		for _, f := range []cube.Filter{{}, {Items: []uint16{1, 4}, Kinds: 0b101, From: 1_710_000_000, To: 1_720_000_000}} {
			want := map[[2]uint32]uint64{}
			tiles := map[Address]bool{}
			for _, r := range rows {
				x, y := cellOf(r, z)
				tiles[Address{z, x / 64, y / 64}] = true
				if len(f.Items) == 0 || (r.Item == 1 || r.Item == 4) && r.Kind != 1 && r.At >= f.From && r.At < f.To {
					want[[2]uint32{x, y}]++
				}
			}
			for a := range tiles {
				for _, c := range heatCells(t, m.Heat(nil, view, a, f), a) {
					if want[c.cell] != c.count {
						t.Fatalf("zoom %d, cell %v: %d reports, want %d", z, c.cell, c.count, want[c.cell])
					}
					delete(want, c.cell)
				}
			}
			if len(want) > 0 {
				t.Errorf("zoom %d: %d cells are missing", z, len(want))
			}
		}
	}
}

type heatCell struct {
	cell   [2]uint32
	count  uint64
	perKM2 float32
}

// heatCells decodes a heat tile and checks that its features are single squares.
func heatCells(t *testing.T, b []byte, a Address) (cells []heatCell) {
	t.Helper()
	layers, err := decodeTile(b)
	if err != nil {
		t.Fatalf("%+v: %v", a, err)
	}
	for _, l := range layers {
		if l.name != "heat" || l.extent != 64 || len(layers) != 1 {
			t.Fatalf("%+v: layer %s of %d with extent %d", a, l.name, len(layers), l.extent)
		}
		for _, f := range l.features {
			square := f.lines[0]
			p := square[0]
			want := []pixel{p, {p.x + 1, p.y}, {p.x + 1, p.y + 1}, {p.x, p.y + 1}}
			if f.kind != typePolygon || len(f.lines) != 1 || len(square) != 4 || square[1] != want[1] || square[2] != want[2] ||
				square[3] != want[3] || p.x < 0 || p.x > 63 || p.y < 0 || p.y > 63 {
				t.Fatalf("%+v: %v is no cell", a, f.lines)
			}
			cells = append(cells, heatCell{
				[2]uint32{a.X*64 + uint32(p.x), a.Y*64 + uint32(p.y)},
				f.properties["count"].(uint64), f.properties["per_km2"].(float32),
			})
		}
	}
	return cells
}

// orb's decoder reads what ours reads.
func TestHeatDecodesWithOrb(t *testing.T) {
	rows := sample(2, 5000)
	view := load(rows)
	var m Maker
	x, y := cellOf(rows[1], 10)
	a := Address{10, x / 64, y / 64}
	b := m.Heat(nil, view, a, cube.Filter{})
	layers, err := mvt.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, f := range layers[0].Features {
		total += f.Properties["count"].(float64)
	}
	want := uint64(0)
	for _, c := range heatCells(t, b, a) {
		want += c.count
	}
	if uint64(total) != want || want < 1000 || layers[0].Version != 2 {
		t.Errorf("orb counts %v reports in a layer of version %d, want %d", total, layers[0].Version, want)
	}
}

// Large counts and dense rows take the dictionary's other paths.
func TestHeatOfManyReportsOnOneSpot(t *testing.T) {
	var rows []cube.Row
	num := uint32(0)
	for i, n := range []int{1, 63, 64, 255, 256, 300, 300, 5000} {
		for range n {
			num++
			rows = append(rows, cube.Row{Num: num, Lon: 120.5 + float64(i)*0.011, Lat: 30.3})
		}
	}
	var m Maker
	view := load(rows)
	got := map[uint64]int{}
	_, y := cellOf(rows[0], 10)
	for x := uint32(853); x < 857; x++ {
		a := Address{10, x, y / 64}
		for _, c := range heatCells(t, m.Heat(nil, view, a, cube.Filter{}), a) {
			got[c.count]++
			area := cellAreaM2(16, c.cell[1]) / 1e6
			if rel := float64(c.perKM2)*area/float64(c.count) - 1; math.Abs(rel) > 2e-7 {
				t.Errorf("%d reports on %v km² are %v per km²", c.count, area, c.perKM2)
			}
		}
	}
	if got[1] != 1 || got[63] != 1 || got[64] != 1 || got[255] != 1 || got[256] != 1 || got[300] != 2 || got[5000] != 1 {
		t.Errorf("counts %v", got)
	}
}

// The rows of cells from pole to pole add up to the zone between the ends of the web-mercator square, integrated in steps.
func TestCellAreasAddUpToTheEllipsoid(t *testing.T) {
	const z = 9
	sum := 0.0
	for y := range uint32(1 << z) {
		sum += cellAreaM2(z, y) * (1 << z)
	}
	end := math.Asin(math.Tanh(math.Pi))
	const steps = 20_000
	want := 0.0
	for i := range steps {
		s := math.Sin(-end + (float64(i)+0.5)/steps*2*end)
		want += 2 * math.Pi * semiMajorM * semiMajorM * (1 - ecc2) * math.Sqrt(1-s*s) / ((1 - ecc2*s*s) * (1 - ecc2*s*s)) * 2 * end / steps
	}
	if math.Abs(sum/want-1) > 1e-8 {
		t.Errorf("cells add up to %v m², want %v", sum, want)
	}
}

func TestNothingIsDrawnWhereNothingIs(t *testing.T) {
	var m Maker
	view := load(sample(3, 100))
	prefix := []byte("kept")
	names := &Names{}
	for _, a := range []Address{{10, 0, 0}, {23, 0, 0}, {5, 32, 0}, {5, 0, 32}} {
		if got := m.Heat(prefix, view, a, cube.Filter{}); string(got) != "kept" {
			t.Errorf("heat of %+v has %d bytes", a, len(got))
		}
		if got, _ := m.Reports(prefix, view, a, cube.Filter{}, names); string(got) != "kept" {
			t.Errorf("reports of %+v have %d bytes", a, len(got))
		}
	}
	if got := m.Heat(nil, load(nil), Address{}, cube.Filter{}); len(got) != 0 {
		t.Errorf("an empty cube makes %d bytes", len(got))
	}
	if got, _ := m.Reports(nil, view, Address{11, 1709, 844}, cube.Filter{}, names); len(got) != 0 {
		t.Errorf("reports below their zoom make %d bytes", len(got))
	}
}

// Rows that were kept are the right ones, whoever asks for which rows in between, at once.
func TestKeptRowsAreTheTilesOwn(t *testing.T) {
	var work sync.WaitGroup
	for w := range uint64(4) {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(w, 5))
			for range 3000 {
				z := rng.Uint32N(MaxZoom + 1)
				y := rng.Uint32N(1 << z)
				rows := heatRowsOf(z, y)
				row := rng.Uint32N(heatSide)
				if got, want := rows.perKM2[rows.class[row]], 1e6/cellAreaM2(z+6, y*heatSide+row); math.Abs(got/want-1) > 1e-7 {
					t.Errorf("z %d, row %d of tile %d: %v cells a km², not %v", z, row, y, got, want)
				}
			}
		})
	}
	work.Wait()
}
