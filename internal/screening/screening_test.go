package screening

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gridgov/internal/hotspot"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 5_000)
	m.Run()
}

const to = int64(1_795_000_000)

// lattice is a city of side × side units, the western half one town, the eastern another, with no reports.
func lattice(side int, items ...Item) *Cut {
	c := &Cut{Epoch: 1, Seq: 7, Plan: 3, List: 1, HasLevel: true, To: to, From: to - 28*day, Since: to - 28*day - trendWeeks*week, Items: items, Crews: []Crew{}, Open: []Open{}}
	for y := range side {
		for x := range side {
			c.Units = append(c.Units, Unit{Code: code(x, y), Town: []string{"west", "east"}[2*x/side], Village: fmt.Sprint("v", y)})
			var list []int32
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if nx, ny := x+dx, y+dy; (dx != 0 || dy != 0) && nx >= 0 && ny >= 0 && nx < side && ny < side {
						list = append(list, int32(ny*side+nx))
					}
				}
			}
			c.Neighbours = append(c.Neighbours, list)
		}
	}
	return c
}

func code(x, y int) string { return fmt.Sprintf("%03d-%03d", y, x) }

// tell adds n reports in a unit, by the numbers that follow, the first of them at a time and each a minute before the one before.
func (c *Cut) tell(unit, item, n int, at int64, change ...func(*Report)) {
	for i := range n {
		r := Report{Num: uint32(len(c.Reports) + 1), Unit: int32(unit), Item: int32(item), Crew: -1, At: at - int64(60*i)}
		for _, f := range change {
			f(&r)
		}
		c.Reports = append(c.Reports, r)
	}
}

func patrol(r *Report) { r.Patrol = true }
func used(r *Report)   { r.Used = true }

var params = Params{Level: "grid", Days: 28, Least: 12, Q: 0.05, Seed: 1}

func mustScreen(t testing.TB, c *Cut, p Params) *Result {
	t.Helper()
	r, err := Screen(c, p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func codesOf(p *Proposal) (list []string) {
	for _, u := range p.Units {
		list = append(list, u.Code)
	}
	return list
}

// plant tells n reports in each of four units, (x, y) and those east, north and north-east of it. A unit by itself stands out from nothing:
// that nine draws of four hundred hold the one is no rare thing.
func (c *Cut) plant(side, x, y, item, n int, change ...func(*Report)) {
	for _, u := range []int{y*side + x, y*side + x + 1, (y+1)*side + x, (y+1)*side + x + 1} {
		c.tell(u, item, n, to-1, change...)
	}
}

// even tells one report of an item in each unit.
func (c *Cut) even(item int) {
	for u := range c.Units {
		c.tell(u, item, 1, to-3*day)
	}
}

// Four of 20 × 20 units have ten reports each, the others one: hot are these four, each of which counts all of them. Of 439 reports 4/400 are
// expected there: 4.39.
func TestAPlantedPlace(t *testing.T) {
	c := lattice(20, Item{Code: "01", Aspect: "A"}, Item{Code: "02", Aspect: "A"})
	c.even(0)
	c.plant(20, 4, 5, 0, 9)
	at := 5*20 + 4
	c.tell(at, 0, 8, to-2*day, patrol)
	c.tell(at, 0, 5, c.From-1) // before the window
	c.tell(at, 0, 4, to+day)   // after it
	c.tell(at+1, 0, 3, to-day, used)
	r := mustScreen(t, c, params)
	if r.Why != "" || len(r.Proposals) != 1 || r.Reports != 439 || r.Units != 400 || len(r.Items) != 1 || r.Items[0] != (Screened{"01", 439, 400, 4, 1}) {
		t.Fatalf("%+v", r)
	}
	p := r.Proposals[0]
	if !slices.Equal(codesOf(&p), []string{code(4, 5), code(5, 5), code(4, 6), code(5, 6)}) || p.Item != "01" || p.Town != "west" {
		t.Errorf("%s of %s in %v", p.Item, p.Town, codesOf(&p))
	}
	if p.Told != 43 || p.Found != 8 || math.Abs(p.Expected-4.39) > 1e-4 || len(p.Evidence) != 40 {
		t.Errorf("told %d, found %d, expected %g, evidence %d", p.Told, p.Found, p.Expected, len(p.Evidence))
	}
	if len(p.Around) != 12 || p.Around[0] != (Neighbour{code(3, 4), 1}) {
		t.Errorf("around: %+v", p.Around)
	}
	if len(p.Weeks) != 16 || p.Weeks[11].Told != 5 || p.Weeks[15].Told != 43 || p.Weeks[15].Found != 8 || p.Weeks[15].From+week != to {
		t.Errorf("weeks: %+v", p.Weeks)
	}
	if u := p.Units[0]; u.Told != 10 || u.Found != 8 || u.Z < 4 || u.Q > 0.05 {
		t.Errorf("the unit itself: %+v", u)
	}
	// Twelve are needed: with eleven fresh ones it is none any more.
	for i, k := range p.Evidence {
		if i >= 11 {
			c.Reports[k-1].Used = true
		}
	}
	if r := mustScreen(t, c, params); len(r.Proposals) != 0 || r.Why != TooFew || r.Items[0].Places != 1 {
		t.Errorf("with eleven fresh reports: %+v", r)
	}
	c.Items[0].Least = 11
	if r := mustScreen(t, c, params); len(r.Proposals) != 1 || len(r.Proposals[0].Evidence) != 11 || r.Proposals[0].Told != 43 {
		t.Errorf("eleven of an item that asks for eleven: %+v", r)
	}
}

// What patrols find makes no hotspot, and a place does not lie across two towns.
func TestPlacesKeepApart(t *testing.T) {
	c := lattice(20, Item{Code: "01"})
	c.even(0)
	c.plant(20, 3, 15, 0, 20, patrol)
	c.plant(20, 9, 8, 0, 20) // the last column of the west, the first of the east
	r := mustScreen(t, c, params)
	if len(r.Proposals) != 2 {
		t.Fatalf("%+v", r.Items)
	}
	for i, want := range [][]string{{code(9, 8), code(9, 9)}, {code(10, 8), code(10, 9)}} {
		p := &r.Proposals[i]
		// They touch, and are of the same item: to be merged.
		if !slices.Equal(codesOf(p), want) || p.Town != []string{"west", "east"}[i] || !slices.Equal(p.Related, []int{1 - i}) {
			t.Errorf("%+v", p)
		}
	}
}

// What belongs together, and what does not: it touches, and shares aspect, leading unit or object.
func TestRelated(t *testing.T) {
	for name, c := range map[string]struct {
		second  Item
		x, y    int // where the second is planted; the first is at 4, 5
		crew    int32
		object  uint32
		related bool
	}{
		"same aspect, beside":          {Item{Code: "02", Aspect: "A"}, 6, 7, 1, 0, true},
		"same aspect, a unit between":  {Item{Code: "02", Aspect: "A"}, 7, 5, 1, 0, false},
		"nothing in common, beside":    {Item{Code: "02", Aspect: "B"}, 6, 5, 1, 0, false},
		"the same department, beside":  {Item{Code: "02", Aspect: "B"}, 6, 5, 0, 0, true},
		"the same object, beside":      {Item{Code: "02", Aspect: "B"}, 6, 5, 1, 1, true},
		"the same object, same place":  {Item{Code: "02", Aspect: "B"}, 4, 5, 1, 1, true},
		"no aspect known, same place":  {Item{Code: "02"}, 4, 5, 1, 0, false},
		"the same object, but far off": {Item{Code: "02", Aspect: "B"}, 12, 15, 1, 1, false},
	} {
		first := Item{Code: "01", Aspect: "A"}
		if c.second.Aspect == "" {
			first.Aspect = ""
		}
		cut := lattice(20, first, c.second)
		cut.Crews = []Crew{{Lead: 5, Support: []int64{9}}, {Lead: 6}}
		cut.even(0)
		cut.even(1)
		cut.plant(20, 4, 5, 0, 9, func(r *Report) { r.Crew, r.Object = 0, 1 })
		cut.plant(20, c.x, c.y, 1, 9, func(r *Report) { r.Crew, r.Object = c.crew, c.object })
		r := mustScreen(t, cut, params)
		if len(r.Proposals) != 2 {
			t.Fatalf("%s: %d proposals", name, len(r.Proposals))
		}
		if p := &r.Proposals[0]; slices.Equal(p.Related, []int{1}) != c.related || slices.Equal(r.Proposals[1].Related, []int{0}) != c.related {
			t.Errorf("%s: %v", name, p.Related)
		}
		if p := &r.Proposals[0]; !slices.Equal(p.Objects, []Object{{1, 36}}) || p.Crews[0] != (Department{5, 36, 0}) || p.Crews[1] != (Department{9, 0, 36}) {
			t.Errorf("%s: %+v %+v", name, p.Objects, p.Crews)
		}
		// Likewise with one of before.
		cut.Open = []Open{{ID: 77, Item: c.second.Code, Units: []string{code(c.x, c.y)}, Lead: cut.Crews[c.crew].Lead, Objects: []uint32{c.object}}, {ID: 78, Item: "01", Units: []string{"gone"}}}
		if r := mustScreen(t, cut, params); slices.Equal(r.Proposals[0].Open, []ProposalID{77}) != c.related {
			t.Errorf("%s: of before %v", name, r.Proposals[0].Open)
		}
	}
}

// A rising place: 1, 2, … 12 reports in the weeks before: S = 66, all pairs.
func TestTrend(t *testing.T) {
	c := lattice(20, Item{Code: "01"})
	c.even(0)
	c.plant(20, 5, 5, 0, 9)
	for w := range trendWeeks {
		c.tell(105, 0, w+1, c.Since+int64(w)*week+3*day)
	}
	p := mustScreen(t, c, params).Proposals[0]
	if p.Trend.S != 66 || p.Trend.Verdict != hotspot.Tested || p.Trend.P > 1e-4 || p.Weeks[0].Told != 1 || p.Weeks[11].Told != 12 {
		t.Errorf("%+v %+v", p.Trend, p.Weeks)
	}
}

// What cannot be answered is answered as such.
func TestWhyThereIsNothing(t *testing.T) {
	some := func(change func(*Cut)) *Cut {
		c := lattice(12, Item{Code: "01"})
		change(c)
		return c
	}
	for name, c := range map[string]struct {
		cut  *Cut
		want Why
	}{
		"no plan":       {some(func(c *Cut) { c.Plan, c.HasLevel, c.Units, c.Neighbours = 0, false, nil, nil }), NoPlan},
		"no level":      {some(func(c *Cut) { c.HasLevel, c.Units, c.Neighbours = false, nil, nil }), NoLevel},
		"no reports":    {some(func(*Cut) {}), NoReports},
		"no items":      {some(func(c *Cut) { c.Items = nil }), NoReports},
		"patrols alone": {some(func(c *Cut) { c.tell(7, 0, 50, to-1, patrol) }), NoReports},
		"before alone":  {some(func(c *Cut) { c.tell(7, 0, 50, c.From-1) }), NoReports},
		"all the same": {some(func(c *Cut) {
			for u := range 144 {
				c.tell(u, 0, 3, to-1)
			}
		}), NothingHot},
		"a unit alone": {some(func(c *Cut) {
			c.Units, c.Neighbours = c.Units[:1], [][]int32{nil}
			c.tell(0, 0, 50, to-1)
		}), NothingHot},
		"islands": {some(func(c *Cut) {
			clear(c.Neighbours)
			c.tell(0, 0, 50, to-1)
		}), NothingHot},
		"all used": {some(func(c *Cut) { c.plant(12, 3, 3, 0, 20, used) }), TooFew},
	} {
		r := mustScreen(t, c.cut, params)
		if r.Why != c.want || len(r.Proposals) != 0 {
			t.Errorf("%s: %+v, want %s", name, r, c.want)
		}
		if b, err := r.Bytes(); err != nil || bytes.Contains(b, []byte("null")) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
	c := lattice(3, Item{Code: "01"})
	c.tell(9, 0, 1, to-1)
	if _, err := Screen(c, params); err == nil {
		t.Error("a report in no unit is taken")
	}
}

// Whatever is told: places are connected and of one town, evidence is fresh and lies in them, numbers are numbers, and what is kept and read
// again gives the same bytes.
func TestScreenings(t *testing.T) {
	places := 0
	defer func() {
		if t.Logf("%d places", places); places < 10 {
			t.Errorf("too few places were looked at")
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.SampledFrom([]int{14, 14, 12, 9, 2, 1}).Draw(t, "side")
		c := lattice(side, Item{Code: "01", Aspect: "A"}, Item{Code: "02", Aspect: "A", Least: 3}, Item{Code: "03"})
		c.Crews = []Crew{{Lead: 1}, {Lead: 2, Support: []int64{1}}}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		hot := []int{rng.IntN(side * side)}
		for _, j := range c.Neighbours[hot[0]] {
			hot = append(hot, int(j))
		}
		planted := rapid.SampledFrom([]int{2, 2, 0}).Draw(t, "planted") // of four
		for range rapid.SampledFrom([]int{900, 900, 300, 50, 3, 0}).Draw(t, "reports") {
			unit, item := rng.IntN(side*side), rng.IntN(3)
			if rng.IntN(4) < planted {
				unit, item = hot[rng.IntN(min(len(hot), 5))], 1
			}
			c.tell(unit, item, 1, c.Since+rng.Int64N(to-c.Since+week), func(r *Report) {
				r.Patrol, r.Used, r.Crew, r.Object = rng.IntN(4) == 0, rng.IntN(8) == 0, int32(rng.IntN(3)-1), uint32(rng.IntN(4))
			})
		}
		p := params
		p.Least = rapid.IntRange(1, 20).Draw(t, "least")
		r, err := Screen(c, p)
		if err != nil {
			t.Fatal(err)
		}
		if (r.Why == "") != (len(r.Proposals) > 0) {
			t.Fatalf("%s with %d proposals", r.Why, len(r.Proposals))
		}
		served := map[uint32]bool{}
		for i := range r.Proposals {
			check(t, c, &p, &r.Proposals[i], served)
			places++
		}
		packed, err := c.pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := unpack(packed)
		if err != nil {
			t.Fatal(err)
		}
		r2, err := Screen(again, p)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Bytes()
		b, err2 := r2.Bytes()
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Fatalf("%s\nagain\n%s", a, b)
		}
		if _, err := unpack(packed[:len(packed)/2]); err == nil {
			t.Error("half of a cut is read")
		}
	})
}

func check(t *rapid.T, c *Cut, params *Params, p *Proposal, served map[uint32]bool) {
	at := map[string]int{}
	for i := range c.Units {
		at[c.Units[i].Code] = i
	}
	in := map[int]bool{}
	for _, u := range p.Units {
		in[at[u.Code]] = true
		if c.Units[at[u.Code]].Town != p.Town {
			t.Fatalf("%s lies in another town than %s", u.Code, p.Town)
		}
		for _, v := range []float64{u.Z, u.Q, p.Expected, p.Trend.Z, p.Trend.P} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%+v", p)
			}
		}
		if u.Q < 0 || u.Q > params.Q || u.Z <= 0 || p.Trend.P > 1 {
			t.Fatalf("%+v is no finding at %g", u, params.Q)
		}
	}
	reached := map[int]bool{at[p.Units[0].Code]: true}
	for changed := true; changed; {
		changed = false
		for u := range reached {
			for _, j := range c.Neighbours[u] {
				if in[int(j)] && !reached[int(j)] {
					reached[int(j)], changed = true, true
				}
			}
		}
	}
	if len(reached) != len(p.Units) {
		t.Fatalf("%v does not hang together", codesOf(p))
	}
	told, found, fresh := 0, 0, 0
	least := params.Least
	for _, i := range c.Items {
		if i.Code == p.Item && i.Least > 0 {
			least = i.Least
		}
	}
	for _, r := range c.Reports {
		switch {
		case c.Items[r.Item].Code != p.Item || !in[int(r.Unit)] || r.At < c.From || r.At >= c.To:
		case r.Patrol:
			found++
		default:
			told++
			if !r.Used {
				fresh++
			}
		}
	}
	if told != p.Told || found != p.Found || fresh != len(p.Evidence) || fresh < least {
		t.Fatalf("told %d, found %d, fresh %d (at least %d): %+v", told, found, fresh, least, p)
	}
	for _, num := range p.Evidence {
		if r := c.Reports[num-1]; served[num] || r.Used || r.Patrol || !in[int(r.Unit)] {
			t.Fatalf("report %d is no evidence: %+v", num, r)
		}
		served[num] = true
	}
	if !slices.IsSorted(p.Evidence) {
		t.Fatal("the evidence is in no order")
	}
}

// A hundred thousand grids and sixteen items, a million reports with hot places: seconds, and what a machine has.
func province(side int) *Cut {
	items := make([]Item, 16)
	for i := range items {
		items[i] = Item{Code: fmt.Sprintf("%02d", i+1), Aspect: string(rune('A' + i/3))}
	}
	c := lattice(side, items...)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 10 * side * side {
		unit, item := rng.IntN(side*side), rng.IntN(16)
		if rng.IntN(10) == 0 { // of 300 blocks of four, each of one item
			block := rng.IntN(3 * side * side / 1000)
			unit, item = block%(side/10)*10+block/(side/10)*10*side+rng.IntN(2)+side*rng.IntN(2), block%16
		}
		c.tell(unit, item, 1, c.Since+rng.Int64N(to-c.Since))
	}
	return c
}

func TestAProvinceIsScreenedInSeconds(t *testing.T) {
	side := soak.Or(100, 316)
	c := province(side)
	began := time.Now()
	r := mustScreen(t, c, params)
	if took := time.Since(began); took > 60*time.Second {
		t.Errorf("it took %s", took)
	}
	if blocks := 3 * side * side / 1000; len(r.Proposals) < blocks*95/100 {
		t.Errorf("%d proposals of %d planted blocks", len(r.Proposals), blocks)
	}
	packed, err := c.pack()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d proposals in %s, %d MB kept", len(r.Proposals), time.Since(began), len(packed)>>20)
}

func BenchmarkScreen(b *testing.B) {
	c := province(316)
	b.ReportAllocs()
	for b.Loop() {
		mustScreen(b, c, params)
	}
}
