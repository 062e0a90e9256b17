package placement_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/demo/dc"
	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

// washington reads a level's faces as published.
func washington(t testing.TB, b dc.Boundary) []placement.Face {
	t.Helper()
	r, err := dc.Open(b.File)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var file struct {
		Features []struct {
			Properties map[string]any
			Geometry   struct {
				Type        string
				Coordinates json.RawMessage
			}
		}
	}
	if err := json.NewDecoder(r).Decode(&file); err != nil {
		t.Fatal(err)
	}
	var faces []placement.Face
	for _, f := range file.Features {
		face := placement.Face{Code: fmt.Sprint(f.Properties[b.CodeField]), Shape: make(orb.MultiPolygon, 1)}
		var into any = &face.Shape
		if f.Geometry.Type == "Polygon" {
			into = &face.Shape[0]
		}
		if err := json.Unmarshal(f.Geometry.Coordinates, into); err != nil {
			t.Fatalf("%s %s: %v", b.Level, face.Code, err)
		}
		faces = append(faces, face)
	}
	if len(faces) != b.Count {
		t.Fatalf("%d faces of level %s, want %d", len(faces), b.Level, b.Count)
	}
	return faces
}

func washingtonReports(t testing.TB) []orb.Point {
	t.Helper()
	r, err := dc.Open(dc.ReportsFile)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var points []orb.Point
	for _, row := range rows[1:] {
		lon, err1 := strconv.ParseFloat(row[column["lon"]], 64)
		lat, err2 := strconv.ParseFloat(row[column["lat"]], 64)
		if err1 == nil && err2 == nil {
			points = append(points, orb.Point{lon, lat})
		}
	}
	if len(points) != dc.Reports {
		t.Fatalf("%d reports with a position, want %d", len(points), dc.Reports)
	}
	return points
}

// Every report of Washington is in the ward, commission and district that PostGIS finds, and so are the points that lie
// hardest: vertices, points of edges, their neighbours.
func TestEqualsPostGISInWashington(t *testing.T) {
	reports := washingtonReports(t)
	for _, b := range dc.Boundaries() {
		t.Run(b.Level, func(t *testing.T) {
			faces := washington(t, b)
			x, town, pool := index(t, faces), madeup.Of(faces), pgtest.New(t)
			store(t, pool, faces)
			c := compare(t, x, town, pool, reports)
			if c.found != len(reports) {
				t.Errorf("%d of %d reports are in a %s", c.found, len(reports), b.Level)
			}
			rng := rand.New(rand.NewPCG(11, 12))
			n := soak.Or(500, 100_000)
			var points []orb.Point
			points = append(points, town.Random(rng, 2*n)...)
			points = append(points, town.Vertices(rng, n)...)
			points = append(points, town.Level(rng, n)...)
			edge := town.OnEdges(rng, n)
			points = append(points, edge...)
			points = append(points, madeup.Ulps(rng, edge)...)
			points = append(points, madeup.Ulps(rng, town.Vertices(rng, n))...)
			points = append(points, madeup.Offsets(rng, edge)...)
			points = append(points, madeup.Offsets(rng, town.Vertices(rng, n))...)
			t.Logf("%d bytes; hard points: %+v", x.Bytes(), compare(t, x, town, pool, points))
		})
	}
}
