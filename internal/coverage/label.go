package coverage

import (
	"context"
	"slices"
	"sort"
)

const (
	maxNamed  = 16  // how many faces of one cell are remembered by name
	maxSearch = 256 // how many are looked at for wrong windings: in a pile of faces some will do
)

// label is which faces cover a cell. count may exceed the number of those named.
type label struct {
	count int32
	faces []int32 // ascending
	wrong []int32 // those whose outline winds around the cell otherwise than once counter-clockwise
}

// labelling is the label of every cell; the usual one, exactly one face rightly, needs no label.
type labelling struct {
	only  []int32 // by cell: that face, or −1
	other map[int32]label
}

// winding is how often a face's outline winds around the cell at hand.
type winding struct{ face, wind int32 }

// windings are those that are not 0, sorted by face.
type windings []winding

func (w windings) add(face, wind int32) windings {
	i := sort.Search(len(w), func(i int) bool { return w[i].face >= face })
	if i == len(w) || w[i].face != face {
		return slices.Insert(w, i, winding{face, wind})
	}
	if w[i].wind += wind; w[i].wind == 0 {
		return slices.Delete(w, i, i+1)
	}
	return w
}

func (w windings) label() label {
	l := label{count: int32(len(w))}
	for _, f := range w[:min(len(w), maxSearch)] {
		if len(l.faces) < maxNamed {
			l.faces = append(l.faces, f.face)
		}
		if f.wind != 1 && len(l.wrong) < maxNamed {
			l.wrong = append(l.wrong, f.face)
		}
	}
	return l
}

// labelCells walks from cell to cell across edges, starting outside, where no face is, and keeps account of what each
// crossing enters and leaves. edges are those of the graph, in its order.
func labelCells(ctx context.Context, g *graph, edges []edge, traces []trace) (labelling, error) {
	l := labelling{only: make([]int32, len(g.loops)), other: map[int32]label{}}
	seen := make([]bool, len(g.loops))
	var here windings
	cross := func(h int32) { // from the cell on the left of h to that on its right
		e := edges[h/2]
		for _, t := range traces[e.first:e.last] {
			if h&1 == 0 {
				here = here.add(t.face, -t.wind)
			} else {
				here = here.add(t.face, t.wind)
			}
		}
	}
	enter := func(cell int32) {
		seen[cell] = true
		l.only[cell] = -1
		if len(here) == 1 && here[0].wind == 1 {
			l.only[cell] = here[0].face
			return
		}
		l.other[cell] = here.label()
	}
	type step struct {
		cell int32
		by   int32 // the half-edge that was crossed to get here, −1 at the start
		loop int   // where the walk around the cell stands
		at   int32
	}
	path := []step{{cell: 0, by: -1, at: -1}}
	enter(0)
	for visits := 0; len(path) > 0; visits++ {
		if visits%10_000 == 0 && ctx.Err() != nil {
			return labelling{}, ctx.Err()
		}
		s := &path[len(path)-1]
		if s.loop == len(g.loops[s.cell]) {
			if s.by >= 0 {
				cross(twin(s.by))
			}
			path = path[:len(path)-1]
			continue
		}
		start := g.loops[s.cell][s.loop]
		if s.at < 0 {
			s.at = start
		}
		h := s.at
		if s.at = g.next[h]; s.at == start {
			s.loop, s.at = s.loop+1, -1
		}
		if to := g.cell[twin(h)]; !seen[to] {
			cross(h)
			enter(to)
			path = append(path, step{cell: to, by: h, at: -1})
		}
	}
	return l, nil
}
