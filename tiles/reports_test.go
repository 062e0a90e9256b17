package tiles

import (
	"math"
	"testing"

	"gridgov/internal/cube"
)

var names = &Names{
	Items: []string{"01", "02", "03", "04"}, // 4 has none
	Kinds: []string{"inquiry", "problem", "conflict"}, Sources: []string{"phone", "hotline", "web", "sensor", "import", "patrol"},
	Grids: []string{"330481103200001", "", "330481103200002"}, Faces: []uint32{0, 2, 1, 0}, // two faces of one grid, and one of none
}

// Each report is drawn once a zoom, within a unit of where it is, with its own properties.
func TestReportsAreDrawnWhereTheyAre(t *testing.T) {
	rows := sample(4, 3000)
	view := load(rows)
	var m Maker
	for _, z := range []uint32{12, 16, 20, 21, 22} {
		drawn := map[uint64]bool{}
		tiles := map[Address]bool{}
		for _, r := range rows {
			x, y := cellOf(r, z)
			tiles[Address{z, x / 64, y / 64}] = true
		}
		for a := range tiles {
			b, truncated := m.Reports(nil, view, a, cube.Filter{Kinds: 0b11}, names)
			layers, err := decodeTile(b)
			if err != nil || truncated {
				t.Fatalf("%+v: %v, truncated %v", a, err, truncated)
			}
			for _, l := range layers {
				for _, f := range l.features {
					if drawn[f.id] {
						t.Fatalf("report %d twice at zoom %d", f.id, z)
					}
					drawn[f.id] = true
					checkReport(t, a, &f, rows[f.id-1])
				}
			}
		}
		for _, r := range rows {
			if drawn[uint64(r.Num)] != (r.Kind < 2) {
				t.Fatalf("zoom %d: report %d of kind %d drawn: %v", z, r.Num, r.Kind, drawn[uint64(r.Num)])
			}
		}
	}
}

func checkReport(t *testing.T, a Address, f *tileFeature, r cube.Row) {
	t.Helper()
	p := f.lines[0][0]
	n := math.Exp2(float64(a.Z)) * Extent
	wantX := (r.Lon + 180) / 360 * n
	s := math.Sin(max(-85.0511287798, min(85.0511287798, r.Lat)) * math.Pi / 180)
	wantY := (0.5 - math.Atanh(s)/(2*math.Pi)) * n
	slack := max(1, math.Exp2(float64(a.Z)-21)) + 1e-3 // a unit, or half a 32-bit cell where that is larger
	if dx, dy := float64(a.X)*Extent+float64(p.x)-wantX, float64(a.Y)*Extent+float64(p.y)-wantY; math.Abs(dx) > slack || math.Abs(dy) > slack {
		t.Errorf("report %d in %+v is %v, %v units off", f.id, a, dx, dy)
	}
	want := map[string]any{"kind": names.Kinds[r.Kind], "source": names.Sources[r.Source], "at": uint64(r.At)}
	if int(r.Item) < len(names.Items) {
		want["item"] = names.Items[r.Item]
	}
	if grid := map[uint32]string{0: "330481103200001", 1: "330481103200002", 3: "330481103200001"}[r.Face]; grid != "" {
		want["grid"] = grid
	}
	if f.kind != typePoint || len(f.properties) != len(want) {
		t.Fatalf("report %d: type %d, %v, want %v", f.id, f.kind, f.properties, want)
	}
	for key, value := range want {
		if f.properties[key] != value {
			t.Fatalf("report %d: %s is %v, want %v", f.id, key, f.properties[key], value)
		}
	}
}

// A tile of too many reports is thinned evenly, says so, and is the same each time.
func TestReportsAreThinned(t *testing.T) {
	rows := sample(5, 3*MaxPoints)
	for i := range rows {
		rows[i].Lon, rows[i].Lat = 120.501+float64(i%300)*0.0001, 30.401+float64(i/300)*0.0001
	}
	view := load(rows)
	var m Maker
	x, y := cellOf(rows[0], 12)
	a := Address{12, x / 64, y / 64}
	b, truncated := m.Reports(nil, view, a, cube.Filter{}, names)
	again, _ := m.Reports(nil, view, a, cube.Filter{}, names)
	layers, err := decodeTile(b)
	if err != nil || !truncated || string(b) != string(again) {
		t.Fatalf("%v, truncated %v, the same again %v", err, truncated, string(b) == string(again))
	}
	kept := layers[0].features
	if len(kept) > MaxPoints || len(kept) < MaxPoints*99/100 {
		t.Fatalf("%d reports kept", len(kept))
	}
	west := 0
	for _, f := range kept {
		if f.properties["truncated"] != true {
			t.Fatalf("report %d does not say that others are missing", f.id)
		}
		if (f.id-1)%300 < 150 {
			west++
		}
	}
	if half := len(kept) / 2; west < half*95/100 || west > half*105/100 {
		t.Errorf("%d of %d reports kept are of the western half", west, len(kept))
	}
}
