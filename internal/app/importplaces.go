package app

import (
	"context"
	"errors"
	"io"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/place"
)

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
	if added, err = place.Save(ctx, c.Pool, c.Writer, c.now().UTC(), entries); err != nil {
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
