package hotspot_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gridgov/internal/hotspot"
)

// beside is a place beside grids alike of which so much is known that they bring no doubt.
func beside(chosen, least, waited, after int) hotspot.Compared {
	c := hotspot.Compared{Chosen: chosen, ChosenDays: 28, Least: least, Waited: waited, After: after, AfterDays: 28, Alike: 50, AlikeBefore: 1e12, AlikeAfter: 1e12, Dispersion: 1}
	if waited > 0 {
		c.WaitedDays = 14
		c.AlikeAfter = c.AlikeBefore * 2 / 3
	}
	return c
}

// By hand: of n before and none after, half of (1+θ)⁻ⁿ is one tail; four at most tell nothing, as half of 2⁻⁴ is above it.
func TestEffectByHand(t *testing.T) {
	ends := func(n int) float64 { return math.Pow(0.05, -1/float64(n)) - 1 }
	none := must(hotspot.Effect(beside(12, 0, 0, 0)))
	if none.Reading != hotspot.ReadFell || none.Low != 0 || none.Ratio != 0 || math.Abs(none.High-ends(12)) > 1e-6 || none.Usual != 1 {
		t.Errorf("%+v, want nothing to %g", none, ends(12))
	}
	if from, to := none.By(); to != 1 || math.Abs(from-(1-ends(12))) > 1e-6 {
		t.Errorf("fell by %g to %g", from, to)
	}
	all := must(hotspot.Effect(beside(0, 0, 0, 12)))
	if all.Reading != hotspot.ReadRose || all.High != hotspot.MaxRatio || math.Abs(all.Low-1/ends(12)) > 1e-6 {
		t.Errorf("%+v, want %g to no bound", all, 1/ends(12))
	}
	even := must(hotspot.Effect(beside(9, 0, 0, 9)))
	if even.Reading != hotspot.ReadNoChange || math.Abs(even.Ratio-1) > 1e-6 || math.Abs(even.Low*even.High-1) > 1e-6 {
		t.Errorf("%+v, want the same both ways about 1", even)
	}
	// Chosen with twelve or more: whatever the ratio is, of twelve in all there were twelve before.
	for name, c := range map[string]hotspot.Compared{"four": beside(4, 0, 0, 0), "none": beside(0, 0, 0, 0), "by a hair": beside(12, 12, 0, 0)} {
		if got := must(hotspot.Effect(c)); got != (hotspot.Change{Reading: hotspot.ReadTooFew}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := must(hotspot.Effect(beside(5, 0, 0, 0))); got.Reading != hotspot.ReadFell {
		t.Errorf("five and none: %+v", got)
	}
	early, few, thin := beside(50, 0, 0, 10), beside(50, 0, 0, 10), beside(50, 0, 0, 10)
	early.AfterDays, few.Alike, thin.AlikeAfter = 27.9, hotspot.MinAlike-1, 9
	for reading, c := range map[hotspot.Reading][]hotspot.Compared{hotspot.ReadTooEarly: {early}, hotspot.ReadTooFew: {few, thin}} {
		for _, c := range c {
			if got := must(hotspot.Effect(c)); got != (hotspot.Change{Reading: reading}) {
				t.Errorf("%+v: %+v, want %s", c, got, reading)
			}
		}
	}
}

// R has the same, from the model's sentences: by sums of dbinom, lbeta and dnbinom, integrate and uniroot (testdata/expected.R).
func TestEffectAsR(t *testing.T) {
	type published struct {
		Given            hotspot.Compared
		Low, Ratio, High float64
	}
	for _, c := range read[[]published](t, "effect.json") {
		c.Given.Alike = 50
		got := must(hotspot.Effect(c.Given))
		exact := 1e-6
		if c.Given.Dispersion > 1 && c.Given.Least > 0 { // sizes are taken from a line between two that are reckoned
			exact = 2e-3
		}
		for _, end := range [][2]float64{{got.Low, c.Low}, {got.Ratio, c.Ratio}, {got.High, c.High}} {
			if math.Abs(end[0]-end[1]) > exact*end[1] && !(end[1] == 0 && (end[0] == 0 || end[0] == hotspot.MaxRatio)) {
				t.Errorf("%+v: %+v, R has %g to %g, %g", c.Given, got, c.Low, c.High, c.Ratio)
			}
		}
	}
}

// At both ends of an interval the tails are 2.5 %, where all orders in which so few matters can fall are gone through: into the window, the
// wait or after, each drawn from an urn to which as many more come (Pólya), kept where the window has enough.
func TestEffectAgreesWithAllOrders(t *testing.T) {
	tail := func(c hotspot.Compared, ratio float64) float64 {
		n := c.Chosen + c.Waited + c.After
		days := c.ChosenDays + c.WaitedDays + ratio*c.AfterDays
		share := [3]float64{c.ChosenDays / days, c.WaitedDays / days, ratio * c.AfterDays / days}
		var size float64 // of the urn, by what each draw adds to it; 0: nothing is added
		if c.Dispersion > 1 {
			size = float64(n) / (c.Dispersion - 1)
		}
		var below, all float64
		var deal func(left int, in [3]int, p float64)
		deal = func(left int, in [3]int, p float64) {
			if left > 0 {
				for k := range in {
					chance := share[k]
					if size > 0 {
						chance = (size*share[k] + float64(in[k])) / (size + float64(n-left))
					}
					next := in
					next[k]++
					deal(left-1, next, p*chance)
				}
				return
			}
			if in[0] < c.Least {
				return
			}
			all += p
			switch {
			case in[2] < c.After:
				below += p
			case in[2] == c.After:
				below += p / 2
			}
		}
		deal(n, [3]int{}, 1)
		return below / all
	}
	overspread := beside(4, 0, 3, 3)
	overspread.Dispersion, overspread.AlikeBefore, overspread.AlikeAfter = 1.7, 3e12, 2e12
	tried := 0
	for _, c := range []hotspot.Compared{beside(6, 0, 0, 4), beside(6, 3, 0, 4), beside(5, 4, 2, 3), beside(4, 4, 3, 3), beside(3, 1, 5, 2), beside(7, 2, 0, 3), overspread} {
		got := must(hotspot.Effect(c))
		for _, end := range [][2]float64{{got.Low, 0.975}, {got.Ratio, 0.5}, {got.High, 0.025}} {
			if end[0] == 0 || end[0] == hotspot.MaxRatio {
				if extreme := tail(c, max(end[0], 1e-3)); end[0] == 0 && extreme > end[1] || end[0] > 0 && extreme < end[1] {
					t.Errorf("%+v: the end is %g, where the tail is %g, not %g", c, end[0], extreme, end[1])
				}
				continue
			}
			tried++
			if p := tail(c, end[0]); math.Abs(p-end[1]) > 1e-6 {
				t.Errorf("%+v: at %g the tail is %.8f, want %g", c, end[0], p, end[1])
			}
		}
	}
	if tried < 12 {
		t.Errorf("%d ends tried", tried)
	}
}

// Nothing is NaN; ends are in order and go with what came after; what reads as a fall or a rise lies beside 1.
func TestEffectIsWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := func(name string) int { return rapid.SampledFrom([]int{0, 1, 5, 9, 10, 40, 150}).Draw(t, name) }
		c := hotspot.Compared{Chosen: count("chosen"), After: count("after"), Alike: rapid.SampledFrom([]int{9, 10, 100}).Draw(t, "alike"),
			ChosenDays: rapid.SampledFrom([]float64{0.01, 28, 365}).Draw(t, "window"), AfterDays: rapid.SampledFrom([]float64{27, 28, 400}).Draw(t, "days after"),
			AlikeBefore: rapid.SampledFrom([]int{0, 9, 10, 3000, 1e15}).Draw(t, "alike before"), AlikeAfter: rapid.SampledFrom([]int{0, 10, 3000, 1e15}).Draw(t, "alike after"),
			Dispersion: rapid.SampledFrom([]float64{1, 1 + 1e-9, 1.3, 5, 1e6}).Draw(t, "dispersion")}
		c.Least = rapid.IntRange(0, c.Chosen).Draw(t, "least")
		if rapid.Bool().Draw(t, "waits") {
			c.Waited, c.WaitedDays = count("waited"), 14
		}
		e := must(hotspot.Effect(c))
		for _, v := range []float64{e.Ratio, e.Low, e.High, e.Usual} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("%+v: %+v", c, e)
			}
		}
		more := c
		more.After++
		m := must(hotspot.Effect(more))
		told := e.Reading != hotspot.ReadTooEarly && e.Reading != hotspot.ReadTooFew
		if e.Low > e.Ratio || e.Ratio > e.High || told && (m.Low < e.Low-1e-6 || m.High < e.High-1e-6) {
			t.Fatalf("%+v: %+v, with one more after %+v", c, e, m)
		}
		if (e.Reading == hotspot.ReadFell) != (told && e.High < 1) || (e.Reading == hotspot.ReadRose) != (e.Low > 1) {
			t.Fatalf("%+v: %+v", c, e)
		}
	})
	good := beside(20, 5, 3, 10)
	for name, spoil := range map[string]func(*hotspot.Compared){
		"below none":          func(c *hotspot.Compared) { c.After = -1 },
		"alike below none":    func(c *hotspot.Compared) { c.AlikeBefore = -1 },
		"no number of days":   func(c *hotspot.Compared) { c.AfterDays = math.NaN() },
		"days without an end": func(c *hotspot.Compared) { c.WaitedDays = math.Inf(1) },
		"no window":           func(c *hotspot.Compared) { c.ChosenDays = 0 },
		"matters in no time":  func(c *hotspot.Compared) { c.WaitedDays = 0 },
		"it was not chosen":   func(c *hotspot.Compared) { c.Least = 21 },
		"less than Poisson's": func(c *hotspot.Compared) { c.Dispersion = 0.9 },
		"no dispersion":       func(c *hotspot.Compared) { c.Dispersion = math.NaN() },
		"far too many":        func(c *hotspot.Compared) { c.After = 1e6 },
	} {
		c := good
		if spoil(&c); c != good {
			if got, err := hotspot.Effect(c); err == nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
	}
}

func TestLeastChosen(t *testing.T) {
	for _, c := range [][3]int{{40, 17, 17}, {17, 17, 17}, {9, 0, 0}, {5, 9, 5}} { // a place that would not be chosen even so: its own count
		if got := hotspot.LeastChosen(c[0], func(n int) bool { return n >= c[1] }); got != c[2] {
			t.Errorf("of %d, chosen from %d on: %d", c[0], c[1], got)
		}
	}
}

// evenly is a year of so many a month, and more or fewer in the second half.
func evenly(first, second int) []int {
	return append(slices.Repeat([]int{first}, 6), slices.Repeat([]int{second}, 6)...)
}

// On a street of grids, one beside the other, those are alike that have as many and at the same time of the year.
func TestAlike(t *testing.T) {
	lists := make([][]int, 12)
	for i := range lists {
		for _, j := range []int{i - 1, i + 1} {
			if j >= 0 && j < len(lists) {
				lists[i] = append(lists[i], j)
			}
		}
	}
	n := must(hotspot.Lists(lists))
	months := [][]int{evenly(4, 4), evenly(4, 4), evenly(4, 4), evenly(4, 5), evenly(4, 4), evenly(9, 9), evenly(8, 0), evenly(0, 8), evenly(1, 1), evenly(5, 3), evenly(4, 4), evenly(0, 0)}
	anybody := func(int) bool { return true }
	// Of unit 0: not itself, not 1, its neighbour; 5 has twice as many, 6 and 7 have them early and late, 8 and 11 hardly any.
	if got := must(hotspot.Alike(months, []int{0}, n, anybody)); !slices.Equal(got, []int{2, 3, 4, 9, 10}) {
		t.Errorf("%v are alike", got)
	}
	if got := must(hotspot.Alike(months, []int{0}, n, func(i int) bool { return i != 4 })); !slices.Equal(got, []int{2, 3, 9, 10}) {
		t.Errorf("with an order in 4, %v are alike", got)
	}
	// A place of several units is compared by the mean of theirs: 0, 1 and 2 are as 4 and 10 are.
	if got := must(hotspot.Alike(months, []int{1, 0, 2}, n, anybody)); !slices.Equal(got, []int{4, 9, 10}) {
		t.Errorf("%v are like three", got)
	}
	if got := must(hotspot.Alike(months, []int{11}, n, anybody)); !slices.Equal(got, []int{}) && got != nil {
		t.Errorf("%v are like a grid without any", got)
	}
	for name, bad := range map[string]func() ([]int, error){
		"eleven months": func() ([]int, error) {
			return hotspot.Alike(append(slices.Clone(months[:11]), make([]int, 11)), []int{0}, n, anybody)
		},
		"below none": func() ([]int, error) {
			return hotspot.Alike(append(slices.Clone(months[:11]), evenly(-1, 1)), []int{0}, n, anybody)
		},
		"fewer units": func() ([]int, error) { return hotspot.Alike(months[:11], []int{0}, n, anybody) },
		"no place":    func() ([]int, error) { return hotspot.Alike(months, nil, n, anybody) },
		"twice":       func() ([]int, error) { return hotspot.Alike(months, []int{3, 3}, n, anybody) },
		"elsewhere":   func() ([]int, error) { return hotspot.Alike(months, []int{12}, n, anybody) },
	} {
		if got, err := bad(); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	// The likest three hundred: 899 has one more in its last month, as have 74 others; one more a little earlier, three times 75, is liker
	// than none more, which is liker than one more early in the year. Of those with none more the first makes it three hundred.
	many := make([][]int, 900)
	want := []int{0}
	for i := range many {
		many[i] = evenly(4, 4)
		if i%2 == 1 {
			many[i][i%12]++
			if i%12 >= 5 && i != 899 {
				want = append(want, i)
			}
		}
	}
	if got := must(hotspot.Alike(many, []int{899}, must(hotspot.Lists(make([][]int, 900))), anybody)); len(got) != hotspot.MaxAlike || !slices.Equal(got, want) {
		t.Errorf("%v are alike, want %v", got, want)
	}
}

// By hand: of 3, 0, 3 and 1, 4, 1 two are expected in each month, χ² is 6, of twelve matters its mean is 12/11: 5.5, by which rows of six vary
// where 1 + 54·5/60 is 5.5. What is trend alone varies no more than Poisson's counts. Of counts that vary by a known factor, that factor.
func TestDispersion(t *testing.T) {
	for name, c := range map[string]struct {
		rows [][]int
		want float64
	}{"by hand": {[][]int{{3, 0, 3}, {1, 4, 1}}, 55}, "with a row of none": {[][]int{{3, 0, 3}, {0, 0, 0}, {1, 4, 1}}, 55},
		"trend alone": {[][]int{{3, 2, 1}, {1, 2, 3}}, 1}, "all the same": {[][]int{{5, 5, 5}, {5, 5, 5}}, 1}, "two months": {[][]int{{9, 1}, {1, 9}}, 1},
		"one row": {[][]int{{9, 1, 5}}, 1}, "one matter": {[][]int{{1, 0, 0}, {0, 0, 0}}, 1}, "none": {nil, 1}} {
		if got := hotspot.Dispersion(c.rows); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", name, got, c.want)
		}
	}
	rng := rand.New(rand.NewPCG(3, 8))
	var mean float64
	const tables, units = 60, 500
	for range tables {
		var rows [][]int
		for i := range units {
			var row []int
			for m := range hotspot.Months {
				row = append(row, spread(rng, (1+float64(i%20)/10)*season(float64(m)*monthDays)))
			}
			rows = append(rows, row)
		}
		mean += hotspot.Dispersion(rows) / tables
	}
	if sd := varies * math.Sqrt(2.0/(units*10)/tables); math.Abs(mean-varies) > 5*sd { // its fourth moment is above the normal one
		t.Errorf("%g on the mean, want %g", mean, varies)
	}
}

// What is counted by unit is added up: the place's, its neighbours', those alike; months tell the dispersion.
func TestWatchedAddsUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	n := must(hotspot.Lists(lattice(6, true)))
	w := hotspot.Watched{ChosenDays: 28, WaitedDays: 10, AfterDays: 40, Neighbours: n}
	for range n.Len() {
		var row []int
		for range hotspot.Months {
			row = append(row, spread(rng, 5))
		}
		w.Months = append(w.Months, row)
		w.Chosen, w.Waited, w.After = append(w.Chosen, spread(rng, 9)), append(w.Waited, spread(rng, 3)), append(w.After, spread(rng, 12))
	}
	place, around := []int{0, 1}, []int{2, 6, 7, 8} // a corner
	var alike []int
	for i := 12; i < 30; i++ {
		alike = append(alike, i)
	}
	for name, c := range map[string]struct {
		units []int
		of    func(place, alike []int, least int) (hotspot.Change, error)
	}{"place": {place, w.Effect}, "neighbours": {around, w.Displacement}} {
		want := hotspot.Compared{ChosenDays: 28, WaitedDays: 10, AfterDays: 40, Least: 12, Alike: len(alike)}
		var rows [][]int
		for _, i := range c.units {
			want.Chosen, want.Waited, want.After = want.Chosen+w.Chosen[i], want.Waited+w.Waited[i], want.After+w.After[i]
			rows = append(rows, w.Months[i])
		}
		for _, i := range alike {
			want.AlikeBefore, want.AlikeAfter = want.AlikeBefore+w.Chosen[i]+w.Waited[i], want.AlikeAfter+w.After[i]
			rows = append(rows, w.Months[i])
		}
		want.Dispersion = hotspot.Dispersion(rows)
		if got := must(c.of(place, alike, 12)); got != must(hotspot.Effect(want)) || got.Ratio == 0 {
			t.Errorf("%s: %+v, want %+v", name, got, must(hotspot.Effect(want)))
		}
	}
	for name, units := range map[string][2][]int{"alike is the place": {place, append([]int{0}, alike...)}, "no unit": {place, {99}}, "no place": {{77}, alike}} {
		if got, err := w.Effect(units[0], units[1], 0); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	w.After = w.After[1:]
	if got, err := w.Effect(place, alike, 0); err == nil {
		t.Errorf("%+v", got)
	}
}
