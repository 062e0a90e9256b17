package app

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/demo/haining"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/patrol"
	"gridgov/internal/policy"
)

// patrolWeeks is for how long the demo's people have gone by its points.
const patrolWeeks = 7

// demoPoints are what is looked after, in turn: what it is called, why, and how often somebody is to go by.
var demoPoints = []struct {
	name, note string
	days       int
}{
	{"桥头水位尺", "看水位和桥栏", 7}, {"沿街餐饮店", "油烟、占道、垃圾分类", 7}, {"秸秆堆放点", "有无露天焚烧", 3}, {"废品收购站", "消防通道、乱堆放", 14}, {"工地围挡", "渣土、噪声", 10}, {"出租房集中点", "飞线充电、楼道堆物", 14},
	{"河道排口", "排水颜色和气味", 7},
}

// hainingPatrols sets points in the village of the demo's accounts, at middles of microgrids, and has the village's people go by in the
// weeks up to the demo's day. One grid in five has no point, one in five is never gone to, and some stood too far away: so there is a gap
// of each kind. What is there already is not made again, so that it goes on where it was interrupted; where somebody has set or changed a
// point meanwhile nothing is done.
func hainingPatrols(ctx context.Context, c *City, until time.Time) error {
	there, err := patrolsThere(ctx, c)
	if err != nil || there.own {
		return err
	}
	who, err := patrolsOf(ctx, c, haining.VillageCode)
	if err != nil || who.secretary.Person == uuid.Nil || who.officer.Person == uuid.Nil { // a demo that somebody has changed meanwhile
		return err
	}
	last := time.Date(until.Year(), until.Month(), until.Day()-1, 0, 0, 0, 0, c.Zone)
	first := last.AddDate(0, 0, -7*patrolWeeks)
	anything := func(*patrol.Point) error { return nil }
	n := 0
	for i, grid := range c.below(haining.VillageCode, jurisdiction.RoleGrid) {
		if i%5 == 4 {
			continue
		}
		for k, micro := range c.below(grid.Code, jurisdiction.RoleMicrogrid) {
			if k == 1+(i+2)%3 { // three points in the first grid, one or two in others
				break
			}
			about := demoPoints[n%len(demoPoints)]
			n++
			p := patrol.Point{Name: about.name, Note: about.note, Place: micro.Center, RhythmDays: about.days, Generated: true}
			if p.ID = there.points[p.Place]; p.ID == 0 {
				set := *c.Patrols
				set.Now = func() time.Time { return first.Add(9 * time.Hour) }
				if p, err = set.Set(who.secretary.author(ctx), p, anything); err != nil {
					return fmt.Errorf("a point in %s: %w", grid.Name, err)
				}
			}
			if i%5 == 3 {
				continue
			}
			by := who.of(i, grid.Code)
			for _, v := range demoVisits(&p, first, last, n) {
				if there.visits[v.ID] {
					continue
				}
				tell := *c.Patrols
				tell.Now = func() time.Time { return v.ToldAt }
				if _, _, err := tell.Tell(by.author(ctx), v, anything); err != nil {
					return fmt.Errorf("a visit in %s: %w", grid.Name, err)
				}
			}
		}
	}
	return nil
}

// demoThere is what there is of a demo's patrols.
type demoThere struct {
	own    bool                         // somebody has set a point of their own
	points map[orb.Point]patrol.PointID // 0: it was removed
	visits map[patrol.VisitID]bool
}

func patrolsThere(ctx context.Context, c *City) (d demoThere, err error) {
	d.points, d.visits = map[orb.Point]patrol.PointID{}, map[patrol.VisitID]bool{}
	rows, err := c.Pool.Query(ctx, `SELECT id, lon, lat, generated AND version = 1 FROM patrol_point`)
	if err != nil {
		return d, fmt.Errorf("read the demo's points: %w", err)
	}
	var id patrol.PointID
	var at orb.Point
	var untouched bool
	if _, err = pgx.ForEachRow(rows, []any{&id, &at[0], &at[1], &untouched}, func() error {
		d.points[at], d.own = id, d.own || !untouched
		return nil
	}); err != nil {
		return d, fmt.Errorf("read the demo's points: %w", err)
	}
	if rows, err = c.Pool.Query(ctx, `SELECT id FROM patrol_visit WHERE generated`); err != nil {
		return d, fmt.Errorf("read the demo's visits: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return d, fmt.Errorf("read the demo's visits: %w", err)
	}
	for _, v := range list {
		d.visits[patrol.VisitID(v)] = true
	}
	return d, nil
}

// demoVisits are somebody's visits to a point from the day after the first to the last, each a rhythm after the one before, more or less.
func demoVisits(p *patrol.Point, first, last time.Time, seed int) (list []patrol.Visit) {
	rng := rand.New(rand.NewPCG(uint64(seed), 3)) //nolint:gosec // the demo's visits are to be the same each time
	for day := 1 + rng.IntN(p.RhythmDays); ; day += max(1, p.RhythmDays-1+rng.IntN(4)) {
		at := first.AddDate(0, 0, day).Add(8*time.Hour + time.Duration(rng.IntN(9*3600))*time.Second)
		if at.After(last) {
			return list
		}
		away, told := 18*rng.Float64(), time.Minute
		switch rng.IntN(12) {
		case 0: // from across the road
			away = 60 + 60*rng.Float64()
		case 1: // without a line until the evening
			told = 7 * time.Hour
		}
		const degreeM = 111_000
		sin, cos := math.Sincos(2 * math.Pi * rng.Float64())
		place := orb.Point{p.Place[0] + away*cos/degreeM/math.Cos(p.Place[1]*math.Pi/180), p.Place[1] + away*sin/degreeM}
		list = append(list, patrol.Visit{ID: patrol.VisitID(uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "gridgov demo visit %d %d", seed, day))), Point: p.ID, At: at, ToldAt: at.Add(told),
			Place: &place, AccuracyM: math.Round(4 + 20*rng.Float64()), Generated: true})
	}
}

// below are the units of a level whose parent has the code, in order.
func (c *City) below(code string, role jurisdiction.Role) (units []jurisdiction.Unit) {
	for _, level := range c.State().Layout.Levels {
		for i := range level.Units {
			if level.Role == role && level.Units[i].Parent == code {
				units = append(units, level.Units[i])
			}
		}
	}
	return units
}

// demoPatrol are who goes by a demo village's points.
type demoPatrol struct {
	secretary, officer holder
	workers            map[string]holder // by grid
}

// of is who goes by the points of the village's i-th grid: its worker, else one of the two of the village.
func (d *demoPatrol) of(i int, grid string) holder {
	if w, ok := d.workers[grid]; ok {
		return w
	}
	if i%2 == 0 {
		return d.officer
	}
	return d.secretary
}

func patrolsOf(ctx context.Context, c *City, village string) (d demoPatrol, err error) {
	rows, err := c.Pool.Query(ctx, `
		SELECT id, person_id, role, code FROM post WHERE ends IS NULL AND (code = $1 AND role IN ('village_secretary', 'stationed_officer') OR level = 'grid' AND role = 'grid_worker') ORDER BY id`, village)
	if err != nil {
		return d, fmt.Errorf("who goes by in the demo: %w", err)
	}
	d.workers = map[string]holder{}
	var h holder
	var code string
	_, err = pgx.ForEachRow(rows, []any{&h.Post, &h.Person, &h.Role, &code}, func() error {
		switch h.Role {
		case policy.VillageSecretary:
			d.secretary = h
		case policy.StationedOfficer:
			d.officer = h
		default:
			d.workers[code] = h
		}
		return nil
	})
	if err != nil {
		return d, fmt.Errorf("who goes by in the demo: %w", err)
	}
	return d, nil
}
