package coverage

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"
)

// Kind says what is wrong.
type Kind string

// The kinds of findings.
const (
	Overlap      Kind = "overlap"       // an area in two or more faces
	Gap          Kind = "gap"           // an area in no face, enclosed by faces or in a parent of the level
	Sliver       Kind = "sliver"        // an overlap or gap thinner than the tolerance, or a face's part that is
	InvalidRing  Kind = "invalid_ring"  // a ring that cannot be read as it stands
	SelfCrossing Kind = "self_crossing" // a face whose rings cross, touch or run back along themselves
	Duplicate    Kind = "duplicate"     // a code, or a geometry, that came twice
	OutOfParent  Kind = "out_of_parent" // a face, or a part of one, that is not in its parent
	Enclave      Kind = "enclave"       // a gap that the plan names: a lake, another city's land
	Empty        Kind = "empty"         // a face without area
	Joined       Kind = "joined"        // vertices and borders joined within the tolerance, told once for all
)

// OfInput tells whether the kind is about the polygons as they came. A coverage made of them does not have it any more,
// so building that again does not find it; where faces lie among others and in levels above is found anew each time.
func (k Kind) OfInput() bool { return k != Gap && k != Enclave && k != OutOfParent }

// Severity says what becomes of it.
type Severity string

// The severities. A coverage with a refused finding may be looked at but not published.
const (
	Repaired Severity = "repaired" // under the tolerance: put right
	Warning  Severity = "warning"  // kept as it is, to be looked at
	Refused  Severity = "refused"  // to be mended by whoever drew it
)

// Finding is one thing that Build or Nests found.
type Finding struct {
	Kind     Kind
	Severity Severity
	Codes    []string  // the faces concerned, sorted; at most 16
	Line     int       // of the first of them in its file, 0 when unknown
	Place    orb.Point // inside the area concerned, else on the vertex or edge concerned
	AreaM2   float64   // of the area concerned, 0 for what has none
	WidthM   float64   // mean width of that area: 2·area / perimeter, which is the width of a long strip
	Message  string    // English, complete
}

// HasRefused tells whether any finding forbids publishing.
func HasRefused(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Refused })
}

// SortFindings puts refused first, then warnings, then repairs; within them by kind, larger area first, codes and place.
func SortFindings(findings []Finding) {
	rank := map[Severity]int{Refused: 0, Warning: 1, Repaired: 2}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(rank[a.Severity], rank[b.Severity]),
			cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(b.AreaM2, a.AreaM2),
			slices.Compare(a.Codes, b.Codes),
			comparePoints(a.Place, b.Place),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Message, b.Message),
		)
	})
}
