package app

import (
	"context"
	"errors"
	"io"
	"iter"

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
}

// ImportBoundaries reads a level from a file into a draft. Rows that cannot be used are in the result's rejects; the
// others go in.
func (c *City) ImportBoundaries(ctx context.Context, f BoundaryFile, progress Progress) (jurisdiction.Imported, error) {
	if f.CRS != "" {
		sys, err := crs.Parse(f.CRS)
		if err != nil {
			return jurisdiction.Imported{}, err
		}
		if sys.EPSG() != 0 {
			f.Options.CRS = sys.String()
		}
	}
	r, err := geofile.Open(ctx, f.Path, f.Options)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	defer func() { _ = r.Close() }() // everything was read, or an error is on its way
	in := jurisdiction.Import{Plan: f.Plan, Level: f.Level, File: f.Path, WithParent: f.Fields.Parent != "", Generated: f.Generated, AcceptGaps: f.AcceptGaps}
	var rejects []*fault.Error
	for {
		feature, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad := (*geofile.RowError)(nil); errors.As(err, &bad) {
			rejects = append(rejects, bad.Fault())
			continue
		}
		if err != nil {
			return jurisdiction.Imported{}, err
		}
		line := feature.Line
		if line == 0 || line == 1 {
			line = feature.Record // files that are no text, or all on one line
		}
		shape, ok := geofile.Polygonal(feature.Shape)
		if !ok {
			rejects = append(rejects, fault.Invalid("geometry", "not_polygonal", "is no polygon").AtLine(line))
			continue
		}
		face, bad := f.Fields.Face(line, feature.Properties, shape)
		if bad != nil {
			rejects = append(rejects, bad)
			continue
		}
		in.Faces = append(in.Faces, face)
		if progress != nil {
			progress(r.Progress())
		}
	}
	sys, err := systemOf(f.CRS, r)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	in.Faces, rejects, err = c.toLonLat(ctx, sys, in.Faces, rejects)
	if err != nil {
		return jurisdiction.Imported{}, err
	}
	out, err := c.Plans.ImportLevel(ctx, in)
	out.Rejects = append(rejects, out.Rejects...)
	return out, err
}

// systemOf is the system of the coordinates as the reader delivers them: what GDAL reads it has brought to lon, lat.
func systemOf(name string, r *geofile.Reader) (crs.System, error) {
	sys := crs.WGS84
	if r.CRS() != "" {
		declared, err := crs.Parse(r.CRS())
		if err != nil {
			return sys, err
		}
		sys = declared
	}
	if name == "" {
		return sys, nil
	}
	told, err := crs.Parse(name)
	if err != nil || (r.Format() == "OGR" && told.EPSG() != 0) {
		return sys, err
	}
	return told, nil
}

// toLonLat converts the faces' vertices. A face with a vertex that is no place on earth is rejected.
func (c *City) toLonLat(ctx context.Context, sys crs.System, faces []jurisdiction.Face, rejects []*fault.Error) ([]jurisdiction.Face, []*fault.Error, error) {
	good := faces[:0]
	for _, f := range faces {
		err := c.shapeToLonLat(ctx, sys, f.Shape)
		if bad, ok := fault.As(err); ok && bad.Kind == fault.KindInvalid {
			rejects = append(rejects, bad.AtLine(f.Line))
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		good = append(good, f)
	}
	return good, rejects, nil
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
	Path    string // "-" is Options.Stdin
	Options geofile.Options
	Map     report.Mapping
	Rows    report.RowOptions
	Import  report.ImportOptions
}

// ImportReports reads reports from a table and files them.
func (c *City) ImportReports(ctx context.Context, f ReportFile, progress Progress) (report.Imported, error) {
	if _, err := crs.Parse(orDefault(f.Rows.CRS, crs.CGCS2000.String())); err != nil {
		return report.Imported{}, err
	}
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
	f.Import.Progress = func(rows int64) {
		c.Announce()
		if progress == nil {
			return
		}
		if read, total := t.Progress(); total > 0 {
			progress(read, total)
		} else {
			progress(rows, 0) // a stream has no size
		}
	}
	var failed error
	out, err := c.Reports.Import(ctx, rows(t, func(row geofile.Row) (report.Row, *fault.Error) {
		values := make(map[string]string, len(fields))
		for i, field := range fields {
			values[field] = row.Fields[at[i]]
		}
		return f.Rows.Row(row.Line, values)
	}, &failed), f.Import)
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
				if !yield(report.Row{}, &report.Reject{Line: bad.Line, Reason: bad.Fault()}) {
					return
				}
				continue
			}
			if err != nil {
				*failed = err
				return
			}
			out, bad := convert(row)
			var reject *report.Reject
			if bad != nil {
				reject = &report.Reject{Line: row.Line, Reason: bad}
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

// ImportPlaces reads a gazetteer from a table with the columns name, lon and lat, and code, kind and aliases where there
// are any; aliases are separated by "|". All good rows go in together.
func (c *City) ImportPlaces(ctx context.Context, path string, opt geofile.Options, reject func(*fault.Error)) (added, rejected int64, err error) {
	t, err := geofile.OpenTable(ctx, path, opt)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = t.Close() }() // everything was read, or an error is on its way
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
		if r := (*geofile.RowError)(nil); errors.As(err, &r) {
			bad = r.Fault()
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
			reject(bad)
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
