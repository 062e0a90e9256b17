package person_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"gridgov/internal/fault"
	"gridgov/internal/feed"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

// plan is a plan of codes that begin with those of the jurisdictions they lie in.
type plan []policy.Area

func (p plan) Has(a policy.Area) bool { return slices.Contains(p, a) }

func (p plan) Below(a policy.Area) (out []policy.Area) {
	for _, b := range p {
		if strings.HasPrefix(b.Code, a.Code) {
			out = append(out, b)
		}
	}
	return out
}

var (
	city    = policy.Area{Level: policy.City, Code: "330481"}
	town    = policy.Area{Level: policy.Town, Code: "330481101"}
	village = policy.Area{Level: policy.Village, Code: "330481101200"}
	grid    = policy.Area{Level: policy.Grid, Code: "330481101200001"}
	other   = policy.Area{Level: policy.Grid, Code: "330481103200001"}
	micro   = policy.Area{Level: policy.Microgrid, Code: "33048110120000101"}
	areas   = plan{city, town, village, grid, other, micro}
)

func service(t testing.TB) *person.Service {
	t.Helper()
	_, pool, _ := pgtest.City(t)
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return &person.Service{Pool: pool, Feed: &feed.Writer{}, Zone: zone, Plan: func() person.Plan { return areas },
		Now: func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) }}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Code != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func human(t testing.TB, s *person.Service, name string) uuid.UUID {
	t.Helper()
	return must(s.Create(context.Background(), person.New{Name: name}))(t).ID
}

func TestPostsBeginAndEndAtMidnightInTheCitysZone(t *testing.T) {
	ctx, s := t.Context(), service(t)
	who := human(t, s, "王芳")
	p := must(s.CreatePost(ctx, person.Post{Person: who, Role: policy.GridWorker, Area: grid, Begins: "2026-12-01", Ends: "2026-12-31"}))(t)
	team := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: "执法队", Area: town}))(t)
	line := must(s.CreateUnit(ctx, person.Unit{Kind: policy.LineDepartment, Name: "生态环境局", Area: city}))(t)
	inTeam := must(s.CreatePost(ctx, person.Post{Person: who, Role: policy.UnitMember, Unit: team.ID, Begins: "2026-01-01"}))(t)
	inLine := must(s.CreatePost(ctx, person.Post{Person: who, Role: policy.UnitMember, Unit: line.ID, Begins: "2026-01-01"}))(t)
	at := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, s.Zone) }
	want := []policy.Post{
		{ID: p.ID, Role: policy.GridWorker, Area: grid, From: at(2026, 12, 1), Until: at(2027, 1, 1)},
		{ID: inTeam.ID, Role: policy.UnitMember, Unit: team.ID, Area: town, From: at(2026, 1, 1)},
		{ID: inLine.ID, Role: policy.UnitMember, Unit: line.ID, From: at(2026, 1, 1)},
	}
	got := must(s.PostsOf(ctx, s.Pool, who))(t)
	if !slices.EqualFunc(got, want, func(a, b policy.Post) bool {
		return a.ID == b.ID && a.Role == b.Role && a.Area == b.Area && a.Unit == b.Unit && a.From.Equal(b.From) && a.Until.Equal(b.Until)
	}) {
		t.Errorf("posts\n%+v, want\n%+v", got, want)
	}
	if got[0].InForce(at(2026, 12, 1).Add(-time.Nanosecond)) || !got[0].InForce(at(2026, 12, 1)) ||
		!got[0].InForce(at(2027, 1, 1).Add(-time.Nanosecond)) || got[0].InForce(at(2027, 1, 1)) {
		t.Error("the post is not in force on exactly its days")
	}
	back := must(s.EndPost(ctx, p.ID, p.Version, "2026-11-01"))(t)
	if back.Ends != "2026-11-30" {
		t.Errorf("taken back, the post ends %s", back.Ends)
	}
	for _, p := range must(s.PostsOf(ctx, s.Pool, who))(t) {
		if p.ID == back.ID && (p.InForce(at(2026, 11, 30)) || p.InForce(at(2026, 12, 1))) {
			t.Error("a post that was taken back is in force")
		}
	}
}

// Each role is held in the places that its line names and in no others.
func TestPlacesOfRoles(t *testing.T) {
	ctx, s := t.Context(), service(t)
	units := map[policy.UnitKind]policy.UnitID{}
	for _, k := range policy.UnitKinds {
		units[k] = must(s.CreateUnit(ctx, person.Unit{Kind: k, Name: "u " + string(k), Area: town}))(t).ID
	}
	allowed := map[policy.Role]string{
		policy.GridWorker: "grid", policy.GridLeader: "grid", policy.MicrogridLeader: "microgrid", policy.VillageSecretary: "village",
		policy.StationedOfficer: "village", policy.Desk: "command_center", policy.CentreHead: "command_center", policy.Committee: "enforcement_committee",
		policy.TownLeader: "town", policy.Planner: "city", policy.Administrator: "city", policy.Resident: "city",
	}
	const levels, teams = "city town village grid microgrid", "town_team line_department enforcement_committee command_center x_force"
	for _, r := range []policy.Role{policy.Hotline, policy.Sensor, policy.Machine} {
		allowed[r] = levels
	}
	for _, r := range []policy.Role{policy.Auxiliary, policy.Officer, policy.UnitMember, policy.UnitHead, policy.DutyLeader} {
		allowed[r] = teams
	}
	for _, r := range []policy.Role{policy.ProBonoLawyer, policy.Mediator, policy.Volunteer} {
		allowed[r] = levels + " x_force"
	}
	for _, role := range policy.Roles {
		for _, machine := range []bool{false, true} {
			who := must(s.Create(ctx, person.New{Name: "x", Machine: machine}))(t).ID
			p := person.Post{Person: who, Role: role, Begins: "2026-01-01", Certificate: "C1", CertificateUntil: "2030-01-01"}
			for _, a := range []policy.Area{city, town, village, grid, micro} {
				p.Area, p.Unit = a, 0
				_, err := s.CreatePost(ctx, p)
				if want := machine == role.IsMachine() && slices.Contains(strings.Fields(allowed[role]), string(a.Level)); (err == nil) != want {
					t.Errorf("%s in a %s, machine %v: %v", role, a.Level, machine, err)
				}
			}
			for kind, id := range units {
				p.Area, p.Unit = policy.Area{}, id
				_, err := s.CreatePost(ctx, p)
				if want := machine == role.IsMachine() && slices.Contains(strings.Fields(allowed[role]), string(kind)); (err == nil) != want {
					t.Errorf("%s in a %s, machine %v: %v", role, kind, machine, err)
				}
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	ctx, s := t.Context(), service(t)
	who := human(t, s, "李军")
	team := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: "执法队", Area: town}))(t)
	for code, p := range map[string]person.Post{
		"no_certificate":       {Role: policy.Officer, Unit: team.ID, Begins: "2026-01-01"},
		"required":             {Role: policy.Officer, Unit: team.ID, Begins: "2026-01-01", Certificate: "1"},
		"ends_before_begin":    {Role: policy.GridWorker, Area: grid, Begins: "2026-01-03", Ends: "2026-01-01"},
		"bad_date":             {Role: policy.GridWorker, Area: grid, Begins: "2026-02-30"},
		"unknown_jurisdiction": {Role: policy.GridWorker, Area: policy.Area{Level: policy.Grid, Code: "9"}, Begins: "2026-01-01"},
		"two_places":           {Role: policy.UnitHead, Unit: team.ID, Area: town, Begins: "2026-01-01"},
		"no_place":             {Role: policy.UnitHead, Begins: "2026-01-01"},
		"unknown_unit":         {Role: policy.UnitHead, Unit: 99, Begins: "2026-01-01"},
		"unknown_role":         {Role: "emperor", Area: city, Begins: "2026-01-01"},
	} {
		p.Person = who
		_, err := s.CreatePost(ctx, p)
		wantCode(t, err, code)
	}
	for code, n := range map[string]person.New{"bad_phone": {Name: "x", Phone: "1; DROP"}, "bad_email": {Name: "x", Email: "a@b@c"},
		"control_character": {Name: "a\nb"}, "required": {Name: " "}} {
		_, err := s.Create(ctx, n)
		wantCode(t, err, code)
	}
	_, err := s.CreatePost(ctx, person.Post{Person: uuid.New(), Role: policy.GridWorker, Area: grid, Begins: "2026-01-01"})
	wantCode(t, err, "not_found")

	head := must(s.CreatePost(ctx, person.Post{Person: who, Role: policy.UnitHead, Unit: team.ID, Begins: "2026-01-01"}))(t)
	_, err = s.CloseUnit(ctx, team.ID, team.Version)
	wantCode(t, err, "unit_has_posts")
	must(s.EndPost(ctx, head.ID, head.Version, "2026-11-23"))(t)
	must(s.CloseUnit(ctx, team.ID, team.Version))(t)
	_, err = s.CreatePost(ctx, person.Post{Person: who, Role: policy.UnitHead, Unit: team.ID, Begins: "2027-01-01"})
	wantCode(t, err, "unit_closed")
	none := person.Day("")
	_, err = s.ChangePost(ctx, head.ID, head.Version+1, person.PostChange{Ends: &none})
	wantCode(t, err, "unit_closed")
}

func TestWhoChangesNamesTheVersionThatWasRead(t *testing.T) {
	ctx, s := t.Context(), service(t)
	p := must(s.Create(ctx, person.New{Name: "陈静", Phone: "13800000000"}))(t)
	name := "陈静静"
	q := must(s.Change(ctx, p.ID, p.Version, person.Change{Name: &name}))(t)
	if q.Version != p.Version+1 || q.Name != name || q.Phone != p.Phone {
		t.Errorf("%+v", q)
	}
	_, err := s.Change(ctx, p.ID, p.Version, person.Change{Name: &p.Name})
	wantCode(t, err, "stale")

	post := must(s.CreatePost(ctx, person.Post{Person: p.ID, Role: policy.GridWorker, Area: grid, Begins: "2026-01-01"}))(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.EndPost(ctx, post.ID, post.Version, person.Day(fmt.Sprintf("2026-12-%02d", i+1)))
		})
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else {
			wantCode(t, err, "stale")
		}
	}
	if done != 1 {
		t.Errorf("%d of 8 changes of one version were made", done)
	}
	unit := must(s.CreateUnit(ctx, person.Unit{Kind: policy.XForce, Name: "律师"}))(t)
	must(s.ChangeUnit(ctx, unit.ID, unit.Version, person.UnitChange{Area: &town}))(t)
	_, err = s.ChangeUnit(ctx, unit.ID, unit.Version, person.UnitChange{NameEN: &name})
	wantCode(t, err, "stale")
}

// Whatever is given, changed and ended, by several at once: nobody ever holds one post twice on one day, and what does
// not overlap is never refused.
func TestPostsNeverOverlap(t *testing.T) {
	ctx, s := t.Context(), service(t)
	rapid.Check(t, func(t *rapid.T) {
		who, err := s.Create(ctx, person.New{Name: "p"})
		if err != nil {
			t.Fatal(err)
		}
		type span struct{ from, to int }
		held := map[policy.Area][]span{}
		day := func(n int) person.Day {
			return person.Day(time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		}
		for range rapid.IntRange(1, 12).Draw(t, "posts") {
			a := rapid.SampledFrom([]policy.Area{grid, other}).Draw(t, "area")
			sp := span{from: rapid.IntRange(0, 30).Draw(t, "from")}
			sp.to = sp.from + rapid.IntRange(-1, 12).Draw(t, "days")
			p := person.Post{Person: who.ID, Role: policy.GridWorker, Area: a, Begins: day(sp.from), Ends: day(sp.to)}
			if rapid.IntRange(0, 9).Draw(t, "open") == 0 {
				p.Ends, sp.to = "", 1<<20
			}
			overlaps := slices.ContainsFunc(held[a], func(o span) bool { return sp.from <= sp.to && o.from <= o.to && sp.from <= o.to && o.from <= sp.to })
			_, err := s.CreatePost(ctx, p)
			f, _ := fault.As(err)
			switch {
			case err == nil && overlaps:
				t.Fatalf("%v overlaps %v", sp, held[a])
			case err == nil:
				held[a] = append(held[a], sp)
			case !overlaps || f == nil || f.Code != "post_overlaps":
				t.Fatalf("%v beside %v: %v", sp, held[a], err)
			}
		}
	})
}

func TestOnePostIsGivenOnceByManyAtATime(t *testing.T) {
	ctx, s := t.Context(), service(t)
	who := human(t, s, "周涛")
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.CreatePost(ctx, person.Post{Person: who, Role: policy.GridWorker, Area: grid, Begins: "2026-01-01"})
		})
	}
	wg.Wait()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else {
			wantCode(t, err, "post_overlaps")
		}
	}
	if done != 1 {
		t.Errorf("%d of 8 were given", done)
	}
}

func names(list []person.Person) (out []string) {
	for _, p := range list {
		out = append(out, p.Name)
	}
	return out
}

func TestListIsCutByReachAndComesInPages(t *testing.T) {
	ctx, s := t.Context(), service(t)
	give := func(name string, p person.Post) uuid.UUID {
		p.Person = human(t, s, name)
		if p.Begins = "2026-01-01"; p.Role != "" {
			must(s.CreatePost(ctx, p))(t)
		}
		return p.Person
	}
	team := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: "team", Area: town}))(t)
	line := must(s.CreateUnit(ctx, person.Unit{Kind: policy.LineDepartment, Name: "line", Area: town}))(t)
	give("a grid", person.Post{Role: policy.GridWorker, Area: grid})
	stranger := give("b other", person.Post{Role: policy.GridWorker, Area: other})
	give("c team", person.Post{Role: policy.UnitMember, Unit: team.ID})
	give("d line", person.Post{Role: policy.UnitMember, Unit: line.ID})
	give("e none", person.Post{})
	give("f past", person.Post{Role: policy.GridWorker, Area: grid, Ends: "2026-02-01"})
	for _, c := range []struct {
		reach *policy.Reach
		want  string
	}{
		{nil, "a grid,b other,c team,d line,e none,f past"},
		{&policy.Reach{City: true}, "a grid,b other,c team,d line,e none,f past"},
		{&policy.Reach{Areas: []policy.Area{city}}, "a grid,b other,c team"},
		{&policy.Reach{Areas: []policy.Area{town}}, "a grid,c team"},
		{&policy.Reach{Areas: []policy.Area{village}}, "a grid"},
		{&policy.Reach{Areas: []policy.Area{other}}, "b other"},
		{&policy.Reach{Units: []policy.UnitID{line.ID}}, "d line"},
		{&policy.Reach{}, ""},
	} {
		page := must(s.List(ctx, person.Query{Reach: c.reach}))(t)
		if got := strings.Join(names(page.People), ","); got != c.want {
			t.Errorf("%+v: %s, want %s", c.reach, got, c.want)
		}
	}
	if _, err := s.Get(ctx, stranger, &policy.Reach{Areas: []policy.Area{town}}); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("a person outside of the reach: %v", err)
	}
	for limit := 1; limit <= 7; limit++ {
		var all []string
		q := person.Query{Limit: limit}
		for {
			page := must(s.List(ctx, q))(t)
			all = append(all, names(page.People)...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if got := strings.Join(all, ","); got != "a grid,b other,c team,d line,e none,f past" {
			t.Errorf("pages of %d: %s", limit, got)
		}
	}
	for search, want := range map[string]string{"tea": "c team", "TEAM": "c team", grid.Code: "a grid,f past", "%": "", "_": "", `\`: ""} {
		if got := strings.Join(names(must(s.List(ctx, person.Query{Search: search, Logins: true}))(t).People), ","); got != want {
			t.Errorf("search %q: %s, want %s", search, got, want)
		}
	}
	if got := names(must(s.List(ctx, person.Query{Role: policy.GridWorker}))(t).People); len(got) != 2 {
		t.Errorf("grid workers: %v", got)
	}
	if got := names(must(s.List(ctx, person.Query{Unit: team.ID}))(t).People); len(got) != 1 {
		t.Errorf("the team: %v", got)
	}
}

func TestPeopleOfTheRecordAndTheFeed(t *testing.T) {
	ctx, s := t.Context(), service(t)
	before := must(feed.Head(ctx, s.Pool))(t)
	human(t, s, "赵敏")
	events, head, err := feed.Read(ctx, s.Pool, before.Seq, 10)
	if err != nil || len(events) != 1 || head.Seq != before.Seq+1 || events[0].Type != feed.CityChanged || string(events[0].Data) != `{"what": "people"}` {
		t.Errorf("%+v %v", events, err)
	}
}

func TestImport(t *testing.T) {
	ctx, s := t.Context(), service(t)
	team := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: "许村执法队", Area: town}))(t)
	rows := []person.Row{
		{Line: 2, Name: "王芳", Phone: "13800000001", Role: "grid_worker", Level: "grid", Code: grid.Code, Begins: "2026-01-01"},
		{Line: 3, Name: "李军", Role: "officer", Unit: "许村执法队", Certificate: "33-1", CertificateUntil: "2028-12-31"},
		{Line: 4, Name: "王芳", Phone: "13800000002"}, // a namesake
	}
	outcomes := func(list []person.Planned) string {
		var out []string
		for _, p := range list {
			out = append(out, fmt.Sprintf("%d %s %s", p.Line, p.Outcome, strings.Join(p.Changed, "+")))
		}
		return strings.Join(out, "; ")
	}
	const allNew = "2 new ; 3 new ; 4 new "
	if got := outcomes(must(s.Preview(ctx, rows))(t)); got != allNew {
		t.Errorf("preview: %s", got)
	}
	if n := len(must(s.List(ctx, person.Query{}))(t).People); n != 0 {
		t.Fatalf("a preview kept %d people", n)
	}
	if got := outcomes(must(s.Apply(ctx, rows))(t)); got != allNew {
		t.Errorf("apply: %s", got)
	}
	if got := outcomes(must(s.Apply(ctx, rows))(t)); got != "2 unchanged ; 3 unchanged ; 4 unchanged " {
		t.Errorf("again: %s", got)
	}
	rows[0].Ends, rows[0].Email = "2026-12-31", "wang@example.org"
	rows[1].Unit = fmt.Sprint(team.ID)
	rows[2].Role, rows[2].Level, rows[2].Code = "microgrid_leader", "microgrid", micro.Code
	if got := outcomes(must(s.Preview(ctx, rows))(t)); got != "2 changed email+ends; 3 unchanged ; 4 new post" {
		t.Errorf("changed: %s", got)
	}
	head := must(feed.Head(ctx, s.Pool))(t)
	bad := append(slices.Clone(rows), person.Row{Line: 5, Name: "x", Role: "grid_worker", Level: "grid", Code: "9"},
		person.Row{Line: 6, Name: "孙丽", Phone: "13800000001"}, person.Row{Line: 7, Name: "王芳"}, person.Row{Line: 8, Name: "x", Role: "desk", Unit: "none"},
		person.Row{Line: 9, Name: "x", Role: "desk", Unit: "a\x00"}, person.Row{Line: 10, Name: "x", Role: "desk\xff", Level: "city", Code: "330481"})
	planned, err := s.Apply(ctx, bad)
	wantCode(t, err, "rows_rejected")
	for i, code := range []string{"unknown_jurisdiction", "phone_of_another", "several_people", "unknown_unit", "control_character", "bad_encoding"} {
		var f *fault.Error
		if !errors.As(planned[3+i].Err, &f) || f.Code != code || f.Line != 5+i || planned[3+i].Outcome != person.OutcomeError {
			t.Errorf("%+v, want %s", planned[3+i], code)
		}
	}
	if now := must(feed.Head(ctx, s.Pool))(t); now != head {
		t.Error("an import with errors was kept in part")
	}
	if got := outcomes(must(s.Apply(ctx, rows))(t)); got != "2 changed email+ends; 3 unchanged ; 4 new post" {
		t.Errorf("apply: %s", got)
	}
}

// Who gives a post in a unit and who closes it meet: a closed unit never has a post that lasts.
func TestAUnitIsNotClosedUnderAPost(t *testing.T) {
	ctx, s := t.Context(), service(t)
	who := human(t, s, "王芳")
	closed, given := 0, 0
	for i := range 25 {
		u := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: fmt.Sprint("team ", i), Area: town}))(t)
		var wg sync.WaitGroup
		var closeErr, giveErr error
		wg.Go(func() { _, closeErr = s.CloseUnit(ctx, u.ID, u.Version) })
		wg.Go(func() {
			_, giveErr = s.CreatePost(ctx, person.Post{Person: who, Role: policy.UnitHead, Unit: u.ID, Begins: "2026-01-01"})
		})
		wg.Wait()
		switch {
		case closeErr == nil && giveErr == nil:
			t.Fatal("the unit was closed under a post")
		case closeErr == nil:
			closed++
			wantCode(t, giveErr, "unit_closed")
		case giveErr == nil:
			given++
			wantCode(t, closeErr, "unit_has_posts")
		default:
			t.Errorf("neither: %v, %v", closeErr, giveErr)
		}
	}
	t.Logf("%d closed, %d given", closed, given)
}

// A unit's people are those who hold a post in it today, each once; nobody whose account is out of use.
func TestManned(t *testing.T) {
	ctx, s := t.Context(), service(t)
	full := must(s.CreateUnit(ctx, person.Unit{Kind: policy.TownTeam, Name: "执法队", Area: town}))(t)
	idle := must(s.CreateUnit(ctx, person.Unit{Kind: policy.LineDepartment, Name: "水利局", Area: city}))(t)
	closed := must(s.CreateUnit(ctx, person.Unit{Kind: policy.LineDepartment, Name: "旧局", Area: city}))(t)
	must(s.CloseUnit(ctx, closed.ID, closed.Version))(t)
	holds := func(unit policy.UnitID, name string, roles []policy.Role, begins, ends person.Day) uuid.UUID {
		who := human(t, s, name)
		for _, role := range roles {
			must(s.CreatePost(ctx, person.Post{Person: who, Role: role, Unit: unit, Begins: begins, Ends: ends}))(t)
		}
		return who
	}
	holds(full.ID, "two posts", []policy.Role{policy.UnitHead, policy.UnitMember}, today, today)
	account(t, s, holds(full.ID, "with an account", []policy.Role{policy.UnitMember}, "2026-01-01", ""))
	holds(full.ID, "of before", []policy.Role{policy.UnitMember}, "2026-01-01", yesterday)
	holds(full.ID, "to come", []policy.Role{policy.UnitMember}, tomorrow, "")
	for _, unit := range []policy.UnitID{full.ID, idle.ID} {
		out := holds(unit, "out of use", []policy.Role{policy.UnitMember}, "2026-01-01", "")
		account(t, s, out)
		set(t, s, out, "disabled_at = created_at")
	}
	got := map[policy.UnitID]int{}
	for _, u := range must(s.Manned(ctx))(t) {
		got[u.ID] = u.Members
	}
	if want := map[policy.UnitID]int{full.ID: 2, idle.ID: 0, closed.ID: 0}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
