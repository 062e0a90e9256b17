// Package app wires a city together: its pool, the plan in force, the cube and the feed's followers, and holds all cities
// of a server.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/auth"
	"gridgov/internal/batch"
	"gridgov/internal/casework"
	"gridgov/internal/contact"
	"gridgov/internal/cube"
	"gridgov/internal/feed"
	"gridgov/internal/investigation"
	"gridgov/internal/job"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/keyring"
	"gridgov/internal/message"
	"gridgov/internal/notice"
	"gridgov/internal/patrol"
	"gridgov/internal/person"
	"gridgov/internal/photo"
	"gridgov/internal/place"
	"gridgov/internal/placement"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/push"
	"gridgov/internal/regime"
	"gridgov/internal/report"
	"gridgov/internal/resident"
	"gridgov/internal/retention"
	"gridgov/internal/screening"
	"gridgov/internal/team"
	"gridgov/internal/webhook"
	"gridgov/internal/worktime"
	"gridgov/tiles"
)

// City is one city at work: its services, and what they need in memory. A command uses it as it is; a server makes it
// Live.
type City struct {
	postgres.City
	Zone    *time.Location
	Pool    *pgxpool.Pool
	Writer  *feed.Writer // of what the city's transactions leave behind
	Reports *report.Service
	Cases   *casework.Service
	Regimes *regime.Service // what decides about cases
	Plans   *jurisdiction.Service
	People  *person.Service
	Auth    *auth.Service
	Teams   *team.Service // how units work
	// Contacts keeps who told reports.
	Contacts *contact.Service
	// Messages are on their way to people, by the senders that Sending tells of; of a demo they go into the outbox.
	Messages *message.Queue
	Sending  *message.Store
	// Photos are kept where [Server.PhotosIn] says; a command has them as rows alone.
	Photos *photo.Service
	// Batches are acts on many cases, which wait before they are done.
	Batches *batch.Service
	// Residents report without an account.
	Residents *resident.Service
	// Notices tell people in time, on their devices by Push, Webhooks machines; Retention makes matters anonymous. What goes out of the house are Jobs.
	Notices   *notice.Service
	Push      *push.Service
	Webhooks  *webhook.Service
	Retention *retention.Service
	// Screenings find high-frequency matters and propose investigations; Investigations are decided about, and carried out.
	Screenings     *screening.Service
	Investigations *investigation.Service
	// Patrols are the points to go by, and who was there.
	Patrols *patrol.Service
	Jobs    *job.Queue

	dial       *cube.Dial
	outside    outside
	log        *slog.Logger
	now        func() time.Time
	proj       *postgres.Projector
	state      atomic.Pointer[State]
	reload     sync.Mutex // one change of state at a time
	desk       atomic.Pointer[desk]
	reloadDesk sync.Mutex    // one change of desk at a time
	lists      sync.Map      // regime.ID → *catalogue.Catalogue, of cases that were opened under others than the one in force
	listsRead  bool          // those of before; under reloadDesk
	calendars  sync.Map      // regime.ID → *worktime.Calendar, of clocks that were stopped under others than the one in force
	committed  chan struct{} // something was committed here
	kept       atomic.Int64  // the feed's number of the last thing that was
	wake       atomic.Pointer[func()]
	announcer  sync.WaitGroup
	stop       context.CancelFunc
}

// State is what hangs on the plan in force and the gazetteer. It is immutable; a change makes a new one.
type State struct {
	Layout     *jurisdiction.Layout // nil: no plan is in force
	Boundaries *tiles.Boundaries    // likewise
	Places     *place.Gazetteer
	Placer     *report.Placer

	Attribution  []string
	planNames    map[jurisdiction.PlanID]string
	planVersions map[string]string
	grids        map[string]policy.Cell // of the plan in force
}

// Open connects to a city and loads the plan in force. Close gives everything back. keys may be nil: what needs one is then
// refused, and acts are put on record without.
func Open(ctx context.Context, db *postgres.Database, info postgres.City, keys *keyring.Ring, log *slog.Logger, now func() time.Time) (*City, error) {
	zone, err := time.LoadLocation(info.Timezone)
	if err != nil {
		return nil, fmt.Errorf("city %s: %w", info.Code, err)
	}
	pool, err := db.CityPool(ctx, info)
	if err != nil {
		return nil, err
	}
	c := &City{City: info, Zone: zone, dial: cube.DialOf(zone), Pool: pool, Writer: &feed.Writer{Key: audit.KeyOf(keys, info.Code)}, log: log.With("city", info.Code), now: now,
		proj: &postgres.Projector{DB: pool}, committed: make(chan struct{}, 1)}
	levels := make([]jurisdiction.Level, len(info.Levels))
	for i, l := range info.Levels {
		levels[i] = jurisdiction.Level{Role: jurisdiction.Role(l.Role), Name: l.Name}
	}
	c.Plans = &jurisdiction.Service{Pool: pool, Feed: c.Writer, Levels: levels, SRID: info.SRID, Now: now}
	c.openPeople(keys)
	c.Teams = &team.Service{Pool: pool, Feed: c.Writer, Now: now, Zone: zone, Calendar: func() *worktime.Calendar { return c.Regime().Calendar }}
	c.Regimes = &regime.Service{Pool: pool, Feed: c.Writer, Now: now}
	c.Cases = &casework.Service{Pool: pool, Feed: c.Writer, Now: now, Intake: &casework.Intake{At: c.standing, Now: now}}
	c.Contacts = &contact.Service{Pool: pool, Ring: keys, City: info.Code, Feed: c.Writer, Now: now}
	c.Reports = &report.Service{
		Pool:     pool,
		Feed:     c.Writer,
		Placer:   func() *report.Placer { return c.state.Load().Placer },
		Bound:    c.bound,
		Now:      now,
		Project:  c.proj,
		Contacts: c.Contacts,
		Cases:    c.Cases.Intake,
	}
	c.openPhotos()
	c.openMessages(keys)
	c.openPatrols()
	if err := c.openEscalation(keys); err != nil {
		return nil, err
	}
	c.Reports.Committer = feed.NewCommitter(pool, c.Writer, now, func(last feed.Seq) {
		for known := c.kept.Load(); int64(last) > known && !c.kept.CompareAndSwap(known, int64(last)); known = c.kept.Load() {
		}
		select {
		case c.committed <- struct{}{}:
		default:
		}
	})
	c.Cases.Committer, c.Cases.Terms, c.Cases.Unit, c.Cases.Evidence = c.Reports.Committer, c.termsOf, c.UnitNamed, c.useEvidence
	c.Cases.TellLate = c.Notices.TellLate
	c.Reports.Photos, c.Reports.Voice = c.usePhotos, c.useVoice
	c.Batches = batch.New(batch.Config{Pool: pool, Committer: c.Reports.Committer, Do: c.actFor, Log: c.log, Now: now})
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	c.announcer.Go(func() { c.announceCommits(run) })
	if _, err := c.Reload(ctx); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.LoadDesk(ctx); err != nil { // after the plan, which names the city
		c.Close()
		return nil, fmt.Errorf("what decides about cases: %w", err)
	}
	return c, nil
}

// Close ends the city's writers. The pool belongs to the database.
func (c *City) Close() {
	c.Reports.Committer.Close()
	c.Auth.Close()
	c.stop()
	c.announcer.Wait()
}

// announceCommits wakes this process's own follower first, then the other nodes'; commits that come meanwhile share one
// announcement.
func (c *City) announceCommits(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.committed:
		}
		if wake := c.wake.Load(); wake != nil {
			(*wake)()
		}
		c.Announce()
	}
}

// State is the plan in force and what hangs on it.
func (c *City) State() *State { return c.state.Load() }

func (c *City) bound() orb.Bound {
	if s := c.state.Load(); s != nil && s.Layout != nil {
		return s.Layout.Bound
	}
	return orb.Bound{}
}

// Announce tells the nodes that follow the city's feed to look. It is only a hint: they poll besides.
func (c *City) Announce() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := feed.Notify(ctx, c.Pool, c.Code); err != nil {
		c.log.Debug("announce", "err", err)
	}
}

// Reload loads the plan in force if it is another than the one at hand; changed tells.
func (c *City) Reload(ctx context.Context) (changed bool, err error) { return c.loadState(ctx, false) }

// loadState loads the plan in force and what hangs on it; anew, whatever is at hand.
func (c *City) loadState(ctx context.Context, anew bool) (changed bool, err error) {
	c.reload.Lock()
	defer c.reload.Unlock()
	plan, ok, err := c.Plans.InForce(ctx)
	if err != nil {
		return false, err
	}
	old := c.state.Load()
	if !anew && old != nil && (old.Layout == nil) == !ok && (!ok || old.Layout.Plan.ID == plan.ID && old.Layout.Plan.Version == plan.Version) {
		return false, nil
	}
	next := &State{}
	if ok {
		if next.Layout, err = c.Plans.Load(ctx, plan); err != nil {
			return false, err
		}
		if next.Boundaries, err = boundaries(next.Layout); err != nil {
			return false, fmt.Errorf("plan %s: %w", plan.Name, err)
		}
	}
	next.grids = cellsOfGrids(next.Layout)
	if err := c.loadPlaces(ctx, next); err != nil {
		return false, err
	}
	if err := c.loadWords(ctx, next); err != nil {
		return false, err
	}
	c.state.Store(next)
	return true, nil
}

// ReloadPlaces reads the gazetteer and the attributions anew.
func (c *City) ReloadPlaces(ctx context.Context) error {
	c.reload.Lock()
	defer c.reload.Unlock()
	next := *c.state.Load()
	if err := c.loadPlaces(ctx, &next); err != nil {
		return err
	}
	if err := c.loadWords(ctx, &next); err != nil {
		return err
	}
	c.state.Store(&next)
	return nil
}

// loadPlaces fills in the gazetteer, in which the plan's jurisdictions are places too, and the placer that uses it.
func (c *City) loadPlaces(ctx context.Context, s *State) error {
	entries, err := place.Load(ctx, c.Pool)
	if err != nil {
		return err
	}
	var plan jurisdiction.PlanID
	var index *placement.Index
	var roles []string
	if s.Layout != nil {
		plan, index, roles = s.Layout.Plan.ID, s.Layout.Index, s.Layout.Roles()
		entries = withUnits(entries, s.Layout)
	}
	s.Places = place.New(entries)
	s.Placer = report.NewPlacer(int64(plan), index, roles, s.Places)
	return nil
}

// withUnits adds the plan's jurisdictions to the gazetteer. A place that has a jurisdiction's code is another name of it,
// and lies where the plan in force has it.
func withUnits(places []place.Entry, l *jurisdiction.Layout) []place.Entry {
	names := map[string][]string{}
	others := places[:0:0]
	for _, p := range places {
		if p.Code != "" && l.Has(p.Code) {
			names[p.Code] = append(append(names[p.Code], p.Name), p.Aliases...)
			continue
		}
		others = append(others, p)
	}
	for _, lv := range l.Levels {
		for _, u := range lv.Units {
			e := place.Entry{Code: u.Code, Name: u.Name, Kind: string(lv.Role), Aliases: names[u.Code], Lon: u.Center[0], Lat: u.Center[1]}
			if u.NameLatin != "" {
				e.Aliases = append(e.Aliases, u.NameLatin)
			}
			others = append(others, e)
		}
	}
	return others
}

func boundaries(l *jurisdiction.Layout) (*tiles.Boundaries, error) {
	levels := make([]tiles.Level, len(l.Levels))
	for i, lv := range l.Levels {
		units := make([]tiles.Unit, len(lv.Units))
		for k, u := range lv.Units {
			units[k] = tiles.Unit{Code: u.Code, Name: u.Name, NameLatin: u.NameLatin, Parent: u.Parent, Generated: l.Generated}
		}
		levels[i] = tiles.Level{Role: string(lv.Role), Coverage: lv.Coverage, Units: units}
	}
	return tiles.NewBoundaries(levels)
}

// Dial tells the hours of the day in the city's zone.
func (c *City) Dial() *cube.Dial { return c.dial }
