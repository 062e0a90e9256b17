package placement

import (
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/paulmach/orb"
)

// rasterBudget is what all rasters of an Index may weigh, about, in bytes.
const rasterBudget = 40 << 20

// Sizes of a raster. Cells a face and cells an edge keep about nine points of ten in cells without an edge; more cells
// would be answered from slower memory.
const (
	cellsPerFace  = 256
	cellsPerEdge  = 2
	leastCells    = 1 << 12
	mostCellEdges = 64   // a cell with more is left to the faces themselves,
	mostCellWords = 1024 // and so is one with more words
	bytesPerPair  = 28   // of an edge in a cell, as measured
)

// rasterise prepares p.raster within a budget of bytes, about.
//
// In a slab an edge's abscissa is computed within 24·2⁻⁵³ times the largest coordinate: the intercept's error is an ulp and
// 4·2⁻⁵³ of the edge's width, that of slope times rise 5·2⁻⁵³ of it, since the rise never exceeds the edge's height.
// The slack is ten times that, PostGIS's rounding included.
func (p *plane) rasterise(budget int) {
	if p.bound.IsEmpty() {
		return
	}
	r := &p.raster
	p.frame(budget)
	r.cells = make([]uint32, r.nx*r.ny)
	start, pairs := p.pairs()

	// Bands of rows are prepared side by side, then joined.
	bands := min(runtime.GOMAXPROCS(0), r.ny)
	words := make([][]uint64, bands)
	var wg sync.WaitGroup
	for i := range bands {
		wg.Go(func() {
			words[i] = p.band(i*r.ny/bands, (i+1)*r.ny/bands, start, pairs, budget/8/bands)
		})
	}
	wg.Wait()
	r.words = slices.Concat(words...)
	base := uint32(0)
	for i := range bands {
		for c := i * r.ny / bands * r.nx; c < (i+1)*r.ny/bands*r.nx; c++ {
			if v := r.cells[c]; v >= mixed && v != unsure {
				r.cells[c] = v + base
			}
		}
		base += uint32(len(words[i]))
	}
}

// frame chooses the raster's size: as many cells as faces and edges call for, fewer if they would weigh more than budget.
func (p *plane) frame(budget int) {
	r := &p.raster
	edges := len(p.pts) - len(p.rings)
	lenX, lenY := 0.0, 0.0
	for i := range p.runs {
		for k := p.runs[i].from; k < p.runs[i].to; k++ {
			lenX += math.Abs(p.pts[k+1][0] - p.pts[k][0])
			lenY += math.Abs(p.pts[k+1][1] - p.pts[k][1])
		}
	}
	least := max(p.slack*1024, 1e-9) // a point-like plane still gets cells wider than any rounding
	w, h := max(p.bound.Max[0]-p.bound.Min[0], least), max(p.bound.Max[1]-p.bound.Min[1], least)
	north := math.Cos(p.bound.Center()[1] * math.Pi / 180)
	for n := max(leastCells, cellsPerFace*len(p.faces), cellsPerEdge*edges); ; n = n * 3 / 4 {
		r.nx, r.ny = divide(w*max(north, 0.01), h, n)
		// A row and a column more, so that the outermost edges lie well inside.
		stepX, stepY := w/float64(r.nx), h/float64(r.ny)
		r.minX, r.minY = p.bound.Min[0]-stepX/2, p.bound.Min[1]-stepY/2
		r.perX, r.perY = 1/stepX, 1/stepY
		r.nx, r.ny = r.nx+1, r.ny+1
		r.limX, r.limY = float64(r.nx), float64(r.ny)
		weight := 4*r.nx*r.ny + bytesPerPair*(edges+int(lenX*r.perX+lenY*r.perY))
		if weight <= budget || n <= leastCells {
			return
		}
	}
}

// column and row are the cell of a coordinate by the arithmetic of at, clamped.
func (r *raster) column(x float64) int { return index((x-r.minX)*r.perX, r.nx) }
func (r *raster) row(y float64) int    { return index((y-r.minY)*r.perY, r.ny) }

// reach is how far beyond its nominal sides a cell looks for edges: what could be within the slack of one of its points.
func (p *plane) reach() float64 { return 2 * p.slack }

// pairs lists for each cell the edges that come within reach of it, as indices of their first points:
// pairs[start[c]:start[c+1]].
func (p *plane) pairs() (start, pairs []uint32) {
	r := &p.raster
	start = make([]uint32, len(r.cells)+1)
	p.eachPair(func(cell int, _ uint32) { start[cell+1]++ })
	for i := 1; i < len(start); i++ {
		start[i] += start[i-1]
	}
	pairs = make([]uint32, start[len(start)-1])
	next := slices.Clone(start[:len(start)-1])
	p.eachPair(func(cell int, edge uint32) {
		pairs[next[cell]] = edge
		next[cell]++
	})
	return start, pairs
}

// eachPair yields each edge with each cell that it comes within reach of, and perhaps a few more.
func (p *plane) eachPair(yield func(cell int, edge uint32)) {
	r, d := &p.raster, p.reach()
	for i := range p.runs {
		for k := p.runs[i].from; k < p.runs[i].to; k++ {
			low, high := p.pts[k], p.pts[k+1]
			if low[1] > high[1] {
				low, high = high, low
			}
			slope := (high[0] - low[0]) / (high[1] - low[1])
			first, last := r.row(low[1]-d), r.row(high[1]+d)
			for y := first; y <= last; y++ {
				west, east := low[0], high[0]
				if first < last && low[1] < high[1] {
					// The edge's part in the row, which reaches d beyond the row's sides.
					from := max(r.minY+float64(y)/r.perY-d, low[1])
					to := min(r.minY+float64(y+1)/r.perY+d, high[1])
					west, east = clampTo(low[0]+slope*(from-low[1]), low[0], high[0]), clampTo(low[0]+slope*(to-low[1]), low[0], high[0])
				}
				if west > east {
					west, east = east, west
				}
				for x := r.column(west - d); x <= r.column(east+d); x++ {
					yield(y*r.nx+x, k)
				}
			}
		}
	}
}

func clampTo(v, a, b float64) float64 { return min(max(v, min(a, b)), max(a, b)) }

// band fills the rows from ≤ y < to and returns the words of their mixed cells. Cells for which limit leaves no room are
// left to the faces themselves.
func (p *plane) band(from, to int, start, pairs []uint32, limit int) []uint64 {
	r := &p.raster
	b := cellBuilder{p: p, limit: limit}
	for y := from; y < to; y++ {
		for x := range r.nx {
			c := y*r.nx + x
			edges := pairs[start[c]:start[c+1]]
			switch {
			case len(edges) > mostCellEdges:
				r.cells[c] = unsure
			case len(edges) > 0:
				r.cells[c] = b.mixed(x, y, edges)
			case x > 0 && r.cells[c-1] < mixed: // no edge between the two
				r.cells[c] = r.cells[c-1]
			case y > from && r.cells[c-r.nx] < mixed:
				r.cells[c] = r.cells[c-r.nx]
			default:
				r.cells[c] = p.faceAt(orb.Point{r.minX + (float64(x)+0.5)/r.perX, r.minY + (float64(y)+0.5)/r.perY})
			}
		}
	}
	return b.words
}

// faceAt is decide in the raster's numbers: 0 for none, else the face's index + 1.
func (p *plane) faceAt(q orb.Point) uint32 {
	n, _ := p.decide(q)
	if n < 0 {
		return 0
	}
	return uint32(p.ids[n]) + 1
}
