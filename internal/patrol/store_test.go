package patrol_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/patrol"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// yard is a city of squares of a hundredth of a degree east and north of (120, 30), whose clock stands.
type yard struct {
	*patrol.Service
	t           *testing.T
	owner       *pgxpool.Pool
	now         time.Time
	worker, sec uuid.UUID
	gone        bool // its plan has no grids any more
}

func newYard(t *testing.T) *yard {
	owner, city, _ := pgtest.City(t)
	y := &yard{t: t, owner: owner, now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), worker: uuid.New(), sec: uuid.New()}
	y.Service = &patrol.Service{Pool: city, Feed: &feed.Writer{}, Now: func() time.Time { return y.now }, Zone: zone(t, "Asia/Shanghai"), Cell: func(p orb.Point) (c policy.Cell) {
		if x, n := math.Floor((p[0]-120)*100), math.Floor((p[1]-30)*100); !y.gone && x >= 0 && x < 100 && n >= 0 && n < 100 {
			c = policy.Cell{Town: "T", Village: fmt.Sprintf("V%v", x), Grid: fmt.Sprintf("G%v-%v", x, n)}
		}
		return c
	}}
	for id, name := range map[uuid.UUID]string{y.worker: "王晓芳", y.sec: "张水根"} {
		y.exec(`INSERT INTO person (id, name, machine, created_at, version) VALUES ($1, $2, false, $3, 1)`, id, name, y.now)
	}
	return y
}

func (y *yard) exec(sql string, args ...any) {
	y.t.Helper()
	if _, err := y.owner.Exec(y.t.Context(), sql, args...); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) as(id uuid.UUID) context.Context {
	return audit.By(y.t.Context(), audit.Author{Person: id})
}

func yes(*patrol.Point) error { return nil }

func aPoint(lon, lat float64) patrol.Point {
	return patrol.Point{Name: " 村口桥头 ", Note: "看水位", Place: orb.Point{lon, lat}, RhythmDays: 7}
}

func (y *yard) set(lon, lat float64) patrol.Point {
	y.t.Helper()
	p, err := y.Set(y.as(y.sec), aPoint(lon, lat), yes)
	if err != nil {
		y.t.Fatal(err)
	}
	return p
}

func (y *yard) visit(p *patrol.Point, change ...func(*patrol.Visit)) patrol.Visit {
	v := patrol.Visit{ID: patrol.VisitID(uuid.Must(uuid.NewV7())), Point: p.ID, At: y.now, Place: &orb.Point{p.Place[0], p.Place[1]}, AccuracyM: 8}
	for _, c := range change {
		c(&v)
	}
	return v
}

func (y *yard) told(v patrol.Visit) patrol.Visit {
	y.t.Helper()
	out, existed, err := y.Tell(y.as(y.worker), v, yes)
	if err != nil || existed {
		y.t.Fatal(existed, err)
	}
	return out
}

// code is a fault's, with its field.
func code(err error) string {
	if f, ok := fault.As(err); ok {
		return strings.TrimSpace(f.Code + " " + f.Field)
	}
	return fmt.Sprint(err)
}

func (y *yard) want(got error, want string) {
	y.t.Helper()
	if code(got) != want {
		y.t.Errorf("%q, want %q", code(got), want)
	}
}

// A point is set, changed by who saw it as it is, removed, and is on record with each; its words are on no record.
func TestPoints(t *testing.T) {
	y := newYard(t)
	for want, change := range map[string]func(*patrol.Point){
		"required name":            func(p *patrol.Point) { p.Name = " \t" },
		"bad_text name":            func(p *patrol.Point) { p.Name = strings.Repeat("桥", 101) },
		"bad_text note":            func(p *patrol.Point) { p.Note = "a\x00b" },
		"out_of_range rhythm_days": func(p *patrol.Point) { p.RhythmDays = 367 },
		"out_of_range lon":         func(p *patrol.Point) { p.Place[0] = math.NaN() },
		"out_of_range lat":         func(p *patrol.Point) { p.Place[1] = 90.1 },
		"outside lon":              func(p *patrol.Point) { p.Place = orb.Point{119.999, 30.5} },
	} {
		p := aPoint(120.5, 30.5)
		change(&p)
		_, err := y.Set(y.as(y.sec), p, yes)
		y.want(err, want)
	}
	y.want(func() error {
		p := aPoint(120.5, 30.5)
		p.RhythmDays = 0
		_, err := y.Set(y.as(y.sec), p, yes)
		return err
	}(), "out_of_range rhythm_days")
	_, err := y.Set(y.as(y.sec), aPoint(120.5, 30.5), func(p *patrol.Point) error { return fault.Forbidden("not_allowed", "%s", p.Cell.Grid) })
	y.want(err, "not_allowed lon")

	p := y.set(120.505, 30.505)
	if p.Name != "村口桥头" || p.Version != 1 || p.Cell.Grid != "G50-50" || p.MadeBy != y.sec || !p.Last.IsZero() {
		t.Errorf("%+v", p)
	}
	y.now = y.now.Add(time.Hour)
	if same, err := y.Change(y.as(y.worker), p.ID, 1, patrol.Change{Name: new("村口桥头 ")}, yes); err != nil || same.Version != 1 {
		t.Errorf("nothing is changed: %+v %v", same, err)
	}
	q, err := y.Change(y.as(y.worker), p.ID, 1, patrol.Change{Note: new(""), Lon: new(120.515), RhythmDays: new(366)}, yes)
	if err != nil || q.Version != 2 || q.Cell.Grid != "G51-50" || q.Note != "" || q.Name != p.Name || q.ChangedBy != y.worker || q.MadeBy != y.sec {
		t.Errorf("%+v %v", q, err)
	}
	_, err = y.Change(y.as(y.sec), p.ID, 1, patrol.Change{RhythmDays: new(3)}, yes)
	if y.want(err, "point_changed"); !strings.Contains(err.Error(), "王晓芳 changed the point at 17:00 on 24 November") {
		t.Error(err)
	}
	_, err = y.Change(y.as(y.sec), p.ID, 2, patrol.Change{Lat: new(31.5)}, yes)
	y.want(err, "outside lon")
	_, err = y.Change(y.as(y.sec), p.ID, 2, patrol.Change{Lon: new(120.525)}, func(p *patrol.Point) error {
		if p.Cell.Grid == "G52-50" {
			return fault.Forbidden("not_allowed", "not there")
		}
		return nil
	})
	y.want(err, "not_allowed lon")
	_, err = y.Change(y.as(y.sec), p.ID+1, 2, patrol.Change{}, yes)
	y.want(err, "not_found")
	y.want(y.Remove(y.as(y.sec), p.ID, 1, yes), "point_changed")
	y.want(y.Remove(y.as(y.sec), p.ID, 2, func(*patrol.Point) error { return fault.Forbidden("not_allowed", "") }), "not_allowed")
	y.want(y.Remove(y.as(y.sec), p.ID, 2, yes), "<nil>")
	y.want(y.Remove(y.as(y.sec), p.ID, 2, yes), "<nil>") // the answer was lost
	_, err = y.Change(y.as(y.worker), p.ID, 3, patrol.Change{RhythmDays: new(3)}, yes)
	if y.want(err, "point_changed"); !strings.Contains(err.Error(), "张水根 removed") {
		t.Error(err)
	}
	if list, err := y.Points(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if one, err := y.Point(t.Context(), p.ID); err != nil || one.RemovedAt.IsZero() || one.Version != 3 {
		t.Errorf("%+v %v", one, err)
	}
	_, err = y.Restore(y.as(y.sec), p.ID, 2, yes)
	y.want(err, "point_changed")
	_, err = y.Restore(y.as(y.sec), p.ID, 3, func(*patrol.Point) error { return fault.Forbidden("not_allowed", "") })
	y.want(err, "not_allowed")
	for range 2 { // the second as if the answer was lost
		if p, err := y.Restore(y.as(y.sec), p.ID, 3, yes); err != nil || p.Version != 4 || !p.RemovedAt.IsZero() {
			t.Errorf("%+v %v", p, err)
		}
	}
	var acts, told string
	err = y.owner.QueryRow(t.Context(), `SELECT (SELECT string_agg(act || ' ' || subject, ', ' ORDER BY seq) FROM audit),
		(SELECT string_agg(coalesce(before::text, '') || coalesce(after::text, ''), ' ') FROM audit) || (SELECT string_agg(type || data::text, ' ' ORDER BY seq) FROM event)`).Scan(&acts, &told)
	if err != nil || acts != "patrol.set patrol:1, patrol.change patrol:1, patrol.remove patrol:1, patrol.restore patrol:1" {
		t.Errorf("%s %v", acts, err)
	}
	for _, word := range []string{"桥", "水位", "120.5", y.worker.String()} {
		if strings.Contains(told, word) {
			t.Errorf("%s is told: %s", word, told)
		}
	}
	// The move is told where the point went and where it was.
	if strings.Count(told, "patrol.changed") != 5 || strings.Count(told, "G50-50") < 3 || strings.Count(told, "V51") != 3 {
		t.Error(told)
	}
}

// A point that lies in no grid since another plan is in force can still be given another rhythm, be moved back, and be removed.
func TestPointsOutsideOfANewPlan(t *testing.T) {
	y := newYard(t)
	p, q := y.set(120.505, 30.505), y.set(120.505, 30.505)
	y.gone = true
	if list, err := y.Points(t.Context()); err != nil || len(list) != 2 || list[0].Cell.Grid != "" {
		t.Errorf("%+v %v", list, err)
	}
	_, err := y.Change(y.as(y.sec), p.ID, 1, patrol.Change{RhythmDays: new(3)}, yes)
	y.want(err, "<nil>")
	_, err = y.Change(y.as(y.sec), p.ID, 2, patrol.Change{Lon: new(120.51)}, yes)
	y.want(err, "outside lon")
	y.want(y.Remove(y.as(y.sec), q.ID, 1, yes), "<nil>")
	y.gone = false
	if p, err = y.Change(y.as(y.sec), p.ID, 2, patrol.Change{Lon: new(120.515)}, yes); err != nil || p.Cell.Grid != "G51-50" {
		t.Errorf("%+v %v", p, err)
	}
}

// Of edits that saw the same version one is done, whoever comes at once.
func TestTwoEditsAtOnce(t *testing.T) {
	y := newYard(t)
	p := y.set(120.505, 30.505)
	for round := range 10 {
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = y.Change(y.as(y.sec), p.ID, round+1, patrol.Change{RhythmDays: new(1 + (round*4+i+8)%366)}, yes)
			})
		}
		wg.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if code(err) != "point_changed" {
				t.Error(err)
			}
		}
		if done != 1 {
			t.Fatalf("%d of 4 edits of one version were done: %v", done, errs)
		}
	}
}

// A visit counts within 50 m as PostGIS measures them, whatever its accuracy; any other is kept and told as what it is.
func TestVisits(t *testing.T) {
	y := newYard(t)
	p := y.set(120.505, 30.505)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		m := 30 + 40*rng.Float64()
		v := y.told(y.visit(&p, func(v *patrol.Visit) {
			v.Place = &orb.Point{p.Place[0] + m*c/95_900, p.Place[1] + m*s/110_850}
			v.AccuracyM = 500 * rng.Float64()
		}))
		var want float64
		if err := y.owner.QueryRow(t.Context(), `SELECT ST_Distance(ST_SetSRID(ST_MakePoint($1, $2), 4326)::geography, ST_SetSRID(ST_MakePoint($3, $4), 4326)::geography)`,
			p.Place[0], p.Place[1], v.Place[0], v.Place[1]).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if math.Abs(v.DistanceM-want) > 0.001 || v.Within != (want <= 50) || v.Counts() != (want <= 50) {
			t.Errorf("%+v, PostGIS has %v m", v, want)
		}
	}
	far := y.told(y.visit(&p, func(v *patrol.Visit) { v.Place = &orb.Point{123.6, 30.5}; v.AccuracyM = 0 }))
	if fmt.Sprint(far.Flags()) != "[too_far exact_zero]" || far.Counts() || far.DistanceM < 290_000 || far.DistanceM > 310_000 {
		t.Errorf("%+v %v", far, far.Flags())
	}
	kept, err := y.Visits(t.Context(), p.ID, 100)
	if err != nil || len(kept) != 61 {
		t.Fatal(len(kept), err)
	}
	if kept, err = y.Visits(t.Context(), p.ID, 7); err != nil || len(kept) != 7 {
		t.Fatal(len(kept), err)
	}
	for want, change := range map[string]func(*patrol.Visit){
		"required id":             func(v *patrol.Visit) { v.ID = patrol.VisitID{} },
		"required at":             func(v *patrol.Visit) { v.At = time.Time{} },
		"out_of_range at":         func(v *patrol.Visit) { v.At = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) },
		"in_the_future at":        func(v *patrol.Visit) { v.At = y.now.Add(24*time.Hour + time.Second) },
		"out_of_range accuracy_m": func(v *patrol.Visit) { v.AccuracyM = math.NaN() },
		"out_of_range lon":        func(v *patrol.Visit) { v.Place[0] = math.Inf(1) },
		"out_of_range lat":        func(v *patrol.Visit) { v.Place[1] = math.NaN() },
		"required lon":            func(v *patrol.Visit) { v.Place = nil },
		"bad_text note":           func(v *patrol.Visit) { v.Note = "\xff" },
		"not_found":               func(v *patrol.Visit) { v.Point = 1 << 40 },
	} {
		_, _, err := y.Tell(y.as(y.worker), y.visit(&p, change), yes)
		y.want(err, want)
	}
	_, _, err = y.Tell(y.as(y.worker), y.visit(&p), func(*patrol.Point) error { return fault.Forbidden("not_allowed", "") })
	y.want(err, "not_allowed")
}

// A visit told again is the one that was told, also at once; its id is good for nothing else.
func TestVisitsAreToldOnce(t *testing.T) {
	y := newYard(t)
	p, q := y.set(120.505, 30.505), y.set(120.505, 30.505)
	v := y.visit(&p, func(v *patrol.Visit) { v.At = y.now.Add(123 * time.Nanosecond); v.Note = "都好\n" })
	first := y.told(v)
	y.now = y.now.Add(time.Hour)
	again, existed, err := y.Tell(y.as(y.worker), v, func(*patrol.Point) error { return errors.New("a retry is no other act") })
	if err != nil || !existed || !again.ToldAt.Equal(first.ToldAt) || again.Note != "都好" || *again.Place != *first.Place || again.Counts() != first.Counts() {
		t.Errorf("%+v %v %v, first %+v", again, existed, err, first)
	}
	for what, change := range map[string]func(*patrol.Visit){
		"point": func(v *patrol.Visit) { v.Point = q.ID }, "at": func(v *patrol.Visit) { v.At = v.At.Add(time.Second) }, "note": func(v *patrol.Visit) { v.Note = "" },
		"lat": func(v *patrol.Visit) { v.Place = &orb.Point{v.Place[0], v.Place[1] + 1e-9} }, "accuracy": func(v *patrol.Visit) { v.AccuracyM++ },
	} {
		other := v
		change(&other)
		if _, _, err := y.Tell(y.as(y.worker), other, yes); code(err) != "other_content id" {
			t.Errorf("another %s: %v", what, err)
		}
	}
	_, _, err = y.Tell(y.as(y.sec), v, yes)
	y.want(err, "id_taken id")
	for range 10 {
		v := y.visit(&p)
		made := make([]bool, 4)
		var wg sync.WaitGroup
		for i := range made {
			wg.Go(func() {
				out, existed, err := y.Tell(y.as(y.worker), v, yes)
				if made[i] = !existed; err != nil || out.ID != v.ID {
					t.Errorf("%+v %v", out, err)
				}
			})
		}
		wg.Wait()
		if n := len(slices.DeleteFunc(made, func(m bool) bool { return !m })); n != 1 {
			t.Fatalf("%d were first", n)
		}
	}
	var rows, events, acts int
	err = y.owner.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM patrol_visit), (SELECT count(*) FROM event), (SELECT count(*) FROM audit)`).Scan(&rows, &events, &acts)
	if err != nil || rows != 11 || events != 2+11 || acts != 2 { // where people go is on no record of acts
		t.Errorf("%d rows, %d events, %d acts, %v", rows, events, acts, err)
	}
	// What is forgotten is not held against a retry; what is left is.
	y.exec(`UPDATE patrol_visit SET lon = NULL, lat = NULL, note = NULL WHERE id = $1`, uuid.UUID(v.ID))
	if _, existed, err := y.Tell(y.as(y.worker), v, yes); err != nil || !existed {
		t.Error(existed, err)
	}
	v.AccuracyM++
	_, _, err = y.Tell(y.as(y.worker), v, yes)
	y.want(err, "other_content id")
}

// A visit to a point that was removed is kept. It counts if somebody was there before, however late it is told.
func TestVisitsToARemovedPoint(t *testing.T) {
	y := newYard(t)
	p := y.set(120.505, 30.505)
	made := y.now
	y.now = made.AddDate(0, 0, 40)
	if err := y.Remove(y.as(y.sec), p.ID, 1, yes); err != nil {
		t.Fatal(err)
	}
	y.now = y.now.Add(time.Hour)
	at := func(at time.Time) func(*patrol.Visit) { return func(v *patrol.Visit) { v.At = at } }
	for _, c := range []struct {
		at     time.Time
		flags  string
		counts bool
	}{
		{made.Add(-time.Second), "[not_there late]", false},
		{made, "[late]", true},
		{y.now.Add(-time.Hour - time.Second), "[]", true},
		{y.now.Add(-time.Hour), "[not_there]", false},
	} {
		v := y.told(y.visit(&p, at(c.at)))
		if fmt.Sprint(v.Flags()) != c.flags || v.Counts() != c.counts {
			t.Errorf("at %v: %v, counts %v", c.at, v.Flags(), v.Counts())
		}
		kept, err := y.Visits(t.Context(), p.ID, 100)
		i := slices.IndexFunc(kept, func(k patrol.Visit) bool { return k.ID == v.ID })
		if err != nil || i < 0 || fmt.Sprint(kept[i].Flags()) != c.flags {
			t.Errorf("as it is read: %+v %v", kept, err)
		}
	}
	if p, err := y.Point(t.Context(), p.ID); err != nil || !p.Last.Equal(y.now.Add(-time.Hour-time.Second)) {
		t.Errorf("%+v %v", p, err)
	}
}

// What is counted in windows is what an independent statement counts, over points and visits of all kinds.
func TestTalliesAreTheDatabases(t *testing.T) {
	y := newYard(t)
	rng := rand.New(rand.NewPCG(3, 4))
	start := y.now
	hours := func(from, to int) time.Duration { return time.Duration(from+rng.IntN(to-from)) * time.Hour }
	for range 30 {
		y.now = start.Add(hours(0, 100))
		p := y.set(120+0.001*float64(1+rng.IntN(30)), 30.005)
		y.now = y.now.Add(hours(1, 100))
		if rng.IntN(3) == 0 {
			if err := y.Remove(y.as(y.sec), p.ID, 1, yes); err != nil {
				t.Fatal(err)
			}
		}
		y.now = start.Add(300 * time.Hour)
		for range rng.IntN(5) {
			y.told(y.visit(&p, func(v *patrol.Visit) {
				v.At = start.Add(hours(-5, 210))
				v.Place = &orb.Point{p.Place[0], p.Place[1] + 0.0001*float64(rng.IntN(9))}
			}))
		}
	}
	list, err := y.Points(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		var last *time.Time
		if err := y.owner.QueryRow(t.Context(), `SELECT at FROM patrol_visit WHERE point_id = $1 AND distance_m <= 50 AND at >= (SELECT made_at FROM patrol_point WHERE id = $1) ORDER BY at DESC LIMIT 1`,
			p.ID).Scan(&last); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		if last == nil != p.Last.IsZero() || last != nil && !last.Equal(p.Last) {
			t.Errorf("point %d was visited last at %v, the database has %v", p.ID, p.Last, last)
		}
	}
	visited := 0
	for range 40 {
		from := start.Add(hours(-20, 210))
		to := from.Add(hours(1, 100))
		tallies, err := y.Tallies(t.Context(), from, to)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][3]int64{}
		for _, c := range tallies {
			g := got[c.Cell.Grid]
			last := max(g[2], 0)
			if !c.Last.IsZero() {
				last = max(last, c.Last.Unix())
			}
			got[c.Cell.Grid] = [3]int64{g[0] + 1, g[1] + int64(c.Visits), last}
		}
		rows, err := y.owner.Query(t.Context(), `
			WITH standing AS (SELECT id, 'G' || floor((lon - 120) * 100) || '-' || floor((lat - 30) * 100) AS grid, tstzrange(made_at, removed_at) AS span FROM patrol_point)
			SELECT s.grid, count(DISTINCT s.id), count(v.id), coalesce(max(extract(epoch FROM v.at))::bigint, 0)
			FROM standing s LEFT JOIN patrol_visit v ON v.point_id = s.id AND v.distance_m <= 50 AND v.at <@ s.span AND v.at <@ tstzrange($1, $2)
			WHERE s.span && tstzrange($1, $2) GROUP BY s.grid`, from, to)
		if err != nil {
			t.Fatal(err)
		}
		var grid string
		var n [3]int64
		want := map[string][3]int64{}
		if _, err := pgx.ForEachRow(rows, []any{&grid, &n[0], &n[1], &n[2]}, func() error { want[grid] = n; return nil }); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("from %v to %v: %v, the database has %v", from, to, got, want)
		}
		for _, n := range want {
			visited += int(n[1])
		}
	}
	if visited < 100 {
		t.Errorf("only %d visits were counted", visited)
	}
}

// Whatever a program may do wrong, the database keeps no such row; and the city's own role can take back nothing that was told.
func TestTheDatabaseRefuses(t *testing.T) {
	y := newYard(t)
	p := y.set(120.505, 30.505)
	y.told(y.visit(&p))
	point := func(change string) string { return `UPDATE patrol_point SET ` + change }
	visit := func(change string) string { return `UPDATE patrol_visit SET ` + change }
	for sql, state := range map[string]string{
		point(`lon = 'NaN'`): "23514", point(`lat = 91`): "23514", point(`rhythm_days = 0`): "23514", point(`rhythm_days = 367`): "23514", point(`name = ''`): "23514",
		point(`name = E'a\nb'`): "23514", point(`note = repeat('a', 501)`): "23514", point(`version = 0`): "23514", point(`removed_at = changed_at + interval '1 second'`): "23514",
		point(`changed_at = made_at - interval '1 second'`): "23514",
		visit(`lon = 'NaN'`): "23514", visit(`lat = NULL`): "23514", visit(`accuracy_m = 'NaN'`): "23514", visit(`accuracy_m = -1`): "23514", visit(`distance_m = 'Infinity'`): "23514",
		visit(`distance_m = -1`): "23514", visit(`lon = NULL, lat = NULL, note = 'x'`): "23514", visit(`within = false`): "428C9", visit(`point_id = 99`): "23503",
		`DELETE FROM patrol_point`: "23503",
	} {
		_, err := y.owner.Exec(t.Context(), sql)
		if pg := new(pgconn.PgError); !errors.As(err, &pg) || pg.Code != state {
			t.Errorf("%s: %v, want %s", sql, err, state)
		}
	}
	for _, sql := range []string{`DELETE FROM patrol_visit`, `DELETE FROM patrol_point`, visit(`at = told_at`), visit(`distance_m = 1`), visit(`person_id = person_id`), point(`made_by = changed_by`)} {
		_, err := y.Pool.Exec(t.Context(), sql)
		if pg := new(pgconn.PgError); !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("%s: %v, want a refusal", sql, err)
		}
	}
}

// A city has so many points and no more; one that is removed makes room.
func TestTooManyPoints(t *testing.T) {
	y := newYard(t)
	p := y.set(120.505, 30.505)
	y.exec(`INSERT INTO patrol_point (name, lon, lat, rhythm_days, generated, made_at, made_by, version, changed_at, changed_by)
		SELECT 'x', lon, lat, 1, false, made_at, made_by, 1, made_at, made_by FROM patrol_point, generate_series(2, $1)`, patrol.MaxPoints)
	_, err := y.Set(y.as(y.sec), aPoint(120.505, 30.505), yes)
	y.want(err, "too_many_points")
	y.want(y.Remove(y.as(y.sec), p.ID, 1, yes), "<nil>")
	y.set(120.505, 30.505)
}
