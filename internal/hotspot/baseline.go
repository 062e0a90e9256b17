package hotspot

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/mathext"
)

// Baseline is how many matters are expected on a day, by weekday and season.
type Baseline struct {
	// Coefficients of ln μ: a constant, Tuesday to Monday's six differences from Monday, then sine and cosine of the year's harmonics.
	Coefficients []float64
	Theta        float64 // of the negative binomial: the variance is μ + μ²/θ; +Inf: no more than Poisson's
	Harmonics    int
	Days         int // learnt from
}

// minBaseline is from how many days a baseline is learnt: eight weeks, so that each weekday has come eight times.
const minBaseline = 56

// FitBaseline learns from counts by day, the first of which is on from. A year's season is learnt from a year on: a harmonic for each half
// year, two at most; from less, weekdays alone. Maximum likelihood as R's MASS::glm.nb finds it: iteratively reweighted least squares
// for the coefficients, Newton's method for θ, in turn (Venables and Ripley, Modern Applied Statistics with S, 2002, 7.4; Hilbe, Negative
// Binomial Regression, 2011). It is an error where there are too few days or no matter at all.
func FitBaseline(counts []int, from time.Time) (Baseline, error) {
	n := len(counts)
	total := 0
	for i, c := range counts {
		if c < 0 {
			return Baseline{}, fmt.Errorf("day %d has %d matters", i, c)
		}
		total += c
	}
	switch {
	case n < minBaseline:
		return Baseline{}, fmt.Errorf("a baseline is learnt from %d days at least; there are %d", minBaseline, n)
	case total == 0:
		return Baseline{}, fmt.Errorf("there was no matter in %d days: nothing can be learnt from them", n)
	}
	b := Baseline{Theta: math.Inf(1), Harmonics: min(2, n/365), Days: n}
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = b.row(from.AddDate(0, 0, i))
	}
	b.Coefficients = make([]float64, len(rows[0]))
	b.Coefficients[0] = math.Log(float64(total) / float64(n))
	mu := make([]float64, n)
	for range 200 {
		moved, err := b.step(rows, counts, mu)
		if err != nil {
			return Baseline{}, err
		}
		was := b.Theta
		b.theta(counts, mu)
		if moved < 1e-10 && settled(was, b.Theta, float64(total)/float64(n)) {
			return b, nil
		}
	}
	return Baseline{}, fmt.Errorf("no baseline was found that fits %d days", n)
}

// row are the regressors of a day.
func (b *Baseline) row(day time.Time) []float64 {
	row := make([]float64, 7, 7+2*b.Harmonics)
	row[0] = 1
	if w := (int(day.Weekday()) + 6) % 7; w > 0 { // from Monday on
		row[w] = 1
	}
	turn := 2 * math.Pi * float64(day.YearDay()-1) / 365.25
	for h := 1; h <= b.Harmonics; h++ {
		sin, cos := math.Sincos(float64(h) * turn)
		row = append(row, sin, cos)
	}
	return row
}

// Expected is how many are expected on a day.
func (b *Baseline) Expected(day time.Time) float64 {
	var eta float64
	for i, x := range b.row(day) {
		eta += x * b.Coefficients[i]
	}
	return math.Exp(min(eta, 50))
}

// step solves for the coefficients once, and tells how far they went. It leaves the means in mu.
func (b *Baseline) step(rows [][]float64, counts []int, mu []float64) (moved float64, err error) {
	k := len(b.Coefficients)
	normal, right := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
	for i, row := range rows {
		var eta float64
		for j, x := range row {
			eta += x * b.Coefficients[j]
		}
		eta = max(-30, min(30, eta)) // a weekday without any matter has no finite coefficient
		mu[i] = math.Exp(eta)
		weight := mu[i] / (1 + mu[i]/b.Theta)
		z := eta + (float64(counts[i])-mu[i])/mu[i]
		for j, x := range row {
			if x == 0 {
				continue
			}
			right.SetVec(j, right.AtVec(j)+weight*x*z)
			for l := j; l < k; l++ {
				normal.SetSym(j, l, normal.At(j, l)+weight*x*row[l])
			}
		}
	}
	for j := range k { // keeps a column of a weekday without any matter from being singular
		normal.SetSym(j, j, normal.At(j, j)+1e-12)
	}
	var c mat.Cholesky
	if !c.Factorize(normal) {
		return 0, fmt.Errorf("weekdays and seasons cannot be told apart in %d days", len(rows))
	}
	var next mat.VecDense
	if err := c.SolveVecTo(&next, right); err != nil {
		return 0, fmt.Errorf("fit a baseline: %w", err)
	}
	for j := range k {
		moved = max(moved, math.Abs(next.AtVec(j)-b.Coefficients[j]))
		b.Coefficients[j] = max(-60, min(60, next.AtVec(j)))
	}
	for i, row := range rows {
		var eta float64
		for j, x := range row {
			eta += x * b.Coefficients[j]
		}
		mu[i] = math.Exp(max(-30, min(30, eta)))
	}
	return moved, nil
}

// poissonFrom is at how many means θ says no more than Poisson's distribution: the variance is larger by a thousandth then.
const poissonFrom = 1000

// settled tells that θ has moved by nothing that could be seen in the variance where so many are expected.
func settled(was, is, mean float64) bool { return was == is || math.Abs(1/was-1/is)*mean < 1e-8 }

// theta finds θ by maximum likelihood, the means being given.
func (b *Baseline) theta(counts []int, mu []float64) {
	var over, mean float64
	for i, c := range counts {
		over += (sq(float64(c)-mu[i]) - float64(c)) / sq(mu[i])
		mean += float64(c) / float64(len(counts))
	}
	most := poissonFrom * max(1, mean)
	t := b.Theta
	if math.IsInf(t, 1) {
		if over <= 0 {
			return
		}
		t = min(most, float64(len(counts))/over) // by moments
	}
	for range 100 {
		var score, info float64
		for i, c := range counts {
			y, m := float64(c), mu[i]
			score += mathext.Digamma(t+y) - mathext.Digamma(t) + math.Log(t) + 1 - math.Log(t+m) - (y+t)/(m+t)
			info += mathext.Zeta(2, t) - mathext.Zeta(2, t+y) - 1/t + 2/(m+t) - (y+t)/sq(m+t)
		}
		next := t + score/info
		if !(info > 0) || next > most {
			next = most
		}
		was := t
		if t = max(next, t/10); t >= most || settled(was, t, mean) {
			break
		}
	}
	if b.Theta = t; t >= most {
		b.Theta = math.Inf(1)
	}
}

// Above is the chance of so many or more where mean are expected: the upper tail of a negative binomial with θ, of Poisson's distribution
// where θ is infinite. Null hypothesis: what is counted is as it always was.
func Above(count int, mean, theta float64) float64 {
	switch {
	case count <= 0:
		return 1
	case !(mean > 0):
		return 0
	case math.IsInf(theta, 1):
		return mathext.GammaIncReg(float64(count), mean)
	default:
		return mathext.RegIncBeta(float64(count), theta, mean/(mean+theta))
	}
}
