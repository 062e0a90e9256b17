package haining

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// town is where a town roughly lies, how large it roughly is, and what is built there. The places are the author's
// approximation: no lines of towns are published.
type town struct {
	lon, lat float64
	areaKM2  float64
	reachM   float64
	perKM2   float64
	c2, s2   float64 // the turn of its streets, doubled
}

var towns = map[string]town{
	"330481001": {120.703, 30.547, 46, 1900, 4300, 0.98, 0.20},  // 硖石
	"330481002": {120.668, 30.522, 40, 2000, 5200, 0.95, 0.31},  // 海洲
	"330481003": {120.716, 30.512, 54, 1700, 3400, 0.98, 0.20},  // 海昌
	"330481004": {120.722, 30.470, 46, 1200, 1500, 0.90, 0.44},  // 马桥
	"330481101": {120.360, 30.424, 112, 1900, 2300, 0.80, 0.60}, // 许村
	"330481103": {120.446, 30.426, 120, 2000, 2600, 0.92, -.39}, // 长安
	"330481105": {120.507, 30.436, 72, 900, 1500, 0.99, 0.14},   // 周王庙
	"330481106": {120.655, 30.412, 76, 900, 1300, 0.99, -.14},   // 丁桥
	"330481107": {120.600, 30.476, 74, 1100, 1500, 0.88, 0.47},  // 斜桥
	"330481108": {120.790, 30.345, 112, 1100, 1100, 0.96, -.28}, // 黄湾
	"330481110": {120.556, 30.412, 62, 1100, 1600, 0.97, 0.24},  // 盐官
	"330481112": {120.770, 30.425, 90, 1000, 1500, 0.93, 0.37},  // 袁花
}

func newField(seed uint64) *field {
	f := &field{seed: mix(seed)}
	for _, code := range sortedKeys(towns) {
		t := towns[code]
		f.centres = append(f.centres, centre{at: toLocal(orb.Point{t.lon, t.lat}), reachM: t.reachM, c2: t.c2, s2: t.s2,
			perKM2: t.perKM2, streetWeight: 6})
	}
	return f
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// builder cuts the outline down to microgrids, level by level, and reads the divisions off the mesh.
type builder struct {
	seed                  uint64
	ring                  []orb.Point
	mesh                  *mesh
	field                 *field
	split                 *splitter
	people, worth, ground *surface
	official              []official
	labels                [][4]int32 // per face: town, village, grid, microgrid as indexes of the plan
	lonLat                []orb.Point
	plan                  *Plan
}

func (b *builder) build() (*Plan, error) {
	b.plan = &Plan{Seed: b.seed, field: b.field}
	townFaces, err := b.cutTowns()
	if err != nil {
		return nil, err
	}
	villageFaces, err := b.cutVillages(townFaces)
	if err != nil {
		return nil, err
	}
	scale := households / b.mass(b.people, 0, len(b.mesh.faces))
	if err := b.cutGrids(villageFaces, scale); err != nil {
		return nil, err
	}
	b.lonLat = make([]orb.Point, len(b.mesh.at))
	for i, v := range b.mesh.at {
		if b.lonLat[i] = fromLocal(v); i < b.mesh.fixed {
			b.lonLat[i] = b.ring[i]
		}
	}
	b.countPeople(scale)
	b.shapes()
	return b.plan, nil
}

// mass sums a surface over the faces from..to.
func (b *builder) mass(s *surface, from, to int) float64 {
	total := 0.0
	for f := from; f < to; f++ {
		for _, e := range b.mesh.ring(int32(f), nil) {
			total += s.edge(b.mesh.at[b.mesh.edges[e].from], b.mesh.at[b.mesh.to(e)])
		}
	}
	return total
}

// cutTowns cuts the city between the towns' places, each side in proportion to the towns that lie on it.
func (b *builder) cutTowns() (map[string]int32, error) {
	out := map[string]int32{}
	var cutAll func(face int32, codes []string) error
	cutAll = func(face int32, codes []string) error {
		if len(codes) == 1 {
			out[codes[0]] = face
			return nil
		}
		var due float64
		for _, c := range codes {
			due += towns[c].areaKM2
		}
		side := func(c *cut) (left, right []string, dueL float64) {
			loop := c.leftRing()
			for _, code := range codes {
				t := towns[code]
				if inside(loop, toLocal(orb.Point{t.lon, t.lat})) {
					left, dueL = append(left, code), dueL+t.areaKM2
				} else {
					right = append(right, code)
				}
			}
			return left, right, dueL
		}
		how := share{mass: b.ground, meander: 0.75, tries: 160, judge: func(c *cut) (int, int, float64, bool) {
			left, right, dueL := side(c)
			if len(left) == 0 || len(right) == 0 {
				return 0, 0, 0, false
			}
			share := dueL / due
			off := 0.9 * max(math.Abs(c.fracL/share-1), math.Abs((1-c.fracL)/(1-share)-1))
			for _, code := range codes { // a border does not run through a town's middle
				off += 0.4 * max(0, 1-c.from(toLocal(orb.Point{towns[code].lon, towns[code].lat}))/1800)
			}
			return len(left), len(right), off, true
		}}
		c, err := b.split.best(face, len(codes), how)
		if err != nil {
			return fmt.Errorf("between towns %v: %w", codes, err)
		}
		left, right, _ := side(c)
		fresh := b.split.apply(face, c)
		b.labels = append(b.labels, [4]int32{})
		if err := cutAll(face, right); err != nil {
			return err
		}
		return cutAll(fresh, left)
	}
	return out, cutAll(0, sortedKeys(towns))
}

// from is the distance of p from the line.
func (c *cut) from(p vec) float64 {
	line := append(append([]vec{c.a.at}, c.path...), c.b.at)
	d := math.Inf(1)
	for i := 0; i+1 < len(line); i++ {
		d = min(d, distance(p, line[i], line[i+1]))
	}
	return d
}

// leftRing is the polygon left of the line.
func (c *cut) leftRing() []vec {
	n := len(c.ring.edges)
	loop := append(append([]vec{c.a.at}, c.path...), c.b.at)
	for i := (c.b.index + 1) % n; ; i = (i + 1) % n {
		loop = append(loop, c.ring.at[i])
		if i == c.a.index {
			return loop
		}
	}
}

func inside(loop []vec, p vec) bool {
	in := false
	for i, a := range loop {
		b := loop[(i+1)%len(loop)]
		if (a.y > p.y) != (b.y > p.y) && p.x < a.x+float64((p.y-a.y)/(b.y-a.y)*(b.x-a.x)) {
			in = !in
		}
	}
	return in
}

// cutVillages cuts each town into as many faces as it has villages, and gives the densest to the communities.
func (b *builder) cutVillages(townFaces map[string]int32) ([]int32, error) {
	var faces []int32
	for _, row := range b.official {
		if row.level != "town" {
			continue
		}
		ti := int32(len(b.plan.Towns))
		b.plan.Towns = append(b.plan.Towns, Division{Code: row.code, Parent: CountyCode, Name: row.name, Official: row.name, Generated: true})
		var names []official
		for _, v := range b.official {
			if v.level == "village" && v.parent == row.code {
				names = append(names, v)
			}
		}
		got, err := b.split.into(townFaces[row.code], len(names), share{mass: b.worth, meander: 0.6, tries: 40}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row.name, err)
		}
		density := func(f int32) float64 {
			return b.mass(b.people, int(f), int(f)+1) / b.mass(b.ground, int(f), int(f)+1)
		}
		slices.SortStableFunc(got, func(x, y int32) int { return cmp.Compare(density(y), density(x)) })
		b.grow()
		for i, v := range names { // in order of codes: communities first
			b.labels[got[i]] = [4]int32{ti, int32(len(b.plan.Villages))}
			b.plan.Villages = append(b.plan.Villages, Division{Code: v.code, Parent: row.code, Name: placeName(v.name), Official: v.name, Generated: true})
			faces = append(faces, got[i])
		}
	}
	return faces, nil
}

func (b *builder) grow() {
	for len(b.labels) < len(b.mesh.faces) {
		b.labels = append(b.labels, [4]int32{})
	}
}

// cutGrids cuts villages into grids and these into microgrids, by households, and numbers both from north-west to
// south-east.
func (b *builder) cutGrids(villageFaces []int32, scale float64) error {
	people := func(f int32) float64 { return scale * b.mass(b.people, int(f), int(f)+1) }
	for vi, vf := range villageFaces {
		v := &b.plan.Villages[vi]
		town := b.labels[vf][0]
		grids, err := b.split.into(vf, max(2, int(math.Round(people(vf)/perGrid))), share{mass: b.people, meander: 0.35, tries: 26}, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		b.sweep(grids)
		for g, gf := range grids {
			gi := int32(len(b.plan.Grids))
			grid := Division{Code: fmt.Sprintf("%s%03d", v.Code, g+1), Parent: v.Code, Name: fmt.Sprintf("%s第%d网格", v.Name, g+1), Generated: true}
			b.plan.Grids = append(b.plan.Grids, grid)
			micro, err := b.split.into(gf, max(3, int(math.Round(people(gf)/perMicro))), share{mass: b.people, meander: 0.2, tries: 20}, nil)
			if err != nil {
				return fmt.Errorf("%s: %w", grid.Name, err)
			}
			b.sweep(micro)
			b.grow()
			for m, mf := range micro {
				b.labels[mf] = [4]int32{town, int32(vi), gi, int32(len(b.plan.Microgrids))}
				b.plan.Microgrids = append(b.plan.Microgrids, Division{Code: fmt.Sprintf("%s%02d", grid.Code, m+1), Parent: grid.Code,
					Name: fmt.Sprintf("%s第%d微网格", grid.Name, m+1), Generated: true, face: mf})
			}
		}
	}
	return nil
}

// sweep orders faces from north-west to south-east.
func (b *builder) sweep(faces []int32) {
	key := func(f int32) float64 {
		var x, y, n float64
		for _, e := range b.mesh.ring(f, nil) {
			p := b.mesh.at[b.mesh.edges[e].from]
			x, y, n = x+p.x, y+p.y, n+1
		}
		return (x - float64(2*y)) / n
	}
	slices.SortStableFunc(faces, func(p, q int32) int { return cmp.Compare(key(p), key(q)) })
}

// countPeople gives each microgrid its households and people. What rounding takes from one goes to the next, so that the
// city's sums are exact.
func (b *builder) countPeople(scale float64) {
	p := b.plan
	var mass, total float64
	weight := make([]float64, len(p.Microgrids))
	for i := range p.Microgrids {
		f := int(p.Microgrids[i].face)
		weight[i] = scale * b.mass(b.people, f, f+1)
		total += weight[i]
	}
	homes, persons := 0, 0
	for i := range p.Microgrids {
		mass += weight[i]
		h := int(math.Round(households*mass/total)) - homes
		n := int(math.Round(Population*mass/total)) - persons
		homes, persons = homes+h, persons+n
		l := b.labels[p.Microgrids[i].face]
		for _, d := range []*Division{&p.City, &p.Towns[l[0]], &p.Villages[l[1]], &p.Grids[l[2]], &p.Microgrids[i]} {
			d.Households += h
			d.Population += n
		}
	}
}

// shapes reads every division's ring off the mesh.
func (b *builder) shapes() {
	p := b.plan
	p.City.Code, p.City.Name, p.City.Latin, p.City.Official = CountyCode, Name, NameLatin, Name
	read := func(level int, list []Division) {
		done := make([]bool, len(list))
		for e := range b.mesh.edges {
			he := &b.mesh.edges[e]
			if he.face == outside {
				continue
			}
			in := func(face int32) bool { return level < 0 || b.labels[face][level] == b.labels[he.face][level] }
			i := int32(0)
			if level >= 0 {
				i = b.labels[he.face][level]
			}
			if other := b.mesh.edges[he.twin].face; done[i] || other != outside && in(other) {
				continue
			}
			done[i] = true
			vertices := b.mesh.outline(int32(e), in)
			ring := make(orb.Ring, 0, len(vertices)+1)
			local := make([]vec, 0, len(vertices))
			for _, v := range vertices {
				ring = append(ring, b.lonLat[v])
				local = append(local, b.mesh.at[v])
			}
			list[i].Shape = orb.Polygon{append(ring, ring[0])}
			list[i].AreaKM2 = areaM2(local) / squareKilometreM
			list[i].Label = fromLocal(labelPoint(local))
		}
	}
	city := []Division{p.City}
	read(-1, city)
	p.City = city[0]
	read(0, p.Towns)
	read(1, p.Villages)
	read(2, p.Grids)
	read(3, p.Microgrids)
	for _, list := range [][]Division{p.Towns, p.Villages} {
		for i := range list {
			list[i].Latin, _ = LatinName(list[i].Name)
		}
	}
	latin := map[string]string{}
	for _, v := range p.Villages {
		latin[v.Code] = v.Latin
	}
	for i := range p.Grids {
		g := &p.Grids[i]
		g.Latin = fmt.Sprintf("%s, Grid %d", latin[g.Parent], number(g.Code[12:]))
		latin[g.Code] = g.Latin
	}
	for i := range p.Microgrids {
		m := &p.Microgrids[i]
		m.Latin = fmt.Sprintf("%s, Microgrid %d", latin[m.Parent], number(m.Code[15:]))
	}
}

func number(digits string) int {
	n := 0
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

func areaM2(loop []vec) float64 {
	total := 0.0
	for i, a := range loop {
		total += a.cross(loop[(i+1)%len(loop)])
	}
	return total / 2
}

// labelPoint is a place inside, far from the border: the best of a lattice, refined twice.
func labelPoint(loop []vec) vec {
	lo, hi := loop[0], loop[0]
	for _, p := range loop {
		lo, hi = vec{min(lo.x, p.x), min(lo.y, p.y)}, vec{max(hi.x, p.x), max(hi.y, p.y)}
	}
	stride := 1 + len(loop)/400 // a town's border need not be read whole
	best, room := lo, -1.0
	for range 3 {
		step := vec{(hi.x - lo.x) / 9, (hi.y - lo.y) / 9}
		for i := range 9 {
			for j := range 9 {
				p := vec{lo.x + float64(step.x*(float64(i)+0.5)), lo.y + float64(step.y*(float64(j)+0.5))}
				if !inside(loop, p) {
					continue
				}
				d := math.Inf(1)
				for k := 0; k < len(loop); k += stride {
					d = min(d, distance(p, loop[k], loop[(k+stride)%len(loop)]))
				}
				if d > room {
					best, room = p, d
				}
			}
		}
		lo, hi = vec{best.x - step.x, best.y - step.y}, vec{best.x + step.x, best.y + step.y}
	}
	return best
}
