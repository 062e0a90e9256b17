package api

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/crs"
	"gridgov/internal/cube"
	"gridgov/internal/fault"
	"gridgov/internal/hotspot"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
	"gridgov/tiles"
)

// spotQuery is what is asked of hot and cold spots, in words and in the cube's numbers.
type spotQuery struct {
	app.SpotQuery
	from, to time.Time
	step     string
	words    filter
}

// The bounds of steps of time: all together, and with the units of a level.
const (
	maxSteps     = 400
	maxSpotCells = 8 << 20
)

// spots reads what is asked. Without a window it is the year up to the end of today, or of the day of the last report where that is
// earlier; the steps are such that there are some dozens at most.
func (q *query) spots(c *call) *spotQuery {
	f := q.filter(c.Zone, c.at)
	out := &spotQuery{words: f, from: f.from, to: f.to, step: q.get("step")}
	out.Level, out.Rates = cmp.Or(q.get("level"), string(jurisdiction.RoleGrid)), false
	switch value := q.get("value"); value {
	case "", "count":
	case "rate":
		out.Rates = true
	default:
		q.fail(fault.Invalid("value", "unknown_value", "%.40q is neither count nor rate", value))
	}
	var err error
	if out.Rule, err = hotspot.ParseRule(cmp.Or(q.get("weights"), "queen")); err != nil {
		q.fail(fault.Invalid("weights", "bad_weights", "%v", err))
	}
	switch out.step {
	case "", "day", "week", "month":
	default:
		q.fail(fault.Invalid("step", "unknown_value", "%.40q is none of day, week, month", out.step))
	}
	if q.err == nil {
		q.window(c, out)
	}
	if q.err == nil {
		f.from, f.to = time.Time{}, time.Time{}
		out.Filter, out.Key = f.cube(c), f.key()
	}
	return out
}

// window fills in what was not asked for, and cuts it into steps.
func (q *query) window(c *call, s *spotQuery) {
	_, today := steps["day"](c.at.In(c.Zone))
	if s.to.IsZero() {
		s.to = today
		if _, last, any := c.span(c.View(), &c.reach); any {
			if _, end := steps["day"](last.In(c.Zone)); end.Before(today) {
				s.to = end
			}
		}
	}
	if s.from.IsZero() {
		s.from = s.to.AddDate(-1, 0, 0)
	}
	switch {
	case !s.from.Before(s.to):
		q.fail(fault.Invalid("from", "empty_window", "the window is empty: from is %s, to is %s; from comes first, and to is not in it", day(s.from, c), day(s.to, c)))
		return
	case !s.from.Before(today):
		q.fail(fault.Invalid("from", "in_the_future", "%s is still to come: there are no reports of it yet", day(s.from, c)))
		return
	}
	if s.step == "" {
		switch days := s.to.Sub(s.from).Hours() / 24; {
		case days <= 35:
			s.step = "day"
		case days <= 200:
			s.step = "week"
		default:
			s.step = "month"
		}
	}
	starts := bucketStarts(steps[s.step], s.from.In(c.Zone), s.to)
	units := 0
	if l := c.State().Layout; l != nil {
		for i := range l.Levels {
			if s.Level == string(l.Levels[i].Role) || s.Level == l.Levels[i].Name {
				units = len(l.Levels[i].Units)
			}
		}
	}
	if n := len(starts) - 1; n > maxSteps || n*units > maxSpotCells {
		q.fail(fault.Invalid("step", "too_many", "%d steps of a %s are too many: choose a wider step or a shorter window", n, s.step))
		return
	}
	s.Whole = wholeSteps(starts, s.from, s.to, c.at)
	starts[0], starts[len(starts)-1] = s.from, s.to // the first and the last step may be parts of one
	for _, at := range starts {
		s.Edges = append(s.Edges, uint32(min(max(at.Unix(), 0), math.MaxUint32)))
	}
}

// wholeSteps are the steps, from and up to, that a window holds whole and that are over.
func wholeSteps(starts []time.Time, from, to, now time.Time) (whole [2]int) {
	for i := 1; i < len(starts); i++ {
		if starts[i-1].Before(from) || starts[i].After(to) || starts[i].After(now) {
			continue
		}
		if whole[1] == 0 {
			whole[0] = i - 1
		}
		whole[1] = i
	}
	return whole
}

func day(t time.Time, c *call) string { return t.In(c.Zone).Format(time.DateOnly) }

// key says the same as the filter, but for its window.
func (f *filter) key() string {
	at := int64(0)
	if f.colours != 0 {
		at = f.fate.At.Unix()
	}
	return fmt.Sprintf("%q %q %q %q %v %d %d %d %d %d", f.items, f.aspects, f.kinds, f.sources, f.fate.Teams, f.states, f.ends, f.hours, f.colours, at)
}

// findSpots reads the query, and finds what it asks for.
func (c *call) findSpots(r *http.Request, q *query) (*spotQuery, *app.Spots, error) {
	asked := q.spots(c)
	if err := q.done(); err != nil {
		return nil, nil, err
	}
	found, err := c.Spots(r.Context(), &asked.SpotQuery, &c.reach)
	return asked, found, err
}

func (a *api) getSpotTile(w http.ResponseWriter, r *http.Request, c *call) error {
	addr, err := tiles.ParseAddress(r.PathValue("z"), r.PathValue("x"), r.PathValue("y"))
	if err != nil {
		return err
	}
	_, found, err := c.findSpots(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	buf := tileBuffers.Get().(*tileBuffer)
	defer tileBuffers.Put(buf)
	buf.raw = buf.raw[:0]
	if b := c.State().Boundaries; c.State().Layout == found.Layout { // else a plan has come in force this moment: ask again
		buf.raw = b.Hotspots(buf.raw, addr, string(found.Level.Role), func(unit int) (tiles.Spot, bool) {
			i := found.Place(unit)
			if i < 0 {
				return tiles.Spot{}, false
			}
			return spotOf(found, i), true
		})
	}
	sendMade(w, r, buf, cacheAsk)
	return nil
}

// density reads how reports are to be smoothed; asked is false where they are not.
func (q *query) density() (d app.DensityQuery, asked bool) {
	kernel, bandwidth := q.get("kernel"), q.get("bandwidth")
	switch d.Kernel = hotspot.Kernel(cmp.Or(kernel, string(hotspot.Gaussian))); d.Kernel {
	case hotspot.Gaussian, hotspot.Quartic:
	default:
		q.fail(fault.Invalid("kernel", "unknown_value", "%.40q is neither gaussian nor quartic", kernel))
	}
	if bandwidth != "" && bandwidth != "rule" {
		m, err := crs.ParseNumber("bandwidth", bandwidth)
		if err != nil || m < minBandwidthM || m > maxBandwidthM {
			q.fail(fault.Invalid("bandwidth", "out_of_range", "%.40q is no bandwidth: give metres from %d to %d, or rule", bandwidth, minBandwidthM, maxBandwidthM))
		}
		d.Bandwidth = m
	}
	return d, kernel != "" || bandwidth != ""
}

// The bounds of a bandwidth that is asked for.
const (
	minBandwidthM = 10
	maxBandwidthM = 20_000
)

// densityTile appends the tile of a density.
func (c *call) densityTile(r *http.Request, dst []byte, addr tiles.Address, d *app.DensityQuery, f *filter) ([]byte, error) {
	d.Filter, d.Key = f.cube(c), f.key()
	found, err := c.Density(r.Context(), d, &c.reach)
	if err != nil {
		return dst, err
	}
	return c.Maker.Density(dst, addr, &tiles.Surface{Squares: found.Squares, Values: found.PerKM2, Peak: found.Peak}), nil
}

func (a *api) getDensity(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	f := q.filter(c.Zone, c.at)
	d, _ := q.density()
	if err := q.done(); err != nil {
		return err
	}
	d.Filter, d.Key = f.cube(c), f.key()
	found, err := c.Density(r.Context(), &d, &c.reach)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Density{Kernel: DensityKernel(found.Kernel), BandwidthM: found.Bandwidth, PeakPerKm2: float64(found.Peak), Reports: found.Reports})
}

// spotOf is a place as tiles show it.
func spotOf(s *app.Spots, i int) tiles.Spot {
	out := tiles.Spot{N: s.N[i], Around: s.Around[i], Rate: math.NaN(), Z: s.Z[i], P: s.P[i], Q: s.Q[i], Class: spotClass(s, i)}
	if s.Found != nil {
		out.Found = s.Found[i]
	}
	if rate, ok := s.RateOf(i); ok {
		out.Rate = rate
	}
	if e := s.Emerged[i].Class; e != hotspot.NoPattern {
		out.Trend = string(e)
	}
	out.Few = s.Heat(i, app.SpotAlpha) == hotspot.Hot && s.Around[i] < app.FewMatters
	return out
}

// spotClass is hot or cold, or why it was not tested; "" for neither.
func spotClass(s *app.Spots, i int) string {
	if s.Verdict[i] != hotspot.Tested {
		return string(s.Verdict[i])
	}
	return map[hotspot.Heat]string{hotspot.Hot: "hot", hotspot.Cold: "cold"}[s.Heat(i, app.SpotAlpha)]
}

// ranked are the places by how far out they are, the furthest first.
func ranked(s *app.Spots) []int {
	order := make([]int, len(s.Units))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(s.Q[a], s.Q[b]), cmp.Compare(math.Abs(s.Z[b]), math.Abs(s.Z[a])), cmp.Compare(s.N[b], s.N[a]), a-b)
	})
	return order
}

func (a *api) listHotspots(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	classes, limit := q.list("class"), q.integer("limit", 1, 20_000, 200)
	for _, class := range classes {
		if class != "hot" && class != "cold" {
			q.fail(fault.Invalid("class", "unknown_value", "%.40q is neither hot nor cold", class))
		}
	}
	asked, found, err := c.findSpots(r, q)
	if err != nil {
		return err
	}
	out := HotspotList{Map: c.spotMap(asked, found), Places: []Hotspot{}}
	for _, i := range ranked(found) {
		h := c.hotspotOf(found, i)
		if len(classes) > 0 && (h.Class == nil || !slices.Contains(classes, string(*h.Class))) {
			continue
		}
		if out.Matched++; len(out.Places) < limit {
			out.Places = append(out.Places, h)
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// spotMap is what is said of a map as a whole.
func (c *call) spotMap(q *spotQuery, s *app.Spots) HotspotMap {
	out := HotspotMap{Level: Role(s.Level.Role), Plan: s.Layout.Plan.Name, From: utc(q.from), To: utc(q.to), Step: HotspotMapStep(q.step), Weights: ruleName(q.Rule),
		Value: HotspotMapValueCount, Units: len(s.Units), Weak: s.Weak, Seq: int(s.Seq.Seq), Steps: []int{}}
	if q.Rates {
		out.Value = HotspotMapValueRate
	}
	for _, at := range q.Edges[:s.Steps] {
		out.Steps = append(out.Steps, int(at))
	}
	for i, n := range s.N {
		out.Total += int(n)
		if s.Found != nil {
			out.Found += int(s.Found[i])
		}
		switch spotClass(s, i) {
		case "hot":
			out.Hot++
		case "cold":
			out.Cold++
		}
		if s.Verdict[i] == hotspot.Tested {
			out.Tested++
		}
	}
	if s.Rate != nil {
		out.RateBy = new(ByPeople)
		if s.ByHouse {
			out.RateBy = new(ByHouseholds)
		}
	}
	switch {
	case out.Units == 0:
		out.Nothing = new(NoUnits)
	case out.Total == 0:
		out.Nothing = new(NoReports)
	case out.Tested == 0:
		out.Nothing = new(NothingStandsOut)
	}
	return out
}

func ruleName(r hotspot.Rule) string {
	switch r.Kind {
	case "knn":
		return fmt.Sprintf("knn:%d", r.K)
	case "band":
		return fmt.Sprintf("band:%g", r.Metres)
	}
	return r.Kind
}

func (c *call) hotspotOf(s *app.Spots, i int) Hotspot {
	u := &s.Level.Units[s.Units[i]]
	t := spotOf(s, i)
	out := Hotspot{Code: u.Code, Name: u.Name, NameLatin: optional(u.NameLatin), N: int(t.N), Around: int(t.Around), Expected: s.Expected(i), Z: t.Z, P: t.P, Q: t.Q,
		Center: []float64{u.Center[0], u.Center[1]}, Bbox: box(u.Bound), Few: t.Few}
	if t.Class != "" {
		out.Class = new(HotspotClass(t.Class))
	}
	if t.Trend != "" {
		out.Trend = new(HotspotTrend(t.Trend))
	}
	if s.Found != nil {
		out.Found = new(int(t.Found))
	}
	if !math.IsNaN(t.Rate) {
		out.Rate = &t.Rate
	}
	return out
}

func (a *api) getHotspot(w http.ResponseWriter, r *http.Request, c *call) error {
	asked, found, err := c.findSpots(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	code := r.PathValue("code")
	unit := found.Level.Coverage.Index(code)
	if unit < 0 || found.Place(unit) < 0 {
		return fault.NotFound("the plan in force has no %s %.64q among those whose reports you may see", found.Level.Role, code)
	}
	i := found.Place(unit)
	out := HotspotDetail{Place: c.hotspotOf(found, i), Map: c.spotMap(asked, found), Mean: found.Mean, Neighbours: []Hotspot{}, Series: []HotspotStep{}}
	for _, j := range found.Of(i) {
		out.Neighbours = append(out.Neighbours, c.hotspotOf(found, int(j)))
	}
	out.ByItem = c.itemsAt(asked, found, code)
	e := found.Emerged[i]
	out.TrendZ, out.TrendP = e.Trend.Z, e.Trend.P
	var patrols []uint64
	if found.Found != nil {
		patrols = c.View().Histogram(c.inUnit(sourced(asked.Filter, 1<<report.Patrol.Number()), found, code), nil, asked.Edges)
	}
	for step := range found.Steps {
		was := found.Step(i, step)
		s := HotspotStep{Start: int(asked.Edges[step]), N: int(found.Series[i*found.Steps+step]), Z: was.Z}
		if patrols != nil {
			s.Found = new(int(patrols[step]))
		}
		if was.Heat != hotspot.Neither {
			s.Class = new(map[hotspot.Heat]HotspotStepClass{hotspot.Hot: HotspotStepClassHot, hotspot.Cold: HotspotStepClassCold}[was.Heat])
		}
		out.Series = append(out.Series, s)
	}
	return writeJSON(w, http.StatusOK, out)
}

// inUnit narrows a filter to what is seen in a unit.
func (c *call) inUnit(f cube.Filter, s *app.Spots, code string) cube.Filter {
	f = c.cut(f)
	f.Faces = f.Faces.And(c.FacesIn(policy.Area{Level: policy.Level(s.Level.Role), Code: code}))
	return f
}

func sourced(f cube.Filter, sources uint8) cube.Filter {
	f.Sources = sources
	return f
}

// itemsAt counts a unit's reports by item, whichever items are asked for; those that have any.
func (c *call) itemsAt(q *spotQuery, s *app.Spots, code string) map[string]int {
	whichever := q.words
	whichever.items, whichever.aspects = nil, nil
	whichever.from, whichever.to = q.from, q.to
	view, names := c.View(), c.Names()
	f := c.inUnit(whichever.cube(c), s, code)
	if s.Found != nil {
		f.Sources = ^uint8(1 << report.Patrol.Number())
	}
	counts := make([]uint64, len(names.Names.Items))
	view.CountByItem(f, nil, counts)
	out := map[string]int{}
	for _, i := range names.Items {
		if n := counts[i.Num]; n > 0 {
			out[i.Code] = int(n)
		}
	}
	return out
}

// spotsFile is the name of an export.
func (c *call) spotsFile(q *spotQuery, s *app.Spots, ext string) string {
	return strings.Join([]string{"hotspots", c.Code, string(s.Level.Role), day(q.from, c), day(q.to, c)}, "-") + "." + ext
}
