package coverage

import "context"

// coveredAbove tells for each hole whether an upper level covers some of it.
func (b *builder) coveredAbove(ctx context.Context, holes []piece) ([]bool, error) {
	return make([]bool, len(holes)), nil
}

func (b *builder) checkParents(ctx context.Context, c *Coverage) error { return nil }

// Dissolve joins faces with the same parent.
func (c *Coverage) Dissolve(parent func(i int) string) *Coverage { return c }

// Simplify drops vertices.
func (c *Coverage) Simplify(toleranceM float64) *Coverage { return c }

// Nests compares levels.
func Nests(children, parents *Coverage, toleranceM float64) []Finding { return nil }
