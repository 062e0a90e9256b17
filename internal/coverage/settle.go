package coverage

import (
	"context"
	"fmt"
	"slices"
)

// piece is a cell that is not simply one face's.
type piece struct {
	cell   int32
	label  label
	areaM2 float64
	widthM float64
}

// settle decides which face each cell goes to and tells what was wrong with it.
func (b *builder) settle(ctx context.Context) error {
	b.owner = slices.Clone(b.a.only)
	var thin, holes []piece
	for cell := int32(1); int(cell) < len(b.owner); cell++ {
		if b.owner[cell] >= 0 {
			continue
		}
		p := piece{cell: cell, label: b.a.other[cell]}
		p.areaM2, p.widthM = b.a.extent(cell)
		switch {
		case p.widthM < b.ToleranceM:
			thin = append(thin, p)
		case p.label.count == 0:
			holes = append(holes, p)
		default:
			b.owner[cell] = p.label.faces[0]
			b.tellOverlap(p)
		}
	}
	b.giveAway(thin)
	return b.tellHoles(ctx, holes)
}

func (b *builder) finding(p piece, kind Kind, severity Severity) Finding {
	return Finding{Kind: kind, Severity: severity, Place: innerPoint(b.a.rings(p.cell)), AreaM2: p.areaM2, WidthM: p.widthM}
}

func (b *builder) tellOverlap(p piece) {
	for _, f := range p.label.wrong {
		b.tell(b.finding(p, SelfCrossing, Refused), []int32{f},
			"The outline of %s crosses itself: %s lie on its wrong side or in it twice.", b.faces[f].Code, size(p))
	}
	if p.label.count > 1 {
		b.tell(b.finding(p, Overlap, Refused), p.label.faces, "%s lie in %d boundaries at once.", size(p), p.label.count)
	}
}

// size is an area in words: "12.3 m² (0.25 m wide)".
func size(p piece) string { return fmt.Sprintf("%.4g m² (%.3g m wide)", p.areaM2, p.widthM) }

// tellHoles decides what an uncovered area is: meant, when it is wide and no level above covers it, else a gap.
func (b *builder) tellHoles(ctx context.Context, holes []piece) error {
	covered, err := b.coveredAbove(ctx, holes)
	if err != nil {
		return err
	}
	for i, p := range holes {
		around := b.around(p.cell)
		switch {
		case p.widthM > enclaveWidthM && !covered[i]:
			b.tell(b.finding(p, Enclave, Warning), around, "%s belong to no boundary and become an enclave of the plan: a lake or land of others, it is taken.", size(p))
		case b.AcceptGaps != "":
			b.tell(b.finding(p, Gap, Warning), around, "%s belong to no boundary. Accepted: %s", size(p), b.AcceptGaps)
		case covered[i]:
			b.tell(b.finding(p, Gap, Refused), around, "%s belong to no boundary, while a level above covers them.", size(p))
		default:
			b.tell(b.finding(p, Gap, Refused), around, "%s belong to no boundary.", size(p))
		}
	}
	return nil
}

// around lists the faces that a cell borders on, ascending.
func (b *builder) around(cell int32) []int32 {
	var faces []int32
	for _, h := range b.a.loops[cell] {
		b.a.walk(h, func(h int32) {
			if f := b.owner[b.a.cell[twin(h)]]; f >= 0 {
				faces = append(faces, f)
			}
		})
	}
	slices.Sort(faces)
	faces = slices.Compact(faces)
	return faces[:min(len(faces), maxNamed)]
}

// giveAway hands pieces thinner than the tolerance to a neighbour: an overlap to one of the faces it is in, a gap to any;
// to the one with the longest common border, then the smallest code. A piece among pieces waits until one beside it was
// given away.
func (b *builder) giveAway(pieces []piece) {
	for len(pieces) > 0 {
		var waiting []piece
		var given []int32
		var to []int32
		for _, p := range pieces {
			if f := b.heir(p); f >= 0 {
				given, to = append(given, p.cell), append(to, f)
				b.tellRepaired(p, f)
			} else {
				waiting = append(waiting, p)
			}
		}
		if len(given) == 0 { // no neighbour has a claim: what is covered goes to the smallest code, and gaps beside it can follow
			waiting = slices.DeleteFunc(waiting, func(p piece) bool {
				if p.label.count == 0 {
					return false
				}
				given, to = append(given, p.cell), append(to, p.label.faces[0])
				b.tellRepaired(p, p.label.faces[0])
				return true
			})
			if len(given) == 0 {
				return
			}
		}
		for i, cell := range given {
			b.owner[cell] = to[i]
		}
		pieces = waiting
	}
}

func (b *builder) heir(p piece) int32 {
	common := map[int32]float64{}
	for _, h := range b.a.loops[p.cell] {
		b.a.walk(h, func(h int32) {
			f := b.owner[b.a.cell[twin(h)]]
			if f >= 0 && (p.label.count == 0 || slices.Contains(p.label.faces, f)) {
				common[f] += lengthM(b.a.points[b.a.ends[h]], b.a.points[b.a.ends[twin(h)]])
			}
		})
	}
	best := int32(-1)
	for f, m := range common {
		if best < 0 || m > common[best] || m == common[best] && f < best {
			best = f
		}
	}
	return best
}

func (b *builder) tellRepaired(p piece, to int32) {
	what, faces := "covered twice", p.label.faces
	switch p.label.count {
	case 0:
		what, faces = "in no boundary", []int32{to}
	case 1:
		what = "on the wrong side of an outline that crosses itself"
	}
	b.tell(b.finding(p, Sliver, Repaired), faces, "%.4g m² (%.2g mm wide) %s went to %s.", p.areaM2, p.widthM*1000, what, b.faces[to].Code)
}
