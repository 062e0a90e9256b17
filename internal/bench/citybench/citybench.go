// Package citybench measures a whole city at work on its database: the import of a million reports beside psql's COPY of
// the same rows, a new plan over them, the cube's start, and what live reports cost those who read.
package citybench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/assign"
	"gridgov/internal/bench/tilebench"
	"gridgov/internal/geofile"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/placement/madeup"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/regime"
	"gridgov/internal/report"
)

// Options of a run.
type Options struct {
	Reports int    // rows to import
	Rounds  int    // the best of so many counts
	Seed    uint64 // of the reports and of the made-up town
	Psql    string // psql's path
	Dir     string // folder for the files that are imported
	Out     io.Writer
}

// Bench is a database with the cities that the measurements need.
type Bench struct {
	Options
	DB *postgres.Database
}

func (b *Bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.Out, format+"\n", args...) }

// City creates a city with a published plan of about 2,000 grids and their villages.
func (b *Bench) City(ctx context.Context, code string) (*app.City, error) {
	levels, err := postgres.ParseLevels("village,grid")
	if err != nil {
		return nil, err
	}
	info, err := b.DB.CreateCity(ctx, postgres.City{Code: code, Name: code, Timezone: "Asia/Shanghai", SRID: 4549, Levels: levels, Generated: true})
	if err != nil {
		return nil, err
	}
	c, err := app.Open(ctx, b.DB, info, nil, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return nil, err
	}
	items := make([]report.Item, tilebench.Items)
	for i := range items {
		items[i] = report.Item{Code: itemCode(i + 1), Name: itemCode(i + 1)}
	}
	if err := c.Reports.SetItems(ctx, items); err != nil {
		return nil, err
	}
	if err := b.publish(ctx, c, "first", b.Seed); err != nil {
		return nil, err
	}
	return c, b.desk(ctx, c)
}

// departments are how many units the city's items go to.
const departments = 12

// desk gives the city units with people, and a rule for each item, so that deciding takes as long as it does in a city at work.
func (b *Bench) desk(ctx context.Context, c *app.City) error {
	var units []policy.UnitID
	for i := range departments {
		u, err := c.People.CreateUnit(ctx, person.Unit{Kind: policy.LineDepartment, Name: fmt.Sprintf("部门%02d", i), NameEN: fmt.Sprintf("Department %02d", i)})
		if err != nil {
			return err
		}
		p, err := c.People.Create(ctx, person.New{Name: fmt.Sprintf("head %02d", i)})
		if err == nil {
			_, err = c.People.CreatePost(ctx, person.Post{Person: p.ID, Role: policy.UnitHead, Unit: u.ID, Begins: "2026-01-01"})
		}
		if err != nil {
			return err
		}
		units = append(units, u.ID)
	}
	rules := assign.Rules{}
	for i := range tilebench.Items {
		rules.Rules = append(rules.Rules, assign.Rule{Items: []string{itemCode(i + 1)}, Lead: assign.Party{Unit: units[i%departments]},
			Support: []assign.Party{{Unit: units[(i+1)%departments]}}, Dispatch: i%3 == 0})
	}
	content, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	draft, err := c.Regimes.Save(ctx, regime.Rules, content, regime.Seen{}, uuid.Nil)
	if err == nil {
		_, err = c.Regimes.Publish(ctx, regime.Rules, regime.Seen{ID: draft.ID, Edits: draft.Edits}, time.Time{})
	}
	if err != nil {
		return err
	}
	return c.LoadDesk(ctx)
}

func itemCode(i int) string { return fmt.Sprintf("%02d", i) }

// publish puts a plan of a made-up town in force: the same seed gives the same lines.
func (b *Bench) publish(ctx context.Context, c *app.City, name string, seed uint64) error {
	town := madeup.New(seed, madeup.Plan{West: 120.30, South: 30.25, CellDeg: 0.0125, Columns: 46, Rows: 45, Bends: 20, Plain: true})
	grids := make([]jurisdiction.Face, len(town.Faces))
	for i, f := range town.Faces {
		grids[i] = jurisdiction.Face{Code: f.Code, Name: f.Code, Parent: town.Parents[town.Parent[i]], Line: i + 1, Shape: f.Shape}
	}
	level, err := c.Plans.Level("grid")
	if err != nil {
		return err
	}
	if _, err := c.Plans.ImportLevel(ctx, jurisdiction.Import{Plan: name, Level: level, File: "made up", Faces: grids, WithParent: true, Generated: true}); err != nil {
		return err
	}
	if _, err := c.Plans.Publish(ctx, name, time.Time{}); err != nil {
		return err
	}
	_, err = c.Reload(ctx)
	return err
}

// writeTable writes the reports as the CSV file that is imported.
func (b *Bench) writeTable() (path string, err error) {
	path = filepath.Join(b.Dir, "reports.csv")
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	_, _ = w.WriteString("id,lon,lat,at,item,kind,title\n")
	for r := range tilebench.Rows(b.Seed, b.Reports) {
		line := strconv.AppendUint(nil, uint64(r.Num), 10)
		line = append(line, ',')
		line = strconv.AppendFloat(line, r.Lon, 'f', -1, 64)
		line = append(line, ',')
		line = strconv.AppendFloat(line, r.Lat, 'f', -1, 64)
		line = append(line, ',')
		line = time.Unix(int64(r.At), 0).UTC().AppendFormat(line, time.RFC3339)
		line = fmt.Appendf(line, ",%s,%s,report of item %d\n", itemCode(1+int(r.Item)), report.Kinds[int(r.Kind)%len(report.Kinds)], r.Item)
		_, _ = w.Write(line)
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return path, f.Close()
}

func importFile(ctx context.Context, c *app.City, path string) (report.Imported, error) {
	return importMapped(ctx, c, path, "id=id,lon=lon,lat=lat,at=at,item=item,kind=kind,title=title")
}

func importMapped(ctx context.Context, c *app.City, path, columns string) (report.Imported, error) {
	m, err := report.ParseMapping(columns)
	if err != nil {
		return report.Imported{}, err
	}
	return c.ImportReports(ctx, app.ReportFile{Path: path, Options: geofile.Options{}, Map: m}, nil)
}

// Filled creates a city and imports the reports into it.
func (b *Bench) Filled(ctx context.Context, code string) (*app.City, error) {
	table, err := b.writeTable()
	if err != nil {
		return nil, err
	}
	c, err := b.City(ctx, code)
	if err != nil {
		return nil, err
	}
	done, err := importFile(ctx, c, table)
	if err == nil && int(done.Added) != b.Reports {
		err = fmt.Errorf("imported %+v of %d", done, b.Reports)
	}
	return c, err
}

// Await returns the city once the server serves it.
func Await(ctx context.Context, server *app.Server, code string) (*app.Live, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if live, _ := server.City(code); live != nil && server.Ready() == nil {
			return live, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
