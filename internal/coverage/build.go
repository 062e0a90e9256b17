package coverage

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"gridgov/internal/fault"

	"github.com/paulmach/orb"
)

// Options say how strict Build is.
type Options struct {
	ToleranceM float64     // what lies closer is joined, what is thinner is repaired; 0 means 0.001, else 0.0001 to 1
	AcceptGaps string      // the reason why gaps are meant; "" refuses them
	Parent     *Coverage   // the level above, when this one was given with parents: faces must lie in theirs, and leave nothing of them out
	Upper      []*Coverage // levels that may cover a hole: one that they cover is a gap, not an enclave
}

const (
	defaultToleranceM = 0.001
	minToleranceM     = 0.0001 // well above the grid of new nodes
	maxToleranceM     = 1
	enclaveWidthM     = 1 // a hole wider than this is taken for one that is meant
)

// Build makes a coverage of polygons in any order and tells what it found, refused first.
//
// Vertices within the tolerance of another go to it; borders within the tolerance of a vertex are led through it; all
// others keep their doubles. Crossing borders get a node on a grid of 1e-10°. An overlap, gap or self-crossing thinner
// than the tolerance goes to the face it shares the longest border with, then to the smallest code. Wider ones are told;
// in the coverage, which is then a draft, an overlap lies with the smallest code. Faces that cannot be read are left out.
// The result does not depend on the order of the polygons.
//
// An error is a *fault.Error when the input as a whole is beyond use, or ctx's.
func Build(ctx context.Context, polygons []Polygon, o Options) (*Coverage, []Finding, error) {
	if o.ToleranceM == 0 {
		o.ToleranceM = defaultToleranceM
	}
	if !(o.ToleranceM >= minToleranceM && o.ToleranceM <= maxToleranceM) {
		return nil, nil, fault.Invalid("tolerance", "out_of_range", "A tolerance of %g m is not taken; give %g to %g m.", o.ToleranceM, minToleranceM, float64(maxToleranceM))
	}
	faces, findings, err := readFaces(polygons, o.ToleranceM)
	if err != nil {
		return nil, nil, err
	}
	b := &builder{Options: o, faces: faces, findings: findings, folds: map[int32]fold{}}
	c, err := b.build(ctx)
	if err != nil {
		return nil, nil, err
	}
	SortFindings(b.findings)
	return c, b.findings, nil
}

type builder struct {
	Options
	faces    []face // sorted by code
	findings []Finding
	folds    map[int32]fold // by face: where its outline touches itself or runs back
	twins    map[int32]bool // faces left out because another has their geometry
	a        *arrangement
	owner    []int32 // by cell: the face that it went to, or −1
}

// fold is where an outline meets itself without enclosing anything wrongly.
type fold struct {
	times int
	at    orb.Point
}

func (b *builder) folded(face int32, at orb.Point) {
	f, again := b.folds[face]
	if !again || comparePoints(at, f.at) < 0 {
		f.at = at
	}
	f.times++
	b.folds[face] = f
}

func (b *builder) build(ctx context.Context) (*Coverage, error) {
	rings := make([][][]orb.Point, len(b.faces))
	for i, f := range b.faces {
		rings[i] = f.rings
	}
	o := outline(rings, b.ToleranceM, func(face int, at orb.Point) { b.folded(int32(face), at) })
	n := &noder{points: o.points, toleranceM: b.ToleranceM}
	n.folded = func(face, point int32) { b.folded(face, n.points[point]) }
	n.traces = b.dropTwins(o.points, sumTraces(o.traces, n.folded))
	if err := n.run(ctx); err != nil {
		return nil, err
	}
	b.tellJoined(o, n)
	var err error
	if b.a, err = arrange(ctx, n.points, n.traces); err != nil {
		return nil, err
	}
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	for _, i := range slices.Sorted(maps.Keys(b.folds)) {
		f := b.folds[i]
		b.tell(Finding{Kind: SelfCrossing, Severity: Repaired, Place: f.at}, []int32{i},
			"The outline of %s touches itself or runs back along itself (%d times); its area is the same without.", b.faces[i].Code, f.times)
	}
	c := b.assemble()
	if b.Parent != nil {
		if err := b.checkParents(ctx, c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// tell adds a finding about faces, ascending.
func (b *builder) tell(f Finding, faces []int32, format string, args ...any) {
	for _, i := range faces {
		f.Codes = append(f.Codes, b.faces[i].Code)
	}
	if len(faces) > 0 {
		f.Line = b.faces[faces[0]].Line
	}
	f.Message = fmt.Sprintf(format, args...)
	b.findings = append(b.findings, f)
}

func (b *builder) tellJoined(o *outlines, n *noder) {
	if o.joined+n.splits == 0 {
		return
	}
	far, at := o.farM, o.farAt
	if n.farM > far {
		far, at = n.farM, n.farAt
	}
	b.tell(Finding{Kind: Joined, Severity: Repaired, Place: at, WidthM: far}, nil,
		"%d vertices were joined to one beside them and borders were led through a vertex beside them %d times, over %.2g mm at most.", o.joined, n.splits, far*1000)
}

// dropTwins leaves out faces whose geometry came before under a smaller code.
func (b *builder) dropTwins(points []orb.Point, traces []trace) []trace {
	type digest struct {
		sum  uint64
		from int
	}
	sums := make([]digest, len(b.faces))
	for i, t := range traces {
		d := &sums[t.face]
		if d.sum == 0 {
			d.from = i
		}
		d.sum += mix(mix(uint64(t.u)<<32|uint64(uint32(t.v))) + uint64(uint32(t.wind)))
	}
	first := map[uint64]int32{}
	b.twins = map[int32]bool{}
	for i, d := range sums {
		f := int32(i)
		original, again := first[d.sum]
		if d.sum == 0 || !again {
			first[d.sum] = f
			continue
		}
		b.twins[f] = true
		t := traces[d.from]
		areaM2 := 0.0
		for _, ring := range b.faces[i].rings {
			areaM2 += ringAreaM2(ring)
		}
		b.tell(Finding{Kind: Duplicate, Severity: Refused, Place: points[t.u], AreaM2: math.Abs(areaM2)}, []int32{original, f},
			"%s has the same geometry as %s and was left out.", b.faces[i].Code, b.faces[original].Code)
	}
	if len(b.twins) == 0 {
		return traces
	}
	return slices.DeleteFunc(traces, func(t trace) bool { return b.twins[t.face] })
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// assemble makes the coverage of the cells as they were settled. A face that kept nothing is told and left out.
func (b *builder) assemble() *Coverage {
	place := make([]int32, len(b.faces))
	for _, f := range b.owner {
		if f >= 0 {
			place[f] = 1
		}
	}
	var faces []Face
	for i, f := range b.faces {
		if place[i] == 0 {
			place[i] = -1
			if !b.twins[int32(i)] {
				b.tell(Finding{Kind: Empty, Severity: Refused, Place: f.rings[0][0]}, []int32{int32(i)},
					"Nothing is left of %s: it is thinner than the tolerance or lies wholly in other boundaries.", f.Code)
			}
			continue
		}
		place[i] = int32(len(faces))
		faces = append(faces, Face{Code: f.Code, Parent: f.Parent, Line: f.Line})
	}
	to := func(cell int32) int32 {
		if f := b.owner[cell]; f >= 0 {
			return place[f]
		}
		return -1
	}
	var borders []border
	for i, e := range b.a.edges {
		left, right := to(b.a.cell[2*i]), to(b.a.cell[2*i+1])
		if left != right {
			borders = append(borders, border{e.u, e.v, left, right})
		}
	}
	return assemble(b.a.points, borders, faces)
}
