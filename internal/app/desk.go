package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"gridgov/internal/assign"
	"gridgov/internal/casework"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
	"gridgov/internal/team"
	"gridgov/internal/worktime"
)

// desk is what decides about cases that are opened now: the regime in force and those published for later, the units, and
// what items are called. It is immutable but for the loads; a change makes a new one.
type desk struct {
	regimes []*regime.Regime // one after the other: each until its Until
	world   assign.World
	loads   map[policy.UnitID]*atomic.Int64 // open cases that a unit leads, as counted when it was loaded, and opened here since
	items   map[string]worktime.Words
	roster  *team.Roster // of the days around
	manned  atomic.Pointer[manned]
	at      time.Time // when it was loaded
}

// manned is the world as units are manned within a span of time: shifts begin and end while a desk is at hand.
type manned struct {
	team.Span
	working bool
	world   assign.World
}

// rosterBehind and rosterAhead are how much of the rosters is at hand.
const (
	rosterBehind = 26 * time.Hour
	rosterAhead  = 50 * time.Hour
)

// worldAt is the world with who is on duty at a moment.
func (d *desk) worldAt(at time.Time) *assign.World {
	working := d.regimeAt(at).Calendar.AtWork(at)
	if m := d.manned.Load(); m != nil && m.Has(at) && m.working == working {
		return &m.world
	}
	m := &manned{Span: d.roster.Steady(at), working: working, world: d.world}
	m.world.Units = slices.Clone(d.world.Units)
	for i := range m.world.Units {
		u := &m.world.Units[i]
		s := d.roster.Standing(u.ID, at)
		u.OnShift, u.Away, u.Duty = s.OnDuty, s.Away, dutyOf[s.State]
	}
	d.manned.Store(m)
	return &m.world
}

var dutyOf = map[team.State]assign.Duty{team.NoLeader: assign.NoLeader, team.Hole: assign.Hole, team.OffHours: assign.OffHours}

// maxAhead is how many changes of the regime are held ready; those after them are found when the desk is loaded next.
const maxAhead = 16

// regimeAt is the regime in force at a moment: one published ahead is in force from its very moment on.
func (d *desk) regimeAt(at time.Time) *regime.Regime {
	for _, r := range d.regimes {
		if r.Until.IsZero() || at.Before(r.Until) {
			return r
		}
	}
	return d.regimes[len(d.regimes)-1]
}

// standing is what decides about a case that is opened at a moment, from memory.
func (c *City) standing(at time.Time) casework.Standing {
	d := c.desk.Load()
	return casework.Standing{Regime: d.regimeAt(at), World: d.worldAt(at), ItemName: func(code string) worktime.Words { return d.items[code] },
		Opened: func(unit policy.UnitID) {
			if n := d.loads[unit]; n != nil {
				n.Add(1)
			}
		}}
}

// Roster is who is on duty, of the days around.
func (c *City) Roster() *team.Roster { return c.desk.Load().roster }

// Regime is what is in force now.
func (c *City) Regime() *regime.Regime { return c.desk.Load().regimeAt(c.now()) }

// UnitNamed is a unit as far as it is known here.
func (c *City) UnitNamed(id policy.UnitID) (assign.Unit, bool) {
	units := c.desk.Load().world.Units
	i := slices.IndexFunc(units, func(u assign.Unit) bool { return u.ID == id })
	if i < 0 {
		return assign.Unit{}, false
	}
	return units[i], true
}

// LoadDesk loads what decides about cases. A city without a regime gets its first one, and one without an open unit a
// command centre: a case never is without an owner.
func (c *City) LoadDesk(ctx context.Context) error {
	c.reloadDesk.Lock()
	defer c.reloadDesk.Unlock()
	now := c.now()
	d := &desk{at: now}
	first, err := c.Regimes.InForce(ctx, now)
	if fault.Is(err, fault.KindNotFound) {
		if err = c.ensureRegime(ctx); err == nil {
			first, err = c.Regimes.InForce(ctx, now)
		}
	}
	if err != nil {
		return err
	}
	for r := first; ; {
		d.regimes = append(d.regimes, r)
		c.lists.Store(r.CatalogueID, r.Catalogue)
		if r.Until.IsZero() || len(d.regimes) > maxAhead {
			break
		}
		if r, err = c.Regimes.InForce(ctx, r.Until); err != nil {
			return err
		}
	}
	if err := c.loadUnits(ctx, d); err != nil {
		return err
	}
	// By the calendar that comes into force, which is not the one at hand yet.
	d.roster, err = c.Teams.RosterBy(ctx, d.regimeAt(now).Calendar, team.Span{From: now.Add(-rosterBehind), To: now.Add(rosterAhead)})
	if err != nil {
		return err
	}
	items, err := c.Reports.Items(ctx)
	if err != nil {
		return err
	}
	d.items = make(map[string]worktime.Words, len(items))
	for _, i := range items {
		d.items[i.Code] = worktime.Words{ZH: i.Name, EN: i.NameEN}
	}
	c.desk.Store(d)
	return c.readLists(ctx)
}

// oldLists is how many lists of before are read when a city is opened.
const oldLists = 20

// readLists reads the lists under which open cases may have been opened, once. An act that found its list only in its own transaction would
// hold one connection and wait for another.
func (c *City) readLists(ctx context.Context) error {
	if c.listsRead {
		return nil
	}
	all, err := c.Regimes.List(ctx, regime.Catalogue)
	if err != nil {
		return err
	}
	n := 0
	for i := range all {
		if all[i].Draft || n == oldLists {
			continue
		}
		n++
		if _, err := c.ListUnder(ctx, all[i].ID); err != nil {
			return err
		}
	}
	c.listsRead = true
	return nil
}

// loadUnits reads the units with their members and loads.
func (c *City) loadUnits(ctx context.Context, d *desk) error {
	for made := false; ; made = true {
		units, err := c.People.Manned(ctx)
		if err != nil {
			return err
		}
		d.world.Units = nil
		open := false
		for _, u := range units {
			open = open || u.ClosedAt == nil
			d.world.Units = append(d.world.Units, assign.Unit{ID: u.ID, Kind: u.Kind, Name: worktime.Words{ZH: u.Name, EN: u.NameEN}, Area: u.Area,
				Closed: u.ClosedAt != nil, Members: u.Members, OnShift: -1})
		}
		if open || made {
			break
		}
		if err := c.ensureUnit(ctx, len(units)); err != nil {
			return err
		}
	}
	d.loads = make(map[policy.UnitID]*atomic.Int64, len(d.world.Units))
	for _, u := range d.world.Units {
		d.loads[u.ID] = new(atomic.Int64)
	}
	counted, err := casework.Loads(ctx, c.Pool)
	if err != nil {
		return err
	}
	for id, n := range counted {
		if load := d.loads[id]; load != nil {
			load.Store(int64(n))
		}
	}
	d.world.Load = func(id policy.UnitID) int {
		if n := d.loads[id]; n != nil {
			return int(n.Load())
		}
		return 0
	}
	d.world.Name = c.areaName
	return nil
}

// ItemNamed is what an item is called, by the one-stop list in force or by what came with reports; zero: nobody knows.
func (c *City) ItemNamed(code string) worktime.Words {
	if i := c.Regime().Catalogue.Item(code); i != nil {
		return i.Name
	}
	return c.desk.Load().items[code]
}

// AreaNamed is what a jurisdiction is called by the plan in force, else its code.
func (c *City) AreaNamed(a policy.Area) worktime.Words { return c.areaName(a) }

// TownNamed is what a town is called by the plan in force, else its code.
func (c *City) TownNamed(code string) worktime.Words {
	return c.areaName(policy.Area{Level: policy.Town, Code: code})
}

// areaName names a jurisdiction by the plan in force, else by its code.
func (c *City) areaName(a policy.Area) worktime.Words {
	if l := c.layout(); l != nil {
		if level, unit, ok := l.Unit(jurisdiction.Role(a.Level), a.Code); ok {
			u := &l.Levels[level].Units[unit]
			return worktime.Words{ZH: u.Name, EN: u.NameLatin}
		}
	}
	return worktime.Words{ZH: a.Code}
}

// ensureUnit makes a command centre of the whole city. Of two nodes that do one wins. A demo that has no plan yet is still being
// loaded, and gets units of its own.
func (c *City) ensureUnit(ctx context.Context, closed int) error {
	name := worktime.Words{ZH: c.Name}
	if c.layout() != nil {
		if n := c.areaName(c.Area()); n.ZH != c.Area().Code {
			name = n
		}
	} else if c.Demo {
		return nil
	}
	if name.EN == "" && !strings.ContainsFunc(name.ZH, func(r rune) bool { return r > unicode.MaxLatin1 }) {
		name.EN = name.ZH
	}
	u := person.Unit{Kind: policy.CommandCenter, Name: name.ZH + "综合指挥中心", NameEN: strings.TrimSpace(name.EN + " Command Centre"), Area: c.Area()}
	if closed > 0 { // a closed one may have the name
		u.Name, u.NameEN = fmt.Sprintf("%s（%d）", u.Name, closed+1), fmt.Sprintf("%s (%d)", u.NameEN, closed+1)
	}
	_, err := c.People.CreateUnit(ctx, u)
	if f, ok := fault.As(err); ok && f.Code == "unit_exists" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make a command centre: %w", err)
	}
	return nil
}

// deskAge is how old the figures of the desk may be: members change at midnight, loads with every case that other nodes open
// or that is closed.
const deskAge = time.Minute

// freshenDesk loads the desk anew when it is older than that; what works on without following the feed asks now and then.
func (c *City) freshenDesk(ctx context.Context) error {
	if age := c.now().Sub(c.desk.Load().at); age < deskAge && age >= 0 {
		return nil
	}
	return c.LoadDesk(ctx)
}

// refreshDesk loads the desk, and forgets where those were whose duty is over: by the roster at hand, where none could be read.
func (c *City) refreshDesk(ctx context.Context) error {
	err := c.LoadDesk(ctx)
	_, kept := c.Teams.SweepPositions(ctx, c.Roster())
	return errors.Join(err, kept)
}

// watchDesk keeps the desk up to date: at once when the feed tells of a change, and now and then besides.
func (l *Live) watchDesk(ctx context.Context) {
	tick := time.NewTicker(deskAge)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-l.deskChanged:
		case <-tick.C:
		}
		err := l.refreshDesk(ctx)
		if err == nil && l.Demo {
			err = l.rollRosters(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.log.Warn("what decides about cases could not be loaded, will try again", "err", err)
			pause(ctx, time.Second)
			signal(l.deskChanged)
		}
	}
}

// openEarlier opens the cases of reports that were there before there were cases, in the background.
func (l *Live) openEarlier(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := l.OpenEarlier(ctx)
		if n > 0 {
			l.log.Info("cases were opened of reports that had none", "cases", n)
		}
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			l.log.Warn("opening cases of earlier reports stopped, will go on", "err", err)
			pause(ctx, time.Second)
		}
	}
}

// OpenEarlier opens the cases of reports that have none and returns how many it opened here.
func (c *City) OpenEarlier(ctx context.Context) (int64, error) {
	defer c.Announce()
	return c.Cases.OpenEarlier(ctx, c.freshenDesk)
}
