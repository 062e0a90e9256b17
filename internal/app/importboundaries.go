package app

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/jurisdiction"
)

// BoundaryFile says how one level is read from a file.
type BoundaryFile struct {
	Path       string // "-" is Options.Stdin
	Options    geofile.Options
	Plan       string
	Level      jurisdiction.Level
	Fields     jurisdiction.Fields
	CRS        string // "": as the file says, else lon, lat
	AcceptGaps string
	Generated  bool
	Told
}

// ImportBoundaries reads a level from a file into a draft. Rows that cannot be used are in the result's rejects; the
// others go in. A property that is named and that no feature has is a fault of the code no_property.
func (c *City) ImportBoundaries(ctx context.Context, f BoundaryFile, progress Progress) (jurisdiction.Imported, error) {
	told, err := c.system(ctx, f.CRS)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	if told.EPSG() != 0 {
		f.Options.CRS = told.String()
	}
	r, err := geofile.Open(ctx, f.Path, f.Options)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	defer func() { _ = r.Close() }() // everything was read, or an error is on its way
	f.opened([]string{f.Fields.Code})
	b := &boundaryReader{file: f, reader: r, codes: map[int]string{}}
	err = b.read(progress)
	f.notes(r.Encoding(), r.Notes())
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	sys, err := c.systemOf(ctx, told, r)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	faces, err := c.toLonLat(ctx, sys, b.faces, b.reject)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	out, err := c.Plans.ImportLevel(ctx, jurisdiction.Import{Plan: f.Plan, Level: f.Level, File: f.Path, Faces: faces, WithParent: f.Fields.Parent != "",
		Generated: f.Generated, AcceptGaps: f.AcceptGaps})
	out.Rejects = append(b.rejects, out.Rejects...)
	for _, bad := range out.Rejects {
		f.reject(Reject{bad, []string{b.codes[bad.Line]}})
	}
	return out, err
}

// boundaryReader makes faces of a file's features. What it rejects is told when it is known that the caller named the
// properties rightly, and not once a feature.
type boundaryReader struct {
	file    BoundaryFile
	reader  *geofile.Reader
	faces   []jurisdiction.Face
	rejects []*fault.Error
	codes   map[int]string // by line, for the rejects
}

func (b *boundaryReader) reject(bad *fault.Error) {
	b.rejects = append(b.rejects, bad)
}

// knows keeps the code of the feature on a line, its id where it has no code.
func (b *boundaryReader) knows(line int, properties map[string]string, id string) {
	code := trim(properties[b.file.Fields.Code])
	if code == "" {
		code = id
	}
	if before, ok := b.codes[line]; ok && before != code {
		code = "" // two features on one line: the reason has to do
	}
	b.codes[line] = code
}

func (b *boundaryReader) read(progress Progress) error {
	absent := namedProperties(b.file.Fields)
	var columns []string
	read := false
	for {
		feature, err := b.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad := (*geofile.RowError)(nil); errors.As(err, &bad) {
			reason := bad.Fault()
			b.knows(reason.Line, bad.Properties, bad.ID)
			b.reject(reason)
			continue
		}
		if err != nil {
			return err
		}
		if read = true; columns == nil {
			columns = feature.Columns
		}
		absent = slices.DeleteFunc(absent, func(p namedProperty) bool { return slices.Contains(feature.Columns, p.name) })
		b.add(feature)
		if progress != nil {
			progress(b.reader.Progress())
		}
	}
	if read && len(absent) > 0 {
		p := absent[0]
		return fault.Invalid(p.flag, "no_property", "no feature has a property %q; the first has %s", p.name, orDefault(strings.Join(columns[:min(len(columns), 20)], ", "), "none"))
	}
	return nil
}

func (b *boundaryReader) add(feature geofile.Feature) {
	line := feature.Line
	if line == 0 || line == 1 {
		line = feature.Record // files that are no text, or all on one line
	}
	b.knows(line, feature.Properties, feature.ID)
	shape, ok := geofile.Polygonal(feature.Shape)
	if !ok {
		b.reject(fault.Invalid("geometry", "not_polygonal", "is no polygon").AtLine(line))
		return
	}
	face, bad := b.file.Fields.Face(line, feature.Properties, shape)
	if bad != nil {
		b.reject(bad)
		return
	}
	b.faces = append(b.faces, face)
}

// namedProperty is a property that the caller wants read.
type namedProperty struct{ flag, name string }

func namedProperties(f jurisdiction.Fields) []namedProperty {
	return slices.DeleteFunc([]namedProperty{{"code", f.Code}, {"name", f.Name}, {"name-latin", f.NameLatin}, {"parent", f.Parent},
		{"households", f.Households}, {"population", f.Population}}, func(p namedProperty) bool { return p.name == "" })
}

// systemOf is the system of the coordinates as the reader delivers them: what GDAL reads it has brought to lon, lat.
func (c *City) systemOf(ctx context.Context, told crs.System, r *geofile.Reader) (crs.System, error) {
	switch {
	case told != 0 && (r.Format() != "OGR" || told.EPSG() == 0):
		return told, nil
	case r.CRS() != "":
		return c.declared(ctx, r.CRS())
	}
	return crs.WGS84, nil
}

// toLonLat converts the faces' vertices. A face with a vertex that is no place on earth is rejected.
func (c *City) toLonLat(ctx context.Context, sys crs.System, faces []jurisdiction.Face, reject func(*fault.Error)) ([]jurisdiction.Face, error) {
	if sys.NeedsProj() {
		if err := c.project(ctx, sys, faces); err != nil {
			return nil, err
		}
	}
	good := faces[:0]
	for _, f := range faces {
		if bad := c.place(sys, f.Shape); bad != nil {
			reject(bad.AtLine(f.Line))
			continue
		}
		good = append(good, f)
	}
	return good, nil
}

// project brings all vertices to lon, lat at once: PROJ takes longer to begin than to convert a face.
func (c *City) project(ctx context.Context, sys crs.System, faces []jurisdiction.Face) error {
	var points []*orb.Point
	var xs, ys []float64
	for _, f := range faces {
		for p := range vertices(f.Shape) {
			points, xs, ys = append(points, p), append(xs, p[0]), append(ys, p[1])
		}
	}
	lon, lat, err := c.proj.LonLat(ctx, sys.EPSG(), xs, ys)
	if err != nil {
		return err
	}
	for i, p := range points {
		p[0], p[1] = lon[i], lat[i]
	}
	return nil
}

// place checks a shape's vertices, and straightens those of a bent system.
func (c *City) place(sys crs.System, shape orb.MultiPolygon) *fault.Error {
	for p := range vertices(shape) {
		if bad := crs.Validate(*p, c.bound()); bad != nil {
			return bad
		}
		if sys == crs.GCJ02 || sys == crs.BD09 {
			q, err := sys.ToLonLat(*p)
			if bad, ok := fault.As(err); ok {
				return bad
			}
			*p = q
		}
	}
	return nil
}

func vertices(shape orb.MultiPolygon) iter.Seq[*orb.Point] {
	return func(yield func(*orb.Point) bool) {
		for _, polygon := range shape {
			for _, ring := range polygon {
				for i := range ring {
					if !yield(&ring[i]) {
						return
					}
				}
			}
		}
	}
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
