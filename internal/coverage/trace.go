package coverage

import (
	"cmp"
	"slices"
)

// trace is how often a face's outline runs along an edge: wind is the number of times from u to v less the number of
// times back. u < v are indices of points. Rings lose their identity here, which is what makes dirt harmless: an outline
// that runs along an edge and back cancels, and two faces that share a border have it as one edge with two traces.
type trace struct {
	u, v       int32
	face, wind int32
	fresh      bool // made since edges were last compared
}

func newTrace(from, to, face, wind int32) trace {
	if from < to {
		return trace{from, to, face, wind, true}
	}
	return trace{to, from, face, -wind, true}
}

func compareTraces(a, b trace) int {
	return cmp.Or(cmp.Compare(a.u, b.u), cmp.Compare(a.v, b.v), cmp.Compare(a.face, b.face))
}

// sumTraces sorts traces, joins those of one face on one edge and drops what cancels, telling it.
func sumTraces(traces []trace, folded func(face, point int32)) []trace {
	slices.SortFunc(traces, compareTraces)
	return foldTraces(traces, folded)
}

func foldTraces(sorted []trace, folded func(face, point int32)) []trace {
	out := sorted[:0]
	for i := 0; i < len(sorted); {
		t := sorted[i]
		for i++; i < len(sorted) && compareTraces(sorted[i], t) == 0; i++ {
			t.wind += sorted[i].wind
			t.fresh = t.fresh && sorted[i].fresh
		}
		if t.wind == 0 {
			folded(t.face, t.u)
			continue
		}
		out = append(out, t)
	}
	return out
}

// mergeTraces joins two sorted lists.
func mergeTraces(a, b []trace, folded func(face, point int32)) []trace {
	out := make([]trace, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compareTraces(a[0], b[0]) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	out = append(append(out, a...), b...)
	return foldTraces(out, folded)
}

// edge is what the traces first to last−1 share.
type edge struct {
	u, v        int32
	first, last int32
}

// edgesOf groups sorted traces.
func edgesOf(traces []trace) []edge {
	var out []edge
	for i := 0; i < len(traces); {
		e := edge{u: traces[i].u, v: traces[i].v, first: int32(i)}
		for i < len(traces) && traces[i].u == e.u && traces[i].v == e.v {
			i++
		}
		e.last = int32(i)
		out = append(out, e)
	}
	return out
}

// pointFaces tells whose outlines have a vertex in a point.
type pointFaces struct {
	first []int32
	faces []int32
}

func facesAt(points int, traces []trace) pointFaces {
	p := pointFaces{first: make([]int32, points+1), faces: make([]int32, 2*len(traces))}
	for _, t := range traces {
		p.first[t.u+1]++
		p.first[t.v+1]++
	}
	for i := range points {
		p.first[i+1] += p.first[i]
	}
	fill := slices.Clone(p.first)
	for _, t := range traces {
		for _, v := range [...]int32{t.u, t.v} {
			p.faces[fill[v]] = t.face
			fill[v]++
		}
	}
	return p
}

// has is false for points that were made later.
func (p pointFaces) has(point, face int32) bool {
	return int(point) < len(p.first)-1 && slices.Contains(p.faces[p.first[point]:p.first[point+1]], face)
}
