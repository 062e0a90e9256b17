package haining

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/hotspot"
)

var lastDay = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func reports(t testing.TB) []Report {
	var out []Report
	for r := range plan(t).Reports(lastDay) {
		out = append(out, r)
	}
	return out
}

func TestReportsGolden(t *testing.T) {
	h := sha256.New()
	e := json.NewEncoder(h)
	for r := range plan(t).Reports(lastDay) {
		if err := e.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "testdata/reports.sha256", hex.EncodeToString(h.Sum(nil))+"\n")
}

// TestReportsDependOnTheDayOnly: the hour of loading does not matter, the day does.
func TestReportsDependOnTheDayOnly(t *testing.T) {
	first := func(until time.Time) Report {
		for r := range plan(t).Reports(until) {
			return r
		}
		return Report{}
	}
	at := first(lastDay)
	if later := first(lastDay.Add(11 * time.Hour)); later != at {
		t.Errorf("at another hour: %v, %v", at, later)
	}
	if next := first(lastDay.Add(24 * time.Hour)); next.ID == at.ID {
		t.Errorf("on the next day the same: %v", next)
	}
}

func TestReportsAreWhole(t *testing.T) {
	all := reports(t)
	if len(all) != Total {
		t.Fatalf("%d reports", len(all))
	}
	end := time.Date(2026, 11, 24, 0, 0, 0, 0, cst)
	begin := end.AddDate(0, 0, 1-Days)
	ids := map[[16]byte]bool{}
	days := map[string]int{}
	var addresses, outsideCity, closed int
	items, kinds, sources := map[string]int{}, map[string]int{}, map[string]int{}
	bound := plan(t).City.Shape.Bound()
	ring := plan(t).City.Shape[0]
	loop := make([]vec, len(ring)-1)
	for i := range loop {
		loop[i] = toLocal(ring[i])
	}
	for i, r := range all {
		if r.CapturedAt.Before(begin) || !r.CapturedAt.Before(end.Add(15*time.Minute)) || i > 0 && r.CapturedAt.Before(all[i-1].CapturedAt) {
			t.Fatalf("report %d at %v", i, r.CapturedAt)
		}
		ms := int64(r.ID[0])<<40 | int64(r.ID[1])<<32 | int64(r.ID[2])<<24 | int64(r.ID[3])<<16 | int64(r.ID[4])<<8 | int64(r.ID[5])
		if ids[r.ID] || ms != r.CapturedAt.UnixMilli() || r.ID[6]>>4 != 7 || r.ID[8]>>6 != 2 {
			t.Fatalf("report %d has id %x", i, r.ID)
		}
		ids[r.ID] = true
		if r.ClosedAt.IsZero() && end.Sub(r.CapturedAt) > 30*24*time.Hour {
			t.Fatalf("report %d of %v is open", i, r.CapturedAt)
		}
		if !r.ClosedAt.IsZero() {
			closed++
			if !r.ClosedAt.After(r.CapturedAt) || r.ClosedAt.After(end) {
				t.Fatalf("report %d of %v closed at %v", i, r.CapturedAt, r.ClosedAt)
			}
		}
		days[r.CapturedAt.In(cst).Format(time.DateOnly)]++
		items[r.Item]++
		kinds[r.Kind]++
		sources[r.Source]++
		switch {
		case !r.Located:
			addresses++
			if r.Address == "" {
				t.Fatalf("report %d has neither point nor address", i)
			}
		case !bound.Contains(orb.Point{r.Lon, r.Lat}) || !inside(loop, toLocal(orb.Point{r.Lon, r.Lat})):
			outsideCity++
		}
	}
	if len(days) != Days || len(items) != 16 || len(kinds) != 3 || len(sources) != 5 {
		t.Errorf("%d days, items %v, kinds %v, sources %v", len(days), items, kinds, sources)
	}
	if addresses < 300 || addresses > 800 || outsideCity < 100 || outsideCity > 1200 {
		t.Errorf("%d with an address alone, %d outside", addresses, outsideCity)
	}
	if open := Total - closed; open < 200 || open > 1500 { // a queue that can be worked off, of matters of these weeks
		t.Errorf("%d open", open)
	}
}

// TestRhythm: weekdays over weekends, office hours over night, a dip at noon, noise in the evening.
func TestRhythm(t *testing.T) {
	var weekend, work float64
	var hour, noiseHour [24]float64
	for _, r := range reports(t) {
		at := r.CapturedAt.In(cst)
		if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		} else {
			work++
		}
		switch r.Item {
		case "16":
			noiseHour[at.Hour()]++
		case "13":
			hour[at.Hour()]++
		}
	}
	if ratio := weekend / 2 / (work / 5); ratio < 0.6 || ratio > 0.8 {
		t.Errorf("a weekend day has %.2f of a weekday", ratio)
	}
	if hour[9] < 10*hour[3] || hour[12] > 0.7*hour[10] || hour[12] > 0.7*hour[14] {
		t.Errorf("hours of item 13: %v", hour)
	}
	if noiseHour[20] < 2*noiseHour[10] {
		t.Errorf("hours of item 16: %v", noiseHour)
	}
}

// TestHotspotsAreThere counts each hotspot's circle and period anew, from the reports alone.
func TestHotspotsAreThere(t *testing.T) {
	all := reports(t)
	hotspots := plan(t).Hotspots(lastDay)
	if len(hotspots) < 8 {
		t.Fatalf("%d hotspots", len(hotspots))
	}
	for _, h := range hotspots {
		centre := toLocal(orb.Point{h.Lon, h.Lat})
		got, planted := 0, 0
		for _, r := range all {
			if !r.Located || r.Item != h.Item || r.CapturedAt.Before(h.From) || !r.CapturedAt.Before(h.Until) ||
				toLocal(orb.Point{r.Lon, r.Lat}).sub(centre).len() > h.RadiusM {
				continue
			}
			got++
			if r.Planted {
				planted++
			}
		}
		if planted != h.Planted || h.Planted < 30 {
			t.Errorf("%s in %s: %d planted reports, the truth says %d", h.Item, h.Name, planted, h.Planted)
		}
		if usual := float64(got - planted); math.Abs(usual-h.Expected) > 4*math.Sqrt(h.Expected)+2 {
			t.Errorf("%s in %s: %.0f usual reports, expected %.1f", h.Item, h.Name, usual, h.Expected)
		}
	}
}

// TestInvestigationsHaveTheirEffect counts the circles of what was investigated before and after, from the reports alone: the usual ones of
// the whole city tell what would have come, and an engine that knows nothing of what was planted reads the effect.
func TestInvestigationsHaveTheirEffect(t *testing.T) {
	all := reports(t)
	effects := map[float64]bool{}
	for _, h := range plan(t).Hotspots(lastDay) {
		if h.Investigated.IsZero() {
			if h.Effect != 0 || h.PlantedAfter != 0 {
				t.Errorf("nobody came to %s, and there is an effect: %+v", h.Name, h)
			}
			continue
		}
		effects[h.Effect] = true
		after := h.Investigated.AddDate(0, 0, 1)
		if today := time.Date(2026, 11, 24, 0, 0, 0, 0, cst); today.Sub(after) < 70*24*time.Hour || after.Sub(h.From) < 60*24*time.Hour || !h.Until.Equal(today) {
			t.Errorf("%s lasted from %v to %v, and was looked at on %v", h.Name, h.From, h.Until, h.Investigated)
		}
		centre := toLocal(orb.Point{h.Lon, h.Lat})
		var city, here [2]float64 // before and after: usual reports of the whole city, all of the item in the circle
		planted := 0
		window := after.AddDate(0, 0, -28)
		c := hotspot.Compared{ChosenDays: 28, AfterDays: h.Until.Sub(after).Hours() / 24, Alike: 100, Dispersion: 1}
		for _, r := range all {
			if !r.Located || r.CapturedAt.Before(h.From) || !r.CapturedAt.Before(h.Until) {
				continue
			}
			half := 0
			if !r.CapturedAt.Before(after) {
				half = 1
			}
			if !r.Planted {
				city[half]++
			}
			inWindow := half == 0 && !r.CapturedAt.Before(window)
			switch in := toLocal(orb.Point{r.Lon, r.Lat}).sub(centre).len() <= h.RadiusM; {
			case r.Item != h.Item:
			case in:
				here[half]++
				if half == 1 {
					c.After++
					if r.Planted {
						planted++
					}
				} else if inWindow {
					c.Chosen++
				}
			case !r.Planted:
				if half == 1 {
					c.AlikeAfter++
				} else if inWindow {
					c.AlikeBefore++
				}
			}
		}
		if planted != h.PlantedAfter {
			t.Errorf("%s: %d planted after, the truth says %d", h.Name, planted, h.PlantedAfter)
		}
		for half, factor := range []float64{h.Factor, (1 + h.Effect) * h.Factor} {
			expected := h.Expected * city[half] / (city[0] + city[1]) // usual ones
			want := factor * expected
			if off := here[half] - want; math.Abs(off) > 4*math.Sqrt(expected)+0.03*want || want < 100 { // shrunk counts are a little below what was planted by
				t.Errorf("%s, half %d: %.0f reports, want %.0f", h.Name, half, here[half], want)
			}
		}
		c.Least = c.Chosen / 2
		e, err := hotspot.Effect(c)
		t.Logf("%s, effect %g: %d in four weeks before, %d in %g days after: %+v", h.Name, h.Effect, c.Chosen, c.After, c.AfterDays, e)
		if err != nil || e.Low > 1+h.Effect || e.High < 1+h.Effect || h.Effect == -0.5 && e.Reading != hotspot.ReadFell || h.Effect == 0 && e.Reading != hotspot.ReadNoChange {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
	for _, effect := range []float64{0, -0.2, -0.5} {
		if !effects[effect] {
			t.Errorf("no investigation has an effect of %g", effect)
		}
	}
}

func TestItems(t *testing.T) {
	aspects := map[string]bool{}
	for _, a := range Aspects() {
		aspects[a.Code] = true
	}
	for i, it := range Items() {
		if number(it.Code) != i+1 || len(it.Code) != 2 || !aspects[it.Aspect] || it.Name == "" || it.Latin == "" {
			t.Errorf("item %d: %+v", i+1, it)
		}
	}
	if len(Items()) != len(habits) || len(aspects) != 6 {
		t.Errorf("%d items, %d aspects", len(Items()), len(aspects))
	}
}
