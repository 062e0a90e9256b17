package app_test

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/hotspot"
	"gridgov/internal/report"
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
	at := apptest.Now
	for name, bad := range map[string]app.Counted{"unknown_level": {Level: "street", Rule: q.Rule}, "unknown_item": {Level: "grid", Item: "99", Rule: q.Rule},
		"empty_window": {Level: "grid", From: at, To: at}, "future_window": {Level: "grid", From: at.Add(time.Second)}} {
		if _, err := c.Map(t.Context(), bad); code(err) != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	none := app.Counted{Level: "grid", To: at.AddDate(0, -1, 0)}
	if _, err := c.Events(t.Context(), none); code(err) != "no_reports" {
		t.Errorf("%v", err)
	}
	if _, err := c.Periods(t.Context(), none, 7); code(err) != "no_reports" {
		t.Errorf("%v", err)
	}
	long := app.Counted{Level: "grid", From: at.AddDate(-10, 0, 0)}
	for _, days := range []int{0, 1} {
		if _, err := c.Periods(t.Context(), long, days); code(err) != "bad_days" {
			t.Errorf("%d days a period: %v", days, err)
		}
	}
}

// scattered are reports about the city, at all hours of two months, and some that gather for a week.
func scattered(t *testing.T, c *app.City) (out []report.New) {
	t.Helper()
	rng := rand.New(rand.NewPCG(6, 2))
	for i := range 160 {
		n := at(rng.IntN(4), rng.IntN(4), []string{"1", "2"}[i%2])
		*n.X += (rng.Float64() - 0.5) * 0.9 * apptest.Step
		*n.Y += (rng.Float64() - 0.5) * 0.9 * apptest.Step
		n.CapturedAt = apptest.Now.Add(-time.Duration(rng.IntN(60*24*60)) * time.Minute)
		if i >= 130 {
			m := at(2+i%2, 1, "1") // at the rim, so that the two are a floor
			n.X, n.Y = m.X, m.Y
			n.CapturedAt = apptest.Now.Add(-time.Duration(18*24+rng.IntN(3*24)) * time.Hour)
		}
		file(t, c, n)
		out = append(out, n)
	}
	return out
}

// Knox's pairs are those that PostGIS counts by a join of the reports with themselves, on the spheroid and by the city's days.
func TestEventsAreThoseOfPostGIS(t *testing.T) {
	c := newOffice(t).c
	scattered(t, c)
	q := app.Counted{Level: "grid", Item: "1", From: apptest.Now.AddDate(0, 0, -50), To: apptest.Now.AddDate(0, 0, -2)}
	events, err := c.Events(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	metres, days := []float64{0, 400, 1500}, []float64{0, 3, 14}
	k, err := hotspot.Knox(t.Context(), events, metres, days, 99, 1)
	if err != nil {
		t.Fatal(err)
	}
	some := 0
	for s := range metres {
		for d := range days {
			under := func(limits []float64, i int) float64 {
				if i == 0 {
					return -1
				}
				return limits[i-1]
			}
			var want int
			if err := c.Pool.QueryRow(t.Context(), `
				WITH e AS (SELECT num, ST_SetSRID(ST_Point(lon, lat), 4326)::geography AS g, floor(extract(epoch FROM captured_at + interval '8 hours') / 86400) AS day
					FROM report WHERE item = '1' AND captured_at >= $5 AND captured_at < $6)
				SELECT count(*) FROM e a JOIN e b ON a.num < b.num
				WHERE ST_Distance(a.g, b.g) > $1 AND ST_Distance(a.g, b.g) <= $2 AND abs(a.day - b.day) > $3 AND abs(a.day - b.day) <= $4`,
				under(metres, s), metres[s], under(days, d), days[d], q.From, q.To).Scan(&want); err != nil {
				t.Fatal(err)
			}
			if k.Seen[s][d] != want {
				t.Errorf("%d pairs up to %g m and %g days, PostGIS has %d", k.Seen[s][d], metres[s], days[d], want)
			}
			if want > 0 {
				some++
			}
		}
	}
	if some < 8 {
		t.Errorf("%d bands have pairs", some)
	}
}

// Kulldorff's likeliest cluster is the best of all cylinders, counted from what was filed: of each grid with its nearest, over each run of
// periods.
func TestPeriodsHaveTheBestCylinder(t *testing.T) {
	c := newOffice(t).c
	filed := scattered(t, c)
	const days = 5
	from := time.Date(2026, 9, 28, 0, 0, 0, 0, c.Zone)
	m, err := c.Periods(t.Context(), app.Counted{Level: "grid", From: from, To: apptest.Now.AddDate(0, 0, 30)}, days)
	if err != nil {
		t.Fatal(err)
	}
	periods := 12 // of 58 days, to the day of now
	if len(m.Seen[0]) != periods || !m.First.Equal(from) || m.Base[0] != 400 {
		t.Fatalf("%d periods from %v, base %v", len(m.Seen[0]), m.First, m.Base)
	}
	seen, total := map[[3]int]float64{}, 0.0 // by column, row and period
	places, times := map[[2]int]float64{}, map[int]float64{}
	for _, n := range filed {
		if n.CapturedAt.Before(from) {
			continue
		}
		x, y, p := int((*n.X-apptest.West)/apptest.Step), int((*n.Y-apptest.South)/apptest.Step), int(n.CapturedAt.Sub(from)/(days*24*time.Hour))
		seen[[3]int{x, y, p}]++
		places[[2]int{x, y}]++
		times[p]++
		total++
	}
	index := map[string][2]int{}
	for x := range 4 {
		for y := range 4 {
			index[apptest.GridCode(x, y)] = [2]int{x, y}
		}
	}
	for i, u := range m.Units {
		for p := range periods {
			if at := index[u.Code]; float64(m.Seen[i][p]) != seen[[3]int{at[0], at[1], p}] {
				t.Errorf("%s has %d in period %d, filed were %g", u.Code, m.Seen[i][p], p, seen[[3]int{at[0], at[1], p}])
			}
		}
	}
	middles := make([]orb.Point, len(m.Units))
	for i, u := range m.Units {
		middles[i] = u.Center
	}
	middles = hotspot.Plane(middles)
	found, err := hotspot.Kulldorff(t.Context(), m.Seen, hotspot.Shares(m.Seen, nil), middles, hotspot.Scan{MaxPlaces: 6, MaxPeriods: 6, MaxShare: 0.5, Draws: 999, Seed: 1})
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v", found, err)
	}
	best := 0.0
	for i := range m.Units {
		order := make([]int, len(m.Units))
		for j := range order {
			order[j] = j
		}
		slices.SortStableFunc(order, func(a, b int) int {
			far := func(j int) float64 { return math.Hypot(middles[j][0]-middles[i][0], middles[j][1]-middles[i][1]) }
			return cmp.Compare(far(a), far(b))
		})
		for size := 1; size <= 6; size++ {
			for p := range periods {
				for q := p; q < min(p+6, periods); q++ {
					var n, e float64
					for _, j := range order[:size] {
						at := index[m.Units[j].Code]
						for k := p; k <= q; k++ {
							n += seen[[3]int{at[0], at[1], k}]
							e += places[at] * times[k] / total
						}
					}
					if n > e && e <= total/2 {
						best = max(best, n*math.Log(n/e)+(total-n)*math.Log((total-n)/(total-e)))
					}
				}
			}
		}
	}
	k := found[0]
	if math.Abs(k.LLR-best) > 1e-6 || k.P > 0.005 {
		t.Errorf("the best ratio is %g with p %g, of all cylinders %g", k.LLR, k.P, best)
	}
	for _, p := range k.Places {
		if at := index[m.Units[p].Code]; at != [2]int{2, 1} && at != [2]int{3, 1} {
			t.Errorf("it has %s, where nothing gathers", m.Units[p].Code)
		}
	}
}
