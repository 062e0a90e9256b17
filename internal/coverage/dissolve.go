package coverage

// Dissolve joins the faces that parent gives the same code into one, named by it; a face with the code "" is left out.
// The result's outlines are made of this coverage's vertices, all of those that remain borders. Parents have no parent
// of their own.
func (c *Coverage) Dissolve(parent func(i int) string) *Coverage {
	codes := make([]string, c.Len())
	var faces []Face
	for i := range codes {
		codes[i] = parent(i)
		faces = append(faces, Face{Code: codes[i]})
	}
	faces = distinctFaces(faces)
	group := make([]int32, c.Len())
	whole := &Coverage{Faces: faces}
	for i, code := range codes {
		group[i] = int32(whole.Index(code))
	}
	side := func(face int32) int32 {
		if face < 0 {
			return -1
		}
		return group[face]
	}
	points, borders := c.borders(func(a Arc) (left, right int32) { return side(a.Left), side(a.Right) })
	return assemble(points, borders, faces)
}
