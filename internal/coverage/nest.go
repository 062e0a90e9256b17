package coverage

import (
	"context"
	"fmt"
	"slices"

	"github.com/paulmach/orb"
)

// toldOutside is the share of a face's area that may lie outside its parent, or in none of its parts along its rim, and is
// only told: levels drawn apart differ by hairs along their borders.
const toldOutside = 0.001

// overlay cuts the plane along two sets of faces, the second numbered after the first, joining what lies within the
// tolerance.
func overlay(ctx context.Context, first, second [][][]orb.Point, toleranceM float64) (*arrangement, error) {
	o := outline(slices.Concat(first, second), toleranceM, func(int, orb.Point) {})
	ignore := func(face, point int32) {}
	n := &noder{points: o.points, traces: sumTraces(o.traces, ignore), toleranceM: toleranceM, folded: ignore}
	if err := n.run(ctx); err != nil {
		return nil, err
	}
	return arrange(ctx, n.points, n.traces)
}

// openRings returns the rings of each face without their last point, as outline takes them.
func (c *Coverage) openRings() [][][]orb.Point {
	faces := make([][][]orb.Point, len(c.Faces))
	for i, f := range c.Faces {
		for _, part := range f.Parts {
			for _, refs := range part {
				ring := c.ring(refs)
				faces[i] = append(faces[i], ring[:len(ring)-1])
			}
		}
	}
	return faces
}

// pair is what a child has in common with a parent; −1 stands for none.
type pair struct{ child, parent int32 }

// common is the part of the plane that belongs to a pair: its area, leaving out cells thinner than the tolerance, and
// its largest cell.
type common struct {
	areaM2, largestM2, widthM float64
	cell                      int32
}

// with adds a cell.
func (c common) with(cell int32, areaM2, widthM float64) common {
	c.areaM2 += areaM2
	if areaM2 > c.largestM2 {
		c.largestM2, c.widthM, c.cell = areaM2, widthM, cell
	}
	return c
}

// pairAt is what a cell of an overlay of two coverages, the first with n faces, lies in.
func (a *arrangement) pairAt(cell, n int32) pair {
	p := pair{-1, -1}
	faces := []int32{a.only[cell]}
	if a.only[cell] < 0 {
		faces = a.other[cell].faces
	}
	for _, f := range faces {
		if f < n {
			p.child = f
		} else {
			p.parent = f - n
		}
	}
	return p
}

// pairs sums the cells of an overlay of two coverages, the first with n faces, by child and parent.
func (a *arrangement) pairs(n int32, toleranceM float64) map[pair]common {
	out := map[pair]common{}
	for cell := int32(1); int(cell) < len(a.only); cell++ {
		p := a.pairAt(cell, n)
		if p.child < 0 && p.parent < 0 {
			continue
		}
		if areaM2, widthM := a.extent(cell); widthM >= toleranceM {
			out[p] = out[p].with(cell, areaM2, widthM)
		}
	}
	return out
}

// sortedPairs orders pairs for output.
func sortedPairs(m map[pair]common) []pair {
	out := make([]pair, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b pair) int {
		if a.child != b.child {
			return int(a.child) - int(b.child)
		}
		return int(a.parent) - int(b.parent)
	})
	return out
}

// Nests compares two levels: nothing is found when each parent is the union of its children, but for what is thinner
// than the tolerance. A child's parent is the one that it names, when parents has it, else the one it has most area in. What is found are
// warnings, one for each child with each parent it lies in wrongly (OutOfParent) or outside of all, and one for each
// parent that its children leave uncovered (Gap), with the area and the place of the largest piece; levels that do not
// nest are placed each by itself.
func Nests(children, parents *Coverage, toleranceM float64) []Finding {
	if toleranceM == 0 {
		toleranceM = defaultToleranceM
	}
	a, err := overlay(context.Background(), children.openRings(), parents.openRings(), toleranceM)
	if err != nil {
		return []Finding{{Kind: OutOfParent, Severity: Refused, Message: "The two levels cannot be compared: " + err.Error()}}
	}
	met := a.pairs(int32(children.Len()), toleranceM)
	home := make([]int32, children.Len())
	for i, f := range children.Faces {
		home[i] = int32(parents.Index(f.Parent))
	}
	most := make([]float64, len(home))
	for _, p := range sortedPairs(met) {
		if p.child >= 0 && p.parent >= 0 && parents.Index(children.Faces[p.child].Parent) < 0 && met[p].areaM2 > most[p.child] {
			home[p.child], most[p.child] = p.parent, met[p].areaM2
		}
	}
	var findings []Finding
	for _, p := range sortedPairs(met) {
		c := met[p]
		f := Finding{Kind: OutOfParent, Severity: Warning, Place: innerPoint(a.rings(c.cell)), AreaM2: c.areaM2, WidthM: c.widthM}
		switch {
		case p.child < 0:
			f.Kind, f.Codes = Gap, []string{parents.Faces[p.parent].Code}
			f.Message = fmt.Sprintf("%.4g m² of %s are in none of its parts.", c.areaM2, f.Codes[0])
		case p.parent < 0:
			f.Codes, f.Line = []string{children.Faces[p.child].Code}, children.Faces[p.child].Line
			f.Message = fmt.Sprintf("%.4g m² of %s are outside the level above.", c.areaM2, f.Codes[0])
		case p.parent != home[p.child]:
			f.Codes, f.Line = []string{children.Faces[p.child].Code, parents.Faces[p.parent].Code}, children.Faces[p.child].Line
			f.Message = fmt.Sprintf("%.4g m² of %s are in %s, which is not its parent.", c.areaM2, f.Codes[0], f.Codes[1])
		default:
			continue
		}
		findings = append(findings, f)
	}
	SortFindings(findings)
	return findings
}

// checkParents tells faces whose parent is unknown, what of a face lies outside its parent, and what of the parents lies in
// no face.
func (b *builder) checkParents(ctx context.Context, c *Coverage) error {
	a, err := overlay(ctx, c.openRings(), b.Parent.openRings(), b.ToleranceM)
	if err != nil {
		return err
	}
	met := a.pairs(int32(c.Len()), b.ToleranceM)
	outside := make([]common, c.Len())
	for _, p := range sortedPairs(met) {
		if p.child < 0 || p.parent >= 0 && b.Parent.Faces[p.parent].Code == c.Faces[p.child].Parent {
			continue
		}
		o := &outside[p.child]
		o.areaM2 += met[p].areaM2
		if met[p].largestM2 > o.largestM2 {
			o.largestM2, o.widthM, o.cell = met[p].largestM2, met[p].widthM, met[p].cell
		}
	}
	for i, f := range c.Faces {
		found := Finding{Kind: OutOfParent, Severity: Refused, Codes: []string{f.Code}, Line: f.Line, AreaM2: c.AreaM2(i)}
		switch o := outside[i]; {
		case f.Parent == "":
			found.Place = c.InnerPoint(i)
			found.Message = fmt.Sprintf("%s names no parent.", f.Code)
		case b.Parent.Index(f.Parent) < 0:
			found.Place = c.InnerPoint(i)
			found.Message = fmt.Sprintf("%s names the parent %s, which the level above does not have.", f.Code, f.Parent)
		case o.areaM2 > 0:
			if o.areaM2 < toldOutside*c.AreaM2(i) {
				found.Severity = Warning
			}
			found.Place, found.AreaM2, found.WidthM = innerPoint(a.rings(o.cell)), o.areaM2, o.widthM
			found.Message = fmt.Sprintf("%.4g m² of %s (%.3g %%) lie outside its parent %s.", o.areaM2, f.Code, 100*o.areaM2/c.AreaM2(i), f.Parent)
		default:
			continue
		}
		b.findings = append(b.findings, found)
	}
	b.findings = append(b.findings, a.uncovered(int32(c.Len()), b.Parent, b.ToleranceM, b.AcceptGaps)...)
	return nil
}

// coveredAbove tells for each hole whether an upper level covers some of it, beyond what is thinner than the tolerance.
func (b *builder) coveredAbove(ctx context.Context, holes []piece) ([]bool, error) {
	covered := make([]bool, len(holes))
	if len(holes) == 0 || len(b.Upper) == 0 {
		return covered, nil
	}
	first := make([][][]orb.Point, len(holes))
	bounds := newBoxTree(len(holes), func(i int32) box {
		rings := b.a.rings(holes[i].cell)
		outer := rings[0].Bound()
		for _, ring := range rings {
			first[i] = append(first[i], ring)
		}
		return box{outer.Min[0], outer.Min[1], outer.Max[0], outer.Max[1]}
	})
	for _, upper := range b.Upper {
		var second [][][]orb.Point
		for _, rings := range upper.openRings() {
			near := false
			for _, ring := range rings {
				bound := orb.Ring(ring).Bound()
				bounds.search(box{bound.Min[0], bound.Min[1], bound.Max[0], bound.Max[1]}, func(int32) bool {
					near = true
					return false
				})
			}
			if near {
				second = append(second, rings)
			}
		}
		a, err := overlay(ctx, first, second, b.ToleranceM)
		if err != nil {
			return nil, err
		}
		for p := range a.pairs(int32(len(holes)), b.ToleranceM) {
			if p.child >= 0 && p.parent >= 0 {
				covered[p.child] = true
			}
		}
	}
	return covered, nil
}
