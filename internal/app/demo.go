package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"gridgov/internal/auth"
	"gridgov/internal/demo/dc"
	"gridgov/internal/fault"
	"gridgov/internal/geofile"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
	"gridgov/internal/report"
)

// Demo is a whole city to look at. Loading it again changes nothing.
type Demo struct {
	DB    *postgres.Database
	Keys  *keyring.Ring
	Log   *slog.Logger
	Now   func() time.Time
	Say   func(format string, args ...any)
	Show  Progress
	Truth io.Writer // for the list of planted hotspots; may be nil
	Until time.Time // last day of generated reports; zero: the day of the first load
}

// ensureCity creates the demo's city, or finds it.
func (d Demo) ensureCity(ctx context.Context, c postgres.City) (*City, error) {
	info, err := d.DB.City(ctx, c.Code)
	if fault.Is(err, fault.KindNotFound) {
		info, err = d.DB.CreateCity(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	return Open(ctx, d.DB, info, d.Keys, d.Log, d.Now)
}

// DC loads Washington: official boundaries and 311 reports as the city published them.
func (d Demo) DC(ctx context.Context) error {
	levels, err := postgres.ParseLevels(dc.Levels)
	if err != nil {
		return err
	}
	c, err := d.ensureCity(ctx, postgres.City{Code: dc.Code, Name: dc.Name, Timezone: dc.Timezone, SRID: dc.SRID, Levels: levels, Demo: true})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetAttribution(ctx, []string{dc.Attribution}); err != nil {
		return err
	}
	if err := d.dcBoundaries(ctx, c); err != nil {
		return err
	}
	if _, err := c.Reload(ctx); err != nil {
		return err
	}
	if err := makeAccounts(ctx, c, ""); err != nil {
		return err
	}
	if err := dcDesk(ctx, c); err != nil {
		return err
	}
	if err := d.dcReports(ctx, c); err != nil {
		return err
	}
	_, err = c.OpenEarlier(ctx) // of a demo that an earlier version loaded
	return err
}

func (d Demo) dcBoundaries(ctx context.Context, c *City) error {
	if p, err := c.Plans.Plan(ctx, dc.PlanName); err == nil && (p.State == jurisdiction.Published || p.State == jurisdiction.Retired) {
		return nil
	}
	for _, b := range dc.Boundaries() {
		level, err := c.Plans.Level(b.Level)
		if err != nil {
			return err
		}
		file, err := dc.Open(b.File)
		if err != nil {
			return err
		}
		out, err := c.ImportBoundaries(ctx, BoundaryFile{Path: "-", Options: geofile.Options{Stdin: file}, Plan: dc.PlanName, Level: level,
			Fields: jurisdiction.Fields{Code: b.CodeField, Name: b.NameField, Parent: b.ParentField}}, nil)
		_ = file.Close() // embedded
		if err != nil {
			return err
		}
		if len(out.Rejects) > 0 {
			return fmt.Errorf("level %s: %w", b.Level, out.Rejects[0])
		}
		d.Say("%s: %d faces", level.Name, out.Faces)
	}
	// In force from before the first report.
	p, err := c.Plans.Publish(ctx, dc.PlanName, time.Date(2013, 1, 1, 0, 0, 0, 0, c.Zone))
	if err != nil {
		return err
	}
	d.Say("plan %q is in force", p.Name)
	return c.settle(ctx)
}

// settle makes a plan just published the one at hand, and places under it what is there.
func (c *City) settle(ctx context.Context) error {
	c.Announce()
	if _, err := c.Reload(ctx); err != nil {
		return err
	}
	if placer := c.State().Placer; placer.PlanID != 0 {
		if _, err := c.Replace(ctx, placer, nil); err != nil {
			return err
		}
	}
	return nil
}

func (d Demo) dcReports(ctx context.Context, c *City) error {
	file, err := dc.Open(dc.ReportsFile)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // embedded
	out, err := c.ImportReports(ctx, ReportFile{Path: "-", Options: geofile.Options{Stdin: file}, Map: dc.ReportMap(),
		Rows: report.RowOptions{Zone: c.Zone, LocalZ: true}, CreateItems: true,
		Told: Told{Reject: func(r Reject) { d.Say("rejected: %v", r.Reason) }}}, d.Show)
	if err != nil {
		return err
	}
	d.Say("%d reports added, %d there before, %d rejected", out.Added, out.Present, out.Rejected)
	return nil
}

// DemoPassword opens all accounts of a demo. It is listed on the sign-in page, and good in demo cities alone.
const DemoPassword = "watch-the-tidal-bore"

// makeAccounts makes an account a role: for a village, the town it lies in, and the first grid and microgrid of it. Where
// no village has the code, or levels do not nest, the first of a level serves.
func makeAccounts(ctx context.Context, c *City, village string) error {
	l := c.State().Layout
	if l == nil {
		return errors.New("the demo's plan is not in force")
	}
	first := func(role jurisdiction.Role, fits func(u *jurisdiction.Unit) bool) (area auth.DemoArea) {
		for _, level := range l.Levels {
			if level.Role != role {
				continue
			}
			for i := range level.Units {
				if u := &level.Units[i]; fits(u) || area.Code == "" {
					area = auth.DemoArea{Code: u.Code, Name: u.Name, NameEN: u.NameLatin}
					if fits(u) {
						break
					}
				}
			}
		}
		return area
	}
	any := func(*jurisdiction.Unit) bool { return true }
	city := auth.DemoCity{Password: DemoPassword, City: auth.DemoArea{Code: c.Area().Code, Name: c.Name, NameEN: c.Name}}
	if city.City = first(jurisdiction.RoleCity, any); city.City.Code == "" {
		city.City = auth.DemoArea{Code: c.Area().Code, Name: c.Name, NameEN: c.Name}
	}
	city.Village = first(jurisdiction.RoleVillage, func(u *jurisdiction.Unit) bool { return u.Code == village })
	city.Grid = first(jurisdiction.RoleGrid, func(u *jurisdiction.Unit) bool { return u.Parent == city.Village.Code })
	city.Microgrid = first(jurisdiction.RoleMicrogrid, func(u *jurisdiction.Unit) bool { return u.Parent == city.Grid.Code })
	city.Town = first(jurisdiction.RoleTown, any)
	if level, unit, ok := l.Unit(jurisdiction.RoleVillage, city.Village.Code); ok {
		for _, p := range l.Parents(level, unit) {
			if p.Level == jurisdiction.RoleTown {
				city.Town = auth.DemoArea{Code: p.Code, Name: p.Name, NameEN: p.NameLatin}
			}
		}
	}
	if err := c.Auth.MakeDemoAccounts(ctx, city); err != nil {
		return err
	}
	return openDemo(ctx, c)
}

// openDemo shows a demo to who has not signed in, its map and the residents' page: nothing in it is private, and messages go
// into the outbox. It is done once: what somebody chose since stays.
func openDemo(ctx context.Context, c *City) error {
	var done bool
	err := c.Pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM setting WHERE key IN ('public_map', 'resident_reports'))`).Scan(&done)
	if err != nil || done {
		return err
	}
	return c.Auth.ChangeSettings(ctx, map[string]bool{"public_map": true, "resident_reports": true})
}
