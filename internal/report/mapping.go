package report

import (
	"slices"
	"strings"
	"time"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
)

// Mapping says which column of a table holds which field of a report: field → column.
type Mapping map[string]string

// mappable are the fields that a column may be mapped to.
var mappable = []string{"id", "lon", "lat", "at", "item", "item_name", "title", "text", "closed_at", "kind", "address", "accuracy_m", "source",
	"reporter_name", "reporter_phone", "reporter_email"}

// ParseMapping reads "id=COL,lon=COL,…". id, at and item are needed, and lon with lat, or address.
func ParseMapping(s string) (Mapping, error) {
	m := Mapping{}
	for part := range strings.SplitSeq(s, ",") {
		field, column, ok := strings.Cut(part, "=")
		field, column = strings.TrimSpace(field), strings.TrimSpace(column)
		switch {
		case !ok || field == "" || column == "":
			return nil, fault.Invalid("map", "bad_mapping", "%q is not field=COLUMN; an example is id=ID,lon=X,lat=Y,at=CREATED,item=CODE", part)
		case !slices.Contains(mappable, field):
			return nil, fault.Invalid("map", "bad_mapping", "%q is no field of a report; there are %s", field, strings.Join(mappable, ", "))
		case m[field] != "":
			return nil, fault.Invalid("map", "bad_mapping", "field %q is given twice", field)
		}
		m[field] = column
	}
	for _, need := range []string{"id", "at", "item"} {
		if m[need] == "" {
			return nil, fault.Invalid("map", "bad_mapping", "field %q is needed: add %s=COLUMN", need, need)
		}
	}
	if (m["lon"] == "") != (m["lat"] == "") || m["lon"] == "" && m["address"] == "" {
		return nil, fault.Invalid("map", "bad_mapping", "say where the reports are: lon=COLUMN and lat=COLUMN, or address=COLUMN")
	}
	return m, nil
}

// Columns lists the columns the mapping needs, in the order of mappable, and their fields.
func (m Mapping) Columns() (fields, columns []string) {
	for _, f := range mappable {
		if c := m[f]; c != "" {
			fields, columns = append(fields, f), append(columns, c)
		}
	}
	return fields, columns
}

// RowOptions say how the text of a table is meant.
type RowOptions struct {
	CRS    string
	Zone   *time.Location // of times without an offset
	LocalZ bool           // a trailing Z is a habit of the file, not a zone: the time is local
}

// Row makes a report of one line's values, by field.
func (o RowOptions) Row(line int, values map[string]string) (Row, *fault.Error) {
	v := func(field string) string { return strings.TrimSpace(values[field]) }
	n := New{ExternalID: v("id"), Source: "import", CRS: o.CRS, Item: v("item"), Kind: Kind(v("kind")), Title: v("title"), Text: v("text"), Address: v("address")}
	row := Row{Line: line, ItemName: v("item_name")}
	if n.ExternalID == "" {
		return row, fault.Invalid("id", "required", "is empty: each report needs an id").AtLine(line)
	}
	if s := v("source"); s != "" {
		n.Source = Source(s)
	}
	if who := (Reporter{Name: v("reporter_name"), Phone: v("reporter_phone"), Email: v("reporter_email")}); who != (Reporter{}) {
		n.Reporter = &who
	}
	var bad *fault.Error
	if n.CapturedAt, bad = o.time("at", v("at")); bad != nil {
		return row, bad.AtLine(line)
	}
	if s := v("closed_at"); s != "" {
		t, bad := o.time("closed_at", s)
		if bad != nil {
			return row, bad.AtLine(line)
		}
		n.ClosedAt = &t
	}
	for _, f := range []struct {
		field string
		to    **float64
	}{{"lon", &n.X}, {"lat", &n.Y}, {"accuracy_m", &n.AccuracyM}} {
		s := v(f.field)
		if s == "" {
			continue
		}
		x, bad := crs.ParseNumber(f.field, s)
		if bad != nil {
			return row, bad.AtLine(line)
		}
		*f.to = &x
	}
	row.New = n
	return row, nil
}

// layouts of times without an offset, most likely first.
var layouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006-01-02", "2006/01/02"}

func (o RowOptions) time(field, s string) (time.Time, *fault.Error) {
	if s == "" {
		return time.Time{}, fault.Invalid(field, "required", "is empty: give the time, RFC 3339 or local")
	}
	if o.LocalZ {
		s = strings.TrimSuffix(s, "Z")
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, l := range layouts {
		if t, err := time.ParseInLocation(l, s, o.Zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.Invalid(field, "bad_time", "%q is not a time such as 2026-11-24T08:00:00+08:00 or 2026-11-24 08:00", clip(s))
}
