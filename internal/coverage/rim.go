package coverage

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Uncovered tells what parents cover and no child does, where that is open to the outside of the children; what children
// enclose is Build's to tell. Each connected piece above 0.1 % of its parent's area is a refused Gap by itself. Smaller ones
// are told as one for each parent, with their sum and the place of the largest: a warning below that share, else refused.
// With acceptGaps, the reason why gaps are meant, all are warnings. Boundaries within the tolerance of one another are one.
func Uncovered(ctx context.Context, children, parents *Coverage, toleranceM float64, acceptGaps string) ([]Finding, error) {
	if toleranceM == 0 {
		toleranceM = defaultToleranceM
	}
	a, err := overlay(ctx, children.openRings(), parents.openRings(), toleranceM)
	if err != nil {
		return nil, err
	}
	findings := a.uncovered(int32(children.Len()), parents, toleranceM, acceptGaps)
	SortFindings(findings)
	return findings, nil
}

// uncovered looks at an overlay of n children and their parents.
func (a *arrangement) uncovered(n int32, parents *Coverage, toleranceM float64, acceptGaps string) []Finding {
	in := make([]pair, len(a.only)) // cell 0 is the plane's rest
	for cell := range in {
		in[cell] = a.pairAt(int32(cell), n)
	}
	regions, pieces := newGroups(len(in)), newGroups(len(in))
	for i := range a.edges {
		l, r := a.cell[2*i], a.cell[2*i+1]
		if in[l].child < 0 && in[r].child < 0 {
			regions.join(l, r)
			if in[l].parent == in[r].parent {
				pieces.join(l, r)
			}
		}
	}
	sums := map[int32]common{}
	for cell := int32(1); int(cell) < len(in); cell++ {
		if in[cell].child >= 0 || in[cell].parent < 0 || regions.of(cell) != regions.of(0) {
			continue
		}
		if areaM2, widthM := a.extent(cell); widthM >= toleranceM {
			sums[pieces.of(cell)] = sums[pieces.of(cell)].with(cell, areaM2, widthM)
		}
	}
	var findings []Finding
	tell := func(parent int32, c common) {
		f := Finding{Kind: Gap, Severity: Refused, Codes: []string{parents.Faces[parent].Code}, Place: innerPoint(a.rings(c.cell)), AreaM2: c.areaM2, WidthM: c.widthM}
		f.Message = fmt.Sprintf("%.4g m² of %s (%.3g %%), at its rim, are in none of its parts.", c.areaM2, f.Codes[0], 100*c.areaM2/parents.AreaM2(int(parent)))
		switch {
		case acceptGaps != "":
			f.Severity, f.Message = Warning, f.Message+" Accepted: "+acceptGaps
		case c.areaM2 < toldOutside*parents.AreaM2(int(parent)):
			f.Severity = Warning
		}
		findings = append(findings, f)
	}
	small := map[int32]common{} // by parent
	for _, piece := range slices.Sorted(maps.Keys(sums)) {
		c, parent := sums[piece], in[piece].parent
		if c.areaM2 >= toldOutside*parents.AreaM2(int(parent)) {
			tell(parent, c)
			continue
		}
		s := small[parent]
		s.areaM2 += c.areaM2
		if c.largestM2 > s.largestM2 {
			s.largestM2, s.widthM, s.cell = c.largestM2, c.widthM, c.cell
		}
		small[parent] = s
	}
	for _, parent := range slices.Sorted(maps.Keys(small)) {
		tell(parent, small[parent])
	}
	return findings
}

// groups are disjoint sets of cells, each named by one of its members.
type groups []int32

func newGroups(n int) groups {
	g := make(groups, n)
	for i := range g {
		g[i] = int32(i)
	}
	return g
}

func (g groups) of(i int32) int32 {
	for g[i] != i {
		g[i] = g[g[i]]
		i = g[i]
	}
	return i
}

func (g groups) join(i, j int32) { g[g.of(i)] = g.of(j) }
