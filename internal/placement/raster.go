package placement

import (
	"math"

	"github.com/paulmach/orb"
)

// raster answers most points with one or two memory reads. Its cells hold, as a word of cells:
//
//	0            no face
//	1 … n        the whole cell is in face n-1
//	mixed | o    edges meet the cell: its slabs begin at words[o]
//	unsure       only the faces themselves can tell
//
// A cell's slabs lie above one another and are bounded by the parallels of all vertices near the cell, so that within a slab
// each edge runs from bottom to top and the edges have an order from west to east:
//
//	bottom of the lowest slab, then for each slab
//	  top, edges<<32 | face west of the first edge + 1
//	  for each edge: its abscissa at the slab's bottom, its abscissa's growth per degree of latitude, face east of it + 1
//
// A point within the slack of an edge along its parallel, or less than the slack above a slab's bottom, is not decided here.
type raster struct {
	minX, minY, perX, perY float64
	nx, ny                 int
	limX, limY             float64 // nx, ny
	cells                  []uint32
	words                  []uint64
}

const (
	mixed  uint32 = 1 << 31
	unsure uint32 = math.MaxUint32
)

// at returns the face that holds q, or sure = false where rounding could matter. NaN is in no face.
func (r *raster) at(q orb.Point, slack float64) (face int32, sure bool) {
	fx, fy := (q[0]-r.minX)*r.perX, (q[1]-r.minY)*r.perY
	if !(fx >= 0 && fx < r.limX && fy >= 0 && fy < r.limY) {
		return None, true
	}
	v := r.cells[int(fy)*r.nx+int(fx)]
	if v < mixed {
		return int32(v) - 1, true
	}
	if v == unsure {
		return None, false
	}
	return inSlabs(r.words[v&^mixed:], q, slack)
}

// inSlabs reads a mixed cell.
func inSlabs(w []uint64, q orb.Point, slack float64) (face int32, sure bool) {
	bottom := math.Float64frombits(w[0])
	w = w[1:]
	for {
		top, head := math.Float64frombits(w[0]), w[1]
		edges := int(head >> 32)
		if q[1] >= top {
			bottom = top
			w = w[2+3*edges:]
			continue
		}
		rise := q[1] - bottom
		if rise <= slack {
			return None, false
		}
		face = int32(uint32(head)) - 1
		for w = w[2:]; edges > 0; edges-- {
			east := q[0] - (math.Float64frombits(w[0]) + math.Float64frombits(w[1])*rise)
			if east <= slack {
				return face, east < -slack
			}
			face = int32(uint32(w[2])) - 1
			w = w[3:]
		}
		return face, true
	}
}

func (r *raster) bytes() int { return 4*cap(r.cells) + 8*cap(r.words) }
