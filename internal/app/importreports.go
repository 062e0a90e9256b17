package app

import (
	"context"
	"errors"
	"io"
	"iter"

	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/report"
)

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
			if err := c.freshenDesk(ctx); err != nil && ctx.Err() == nil {
				c.log.Warn("what decides about cases could not be loaded, will try again", "err", err)
			}
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
