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
	"gridgov/internal/place"
	"gridgov/internal/report"
)

// Progress is told how far long work has come; total is 0 when it is not known.
type Progress func(done, total int64)

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

// Told is what the caller of an import wants to hear of the file. All may be nil.
type Told struct {
	Opened func(columns []string) // the file was opened; the names of Reject's fields
	Reject func(Reject)           // each row that is left out, in no fixed order, never twice at once
	Note   func(string)           // what was found out or passed over, once each, when all was read
}

// Reject is a row that was left out.
type Reject struct {
	Reason *fault.Error // with its line
	Fields []string     // as they stand in the file, of a boundary its code; may be too few, too many or nil
}

func (t Told) opened(columns []string) {
	if t.Opened != nil {
		t.Opened(columns)
	}
}

func (t Told) reject(r Reject) {
	if t.Reject != nil {
		t.Reject(r)
	}
}

func (t Told) notes(encoding string, notes []string) {
	if t.Note == nil {
		return
	}
	if encoding != "UTF-8" {
		t.Note("the text was read as " + encoding)
	}
	for _, n := range notes {
		t.Note(n)
	}
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

// system reads the name of a coordinate system, and asks PROJ whether it knows it; "" is the zero System.
func (c *City) system(ctx context.Context, name string) (crs.System, error) {
	if name == "" {
		return 0, nil
	}
	sys, err := crs.Parse(name)
	if err == nil && sys.NeedsProj() {
		_, err = c.proj.Degrees(ctx, sys.EPSG())
	}
	return sys, err
}

// declared is the system that a file says it is in.
func (c *City) declared(ctx context.Context, name string) (crs.System, error) {
	sys, err := c.system(ctx, name)
	if fault.Is(err, fault.KindInvalid) {
		return 0, fault.Invalid("crs", "wrong_crs", "the file says that it is in %.60q, which is of no use: name its system with --crs", name)
	}
	return sys, err
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
	good := faces[:0]
	for _, f := range faces {
		err := c.shapeToLonLat(ctx, sys, f.Shape)
		if bad, ok := fault.As(err); ok && bad.Kind == fault.KindInvalid {
			reject(bad.AtLine(f.Line))
			continue
		}
		if err != nil {
			return nil, err
		}
		good = append(good, f)
	}
	return good, nil
}

func (c *City) shapeToLonLat(ctx context.Context, sys crs.System, shape orb.MultiPolygon) error {
	var points []*orb.Point
	for _, polygon := range shape {
		for _, ring := range polygon {
			for i := range ring {
				points = append(points, &ring[i])
			}
		}
	}
	if sys.NeedsProj() {
		xs, ys := make([]float64, len(points)), make([]float64, len(points))
		for i, p := range points {
			xs[i], ys[i] = p[0], p[1]
		}
		lon, lat, err := c.proj.LonLat(ctx, sys.EPSG(), xs, ys)
		if err != nil {
			return err
		}
		for i, p := range points {
			p[0], p[1] = lon[i], lat[i]
		}
	}
	for _, p := range points {
		if err := crs.Validate(*p, c.bound()); err != nil {
			return err
		}
		if sys == crs.GCJ02 || sys == crs.BD09 {
			q, err := sys.ToLonLat(*p)
			if err != nil {
				return err
			}
			*p = q
		}
	}
	return nil
}

// ReportFile says how reports are read from a table.
type ReportFile struct {
	Path        string // "-" is Options.Stdin
	Options     geofile.Options
	Map         report.Mapping
	Rows        report.RowOptions // CRS "": as the file says, else lon, lat
	CreateItems bool              // items that the city does not have are created; else their rows are rejected
	Told
}

// ImportReports reads reports from a table and files them.
func (c *City) ImportReports(ctx context.Context, f ReportFile, progress Progress) (report.Imported, error) {
	if _, err := c.system(ctx, f.Rows.CRS); err != nil {
		return report.Imported{}, err
	}
	f.Options.CRS = f.Rows.CRS
	t, err := geofile.OpenTable(ctx, f.Path, f.Options)
	if err != nil {
		return report.Imported{}, err
	}
	defer func() { _ = t.Close() }() // everything was read, or an error is on its way
	fields, names := f.Map.Columns()
	at, missing := t.Columns(names...)
	if missing != nil {
		return report.Imported{}, missing
	}
	if f.Rows.Zone == nil {
		f.Rows.Zone = c.Zone
	}
	if f.Rows.CRS == "" && t.CRS() != "" {
		sys, err := c.declared(ctx, t.CRS())
		if err != nil {
			return report.Imported{}, err
		}
		if sys.NeedsProj() {
			f.Rows.CRS = sys.String()
		}
	}
	f.opened(t.Header())
	defer func() { f.notes(t.Encoding(), t.Notes()) }()
	options := report.ImportOptions{CreateItems: f.CreateItems, Reject: func(r report.Reject) { f.reject(Reject{r.Reason.AtLine(r.Line), r.Fields}) },
		Progress: func(rows int64) {
			c.Announce()
			if progress == nil {
				return
			}
			if read, total := t.Progress(); total > 0 {
				progress(read, total)
			} else {
				progress(rows, 0) // a stream has no size
			}
		}}
	var failed error
	out, err := c.Reports.Import(ctx, rows(t, func(row geofile.Row) (report.Row, *fault.Error) {
		values := make(map[string]string, len(fields))
		for i, field := range fields {
			values[field] = row.Fields[at[i]]
		}
		out, bad := f.Rows.Row(row.Line, values)
		out.Fields = row.Fields
		return out, bad
	}, &failed), options)
	if err == nil {
		err = failed
	}
	return out, err
}

// rows turns a table into what Import takes. An error that ends reading is left in failed.
func rows(t *geofile.Table, convert func(geofile.Row) (report.Row, *fault.Error), failed *error) iter.Seq2[report.Row, *report.Reject] {
	return func(yield func(report.Row, *report.Reject) bool) {
		for {
			row, err := t.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if bad := (*geofile.RowError)(nil); errors.As(err, &bad) {
				reason := bad.Fault()
				if !yield(report.Row{}, &report.Reject{Line: reason.Line, Reason: reason, Fields: bad.Fields}) {
					return
				}
				continue
			}
			if err != nil {
				*failed = err
				return
			}
			if row.Line == 1 {
				row.Line = row.Record // a file that is all on one line
			}
			out, bad := convert(row)
			var reject *report.Reject
			if bad != nil {
				reject = &report.Reject{Line: row.Line, Reason: bad, Fields: row.Fields}
			}
			if !yield(out, reject) {
				return
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

// PlaceFile is a gazetteer: a table with the columns name, lon and lat, and code, kind and aliases where there are any;
// aliases are separated by "|".
type PlaceFile struct {
	Path    string // "-" is Options.Stdin
	Options geofile.Options
	Told
}

// ImportPlaces reads a gazetteer. All good rows go in together.
func (c *City) ImportPlaces(ctx context.Context, f PlaceFile) (added, rejected int64, err error) {
	t, err := geofile.OpenTable(ctx, f.Path, f.Options)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = t.Close() }() // everything was read, or an error is on its way
	if t.CRS() != "" {
		if sys, err := c.declared(ctx, t.CRS()); err != nil {
			return 0, 0, err
		} else if sys.NeedsProj() {
			return 0, 0, fault.Invalid("crs", "wrong_crs", "the places are in %s: give them in longitude and latitude", sys)
		}
	}
	f.opened(t.Header())
	defer func() { f.notes(t.Encoding(), t.Notes()) }()
	need, missing := t.Columns("name", "lon", "lat")
	if missing != nil {
		return 0, 0, missing
	}
	column := func(name string) int {
		if i, missing := t.Columns(name); missing == nil {
			return i[0]
		}
		return -1
	}
	optional := placeColumns{column("code"), column("kind"), column("aliases")}
	var entries []place.Entry
	for {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *fault.Error
		fields := row.Fields
		if r := (*geofile.RowError)(nil); errors.As(err, &r) {
			bad, fields = r.Fault(), r.Fields
		} else if err != nil {
			return 0, rejected, err
		} else {
			var e place.Entry
			if e, bad = c.entry(row, need, optional); bad == nil {
				entries = append(entries, e)
			}
		}
		if bad != nil {
			rejected++
			f.reject(Reject{bad, fields})
		}
	}
	if added, err = place.Save(ctx, c.Pool, c.now().UTC(), entries); err != nil {
		return 0, rejected, err
	}
	return added, rejected, c.ReloadPlaces(ctx)
}

// placeColumns are the columns a gazetteer may leave out, −1 where it does.
type placeColumns struct{ code, kind, aliases int }

func (c *City) entry(row geofile.Row, need []int, opt placeColumns) (place.Entry, *fault.Error) {
	p, bad := crs.ParsePoint(row.Fields[need[1]], row.Fields[need[2]])
	if bad == nil {
		bad = crs.Validate(p, c.bound())
	}
	if bad != nil {
		return place.Entry{}, bad.AtLine(row.Line)
	}
	e := place.Entry{Name: trim(row.Fields[need[0]]), Kind: "place", Lon: p[0], Lat: p[1]}
	if opt.code >= 0 {
		e.Code = trim(row.Fields[opt.code])
	}
	if opt.kind >= 0 && trim(row.Fields[opt.kind]) != "" {
		e.Kind = trim(row.Fields[opt.kind])
	}
	if opt.aliases >= 0 {
		e.Aliases = splitAliases(row.Fields[opt.aliases])
	}
	if bad := e.Check(); bad != nil {
		return e, bad.AtLine(row.Line)
	}
	return e, nil
}
