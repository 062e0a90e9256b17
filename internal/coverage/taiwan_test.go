//go:build testdata

package coverage

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Taiwan's villages of 1982 (g0v/twgeojson, simplified by its publisher) are read from the folder GRIDGOV_TESTDATA.
func taiwan(t testing.TB, code string) (villages []Polygon, rejected int) {
	t.Helper()
	folder := os.Getenv("GRIDGOV_TESTDATA")
	if folder == "" {
		t.Fatal("GRIDGOV_TESTDATA does not name the folder of test data")
	}
	polygons, rows := readPolygons(t, filepath.Join(folder, "tw_villages", "twVillage1982.topo.json"), code, "")
	return polygons, len(rows)
}

func TestTaiwansVillages(t *testing.T) {
	villages, rejected := taiwan(t, "VILLAGESN")
	if len(villages) != 7599 || rejected != 468 {
		t.Errorf("%d villages and %d rows without geometry, want 7599 and 468", len(villages), rejected)
	}
	start := time.Now()
	c, findings := mustBuild(t, villages, Options{})
	t.Logf("7,599 villages built and checked in %v", time.Since(start))
	if c.Len() != len(villages) {
		t.Errorf("%d of %d villages are left", c.Len(), len(villages))
	}

	g := newPostGIS(t)
	g.load("village", villages)
	invalid := g.texts("SELECT code FROM village WHERE NOT ST_IsValid(geom) ORDER BY code")
	var crossing []string
	for _, f := range findings {
		if f.Kind == SelfCrossing {
			crossing = append(crossing, f.Codes[0])
		}
	}
	slices.Sort(crossing)
	if crossing = slices.Compact(crossing); len(invalid) != 8 || !slices.Equal(crossing, invalid) {
		t.Errorf("PostGIS calls %v invalid, told are %v", invalid, crossing)
	}

	overlaps := map[string]float64{} // m² by pair of villages
	for _, f := range findings {
		if f.Kind == Overlap || f.Kind == Sliver {
			for i, a := range f.Codes {
				for _, b := range f.Codes[i+1:] {
					overlaps[a+" "+b] += f.AreaM2
				}
			}
		}
	}
	type pair struct {
		Codes  string
		AreaM2 float64
	}
	rows, err := g.pool.Query(t.Context(), `SELECT codes, area FROM (SELECT a.code || ' ' || b.code AS codes, ST_Area(ST_Intersection(a.geom, b.geom)::geography) AS area
		FROM village a JOIN village b ON a.code COLLATE "C" < b.code COLLATE "C" AND a.geom && b.geom AND ST_IsValid(a.geom) AND ST_IsValid(b.geom)) x WHERE area > 0.01`)
	if err != nil {
		t.Fatal(err)
	}
	measured, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil || len(measured) < 50 {
		t.Fatalf("PostGIS measures %d overlaps: %v", len(measured), err)
	}
	for _, p := range measured {
		if told := overlaps[p.Codes]; math.Abs(told-p.AreaM2) > 0.01+0.005*p.AreaM2 {
			t.Errorf("%s overlap by %v m², told are %v", p.Codes, p.AreaM2, told)
		}
	}
	g.agrees(c)

	again, err := FromFaces(c.Polygons())
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("read back it is another coverage: %v", err)
	}
	for _, tolerance := range []float64{10, 100, 1000} {
		checkSimplified(t, c, tolerance)
	}
}

func TestTaiwansVillageIDRepeats(t *testing.T) {
	villages, _ := taiwan(t, "VILLAGEID")
	codes := map[string]bool{}
	for _, v := range villages {
		codes[v.Code] = true
	}
	_, findings := mustBuild(t, villages, Options{})
	repeated := 0
	for _, f := range findings {
		if f.Kind == Duplicate && len(f.Codes) == 1 && f.Severity == Refused {
			repeated++
		}
	}
	if want := len(villages) - len(codes); repeated != want || want == 0 {
		t.Errorf("%d repeated codes told, %d are there", repeated, want)
	}
}

func BenchmarkTaiwan(b *testing.B) {
	villages, _ := taiwan(b, "VILLAGESN")
	for b.Loop() {
		if _, _, err := Build(b.Context(), villages, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
