//go:build testdata

package photo

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Photos of a walk through Arezzo on 23 October 2008, by a camera that knew where it was. They lie in GRIDGOV_TESTDATA, as they
// have no licence.
func TestPhotosOfAWalk(t *testing.T) {
	root := os.Getenv("GRIDGOV_TESTDATA")
	files, err := filepath.Glob(filepath.Join(root, "geometry", "exif_gps", "*.jpg"))
	if err != nil || len(files) < 5 {
		t.Fatalf("GRIDGOV_TESTDATA names no folder with geometry/exif_gps: %v", err)
	}
	work := newWork(t)
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := work.work(t.Context(), b, zone, testNow)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		f := m.facts
		if f.Place == nil || geo.Distance(*f.Place, orb.Point{11.8814, 43.4665}) > 1000 {
			t.Errorf("%s: taken at %v", path, f.Place)
		}
		if f.Timed != ByGPS || f.TakenAt.Format(time.DateOnly) != "2008-10-23" || !f.TakenAt.After(last) {
			t.Errorf("%s: taken at %v by %s, the one before at %v", path, f.TakenAt, f.Timed, last)
		}
		last = f.TakenAt
		published(t, m.large, m.w, m.h, LargeSide)
		published(t, m.thumbnail, m.w, m.h, ThumbnailSide)
		if d := Compare(&f, f.TakenAt, f.Place); *d.DistanceM != 0 {
			t.Errorf("%s: %s", path, d.EN)
		}
	}
}
