package cube

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A set of faces is what a list of them is; those beyond the bit set are in no set.
func TestFaceSet(t *testing.T) {
	face := rapid.OneOf(rapid.Uint32Range(0, 200), rapid.SampledFrom([]uint32{maxFace - 1, maxFace, FaceNone - 1, FaceNone}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.SliceOfN(face, 0, 20).Draw(t, "a"), rapid.SliceOfN(face, 0, 20).Draw(t, "b")
		has := func(list []uint32, f uint32) bool { return (f < maxFace || f == FaceNone) && slices.Contains(list, f) }
		sa, sb := FacesOf(a...), FacesOf(b...)
		both := sa.And(sb)
		empty := true
		for _, f := range append(append(slices.Clone(a), b...), face.Draw(t, "another")) {
			if sa.Has(f) != has(a, f) || both.Has(f) != (has(a, f) && has(b, f)) {
				t.Fatalf("face %d: %v in the set, %v in both", f, sa.Has(f), both.Has(f))
			}
			empty = empty && !both.Has(f)
		}
		if both.Empty() != empty || sa.And(nil) != sa || (*FaceSet)(nil).And(sa) != sa {
			t.Fatalf("empty %v, want %v", both.Empty(), empty)
		}
	})
	if !(*FaceSet)(nil).Has(FaceNone) || (*FaceSet)(nil).Empty() {
		t.Error("nil does not stand for all")
	}
}
