package haining

import "math"

// noise is smooth value noise in [-1, 1] with the given wavelength.
func noise(seed uint64, p vec, waveM float64) float64 {
	gx, gy := p.x/waveM, p.y/waveM
	fx, fy := math.Floor(gx), math.Floor(gy)
	u, v := ease(gx-fx), ease(gy-fy)
	corner := func(dx, dy int64) float64 {
		h := mix(seed ^ mix(uint64(int64(fx)+dx)^mix(uint64(int64(fy)+dy))))
		return float64(h>>11)/(1<<52) - 1
	}
	a, b := corner(0, 0), corner(1, 0)
	c, d := corner(0, 1), corner(1, 1)
	low := a + float64(u*(b-a))
	high := c + float64(u*(d-c))
	return low + float64(v*(high-low))
}

func ease(t float64) float64 {
	t2 := float64(t * t)
	return float64(float64(t2*t) * (float64(t*(float64(6*t)-15)) + 10))
}

// field is the lie of the land: which way roads and canals run, and where people live.
type field struct {
	seed    uint64
	centres []centre
}

// centre is a built-up place: streets in a grid turned by its own angle, households dense in the middle.
type centre struct {
	at           vec
	reachM       float64 // half-width of the built-up area
	c2, s2       float64 // cosine and sine of twice the angle of its streets
	perKM2       float64 // households a km² in the middle
	streetWeight float64
}

// along gives the direction a line takes at p. Country lines keep to the plain's grain, west by south to east by north
// like the sea wall, and meander: wide for the long lines of towns and villages, less for short ones. Near a centre they
// turn into its street grid. The angle is averaged as a vector of twice itself, which makes opposite directions one.
func (f *field) along(p vec, meander float64) vec {
	c := 0.75 + float64(0.9*noise(f.seed+1, p, 5200)) + float64(meander*noise(f.seed+3, p, 1100)) + float64(0.5*meander*noise(f.seed+5, p, 420))
	s := 0.25 + float64(1.0*noise(f.seed+2, p, 5200)) + float64(meander*noise(f.seed+4, p, 1100)) + float64(0.5*meander*noise(f.seed+6, p, 420))
	for i := range f.centres {
		t := &f.centres[i]
		w := t.streetWeight * falloff(p.sub(t.at), t.reachM*1.4)
		c += float64(w * t.c2)
		s += float64(w * t.s2)
	}
	l := math.Sqrt(float64(c*c) + float64(s*s))
	if l < 1e-9 {
		return vec{1, 0}
	}
	c /= l
	d := vec{math.Sqrt(math.Max(0, (1+c)/2)), math.Sqrt(math.Max(0, (1-c)/2))}
	if s < 0 {
		d.y = -d.y
	}
	return d
}

// falloff is 1 in the middle, a quarter at the reach, and flattens out.
func falloff(d vec, reachM float64) float64 {
	q := 1 + d.dot(d)/float64(reachM*reachM)
	return 1 / float64(q*q)
}

// households is the density at p, a km², before the whole is scaled to the city's count.
func (f *field) households(p vec) float64 {
	h := 190 + float64(90*noise(f.seed+7, p, 1700))
	if p.y < -9500 { // beyond the old sea wall: reclaimed land and water
		h *= 0.35
	}
	for i := range f.centres {
		t := &f.centres[i]
		h += float64(t.perKM2 * falloff(p.sub(t.at), t.reachM))
	}
	return h
}

// surface integrates a density over polygons: it keeps the density's integral along x on a lattice, and by Green's theorem
// a polygon's mass is a sum over its boundary alone.
type surface struct {
	origin     vec
	cellM      float64
	cols, rows int
	sum        []float64 // from the left border to (col, row), per metre of y
}

func newSurface(lo, hi vec, cellM float64, density func(vec) float64) *surface {
	s := &surface{origin: lo, cellM: cellM, cols: int((hi.x-lo.x)/cellM) + 2, rows: int((hi.y-lo.y)/cellM) + 2}
	s.sum = make([]float64, s.cols*s.rows)
	for r := range s.rows {
		total := 0.0
		before := 0.0
		for c := range s.cols {
			d := density(vec{lo.x + float64(float64(c)*cellM), lo.y + float64(float64(r)*cellM)})
			if c > 0 {
				total += float64((before + d) / 2 * cellM)
			}
			before = d
			s.sum[r*s.cols+c] = total
		}
	}
	return s
}

func (s *surface) at(p vec) float64 {
	x, y := (p.x-s.origin.x)/s.cellM, (p.y-s.origin.y)/s.cellM
	c, r := min(max(int(x), 0), s.cols-2), min(max(int(y), 0), s.rows-2)
	u, v := x-float64(c), y-float64(r)
	i := r*s.cols + c
	low := s.sum[i] + float64(u*(s.sum[i+1]-s.sum[i]))
	high := s.sum[i+s.cols] + float64(u*(s.sum[i+s.cols+1]-s.sum[i+s.cols]))
	return low + float64(v*(high-low))
}

// edge is one boundary segment's share of a polygon's mass.
func (s *surface) edge(a, b vec) float64 {
	n := 1 + int(b.sub(a).len()/s.cellM)
	step := b.sub(a).mul(1 / float64(n))
	total := 0.0
	for i := range n {
		total += s.at(a.add(step.mul(float64(i) + 0.5)))
	}
	return float64(total * step.y)
}
