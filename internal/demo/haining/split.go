package haining

import (
	"fmt"
	"math"
)

// splitter cuts faces by lines that follow the field.
type splitter struct {
	mesh  *mesh
	field *field
	rng   *rng
}

// share is how a face is to be cut: by the mass of a surface into n equal parts, or by a rule of its own.
type share struct {
	mass    *surface
	meander float64 // how much the lines wind
	tries   int
	// judge gives the parts left of and right of a cut, of n, and the error of their masses relative to their due; false
	// refuses the cut.
	judge func(c *cut) (left, right int, err float64, ok bool)
}

// cut is a candidate line through a face, and what it would leave on its two sides.
type cut struct {
	ring                    *ringView
	a, b                    end
	path                    []vec // without its ends
	areaL, areaR            float64
	lengthL, lengthR, along float64
	fracL                   float64 // of the face's mass
	left, right             int
	score                   float64
}

// end is where a line meets the face's ring: on the vertex at index, or after it on its edge.
type end struct {
	index  int
	at     vec
	vertex bool
	joins  bool // another line ends here from the other side
}

// ringView is a face's ring with what candidates ask of it again and again.
type ringView struct {
	edges               []int32
	at                  []vec
	junction            []bool
	cross, length, mass []float64 // cumulative, up to vertex i
	lo, hi              vec
	boxLo, boxHi        []vec // of every boxEdges edges
	area                float64
	surface             *surface
}

const boxEdges = 16

func (s *splitter) view(face int32, mass *surface) *ringView {
	r := &ringView{edges: s.mesh.ring(face, nil), surface: mass}
	n := len(r.edges)
	r.at, r.junction = make([]vec, n+1), make([]bool, n)
	for i, e := range r.edges {
		r.at[i] = s.mesh.at[s.mesh.edges[e].from]
		r.junction[i] = s.mesh.degree(e) > 2
	}
	r.at[n] = r.at[0]
	r.cross, r.length, r.mass = make([]float64, n+1), make([]float64, n+1), make([]float64, n+1)
	r.lo, r.hi = r.at[0], r.at[0]
	for i := range n {
		a, b := r.at[i], r.at[i+1]
		r.cross[i+1] = r.cross[i] + a.cross(b)
		r.length[i+1] = r.length[i] + b.sub(a).len()
		r.mass[i+1] = r.mass[i] + mass.edge(a, b)
		if i%boxEdges == 0 {
			r.boxLo, r.boxHi = append(r.boxLo, a), append(r.boxHi, a)
		}
		k := len(r.boxLo) - 1
		r.boxLo[k] = vec{min(r.boxLo[k].x, a.x, b.x), min(r.boxLo[k].y, a.y, b.y)}
		r.boxHi[k] = vec{max(r.boxHi[k].x, a.x, b.x), max(r.boxHi[k].y, a.y, b.y)}
		r.lo, r.hi = vec{min(r.lo.x, a.x), min(r.lo.y, a.y)}, vec{max(r.hi.x, a.x), max(r.hi.y, a.y)}
	}
	r.area = r.cross[n] / 2
	return r
}

// contains is even-odd; its answer on the border is not used.
func (r *ringView) contains(p vec) bool {
	in := false
	for i := range r.edges {
		a, b := r.at[i], r.at[i+1]
		if (a.y > p.y) != (b.y > p.y) && p.x < a.x+(p.y-a.y)/(b.y-a.y)*(b.x-a.x) {
			in = !in
		}
	}
	return in
}

// near visits the edges whose boxes come within reach of the segment.
func (r *ringView) near(p, q vec, reachM float64, visit func(i int)) {
	lo := vec{min(p.x, q.x) - reachM, min(p.y, q.y) - reachM}
	hi := vec{max(p.x, q.x) + reachM, max(p.y, q.y) + reachM}
	for k := range r.boxLo {
		if r.boxLo[k].x > hi.x || r.boxHi[k].x < lo.x || r.boxLo[k].y > hi.y || r.boxHi[k].y < lo.y {
			continue
		}
		for i := k * boxEdges; i < min((k+1)*boxEdges, len(r.edges)); i++ {
			a, b := r.at[i], r.at[i+1]
			if min(a.x, b.x) <= hi.x && max(a.x, b.x) >= lo.x && min(a.y, b.y) <= hi.y && max(a.y, b.y) >= lo.y {
				visit(i)
			}
		}
	}
}

// hit is the first edge that the segment meets, leaving out two edges around a vertex that it starts from (-1: none).
func (r *ringView) hit(p, q vec, skip int) (edge int, at vec, ok bool) {
	best := math.Inf(1)
	n := len(r.edges)
	d := q.sub(p)
	r.near(p, q, 0, func(i int) {
		if skip >= 0 && (i == skip || i == (skip+n-1)%n) {
			return
		}
		a, e := r.at[i], r.at[i+1].sub(r.at[i])
		det := d.cross(e)
		if det == 0 {
			return
		}
		t, u := a.sub(p).cross(e)/det, a.sub(p).cross(d)/det
		if t >= 0 && t <= 1 && u >= 0 && u <= 1 && t < best {
			best, edge, at, ok = t, i, a.add(e.mul(u)), true
		}
	})
	return edge, at, ok
}

// trace follows the field from p until it meets the ring. across takes the lines that stand upright on the field's.
func (s *splitter) trace(r *ringView, p, dir vec, across bool, meander, stepM float64, skip int) (path []vec, edge int, at vec, ok bool) {
	heading := func(p, before vec) vec {
		d := s.field.along(p, meander)
		if across {
			d = d.left()
		}
		if d.dot(before) < 0 {
			d = d.mul(-1)
		}
		return d
	}
	steps := int(1.5*r.hi.sub(r.lo).len()/stepM) + 8 // a line that winds longer is not wanted
	for range steps {
		if p.x < r.lo.x || p.x > r.hi.x || p.y < r.lo.y || p.y > r.hi.y {
			break // it left at its very start
		}
		d := heading(p, dir)
		d = heading(p.add(d.mul(stepM/2)), d)
		q := p.add(d.mul(stepM))
		if e, h, hit := r.hit(p, q, skip); hit {
			return path, e, h, true
		}
		path = append(path, q)
		p, dir, skip = q, d, -1
	}
	return nil, 0, vec{}, false
}

// landing turns a meeting point into an end of the line: on a vertex where one is near, where lines already join from
// somewhat farther.
func (r *ringView) landing(edge int, at vec, snapM float64) end {
	n := len(r.edges)
	for _, i := range []int{edge, (edge + 1) % n} {
		reach := snapM * 0.4
		if r.junction[i] {
			reach = snapM
		}
		if r.at[i].sub(at).len() < reach {
			return end{index: i, at: r.at[i], vertex: true, joins: r.junction[i]}
		}
	}
	return end{index: edge, at: at}
}

// wide says whether a line that leaves the ring at e towards p keeps an angle to both of the ring's sides there.
func (r *ringView) wide(e end, p vec, minCos float64) bool {
	n := len(r.edges)
	d := p.sub(e.at).unit()
	before, after := r.at[e.index], r.at[e.index+1]
	if e.vertex {
		before = r.at[(e.index+n-1)%n]
	}
	return d.dot(before.sub(e.at).unit()) < minCos && d.dot(after.sub(e.at).unit()) < minCos
}

// clear says whether the line keeps away from the ring between its ends.
func (r *ringView) clear(a, b end, path []vec, clearM float64) bool {
	line := append(append([]vec{a.at}, path...), b.at)
	for i := 0; i+1 < len(line); i++ {
		p, q := line[i], line[i+1]
		ok := true
		r.near(p, q, clearM, func(k int) {
			u, v := r.at[k], r.at[k+1]
			if !ok || touches(a, k, len(r.edges)) && i == 0 || touches(b, k, len(r.edges)) && i+2 == len(line) {
				return
			}
			if crosses(p, q, u, v) {
				ok = false
				return
			}
			for _, w := range []vec{p, q} {
				room := min(clearM, 0.5*w.sub(a.at).len(), 0.5*w.sub(b.at).len())
				if distance(w, u, v) < room {
					ok = false
				}
			}
			for _, w := range []vec{u, v} {
				room := min(clearM, 0.5*w.sub(a.at).len(), 0.5*w.sub(b.at).len())
				if distance(w, p, q) < room {
					ok = false
				}
			}
		})
		if !ok {
			return false
		}
	}
	return true
}

func touches(e end, edge, n int) bool {
	return edge == e.index || e.vertex && edge == (e.index+n-1)%n
}

func crosses(a, b, c, d vec) bool {
	o1, o2 := b.sub(a).cross(c.sub(a)), b.sub(a).cross(d.sub(a))
	o3, o4 := d.sub(c).cross(a.sub(c)), d.sub(c).cross(b.sub(c))
	return (o1 > 0) != (o2 > 0) && (o3 > 0) != (o4 > 0)
}

func distance(p, a, b vec) float64 {
	d := b.sub(a)
	l := d.dot(d)
	if l == 0 {
		return p.sub(a).len()
	}
	t := min(max(p.sub(a).dot(d)/l, 0), 1)
	return p.sub(a.add(d.mul(t))).len()
}

// measure fills in what the line leaves on its left: the line from a to b, then the ring from b on to a.
func (c *cut) measure() {
	r := c.ring
	n := len(r.edges)
	line := append(append([]vec{c.a.at}, c.path...), c.b.at)
	var cross, mass float64
	for i := 0; i+1 < len(line); i++ {
		cross += line[i].cross(line[i+1])
		c.along += line[i+1].sub(line[i]).len()
		mass += r.surface.edge(line[i], line[i+1])
	}
	// up to an end, from vertex 0
	upTo := func(e end) (float64, float64, float64) {
		v := r.at[e.index]
		return r.cross[e.index] + v.cross(e.at), r.length[e.index] + e.at.sub(v).len(), r.mass[e.index] + r.surface.edge(v, e.at)
	}
	crossA, lengthA, massA := upTo(c.a)
	crossB, lengthB, massB := upTo(c.b)
	dc, dl, dm := crossA-crossB, lengthA-lengthB, massA-massB
	if lengthA < lengthB {
		dc, dl, dm = dc+r.cross[n], dl+r.length[n], dm+r.mass[n]
	}
	c.areaL = (cross + dc) / 2
	c.areaR = r.area - c.areaL
	c.lengthL = dl + c.along
	c.lengthR = r.length[n] - dl + c.along
	c.fracL = (mass + dm) / r.mass[n]
}

// compact is 1 for a circle, 0.785 for a square.
func compact(area, length float64) float64 { return 4 * math.Pi * area / float64(length*length) }

// best tries lines through the face and gives the one whose two sides are most compact and nearest to their due.
func (s *splitter) best(face int32, n int, how share) (*cut, error) {
	r := s.view(face, how.mass)
	part := math.Sqrt(r.area / float64(n))
	for round := range 8 {
		ease := math.Pow(0.75, float64(round))
		snapM, clearM, minCos := 0.28*part, 0.22*part*ease, 1-0.30*ease
		stepM := min(max(part/9, 9), 70) * (1 - 0.08*float64(round))
		var best *cut
		consider := func(c *cut) {
			if c == nil {
				return
			}
			c.measure()
			left, right, off, ok := how.judge(c)
			if !ok || c.areaL <= 0 || c.areaR <= 0 {
				return
			}
			c.left, c.right = left, right
			worst := min(compact(c.areaL, c.lengthL), compact(c.areaR, c.lengthR))
			c.score = 1.7*worst - 1.3*off - 0.2*math.Abs(float64(left-right))/float64(left+right)
			for _, e := range []end{c.a, c.b} {
				if e.joins {
					c.score += 0.05
				}
			}
			if best == nil || c.score > best.score {
				best = c
			}
		}
		tries := how.tries * (1 + round)
		for range tries {
			consider(s.through(r, how.meander, stepM, snapM, clearM, minCos))
		}
		for range tries / 3 {
			consider(s.onward(r, how.meander, stepM, snapM, clearM, minCos))
		}
		if best != nil && (round >= 4 || best.score > 0.1) {
			return best, nil
		}
	}
	return nil, fmt.Errorf("no line cuts face %d of %.0f m² into %d", face, r.area, n)
}

// through follows the field both ways from a random place inside.
func (s *splitter) through(r *ringView, meander, stepM, snapM, clearM, minCos float64) *cut {
	p := vec{s.rng.between(r.lo.x, r.hi.x), s.rng.between(r.lo.y, r.hi.y)}
	across := s.rng.intn(2) == 0
	if !r.contains(p) {
		return nil
	}
	d := s.field.along(p, meander)
	if across {
		d = d.left()
	}
	back, e1, h1, ok1 := s.trace(r, p, d.mul(-1), across, meander, stepM, -1)
	fore, e2, h2, ok2 := s.trace(r, p, d, across, meander, stepM, -1)
	if !ok1 || !ok2 {
		return nil
	}
	var path []vec
	for i := len(back) - 1; i >= 0; i-- {
		path = append(path, back[i])
	}
	path = append(append(path, p), fore...)
	a, b := r.landing(e1, h1, snapM), r.landing(e2, h2, snapM)
	bend(path, h1, a.at)
	bend(path, h2, b.at)
	return finish(r, a, b, path, stepM, clearM, minCos)
}

// onward carries a line on that ends at the face from the other side, so that it runs through.
func (s *splitter) onward(r *ringView, meander, stepM, snapM, clearM, minCos float64) *cut {
	n := len(r.edges)
	i := s.rng.intn(n)
	for k := 0; !r.junction[i]; k++ {
		if k == n {
			return nil
		}
		i = (i + 1) % n
	}
	d := r.at[i+1].sub(r.at[(i+n-1)%n]).left().unit()
	f := s.field.along(r.at[i], meander)
	across := math.Abs(f.dot(d)) < math.Abs(f.left().dot(d))
	path, e, h, ok := s.trace(r, r.at[i], d, across, meander, stepM, i)
	if !ok || len(path) == 0 {
		return nil
	}
	b := r.landing(e, h, snapM)
	bend(path, h, b.at)
	return finish(r, end{index: i, at: r.at[i], vertex: true, joins: true}, b, path, stepM, clearM, minCos)
}

// bend leads the line gently to where its end was moved from hit, so that it does not hook there.
func bend(path []vec, hit, to vec) {
	move := to.sub(hit)
	reach := 5 * move.len()
	for i, p := range path {
		if d := p.sub(hit).len(); d < reach {
			w := 1 - d/reach
			path[i] = p.add(move.mul(float64(w * w)))
		}
	}
}

// finish trims the line where it nears its ends and refuses it where it would leave a sharp corner or a strip.
func finish(r *ringView, a, b end, path []vec, stepM, clearM, minCos float64) *cut {
	gap := 0.6 * stepM
	for len(path) > 0 && path[0].sub(a.at).len() < gap {
		path = path[1:]
	}
	for len(path) > 0 && path[len(path)-1].sub(b.at).len() < gap {
		path = path[:len(path)-1]
	}
	if len(path) == 0 || a.index == b.index {
		return nil
	}
	if !r.wide(a, path[0], minCos) || !r.wide(b, path[len(path)-1], minCos) || !r.clear(a, b, path, clearM) {
		return nil
	}
	return &cut{ring: r, a: a, b: b, path: path}
}

// apply cuts the face and gives the new one, left of the line.
func (s *splitter) apply(face int32, c *cut) int32 {
	place := func(e end) int32 {
		h := c.ring.edges[e.index]
		if e.vertex {
			return h
		}
		s.mesh.cutEdge(h, e.at)
		return s.mesh.edges[h].next
	}
	a := place(c.a)
	b := place(c.b)
	return s.mesh.cutFace(face, a, b, c.path)
}

// into cuts the face into n parts of equal mass and gives them.
func (s *splitter) into(face int32, n int, how share, dst []int32) ([]int32, error) {
	if n == 1 {
		return append(dst, face), nil
	}
	how.judge = func(c *cut) (int, int, float64, bool) {
		left := min(max(int(math.Round(c.fracL*float64(n))), 1), n-1)
		right := n - left
		offL := math.Abs(c.fracL*float64(n)/float64(left) - 1)
		offR := math.Abs((1-c.fracL)*float64(n)/float64(right) - 1)
		return left, right, max(offL, offR), true
	}
	c, err := s.best(face, n, how)
	if err != nil {
		return nil, err
	}
	fresh := s.apply(face, c)
	if dst, err = s.into(face, c.right, how, dst); err != nil {
		return nil, err
	}
	return s.into(fresh, c.left, how, dst)
}
