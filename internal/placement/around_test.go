package placement_test

import (
	"reflect"
	"slices"
	"testing"

	"gridgov/internal/placement/madeup"
	"gridgov/internal/postgres/pgtest"
)

func TestShapeIsAsGiven(t *testing.T) {
	town := madeup.New(11, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.01, Columns: 6, Rows: 5, Bends: 5})
	x := index(t, town.Faces)
	for i, f := range town.Faces {
		if got := x.Shape(0, int32(i)); !reflect.DeepEqual(got, f.Shape) {
			t.Fatalf("face %s: %v, given was %v", f.Code, got, f.Shape)
		}
	}
}

// PostGIS measures what is how near; the half step by which Around looks further is allowed for.
func TestAroundHasAllThatAreNear(t *testing.T) {
	town := madeup.New(12, madeup.Plan{West: 120.3, South: 30.2, CellDeg: 0.004, Columns: 6, Rows: 6, Bends: 4})
	x, pool := index(t, town.Faces), pgtest.New(t)
	store(t, pool, town.Faces)
	rows, err := pool.Query(t.Context(), `SELECT a.code, b.code, ST_Distance(ST_Segmentize(ST_SetSRID(a.geom, 4326), 0.0001)::geography,
		ST_Segmentize(ST_SetSRID(b.geom, 4326), 0.0001)::geography) FROM face a JOIN face b ON a.code <> b.code`)
	if err != nil {
		t.Fatal(err)
	}
	type pair struct{ a, b string }
	apart := map[pair]float64{}
	for rows.Next() {
		var p pair
		var m float64
		if err := rows.Scan(&p.a, &p.b, &m); err != nil {
			t.Fatal(err)
		}
		apart[p] = m
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	codes := x.Codes(0)
	some := 0
	for _, reachM := range []float64{0, 100, 250, 600} {
		for i := range codes {
			around := x.Around(int32(i), reachM)
			for k := range codes {
				m, there := apart[pair{codes[i], codes[k]}], slices.Contains(around, int32(k))
				switch {
				case k == i:
					if there {
						t.Errorf("%s is around itself", codes[i])
					}
				case m <= reachM*0.995 && !there:
					t.Errorf("%s lies %v m from %s and is not within %v", codes[k], m, codes[i], reachM)
				case m > (reachM+25)*1.005+1e-3 && there:
					t.Errorf("%s lies %v m from %s and is within %v", codes[k], m, codes[i], reachM)
				case there && m > 0:
					some++
				}
			}
			if !slices.IsSortedFunc(around, func(a, b int32) int { return compareCodes(codes, a, b) }) {
				t.Errorf("%v is not in the order of codes", around)
			}
		}
	}
	if some == 0 {
		t.Error("nobody is near without touching: the town is too coarse to show anything")
	}
}

func compareCodes(codes []string, a, b int32) int {
	if codes[a] < codes[b] {
		return -1
	}
	return 1
}
