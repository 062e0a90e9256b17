package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/report"
)

func (t *tool) imports() *cobra.Command {
	return group("import", "Import boundaries, reports and places", t.importBoundaries(), t.importReports(), t.importPlaces())
}

func (t *tool) importBoundaries() *cobra.Command {
	var f app.BoundaryFile
	var city, level, rejectsPath string
	var publish bool
	cmd := &cobra.Command{
		Use:   "boundaries FILE",
		Short: "Import one level's boundaries into a draft plan",
		Long:  "Imports with the same --plan fill one draft. GeoJSON and TopoJSON are read directly, Shapefile, GeoPackage, KML and what else GDAL reads through ogr2ogr. FILE may be - or .gz.",
		Args:  exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Path, f.Options.Stdin = args[0], t.stdin
			rej, err := t.newRejects(rejectsPath)
			if err != nil {
				return err
			}
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				if f.Level, err = c.Plans.Level(level); err != nil {
					return &usageError{err}
				}
				p, finish := t.progress("reading")
				out, err := c.ImportBoundaries(cmd.Context(), f, p)
				finish()
				for _, r := range out.Rejects {
					rej.add(r)
				}
				if err != nil {
					return err
				}
				t.say("%s: %d faces in draft %q, %d rejected", f.Level.Name, out.Faces, f.Plan, len(out.Rejects))
				t.sayFindings(out.Findings)
				if publish {
					return t.publish(cmd.Context(), c, f.Plan, time.Time{})
				}
				if coverage.HasRefused(out.Findings) {
					return errRejected
				}
				return nil
			})
			if closed := rej.close(); err == nil {
				err = closed
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&city, "city", "", "the city's code")
	fl.StringVar(&level, "level", "", "the level, by role or by the city's own name")
	fl.StringVar(&f.Fields.Code, "code", "", "property with the code")
	fl.StringVar(&f.Fields.Name, "name", "", "property with the name")
	fl.StringVar(&f.Fields.NameLatin, "name-latin", "", "property with the name in Latin letters")
	fl.StringVar(&f.Fields.Parent, "parent", "", "property with the parent's code; faces must then lie in their parents")
	fl.StringVar(&f.Fields.Households, "households", "", "property with the number of households")
	fl.StringVar(&f.Fields.Population, "population", "", "property with the number of people")
	fl.StringVar(&f.CRS, "crs", "", "EPSG code, gcj02 or bd09 (as the file says, else lon/lat)")
	fl.StringVar(&f.Options.Layer, "layer", "", "layer of a file that has several")
	fl.StringVar(&f.Options.Encoding, "encoding", "", "utf-8, utf-16le, utf-16be or gb18030 (found out)")
	fl.StringVar(&f.Plan, "plan", "draft", "name of the draft")
	fl.StringVar(&f.AcceptGaps, "accept-gaps", "", "the reason why gaps are meant")
	fl.StringVar(&rejectsPath, "rejects", "", "file for the rows left out")
	fl.BoolVar(&publish, "publish", false, "check and publish the draft at once; for the last level")
	for _, name := range []string{"city", "level", "code", "name"} {
		mustRequire(cmd, name)
	}
	return cmd
}

// shownFindings is how many findings of each severity are told; `plan check` tells all.
const shownFindings = 20

func (t *tool) sayFindings(findings []coverage.Finding) {
	shown := map[coverage.Severity]int{}
	for _, f := range findings {
		if shown[f.Severity]++; shown[f.Severity] <= shownFindings {
			t.say("  %s", findingLine(f))
		}
	}
	for s, n := range shown {
		if n > shownFindings {
			t.say("  … %d more %s; see plan check", n-shownFindings, s)
		}
	}
}

func findingLine(f coverage.Finding) string {
	line := ""
	if f.Line > 0 {
		line = fmt.Sprintf("line %d, ", f.Line)
	}
	return fmt.Sprintf("%s %s: %s%s at %.7f, %.7f (%.3f m², %.4f m wide) %s", f.Severity, f.Kind, line, joinCodes(f.Codes), f.Place[0], f.Place[1], f.AreaM2, f.WidthM, f.Message)
}

func joinCodes(codes []string) string {
	out := ""
	for i, c := range codes {
		if i > 0 {
			out += " "
		}
		out += c
	}
	return out
}

func (t *tool) importReports() *cobra.Command {
	var city, mapping, zone, items, rejectsPath string
	var f app.ReportFile
	cmd := &cobra.Command{
		Use:   "reports FILE",
		Short: "Import reports from a CSV or GeoJSON file and place them",
		Long:  "The import is idempotent by id: run it again after an interruption. A bad row is told with its line and reason and left out; the others go in.",
		Args:  exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Path, f.Options.Stdin = args[0], t.stdin
			m, err := report.ParseMapping(mapping)
			if err != nil {
				return &usageError{err}
			}
			f.Map = m
			if zone != "" {
				if f.Rows.Zone, err = time.LoadLocation(zone); err != nil {
					return usagef("--tz: there is no time zone %q", zone)
				}
			}
			switch items {
			case "create", "reject":
				f.Import.CreateItems = items == "create"
			default:
				return usagef("--items is create or reject")
			}
			rej, err := t.newRejects(rejectsPath)
			if err != nil {
				return err
			}
			f.Import.Reject = func(r report.Reject) { rej.add(r.Reason.AtLine(r.Line)) }
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				p, finish := t.progress("importing")
				out, err := c.ImportReports(cmd.Context(), f, p)
				finish()
				t.say("%d added, %d there before, %d rejected; %d of the added lie in no grid", out.Added, out.Present, out.Rejected, out.Unplaced)
				return err
			})
			if closed := rej.close(); err == nil {
				err = closed
			}
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&city, "city", "", "the city's code")
	fl.StringVar(&mapping, "map", "", "field=COLUMN,… with id, lon, lat, at, item and title, text, closed_at, kind, address, accuracy_m, source, item_name")
	fl.StringVar(&f.Rows.CRS, "crs", "", "EPSG code, gcj02 or bd09 (lon/lat)")
	fl.StringVar(&zone, "tz", "", "time zone of times without an offset (the city's)")
	fl.StringVar(&items, "items", "create", "create or reject items the city does not have")
	fl.StringVar(&f.Options.Encoding, "encoding", "", "utf-8, utf-16le, utf-16be or gb18030 (found out)")
	fl.StringVar(&rejectsPath, "rejects", "", "file for the rows left out")
	mustRequire(cmd, "city")
	mustRequire(cmd, "map")
	return cmd
}

func (t *tool) importPlaces() *cobra.Command {
	var city, rejectsPath string
	cmd := &cobra.Command{
		Use:   "places FILE",
		Short: "Import a gazetteer: name, lon, lat, and code, kind and aliases (a|b)",
		Args:  exactArgs("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			rej, err := t.newRejects(rejectsPath)
			if err != nil {
				return err
			}
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				n, rejected, err := c.ImportPlaces(cmd.Context(), args[0], geofile.Options{Stdin: t.stdin}, func(f *fault.Error) { rej.add(f) })
				t.say("%d places added or changed, %d rejected", n, rejected)
				return err
			})
			if closed := rej.close(); err == nil {
				err = closed
			}
			return err
		},
	}
	cmd.Flags().StringVar(&city, "city", "", "the city's code")
	cmd.Flags().StringVar(&rejectsPath, "rejects", "", "file for the rows left out")
	mustRequire(cmd, "city")
	return cmd
}
