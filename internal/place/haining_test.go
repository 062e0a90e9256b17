//go:build testdata

package place_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gridgov/internal/geofile"
	"gridgov/internal/place"
)

// Every village of Haining is found by the address that its residents write, with and without the kind of place, though
// villages of one name lie in several towns; by its bare name it is found or, where that is not unique, left to the desk.
func TestHaining(t *testing.T) {
	root := os.Getenv("GRIDGOV_TESTDATA")
	if root == "" {
		t.Fatal("GRIDGOV_TESTDATA names no folder")
	}
	table, err := geofile.OpenTable(context.Background(), filepath.Join(root, "haining", "jiaxing_divisions.csv"), geofile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close() // read only
	at, missing := table.Columns("level", "code", "name")
	if missing != nil {
		t.Fatal(missing)
	}
	var all []place.Entry
	town, called := map[string]string{}, map[string]int{}
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e := place.Entry{Kind: row.Fields[at[0]], Code: row.Fields[at[1]], Name: row.Fields[at[2]], Lon: 120 + float64(len(all))*1e-4, Lat: 30}
		if !strings.HasPrefix(e.Code, "330481") {
			continue
		}
		if len(e.Code) == 9 {
			town[e.Code] = e.Name
		}
		all = append(all, e)
		called[place.Normalise(e.Name)]++
	}
	g := place.New(all)
	villages := 0
	for _, e := range all {
		if len(e.Code) != 12 {
			continue
		}
		villages++
		short := strings.TrimSuffix(strings.TrimSuffix(e.Name, "居委会"), "委会") // 怡院社区居委会, 褚石村委会
		for _, address := range []string{
			"浙江省海宁市" + town[e.Code[:9]] + e.Name + "3组12号",
			"海宁市" + town[e.Code[:9]] + " " + short + "，12号",
			town[e.Code[:9]] + short,
			strings.TrimSuffix(strings.TrimSuffix(town[e.Code[:9]], "镇"), "街道") + short,
		} {
			m, ok := g.Geocode(address)
			if !ok || m.Entry.Code != e.Code {
				t.Errorf("%s (%s): found %s %s, %v", address, e.Code, m.Entry.Code, m.Entry.Name, g.Find(address, 3))
			}
		}
		m, ok := g.Geocode(e.Name)
		if unique := called[place.Normalise(e.Name)] == 1; ok != unique || ok && m.Entry.Code != e.Code {
			t.Errorf("%s by its bare name: %v, %s", e.Name, ok, m.Entry.Name)
		}
	}
	if villages != 236 {
		t.Errorf("%d villages, want 236", villages)
	}
}
