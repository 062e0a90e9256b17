package cube

import "math/bits"

// FaceSet is an immutable set of faces. A nil set stands for all.
type FaceSet struct {
	words []uint64 // bit set, and a last word of zeroes for all faces beyond
	none  bool     // FaceNone is in it
}

// maxFace bounds the bit set: 512 kB. No city has so many faces.
const maxFace = 1 << 22

// FacesOf makes the set of the faces given, FaceNone among them if it is. Other faces from 2²² on are in no set.
func FacesOf(faces ...uint32) *FaceSet {
	s := &FaceSet{}
	top := -1
	for _, face := range faces {
		if face < maxFace {
			top = max(top, int(face/64))
		}
	}
	s.words = make([]uint64, top+2)
	for _, face := range faces {
		if face < maxFace {
			s.words[face/64] |= 1 << (face % 64)
		}
		s.none = s.none || face == FaceNone
	}
	return s
}

// And returns the faces that are in both sets, nil for all.
func (s *FaceSet) And(t *FaceSet) *FaceSet {
	switch {
	case s == nil:
		return t
	case t == nil:
		return s
	}
	both := &FaceSet{words: make([]uint64, min(len(s.words), len(t.words))), none: s.none && t.none}
	for i := range both.words {
		both.words[i] = s.words[i] & t.words[i]
	}
	return both
}

// Has tells whether a face is in the set.
func (s *FaceSet) Has(face uint32) bool {
	return s == nil || s.bit(face) == 1 || s.none && face == FaceNone
}

// bit is 1 when a face other than FaceNone is in the set, else 0, without a branch.
func (s *FaceSet) bit(face uint32) uint32 {
	return uint32(s.words[min(uint64(face/64), uint64(len(s.words)-1))] >> (face & 63) & 1)
}

// Empty tells that no face is in the set.
func (s *FaceSet) Empty() bool {
	if s == nil || s.none {
		return false
	}
	return s.Len() == 0
}

// Len counts the faces of the set, FaceNone left out. A nil set has none that could be counted.
func (s *FaceSet) Len() (n int) {
	if s == nil {
		return 0
	}
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}
