package haining

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// What Reports generates.
const (
	Total = 120000 // reports
	Days  = 730    // the last one is the day of until
)

// Report is one generated report, always to be filed as generated.
type Report struct {
	ID         [16]byte // UUIDv7 of CapturedAt
	CapturedAt time.Time
	ClosedAt   time.Time // zero: open
	Located    bool      // false: Address only, to be looked up in the gazetteer
	Lon, Lat   float64   // EPSG:4490, seven decimals
	AccuracyM  float64   // 0: unknown
	Address    string    // the village's Chinese name, or empty
	Item       string    // 01–16
	Kind       string    // inquiry, problem, conflict
	Source     string    // phone, hotline, web, patrol, sensor
	Title      string    // Chinese
	Planted    bool      // belongs to a planted hotspot
}

// Reports generates the 120,000 reports of the 730 days that end on the day of until in Asia/Shanghai, in order of time.
// The same seed and day give the same reports, whatever the hour of until. The last day has only begun: its reports lie in
// its first quarter of an hour, so that none is of a time to come.
func (p *Plan) Reports(until time.Time) iter.Seq[Report] {
	return func(yield func(Report) bool) {
		r := newReporter(p, until)
		for day := range Days {
			for _, rep := range r.day(day) {
				if !yield(rep) {
					return
				}
			}
		}
	}
}

// reporter holds what all days share.
type reporter struct {
	plan     *Plan
	seed     uint64
	first    time.Time // 00:00 of the first day
	end      time.Time // 00:00 of the last day
	days     []float64 // cumulative weights of the days
	items    []float64 // cumulative weights of the items
	spots    []spot
	weights  []float64 // cumulative weights of the spots
	villages map[string]*Division
	hotspots []Hotspot
	plots    []plot
	planted  [][]int // per day, the hotspot of each planted report
	special  int     // reports outside, or with an address alone
	usual    int
}

// spot is a microgrid as a place to report from.
type spot struct {
	village *Division
	loop    []vec
	lo, hi  vec
}

func newReporter(p *Plan, until time.Time) *reporter {
	y, m, d := until.In(cst).Date()
	r := &reporter{plan: p, end: time.Date(y, m, d, 0, 0, 0, 0, cst), villages: map[string]*Division{}, special: Total / 160}
	r.first = r.end.AddDate(0, 0, 1-Days)
	r.seed = mix(p.Seed) ^ uint64(r.end.Unix())
	weight := make([]float64, Days)
	for i := range Days {
		at := r.first.AddDate(0, 0, i)
		season := 1 + 0.10*noise(p.Seed+21, vec{float64(i), 0}, 60)
		weight[i] = float64(weekday[at.Weekday()] * season * (0.9 + 0.2*float64(i)/Days)) // people learn to report
	}
	weight[Days-1] = 0.015
	r.days = cumulative(weight)
	each := make([]float64, len(habits))
	for i, h := range habits {
		each[i] = h.weight
	}
	r.items = cumulative(each)
	for i := range p.Villages {
		r.villages[p.Villages[i].Code] = &p.Villages[i]
	}
	lively := make([]float64, len(p.Microgrids))
	r.spots = make([]spot, len(p.Microgrids))
	for i := range p.Microgrids {
		g := &p.Microgrids[i]
		s := spot{village: r.villages[g.Code[:12]]}
		for _, q := range g.Shape[0][:len(g.Shape[0])-1] {
			s.loop = append(s.loop, toLocal(q))
		}
		s.lo, s.hi = s.loop[0], s.loop[0]
		for _, q := range s.loop {
			s.lo, s.hi = vec{min(s.lo.x, q.x), min(s.lo.y, q.y)}, vec{max(s.hi.x, q.x), max(s.hi.y, q.y)}
		}
		r.spots[i] = s
		// Some neighbourhoods complain more than others, street by street.
		lively[i] = float64(float64(g.Households) * (1 + 0.45*noise(p.Seed+22, s.lo, 700)))
	}
	r.weights = cumulative(lively)
	r.plant()
	r.planted = make([][]int, Days)
	for i, p := range r.plots {
		rng := newRNG(r.seed, 12, uint64(i))
		low, high := before(r.days, p.first), r.days[p.end-1]
		for range p.reports {
			x := rng.between(low, high)
			day, _ := slices.BinarySearch(r.days, x)
			day = min(max(day, p.first), p.end-1)
			r.planted[day] = append(r.planted[day], p.hotspot)
		}
	}
	return r
}

// place draws a point in the microgrid: along its border, which is a road or a canal, or anywhere in it.
func (s *spot) place(rng *rng, roadside float64) vec {
	if rng.float() < roadside {
		i := rng.intn(len(s.loop))
		a, b := s.loop[i], s.loop[(i+1)%len(s.loop)]
		p := a.add(b.sub(a).mul(rng.float()))
		return p.add(b.sub(a).unit().left().mul(rng.between(0.5, 9)))
	}
	for range 64 {
		p := vec{rng.between(s.lo.x, s.hi.x), rng.between(s.lo.y, s.hi.y)}
		if inside(s.loop, p) {
			return p
		}
	}
	return s.loop[0]
}

// day generates one day's reports in order of time.
func (r *reporter) day(day int) []Report {
	part := func(n int) int { // of n reports, those of this day; the days' sum is n
		all := r.days[Days-1]
		return int(math.Round(float64(n)*r.days[day]/all)) - int(math.Round(float64(n)*before(r.days, day)/all))
	}
	rng := newRNG(r.seed, 13, uint64(day))
	usual, special := part(r.usual), part(r.special)
	out := make([]Report, 0, usual+special+len(r.planted[day]))
	for range usual {
		item := rng.pick(r.items)
		i := rng.pick(r.weights)
		out = append(out, r.report(rng, day, item, &r.spots[i], r.spots[i].place(rng, habits[item].roadside)))
	}
	for range special {
		out = append(out, r.astray(rng, day))
	}
	for _, i := range r.planted[day] {
		h := &r.hotspots[i]
		item := number(h.Item) - 1
		centre := toLocal(orb.Point{h.Lon, h.Lat})
		s, p := r.inCircle(rng, centre, h.RadiusM, habits[item].roadside)
		rep := r.report(rng, day, item, s, p)
		rep.Planted = true
		out = append(out, rep)
	}
	slices.SortStableFunc(out, func(a, b Report) int { return cmp.Compare(a.CapturedAt.UnixNano(), b.CapturedAt.UnixNano()) })
	return out
}

// inCircle draws a place of the usual kind in a circle around a label point: a microgrid that the circle meets, by its
// weight, then a point in both.
func (r *reporter) inCircle(rng *rng, centre vec, radiusM, roadside float64) (*spot, vec) {
	var near []int
	var weight []float64
	for i := range r.spots {
		s := &r.spots[i]
		if centre.sub(s.lo.add(s.hi).mul(0.5)).len() < radiusM {
			near = append(near, i)
			weight = append(weight, r.weights[i]-before(r.weights, i))
		}
	}
	sum := cumulative(weight)
	s := &r.spots[near[rng.pick(sum)]]
	for {
		if p := s.place(rng, roadside); p.sub(centre).len() <= radiusM-1 { // a metre inside: the planes differ a little
			return s, p
		}
		s = &r.spots[near[rng.pick(sum)]]
	}
}

// astray is a report that a desk has to look at: an address without a point, or a point outside the city.
func (r *reporter) astray(rng *rng, day int) Report {
	item := rng.pick(r.items)
	s := &r.spots[rng.pick(r.weights)]
	if rng.float() < 0.7 {
		rep := r.report(rng, day, item, s, s.loop[0])
		rep.Located, rep.Lon, rep.Lat, rep.AccuracyM = false, 0, 0, 0
		rep.Address = s.village.Name
		return rep
	}
	ring := r.plan.City.Shape[0]
	for {
		i := rng.intn(len(ring) - 1)
		a, b := toLocal(ring[i]), toLocal(ring[i+1])
		p := a.add(b.sub(a).unit().left().mul(-rng.between(3, 900)))
		if !insideRing(ring, p) {
			return r.report(rng, day, item, s, p)
		}
	}
}

func insideRing(ring orb.Ring, p vec) bool {
	loop := make([]vec, 0, len(ring))
	for _, q := range ring[1:] {
		loop = append(loop, toLocal(q))
	}
	return inside(loop, p)
}

// report fills in the rest of a report of an item at a place.
func (r *reporter) report(rng *rng, day, item int, s *spot, at vec) Report {
	h := &habits[item]
	hours := dayHours
	if h.late {
		hours = lateDay
	}
	ms := int64(rng.pick(hours))*3600000 + int64(rng.next()%3600000)
	if day == Days-1 {
		ms %= 15 * 60000
	}
	q := fromLocal(at)
	rep := Report{CapturedAt: r.first.AddDate(0, 0, day).Add(time.Duration(ms) * time.Millisecond).UTC(),
		Located: true, Lon: q[0], Lat: q[1], Item: Items()[item].Code}
	rep.ID = uuid7(rep.CapturedAt, rng)
	rep.Title = strings.Replace(h.titles[rng.intn(len(h.titles))], "%", s.village.Name, 1)
	switch x := rng.float(); {
	case strings.Contains(rep.Title, "咨询"):
		rep.Kind = "inquiry"
	case x < h.conflict:
		rep.Kind = "conflict"
	case x < h.conflict+h.inquiry:
		rep.Kind = "inquiry"
	default:
		rep.Kind = "problem"
	}
	switch x := rng.float(); {
	case x < h.sensor && rep.Kind == "problem":
		rep.Source, rep.AccuracyM = "sensor", 3
	case x < 0.42:
		rep.Source, rep.AccuracyM = "patrol", float64(4+rng.intn(22))
	case x < 0.66:
		rep.Source, rep.AccuracyM = "phone", float64(5+rng.intn(56))
	case x < 0.86:
		rep.Source = "hotline" // where the caller said; nobody measured it
	default:
		rep.Source, rep.AccuracyM = "web", float64(10+rng.intn(71))
	}
	u := rng.float()
	lasted := h.limitHour * (0.08 + float64(1.1*float64(u*u)))
	if rng.float() >= 0.94 { // it lay about, for up to three weeks
		lasted += float64(24 * (2 + float64(19*u)))
	}
	if closed := rep.CapturedAt.Add(time.Duration(lasted * float64(time.Hour))).Truncate(time.Second); closed.Before(r.end) {
		rep.ClosedAt = closed
	}
	return rep
}

// uuid7 is RFC 9562's version 7 with the generator's own random bits.
func uuid7(at time.Time, rng *rng) [16]byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|rng.next()&0x0fff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|rng.next()>>2)
	return id
}
