package hotspot

// Spots are the hot and cold spots of a map: Gi* of each place, with the share of false discoveries among all that are as far out.
type Spots struct {
	Local
	Q []float64
}

// FindSpots asks Gi* of all places, two-sided, and corrects for how many were asked (FDR of the cautious p).
func FindSpots(x []float64, n Neighbours) (Spots, error) {
	l, err := Getis(x, n.Weighted(Binary).WithSelf(), TwoSided)
	if err != nil {
		return Spots{}, err
	}
	return Spots{l, FDR(l.Cautious, func(i int) bool { return l.Verdict[i] == Tested })}, nil
}

// Heat is what a place was found to be at a share of false discoveries.
func (s *Spots) Heat(i int, alpha float64) Heat {
	switch {
	case s.Verdict[i] != Tested || s.Q[i] > alpha:
		return Neither
	case s.Z[i] > 0:
		return Hot
	}
	return Cold
}

// Among are the neighbours as they are between some of the places alone, which are numbered anew in the order given, ascending.
func (n Neighbours) Among(places []int) Neighbours {
	anew := make([]int32, n.Len())
	for i := range anew {
		anew[i] = -1
	}
	for k, i := range places {
		anew[i] = int32(k)
	}
	out := Neighbours{start: make([]int32, 1, len(places)+1)}
	for _, i := range places {
		for _, j := range n.Of(i) {
			if anew[j] >= 0 {
				out.to = append(out.to, anew[j])
			}
		}
		out.start = append(out.start, int32(len(out.to)))
	}
	return out
}
