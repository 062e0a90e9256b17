package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gridgov/internal/app"
	"gridgov/internal/coverage"
	"gridgov/internal/crs"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/jurisdiction"
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
			if err := checkCRS(f.CRS); err != nil {
				return err
			}
			rej, err := t.newRejects(rejectsPath, f.Path)
			if err != nil {
				return err
			}
			f.Told = rej.told()
			var out jurisdiction.Imported
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				if f.Level, err = c.Plans.Level(level); err != nil {
					return &usageError{err}
				}
				p, finish := t.progress("reading")
				out, err = c.ImportBoundaries(cmd.Context(), f, p)
				finish()
				if err != nil {
					return err
				}
				t.say("%s: %d faces in draft %q, %d rejected", f.Level.Name, out.Faces, f.Plan, len(out.Rejects))
				t.sayFindings(out.Findings)
				return t.afterBoundaries(cmd.Context(), c, f, out, publish)
			})
			return rej.close(err, int64(out.Faces))
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
	fl.StringVar(&f.Options.Encoding, "encoding", "", "utf-8, utf-16le, utf-16be or gb18030, of a Shapefile any that GDAL knows (found out)")
	fl.StringVar(&f.Plan, "plan", "draft", "name of the draft")
	fl.StringVar(&f.AcceptGaps, "accept-gaps", "", "the reason why gaps are meant")
	fl.StringVar(&rejectsPath, "rejects", "", "file for the rows left out, with their reasons, to be mended and imported again")
	fl.BoolVar(&publish, "publish", false, "check and publish the draft at once, if all of the file went in; for the last level")
	for _, name := range []string{"city", "level", "code", "name"} {
		mustRequire(cmd, name)
	}
	return cmd
}

// afterBoundaries publishes a draft into which a level went as it is in the file, and says what to do with another.
func (t *tool) afterBoundaries(ctx context.Context, c *app.City, f app.BoundaryFile, out jurisdiction.Imported, publish bool) error {
	switch {
	case coverage.HasRefused(out.Findings):
		t.say("draft %q cannot be published as it is: mend what is refused, or accept gaps that are meant with --accept-gaps REASON, and import the level again", f.Plan)
		return errRejected
	case publish && len(out.Rejects) > 0:
		t.say("draft %q was not published, as %d of the file's faces were rejected: publish it with `gridgov plan publish --city %s --plan %q` if that is meant",
			f.Plan, len(out.Rejects), c.Code, f.Plan)
		return errRejected
	case publish:
		return t.publish(ctx, c, f.Plan, time.Time{})
	}
	return nil
}

// checkCRS refuses what is no name of a coordinate system before anything is opened.
func checkCRS(name string) error {
	if name == "" {
		return nil
	}
	if _, err := crs.Parse(name); err != nil {
		return &usageError{err}
	}
	return nil
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
				f.CreateItems = items == "create"
			default:
				return usagef("--items is create or reject")
			}
			if err := checkCRS(f.Rows.CRS); err != nil {
				return err
			}
			rej, err := t.newRejects(rejectsPath, f.Path)
			if err != nil {
				return err
			}
			f.Told = rej.told()
			var out report.Imported
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				p, finish := t.progress("importing")
				out, err = c.ImportReports(cmd.Context(), f, p)
				finish()
				if bad, ok := fault.As(err); ok && bad.Code == "missing_column" {
					return &usageError{err} // named by --map
				}
				switch {
				case out != report.Imported{}:
					t.say("%d added, %d there before, %d rejected; %d of the added lie in no grid", out.Added, out.Present, out.Rejected, out.Unplaced)
				case err == nil:
					t.say("%s holds no report: nothing was imported", f.Path)
				}
				return err
			})
			return rej.close(err, out.Added+out.Present)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&city, "city", "", "the city's code")
	fl.StringVar(&mapping, "map", "", "field=COLUMN,… with id, lon, lat, at, item and title, text, closed_at, kind, address, accuracy_m, source, item_name, reporter_name, reporter_phone, reporter_email")
	fl.StringVar(&f.Rows.CRS, "crs", "", "EPSG code, gcj02 or bd09 (as the file says, else lon/lat)")
	fl.StringVar(&zone, "tz", "", "time zone of times without an offset (the city's)")
	fl.StringVar(&items, "items", "create", "create or reject items the city does not have")
	fl.StringVar(&f.Options.Encoding, "encoding", "", "utf-8, utf-16le, utf-16be or gb18030 (found out)")
	fl.StringVar(&rejectsPath, "rejects", "", "file for the rows left out, with their reasons, to be mended and imported again")
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
			rej, err := t.newRejects(rejectsPath, args[0])
			if err != nil {
				return err
			}
			var added, rejected int64
			err = t.inCity(cmd.Context(), city, func(c *app.City) error {
				added, rejected, err = c.ImportPlaces(cmd.Context(), app.PlaceFile{Path: args[0], Options: geofile.Options{Stdin: t.stdin}, Told: rej.told()})
				switch {
				case added+rejected > 0:
					t.say("%d places added or changed, %d rejected", added, rejected)
				case err == nil:
					t.say("%s holds no new place: nothing was imported", args[0])
				}
				return err
			})
			return rej.close(err, added)
		},
	}
	cmd.Flags().StringVar(&city, "city", "", "the city's code")
	cmd.Flags().StringVar(&rejectsPath, "rejects", "", "file for the rows left out, with their reasons, to be mended and imported again")
	mustRequire(cmd, "city")
	return cmd
}
