package coverage

import (
	"context"
	"errors"
)

// Options say how strict Build is.
type Options struct {
	ToleranceM float64     // what lies closer is joined, what is thinner is repaired; 0 means 0.001, else 0.0001 to 1
	AcceptGaps string      // the reason why gaps are meant; "" refuses them
	Parent     *Coverage   // the level above, when this one was given with parents: faces must lie in theirs
	Upper      []*Coverage // levels that may cover a hole: one that they cover is a gap, not an enclave
}

var errDraft = errors.New("coverage: under construction")

// Build makes a coverage of the polygons.
func Build(ctx context.Context, polygons []Polygon, o Options) (*Coverage, []Finding, error) {
	return nil, nil, errDraft
}

// FromFaces makes the coverage of faces as stored.
func FromFaces(faces []Polygon) (*Coverage, error) { return nil, errDraft }

// Dissolve joins faces with the same parent.
func (c *Coverage) Dissolve(parent func(i int) string) *Coverage { return c }

// Simplify drops vertices.
func (c *Coverage) Simplify(toleranceM float64) *Coverage { return c }

// Nests compares levels.
func Nests(children, parents *Coverage, toleranceM float64) []Finding { return nil }
