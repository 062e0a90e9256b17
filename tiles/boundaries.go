package tiles

import "gridgov/internal/coverage"

// Unit is what a map says of one jurisdiction.
type Unit struct {
	Code, Name, NameLatin, Parent string
	Generated                     bool // its lines were generated for a demo
}

// Level is one level of a plan: its role (city, town, village, grid or microgrid), its faces and, by face, their units.
type Level struct {
	Role     string
	Coverage *coverage.Coverage
	Units    []Unit
}

// Boundaries makes the `jurisdictions` tiles of one plan. It is built once a plan and may be used by many goroutines.
type Boundaries struct{ levels []Level }

// NewBoundaries takes the levels of a plan, top first.
func NewBoundaries(levels []Level) *Boundaries { return &Boundaries{levels: levels} }

// Tile appends the tile and returns dst.
func (b *Boundaries) Tile(dst []byte, a Address) []byte { return dst }
