package hotspot

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// Kernel is how far around a matter it counts.
type Kernel string

// Gaussian reaches everywhere and is cut off at four bandwidths; its bandwidth is the standard deviation. Quartic ends at its bandwidth.
const (
	Gaussian Kernel = "gaussian"
	Quartic  Kernel = "quartic"
)

// Raster is a grid of square cells in a plane, row by row from its south-western corner.
type Raster struct {
	West, South, Cell float64 // metres
	Cols, Rows        int
	Values            []float64
}

// At is the cell of a point; false outside.
func (r *Raster) At(p orb.Point) (int, bool) {
	x, y := math.Floor((p[0]-r.West)/r.Cell), math.Floor((p[1]-r.South)/r.Cell)
	if !(x >= 0 && y >= 0 && x < float64(r.Cols) && y < float64(r.Rows)) {
		return 0, false
	}
	return int(y)*r.Cols + int(x), true
}

// Bandwidth is Silverman's rule for two dimensions: the mean of the coordinates' standard deviations by n^(−1/6) (Silverman, Density
// Estimation for Statistics and Data Analysis, 1986, (4.14), for a normal kernel); of the quartic kernel √6 times as much, which has the
// same spread. 0: the points are fewer than two, or all in one place.
func Bandwidth(points []orb.Point, k Kernel) float64 {
	var mean, squares [2]float64
	for i, p := range points {
		for d := range 2 {
			delta := p[d] - mean[d]
			mean[d] += delta / float64(i+1)
			squares[d] += delta * (p[d] - mean[d])
		}
	}
	return silverman(float64(len(points)), squares, k)
}

func silverman(n float64, squares [2]float64, k Kernel) float64 {
	if n < 2 {
		return 0
	}
	for d := range squares {
		squares[d] = max(0, squares[d]) // of points in one place rounding may leave less
	}
	sd := (math.Sqrt(squares[0]/(n-1)) + math.Sqrt(squares[1]/(n-1))) / 2
	h := sd * math.Pow(n, -1.0/6)
	if k == Quartic {
		h *= math.Sqrt(6)
	}
	return h
}

// Bandwidth is that of matters counted by cells, in whose middles they are taken to lie.
func (r *Raster) Bandwidth(k Kernel) float64 {
	var n float64
	var mean, squares [2]float64
	for c, count := range r.Values {
		if count == 0 {
			continue
		}
		n += count
		for d, at := range [2]float64{float64(c%r.Cols) * r.Cell, float64(c/r.Cols) * r.Cell} {
			delta := at - mean[d]
			mean[d] += delta * count / n
			squares[d] += count * delta * (at - mean[d])
		}
	}
	return silverman(n, squares, k)
}

// Density is how many matters lie around each cell of a raster, by square kilometre: the sum of a kernel over all, the kernel's volume being
// one. Points are gathered by cells first, so a million cost little more than the raster. inside, where it is given, tells which cells lie
// within the city: each matter inside is divided by the share of its kernel that lies inside, so none is lost over the rim (Jones, Simple
// Boundary Correction for Kernel Density Estimation, 1993; Diggle, Statistical Analysis of Spatial Point Patterns, 2003, 8.4); cells
// outside have 0, and what lies there does not count.
func Density(r Raster, points []orb.Point, k Kernel, bandwidth float64, inside []bool) (Raster, error) {
	if err := r.check(bandwidth, inside); err != nil {
		return r, err
	}
	r.Values = make([]float64, r.Cols*r.Rows)
	for _, p := range points {
		if c, ok := r.At(p); ok {
			r.Values[c]++
		}
	}
	return r.Smooth(k, bandwidth, inside)
}

func (r *Raster) check(bandwidth float64, inside []bool) error {
	switch {
	case !(bandwidth > 0) || math.IsInf(bandwidth, 1):
		return fmt.Errorf("a bandwidth of %g m is none: give metres above 0", bandwidth)
	case !(r.Cell > 0) || r.Cols < 1 || r.Rows < 1 || r.Cols > 8192 || r.Rows > 8192:
		return fmt.Errorf("a raster of %d × %d cells of %g m is none that can be filled", r.Cols, r.Rows, r.Cell)
	case inside != nil && len(inside) != r.Cols*r.Rows:
		return fmt.Errorf("inside tells of %d cells, the raster has %d", len(inside), r.Cols*r.Rows)
	}
	return nil
}

// Smooth is the Density of matters counted by cells, which are used up.
func (r Raster) Smooth(k Kernel, bandwidth float64, inside []bool) (Raster, error) {
	if err := r.check(bandwidth, inside); err != nil {
		return r, err
	}
	counts := r.Values
	s := newSmoother(r, k, bandwidth)
	if inside != nil {
		mask := make([]float64, len(counts))
		for i, in := range inside {
			if in {
				mask[i] = sq(r.Cell)
			}
		}
		for i, share := range s.smooth(mask) {
			if counts[i] /= share; !inside[i] {
				counts[i] = 0
			}
		}
	}
	const perKM2 = 1e6
	r.Values = s.smooth(counts)
	for i := range r.Values {
		if r.Values[i] *= perKM2; inside != nil && !inside[i] {
			r.Values[i] = 0
		}
	}
	return r, nil
}

// smoother spreads what lies in cells.
type smoother struct {
	cols, rows int
	line       []float64   // Gaussian: what a cell gives to one so many columns, or rows, away; by metre
	disk       [][]float64 // quartic: what it gives to one so many rows and columns away, each row as wide as it reaches; by square metre
}

// reach is at how many bandwidths a Gaussian kernel is cut off: 6 in 100,000 lie beyond, and are given to what is within.
const reach = 4

func newSmoother(r Raster, k Kernel, h float64) *smoother {
	s := &smoother{cols: r.Cols, rows: r.Rows}
	if k == Quartic {
		var volume float64
		for dy := 0; dy == 0 || float64(dy)*r.Cell < h && dy < r.Rows; dy++ {
			var row []float64
			for dx := 0; dx == 0 || math.Hypot(float64(dx), float64(dy))*r.Cell < h && dx < r.Cols; dx++ {
				v := sq(1 - min(1, (sq(float64(dx))+sq(float64(dy)))*sq(r.Cell/h)))
				times := 4.0
				if dx == 0 {
					times /= 2
				}
				if dy == 0 {
					times /= 2
				}
				row, volume = append(row, v), volume+times*v*sq(r.Cell)
			}
			s.disk = append(s.disk, row)
		}
		for _, row := range s.disk {
			for i := range row {
				row[i] /= volume
			}
		}
		return s
	}
	far := min(int(reach*h/r.Cell)+1, max(r.Cols, r.Rows))
	within := math.Erf(reach / math.Sqrt2)
	upTo := func(cells float64) float64 { return math.Erf(min(reach, cells*r.Cell/h)/math.Sqrt2) / 2 / within }
	s.line = append(s.line, 2*upTo(0.5)/r.Cell)
	for d := 1; d <= far; d++ {
		if v := (upTo(float64(d)+0.5) - upTo(float64(d)-0.5)) / r.Cell; v > 0 {
			s.line = append(s.line, v)
		}
	}
	return s
}

// smooth gives to each cell what those around it give. Kernels are the same on both sides, so what lies as far to the left as to the right,
// or above as below, is added first and weighed once.
func (s *smoother) smooth(in []float64) []float64 {
	row := func(of []float64, y int) []float64 {
		if y < 0 || y >= s.rows {
			return nil
		}
		return of[y*s.cols : (y+1)*s.cols]
	}
	out := make([]float64, len(in))
	if s.disk != nil {
		rowsOf(s.rows, func(y int) {
			p := newPadded(s.cols, len(s.disk[0]))
			p.put(row(in, y), nil)
			p.spread(row(out, y), s.disk[0])
			for dy := 1; dy < len(s.disk); dy++ {
				p.put(row(in, y-dy), row(in, y+dy))
				p.spread(row(out, y), s.disk[dy])
			}
		})
		return out
	}
	across := make([]float64, len(in))
	rowsOf(s.rows, func(y int) {
		p := newPadded(s.cols, len(s.line))
		p.put(row(in, y), nil)
		p.spread(row(across, y), s.line)
	})
	rowsOf(s.rows, func(y int) {
		to := row(out, y)
		add(to, row(across, y), nil, s.line[0])
		for dy := 1; dy < len(s.line); dy++ {
			add(to, row(across, y-dy), row(across, y+dy), s.line[dy])
		}
	})
	return out
}

// padded is a row with as many zeros on both of its sides as a kernel reaches, so that spreading needs to look at no end.
type padded struct {
	all      []float64
	pad      int
	from, to int // cells that are not zero lie within
}

func newPadded(cols, pad int) *padded {
	return &padded{all: make([]float64, cols+2*pad), pad: pad}
}

// put takes the sum of two rows, either of which may be nil.
func (p *padded) put(a, b []float64) {
	mid := p.all[p.pad : len(p.all)-p.pad]
	clear(mid)
	add(mid, a, b, 1)
	p.from, p.to = 0, len(mid)
	for p.from < p.to && mid[p.from] == 0 {
		p.from++
	}
	for p.to > p.from && mid[p.to-1] == 0 {
		p.to--
	}
}

// spread gives what lies in the cells of the row to those of another, by how many columns they are apart.
func (p *padded) spread(to, weights []float64) {
	if p.from == p.to {
		return
	}
	from, until := max(0, p.from-len(weights)+1), min(len(to), p.to+len(weights)-1)
	to = to[from:until]
	moved := func(d int) []float64 { return p.all[p.pad+from+d:][:len(to)] }
	add(to, moved(0), nil, weights[0])
	d := 1
	for ; d+1 < len(weights); d += 2 {
		l1, r1, w1 := moved(-d), moved(d), weights[d]
		l2, r2, w2 := moved(-d-1), moved(d+1), weights[d+1]
		for i := range to {
			to[i] += w1*(l1[i]+r1[i]) + w2*(l2[i]+r2[i])
		}
	}
	if d < len(weights) {
		add(to, moved(-d), moved(d), weights[d])
	}
}

// add adds w times the sum of two rows to another of the same length; either may be nil.
func add(to, a, b []float64, w float64) {
	switch {
	case a == nil && b == nil:
	case b == nil:
		a = a[:len(to)]
		for i := range to {
			to[i] += w * a[i]
		}
	case a == nil:
		add(to, b, nil, w)
	default:
		a, b = a[:len(to)], b[:len(to)]
		for i := range to {
			to[i] += w * (a[i] + b[i])
		}
	}
}

// rowsOf runs f for each row, on all cores.
func rowsOf(n int, f func(y int)) {
	_ = Each(n, func(y int) error { // f has no fault
		f(y)
		return nil
	})
}
