package app_test

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/hotspot"
)

// hotspotsAreR holds counts, neighbours and Gi* of Washington's districts against those that R's spdep has of the same reports.
func hotspotsAreR(t *testing.T, c *app.City) {
	t.Helper()
	f, err := os.Open("../hotspot/testdata/dc311_smd_all.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var want struct {
		IDs        []string `json:"ids"`
		Y          []float64
		Neighbours [][]int   `json:"neighbours_1based"`
		Gstar      []float64 `json:"localGstar_binary"`
	}
	z, err := gzip.NewReader(f)
	if err == nil {
		err = json.NewDecoder(z).Decode(&want)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Map(t.Context(), app.Counted{Level: "smd", Rule: hotspot.Rule{Kind: "queen"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := hotspot.Getis(m.Counts, m.Neighbours.Weighted(hotspot.Binary).WithSelf(), hotspot.TwoSided)
	if err != nil || len(m.Units) != len(want.IDs) || len(want.IDs) < 200 {
		t.Fatalf("%d districts, R has %d; %v", len(m.Units), len(want.IDs), err)
	}
	at := map[string]int{}
	for i, id := range want.IDs {
		at[id] = i
	}
	for i, u := range m.Units {
		k := at[u.Code]
		if m.Counts[i] != want.Y[k] || math.Abs(l.Z[i]-want.Gstar[k]) > 1e-9 {
			t.Errorf("%s: %g reports and z %g, R has %g and %g", u.Code, m.Counts[i], l.Z[i], want.Y[k], want.Gstar[k])
		}
		ours := map[string]bool{}
		for _, j := range m.Neighbours.Of(i) {
			ours[m.Units[j].Code] = true
		}
		for _, j := range want.Neighbours[k] {
			if !ours[want.IDs[j-1]] {
				t.Errorf("%s and %s are neighbours in R alone", u.Code, want.IDs[j-1])
			}
		}
		if len(ours) != len(want.Neighbours[k]) {
			t.Errorf("%s has %d neighbours, in R %d", u.Code, len(ours), len(want.Neighbours[k]))
		}
	}
}

// Reports count where the plan in force has them, by item and time; what cannot be counted is said.
func TestMapCounts(t *testing.T) {
	o := newOffice(t)
	c := o.c
	for i := range 30 {
		n := at(i%4, i/4%4, []string{"1", "2"}[i%2])
		n.CapturedAt = apptest.Now.Add(-time.Duration(i) * time.Hour)
		file(t, c, n)
	}
	q := app.Counted{Level: "grid", Rule: hotspot.Rule{Kind: "rook"}}
	sum := func(q app.Counted) (n float64) {
		t.Helper()
		m, err := c.Map(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range m.Counts {
			n += v
		}
		return n
	}
	all, one, day := q, q, q
	one.Item = "1"
	day.From, day.To = apptest.Now.Add(-9*time.Hour), apptest.Now
	villages := q
	villages.Level = "village"
	for name, got := range map[string][2]float64{"all": {sum(all), 30}, "of one item": {sum(one), 15}, "in nine hours": {sum(day), 9}, "by villages": {sum(villages), 30}} {
		if got[0] != got[1] {
			t.Errorf("%s: %g reports, want %g", name, got[0], got[1])
		}
	}
	m, err := c.Map(t.Context(), q)
	if err != nil || len(m.Base) != 16 || m.Base[0] != 400 || m.Neighbours.Links() != 48 { // of households; a lattice of four by four
		t.Errorf("%v, %d links, %v", m.Base, m.Neighbours.Links(), err)
	}
	for name, bad := range map[string]app.Counted{"unknown_level": {Level: "street", Rule: q.Rule}, "unknown_item": {Level: "grid", Item: "99", Rule: q.Rule}} {
		if _, err := c.Map(t.Context(), bad); code(err) != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
}
