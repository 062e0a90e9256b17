package haining

import "math"

// rng is SplitMix64: a few lines whose output will never change, so that a seed gives the same city on every machine and
// under every version of Go.
type rng struct{ state uint64 }

func newRNG(parts ...uint64) *rng {
	r := &rng{}
	for _, p := range parts {
		r.state = mix(r.state ^ p)
	}
	return r
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *rng) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is uniform in [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// between is uniform in [lo, hi).
func (r *rng) between(lo, hi float64) float64 { return lo + float64((hi-lo)*r.float()) }

// intn is uniform in [0, n); the bias of the remainder is below 2^-40 for the small n used here.
func (r *rng) intn(n int) int { return int(r.next() % uint64(n)) }

// pick draws an index with the given cumulative weights.
func (r *rng) pick(cumulative []float64) int {
	x := r.float() * cumulative[len(cumulative)-1]
	lo, hi := 0, len(cumulative)-1
	for lo < hi {
		if mid := (lo + hi) / 2; cumulative[mid] > x {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// vec is a place or a direction in local metres. Each product is rounded by its own conversion: without that the compiler
// may fuse it with a sum on some machines, and the city would differ there in the last bit.
type vec struct{ x, y float64 }

func (a vec) add(b vec) vec       { return vec{a.x + b.x, a.y + b.y} }
func (a vec) sub(b vec) vec       { return vec{a.x - b.x, a.y - b.y} }
func (a vec) mul(k float64) vec   { return vec{float64(a.x * k), float64(a.y * k)} }
func (a vec) dot(b vec) float64   { return float64(a.x*b.x) + float64(a.y*b.y) }
func (a vec) cross(b vec) float64 { return float64(a.x*b.y) - float64(a.y*b.x) }
func (a vec) len() float64        { return math.Sqrt(a.dot(a)) }
func (a vec) left() vec           { return vec{-a.y, a.x} }

func (a vec) unit() vec {
	l := a.len()
	if l == 0 {
		return vec{1, 0}
	}
	return vec{a.x / l, a.y / l}
}
