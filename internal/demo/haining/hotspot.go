package haining

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// Hotspot is a planted concentration: the truth that a statistic has to find.
type Hotspot struct {
	Item     string    `json:"item"`
	Village  string    `json:"village"` // code; the centre is the village's label point
	Name     string    `json:"name"`
	Lon      float64   `json:"lon"`
	Lat      float64   `json:"lat"`
	RadiusM  float64   `json:"radius_m"`
	From     time.Time `json:"from"` // first day, 00:00
	Until    time.Time `json:"until"`
	Factor   float64   `json:"factor"`   // of the usual count
	Expected float64   `json:"expected"` // usual count of this item, in the circle and period
	Planted  int       `json:"planted"`  // reports added to it: round((factor − 1) × expected)
	Elevated float64   `json:"elevated"` // expected + planted

	// Investigated is the day of an investigation, 00:00; zero: there was none. From the next day on all reports, usual and planted, are
	// 1 + Effect of what they would be: −0.5, half of them. The factor is the one before.
	Investigated time.Time `json:"investigated,omitzero"`
	Effect       float64   `json:"effect,omitempty"`
	PlantedAfter int       `json:"planted_after,omitempty"` // of Planted, from then on
}

// seedling is a hotspot before its dates are known: days count back from the last one.
type seedling struct {
	item, village string
	radiusM       float64
	daysAgo, days int
	factor        float64
	investigated  int // days ago; 0: never
	effect        float64
}

// The planted hotspots: each aspect has one; some are over, some still grow. Those that were investigated go on until today, each with
// another effect.
var seedlings = []seedling{
	{"12", "330481002004", 900, 95, 90, 9, 0, 0},    // posters, 联塘社区
	{"11", "330481001005", 800, 60, 58, 7, 0, 0},    // parking, 由拳社区
	{"04", "330481103010", 1100, 200, 120, 6, 0, 0}, // waste, 虹桥社区
	{"16", "330481003004", 1000, 150, 75, 6, 0, 0},  // noise, 火炬社区
	{"10", "330481101004", 1000, 45, 44, 8, 0, 0},   // road occupation, 许村社区
	{"02", "330481107217", 2200, 330, 90, 14, 0, 0}, // river, 路仲村
	{"06", "330481110006", 1300, 120, 100, 12, 0, 0},
	{"09", "330481001014", 1000, 400, 120, 8, 0, 0},
	{"13", "330481105001", 1800, 500, 200, 12, 0, 0},
	{"01", "330481112232", 3000, 410, 40, 25, 0, 0},     // burning after harvest, 红晓村
	{"10", "330481103005", 900, 165, 165, 15, 78, 0},    // road occupation, 怡院社区
	{"11", "330481002002", 900, 160, 160, 12, 75, -0.2}, // parking, 海洲社区
	{"04", "330481001003", 900, 170, 170, 14, 80, -0.5}, // waste, 东山社区
}

// Hotspots is the truth for the reports of the same day: what was planted, and what would be there without it.
func (p *Plan) Hotspots(until time.Time) []Hotspot {
	return newReporter(p, until).hotspots
}

// plot is when a hotspot's planted reports come: some, on the days from first to before end, as the usual ones do.
type plot struct{ hotspot, first, end, reports int }

func (r *reporter) plant() {
	planted := 0
	weight := 0.0
	for _, h := range habits {
		weight += h.weight
	}
	for i, s := range seedlings {
		v := r.villages[s.village]
		first := Days - 1 - s.daysAgo
		end := first + s.days
		h := Hotspot{Item: s.item, Village: s.village, Name: v.Name, Lon: v.Label[0], Lat: v.Label[1], RadiusM: s.radiusM,
			From: r.first.AddDate(0, 0, first), Until: r.first.AddDate(0, 0, end), Factor: s.factor}
		habit := &habits[number(s.item)-1]
		within := r.within(v.Label, s.radiusM, habit, uint64(i))
		sow := func(first, end int, factor float64) int {
			inPeriod := r.days[end-1] - before(r.days, first)
			usual := float64(Total-r.special) * habit.weight / weight * within * inPeriod / r.days[Days-1]
			n := int(math.Round(float64(factor-1) * usual))
			h.Expected += usual
			h.Planted += n
			r.plots = append(r.plots, plot{i, first, end, n})
			return n
		}
		if s.investigated == 0 {
			sow(first, end, s.factor)
		} else {
			day := Days - 1 - s.investigated
			h.Investigated, h.Effect = r.first.AddDate(0, 0, day), s.effect
			sow(first, day+1, s.factor)
			h.PlantedAfter = sow(day+1, end, float64((1+s.effect)*s.factor))
		}
		r.hotspots = append(r.hotspots, h)
		planted += h.Planted
	}
	// What is planted is not drawn a second time: the usual counts shrink by it, here as there.
	shrink := 1 - float64(planted)/float64(Total-r.special)
	for i := range r.hotspots {
		h := &r.hotspots[i]
		h.Expected *= shrink
		h.Elevated = h.Expected + float64(h.Planted)
	}
	r.usual = Total - r.special - planted
}

func before(cumulative []float64, i int) float64 {
	if i == 0 {
		return 0
	}
	return cumulative[i-1]
}

// within is the part of an item's places that falls into a circle, by sampling the microgrids that it meets.
func (r *reporter) within(at orb.Point, radiusM float64, h *habit, salt uint64) float64 {
	const samples = 48
	rng := newRNG(r.plan.Seed, 11, salt)
	centre, total := toLocal(at), 0.0
	for i := range r.spots {
		s := &r.spots[i]
		if centre.sub(s.lo.add(s.hi).mul(0.5)).len() > radiusM+s.hi.sub(s.lo).len()/2 {
			continue
		}
		hits := 0
		for range samples {
			if s.place(rng, h.roadside).sub(centre).len() <= radiusM {
				hits++
			}
		}
		total += float64(hits) / samples * (r.weights[i] - before(r.weights, i))
	}
	return total / r.weights[len(r.weights)-1]
}
