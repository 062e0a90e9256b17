package hotspot

import (
	"fmt"
	"math"
	"time"
)

// Warning is what is seen at a place of late beside what was to be expected there.
type Warning struct {
	Place    int
	Seen     int
	Expected float64
	P        float64 // of so many or more
	Q        float64 // by how many places were looked at
}

// Warn tells of each place whether its last days have more matters than is usual there at this time of the year. counts are by place, then by
// day, of which the first is on from; the last of them, so many as recent says, are looked at, and what is usual is learnt from those before.
// Weekdays and season are the city's together (FitBaseline), as a place by itself has too few; a place's share of them is its own, drawn
// towards that of all (EmpiricalBayes). θ of the negative binomial is that of all places over stretches as long as recent, by moments: how
// far apart they are from what is learnt, beyond Poisson's distribution. Null hypothesis: a place has its share of what the city usually
// has. One-sided, greater.
func Warn(counts [][]int, from time.Time, recent int) ([]Warning, error) {
	days := 0
	for i, row := range counts {
		if i == 0 {
			days = len(row)
		}
		if len(row) != days {
			return nil, fmt.Errorf("place %d has %d days, the first place has %d", i, len(row), days)
		}
	}
	if recent < 1 || recent >= days {
		return nil, fmt.Errorf("the last %d of %d days cannot be held against those before: give 1 to %d", recent, days, days-1)
	}
	learnt := days - recent
	city, own, ones := make([]int, learnt), make([]float64, len(counts)), make([]float64, len(counts))
	for i, row := range counts {
		ones[i] = 1
		for d, c := range row[:learnt] {
			city[d] += c
			own[i] += float64(c)
		}
	}
	baseline, err := FitBaseline(city, from)
	if err != nil {
		return nil, err
	}
	shares, err := EmpiricalBayes(own, ones)
	if err != nil {
		return nil, err
	}
	var all float64
	for _, s := range shares.Shrunk {
		all += s
	}
	expected := make([]float64, days+1) // of the city, up to a day
	for d := range days {
		expected[d+1] = expected[d] + baseline.Expected(from.AddDate(0, 0, d))
	}
	stretch := func(i, first int) (seen int, mean float64) {
		for _, c := range counts[i][first : first+recent] {
			seen += c
		}
		return seen, (expected[first+recent] - expected[first]) * shares.Shrunk[i] / all
	}
	var beyond, squares float64
	for i := range counts {
		for first := learnt % recent; first < learnt; first += recent {
			seen, mean := stretch(i, first)
			beyond += sq(float64(seen)-mean) - mean
			squares += sq(mean)
		}
	}
	theta := math.Inf(1)
	if beyond > 0 {
		theta = squares / beyond
	}
	out := make([]Warning, len(counts))
	p := make([]float64, len(counts))
	for i := range counts {
		seen, mean := stretch(i, learnt)
		p[i] = Above(seen, mean, theta)
		out[i] = Warning{Place: i, Seen: seen, Expected: mean, P: p[i]}
	}
	for i, q := range FDR(p, func(int) bool { return true }) {
		out[i].Q = q
	}
	return out, nil
}
