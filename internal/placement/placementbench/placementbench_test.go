package placementbench_test

import (
	"strings"
	"testing"

	"gridgov/internal/placement/placementbench"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestRunComparesAndMeasures(t *testing.T) {
	r, err := placementbench.Run(t.Context(), pgtest.New(t), placementbench.Options{Grids: 90, Points: 5000, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Differ != 0 || r.Grids != 100 || r.Villages != 16 {
		t.Errorf("%+v", r)
	}
	var text strings.Builder
	if _, err := r.WriteTo(&text); err != nil || strings.Contains(text.String(), "%!") || strings.Contains(text.String(), "NaN") {
		t.Errorf("%v\n%s", err, &text)
	}
	for name, rate := range map[string]float64{"at": r.At, "border": r.Border, "locate": r.Locate, "postgis": r.PostGIS, "ratio": r.Ratio} {
		if !(rate > 0) {
			t.Errorf("%s %v", name, rate)
		}
	}
}

// BenchmarkPlacement is the whole run: go test -bench Placement -benchtime 1x -v ./internal/placement/placementbench.
func BenchmarkPlacement(b *testing.B) {
	pool := pgtest.New(b)
	for b.Loop() {
		r, err := placementbench.Run(b.Context(), pool, placementbench.Options{})
		if err != nil {
			b.Fatal(err)
		}
		var text strings.Builder
		if _, err := r.WriteTo(&text); err != nil {
			b.Fatal(err)
		}
		b.Log("\n" + text.String())
	}
}
