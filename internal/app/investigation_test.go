package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/fault"
	"gridgov/internal/investigation"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/screening"
)

// house is the wide city with two proposals in the western town that belong together, one in the eastern, and people who could go.
type house struct {
	t                  *testing.T
	c                  *app.City
	clock              *leapingDay
	ctx                context.Context // of a committee
	committee          uuid.UUID
	team, bureau       policy.UnitID
	west, beside, east screening.ProposalID
	officers           []person.Post // two of the team, one of the bureau
}

type leapingDay struct{ days int }

func (l *leapingDay) now() time.Time { return apptest.Now.AddDate(0, 0, l.days) }

// newHouse makes it. The screening has reports of the team's cases and the bureau's.
func newHouse(t *testing.T) *house {
	h := &house{t: t, clock: &leapingDay{}}
	h.c = wide(t)
	h.c.Investigations.Now = h.clock.now
	h.team = apptest.Unit(t, h.c, policy.TownTeam, apptest.WideTown(0))
	h.bureau = apptest.Unit(t, h.c, policy.LineDepartment, policy.Area{})
	for i, unit := range []policy.UnitID{h.team, h.team, h.bureau} {
		h.officers = append(h.officers, h.officer(fmt.Sprint("officer ", i), unit, person.Post{Begins: "2026-01-01", CertificateUntil: "2027-06-30"}))
	}
	apptest.Plant(t, h.c, 3, 3, 12, "01")
	apptest.Plant(t, h.c, 3, 3, 12, "02")
	apptest.Plant(t, h.c, 12, 6, 12, "01")
	if err := sql(t, h.c, `UPDATE cases SET unit_id = $1, supporting = $2`, h.team, []int64{int64(h.bureau)}); err != nil {
		t.Fatal(err)
	}
	if run := screen(t, h.c); run.Made != 3 {
		t.Fatalf("%+v", run)
	}
	for _, p := range proposals(t, h.c) {
		switch {
		case p.Place.Town == apptest.WideTown(12).Code:
			h.east = p.ID
		case p.Item == "01":
			h.west = p.ID
		default:
			h.beside = p.ID
		}
	}
	h.ctx, h.committee = h.as("王主任")
	return h
}

// as is a context of somebody of a committee.
func (h *house) as(name string) (context.Context, uuid.UUID) {
	h.t.Helper()
	p, err := h.c.People.Create(h.t.Context(), person.New{Name: name})
	if err != nil {
		h.t.Fatal(err)
	}
	return audit.By(h.t.Context(), audit.Author{Person: p.ID}), p.ID
}

func (h *house) officer(name string, unit policy.UnitID, o person.Post) person.Post {
	h.t.Helper()
	p, err := h.c.People.Create(h.t.Context(), person.New{Name: name})
	if err == nil {
		o.Person, o.Unit, o.Certificate = p.ID, unit, "ZJ-4711"
		if o.Role == "" {
			o.Role = policy.Officer
		}
		o, err = h.c.People.CreatePost(h.t.Context(), o)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

func (h *house) proposal(id screening.ProposalID) screening.Kept {
	h.t.Helper()
	p, err := h.c.Screenings.Proposal(h.t.Context(), id, screening.Within{All: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) get(id investigation.ID) investigation.Order {
	h.t.Helper()
	o, err := h.c.Investigations.Get(h.t.Context(), id, screening.Within{All: true})
	if err != nil {
		h.t.Fatal(err)
	}
	return o
}

// approval is what orders the western proposal for 3 December.
func (h *house) approval(change ...func(*investigation.Ask)) investigation.Ask {
	a := investigation.Ask{Act: investigation.Approve, Within: screening.Within{All: true},
		Order: &investigation.New{Unit: h.team, Day: "2026-12-03", Officers: []policy.PostID{h.officers[0].ID, h.officers[1].ID}}}
	for _, f := range change {
		f(&a)
	}
	return a
}

func (h *house) ordered(change ...func(*investigation.Ask)) investigation.Order {
	h.t.Helper()
	id, err := h.c.Investigations.Decide(h.ctx, h.west, h.approval(change...))
	if err != nil {
		h.t.Fatal(err)
	}
	return h.get(id)
}

func (h *house) do(o *investigation.Order, d investigation.Doing) error {
	d.Version = h.get(o.ID).Version
	return h.c.Investigations.Do(h.ctx, o.ID, d)
}

// finding is that something was found.
func finding() investigation.Doing {
	return investigation.Doing{Act: investigation.Finish, Found: new(true), Findings: "三家排档未装油烟净化\n已责令整改", Visited: []string{"大桥排档"}}
}

func TestAnInvestigationFromProposalToFindings(t *testing.T) {
	h := newHouse(t)
	o := h.ordered(func(a *investigation.Ask) {
		a.Order.With, a.Order.Objects = []screening.ProposalID{h.beside}, []string{"大桥排档"}
		a.Order.Officers = append(a.Order.Officers, h.officers[2].ID) // of the bureau, which supports the cases
	})
	grids := []string{apptest.WideGrid(3, 3), apptest.WideGrid(3, 4), apptest.WideGrid(4, 3), apptest.WideGrid(4, 4)}
	slices.Sort(grids)
	if o.State != investigation.Ordered || o.Version != 1 || o.Unit != h.team || !slices.Equal(o.Supporting, []policy.UnitID{h.bureau}) || o.Day != "2026-12-03" ||
		!slices.Equal(o.Places, grids) || !slices.Equal(o.Items, []string{"01", "02"}) || !slices.Equal(o.Towns, []string{apptest.WideTown(0).Code}) ||
		!slices.Equal(o.Objects, []string{"大桥排档"}) || len(o.Officers) != 3 || len(o.Proposals) != 2 || o.OrderedBy != h.committee {
		t.Errorf("%+v", o)
	}
	for i, post := range h.officers {
		if got := o.Officers[i]; got.Post != post.ID || got.Person != post.Person || got.Until != "2027-06-30" || got.Name != fmt.Sprint("officer ", i) {
			t.Errorf("%+v", got)
		}
	}
	for _, id := range []screening.ProposalID{h.west, h.beside} {
		if p := h.proposal(id); p.State != screening.IsOrdered || p.Version != 1 || p.Order != int64(o.ID) {
			t.Errorf("%+v", p)
		}
	}
	if p := h.proposal(h.east); p.State != screening.IsOpen || p.Order != 0 {
		t.Errorf("the other one: %+v", p)
	}
	if err := h.do(&o, finding()); faultCode(err) != "too_early" {
		t.Errorf("before the day: %v", err)
	}
	h.clock.days = 9 // 3 December
	if err := h.do(&o, finding()); err != nil {
		t.Fatal(err)
	}
	o = h.get(o.ID)
	if o.State != investigation.Done || o.Found == nil || !*o.Found || o.Findings != "三家排档未装油烟净化\n已责令整改" || !slices.Equal(o.Visited, []string{"大桥排档"}) || o.Version != 2 {
		t.Errorf("%+v", o)
	}
	if p := h.proposal(h.beside); p.State != screening.IsDone || p.Version != 2 || p.Order != int64(o.ID) {
		t.Errorf("%+v", p)
	}
	deeds, err := h.c.Investigations.Deeds(t.Context(), o.ID)
	if err != nil || len(deeds) != 2 || deeds[0].Act != "order" || len(deeds[0].Detail.Officers) != 3 || deeds[1].Act != investigation.Finish || !*deeds[1].Detail.Found {
		t.Errorf("%+v, %v", deeds, err)
	}
	rates, err := h.c.Investigations.Rates(t.Context())
	if err != nil || rates.Done != 1 || rates.Found.Part != 1 || rates.Found.N != 1 || !rates.Found.TooFew() {
		t.Errorf("%+v, %v", rates, err)
	}
	// What the feed and the records tell are numbers and codes.
	var told string
	if err := h.c.Pool.QueryRow(t.Context(), `SELECT string_agg(data::text, ' ') FROM event WHERE type IN ('proposal.changed', 'investigation.changed')`).Scan(&told); err != nil {
		t.Fatal(err)
	}
	var recorded string
	if err := h.c.Pool.QueryRow(t.Context(), `SELECT string_agg(act || coalesce(before::text, '') || coalesce(after::text, ''), ' ') FROM audit WHERE act ~ '^(proposal|investigation|screening)'`).Scan(&recorded); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"排档", "officer", "王主任"} {
		if strings.Contains(told, words) || words != "officer" && strings.Contains(recorded, words) {
			t.Errorf("%s is told: %s %s", words, told, recorded)
		}
	}
	for _, want := range []string{"screening.run", "proposal.approve", "investigation.done"} {
		if !strings.Contains(recorded, want) {
			t.Errorf("%s is not on record: %s", want, recorded)
		}
	}
}

// What is ordered wrongly is refused by field and code, and nothing of it is kept.
func TestHostileOrders(t *testing.T) {
	h := newHouse(t)
	expired := h.officer("expired", h.team, person.Post{Begins: "2026-01-01", CertificateUntil: "2026-12-02"})
	ends := h.officer("ends", h.team, person.Post{Begins: "2026-01-01", Ends: "2026-12-02", CertificateUntil: "2027-12-02"})
	later := h.officer("later", h.team, person.Post{Begins: "2026-12-04", CertificateUntil: "2027-12-02"})
	open := h.officer("open", h.team, person.Post{Role: policy.UnitHead, Begins: "2026-01-01"}) // a certificate without an end is none
	member := h.officer("member", h.team, person.Post{Role: policy.UnitMember, Begins: "2026-01-01", CertificateUntil: "2027-12-02"})
	elsewhere := h.officer("elsewhere", apptest.Unit(t, h.c, policy.TownTeam, apptest.WideTown(12)), person.Post{Begins: "2026-01-01", CertificateUntil: "2027-12-02"})
	away := h.officer("away", h.team, person.Post{Begins: "2026-01-01", CertificateUntil: "2027-12-02"})
	twin, err := h.c.People.CreatePost(t.Context(), person.Post{Person: h.officers[0].Person, Role: policy.DutyLeader, Unit: h.team, Begins: "2026-01-01", Certificate: "ZJ-1", CertificateUntil: "2027-12-02"})
	if err != nil {
		t.Fatal(err)
	}
	if err := sql(t, h.c, `INSERT INTO leave (unit_id, person_id, from_at, to_at, kind, granted, asked_at) VALUES ($1, $2, '2026-12-03T14:00+08', '2026-12-03T18:00+08', 'training', true, $3)`,
		h.team, away.Person, apptest.Now); err != nil {
		t.Fatal(err)
	}
	first := h.officers[0].ID
	officers := func(second person.Post) func(*investigation.Ask) {
		return func(a *investigation.Ask) { a.Order.Officers = []policy.PostID{first, second.ID} }
	}
	for name, c := range map[string]struct {
		change      func(*investigation.Ask)
		field, code string
	}{
		"nobody":                  {func(a *investigation.Ask) { a.Order.Officers = nil }, "order.officers", "two_officers"},
		"one":                     {func(a *investigation.Ask) { a.Order.Officers = []policy.PostID{first} }, "order.officers", "two_officers"},
		"the same post":           {officers(h.officers[0]), "order.officers[1]", "same_officer"},
		"the same person":         {officers(twin), "order.officers[1]", "same_officer"},
		"twenty-one":              {func(a *investigation.Ask) { a.Order.Officers = make([]policy.PostID, 21) }, "order.officers", "too_many"},
		"no post":                 {officers(person.Post{ID: 4711}), "order.officers[1]", "unknown_post"},
		"expired the day before":  {officers(expired), "order.officers[1]", "not_certificated"},
		"the post ends before":    {officers(ends), "order.officers[1]", "not_certificated"},
		"the post begins after":   {officers(later), "order.officers[1]", "not_certificated"},
		"without an end":          {officers(open), "order.officers[1]", "not_certificated"},
		"no officer":              {officers(member), "order.officers[1]", "no_officer"},
		"of another unit":         {officers(elsewhere), "order.officers[1]", "other_unit"},
		"on leave":                {officers(away), "order.officers[1]", "on_leave"},
		"yesterday":               {func(a *investigation.Ask) { a.Order.Day = "2026-11-23" }, "order.day", "in_the_past"},
		"in two years":            {func(a *investigation.Ask) { a.Order.Day = "2028-11-23" }, "order.day", "too_far"},
		"no day":                  {func(a *investigation.Ask) { a.Order.Day = "" }, "order.day", "required"},
		"a day that is none":      {func(a *investigation.Ask) { a.Order.Day = "2026-11-31" }, "order.day", "bad_date"},
		"no unit":                 {func(a *investigation.Ask) { a.Order.Unit = 0 }, "order.unit", "required"},
		"no such unit":            {func(a *investigation.Ask) { a.Order.Unit = 4711 }, "order.unit", "unknown_unit"},
		"no item":                 {func(a *investigation.Ask) { a.Order.Items = []string{"01", "99"} }, "order.items", "unknown_item"},
		"no items":                {func(a *investigation.Ask) { a.Order.Items = []string{} }, "order.items", "unknown_item"},
		"an item twice":           {func(a *investigation.Ask) { a.Order.Items = []string{"01", "01"} }, "order.items[1]", "twice"},
		"an object of controls":   {func(a *investigation.Ask) { a.Order.Objects = []string{"a\x07"} }, "order.objects[0]", "control_character"},
		"an object of two lines":  {func(a *investigation.Ask) { a.Order.Objects = []string{"ok", "a\nb"} }, "order.objects[1]", "control_character"},
		"no UTF-8":                {func(a *investigation.Ask) { a.Order.Objects = []string{"\xff"} }, "order.objects[0]", "control_character"},
		"a long object":           {func(a *investigation.Ask) { a.Order.Objects = []string{strings.Repeat("店", 201)} }, "order.objects[0]", "too_long"},
		"an empty object":         {func(a *investigation.Ask) { a.Order.Objects = []string{" "} }, "order.objects[0]", "required"},
		"a reason of controls":    {func(a *investigation.Ask) { a.Reason = "a\x00" }, "reason", "control_character"},
		"a long reason":           {func(a *investigation.Ask) { a.Reason = strings.Repeat("因", 2001) }, "reason", "too_long"},
		"no order":                {func(a *investigation.Ask) { a.Order = nil }, "order", "required"},
		"declined without reason": {func(a *investigation.Ask) { a.Act, a.Order = investigation.Decline, nil }, "reason", "required"},
		"declined with an order":  {func(a *investigation.Ask) { a.Act, a.Reason = investigation.Decline, "no" }, "order", "not_here"},
		"another act":             {func(a *investigation.Ask) { a.Act = "done" }, "decision", "unknown_value"},
		"itself merged":           {func(a *investigation.Ask) { a.Order.With = []screening.ProposalID{h.west} }, "order.with[0]", "twice"},
		"merged with none":        {func(a *investigation.Ask) { a.Order.With = []screening.ProposalID{4711} }, "order.with[0]", "unknown_proposal"},
		"merged with what is far": {func(a *investigation.Ask) { a.Order.With = []screening.ProposalID{h.beside, h.east} }, "order.with", "not_related"},
		"merged beyond the reach": {func(a *investigation.Ask) {
			a.Order.With = []screening.ProposalID{h.east}
			a.Within = screening.Within{Towns: []string{apptest.WideTown(0).Code}}
		}, "order.with[0]", "unknown_proposal"},
		"another version": {func(a *investigation.Ask) { a.Version = 1 }, "", "decided_meanwhile"},
		"another's town":  {func(a *investigation.Ask) { a.Within = screening.Within{Towns: []string{apptest.WideTown(12).Code}} }, "", "not_found"},
	} {
		_, err := h.c.Investigations.Decide(h.ctx, h.west, h.approval(c.change))
		if f, ok := fault.As(err); !ok || f.Field != c.field || f.Code != c.code {
			t.Errorf("%s: %v, want %s %s", name, err, c.field, c.code)
		}
	}
	var n int
	if err := h.c.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM investigation_order) + (SELECT count(*) FROM order_act) + (SELECT count(*) FROM proposal_act)
		+ (SELECT count(*) FROM proposal WHERE version > 0)`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d things are kept of what was refused, %v", n, err)
	}
	// Who could go is told, with who is away; and who is told of can go.
	could, err := h.c.Investigations.Officers(t.Context(), []policy.UnitID{h.team, h.bureau}, "2026-12-03")
	var names []string
	for _, o := range could {
		names = append(names, fmt.Sprint(o.Name, " ", o.Away))
	}
	if err != nil || !slices.Equal(names, []string{"away true", "officer 0 false", "officer 0 false", "officer 1 false", "officer 2 false"}) {
		t.Errorf("%v, %v", names, err)
	}
}

// The database itself, asked by the role that serves, keeps no order without two people, each with a certificate in force on the day.
func TestTheDatabaseRefusesOrders(t *testing.T) {
	h := newHouse(t)
	const insert = `
		INSERT INTO investigation_order (state, version, unit_id, supporting, day, level, units, towns, villages, grids, objects, items,
			officer1_post, officer1, officer1_begins, officer1_until, officer2_post, officer2, officer2_begins, officer2_until, ordered_at, ordered_by, ended_at, found, findings, visited)
		SELECT $1, 1, $2, '{}', $3, 'grid', '{x}', '{}', '{}', '{}', '{}', '{01}', $4, $5, $6, $7, $8, $9, $10, $11, '2026-11-24', $12,
			CASE WHEN $1 = 'ordered' THEN NULL ELSE timestamptz '2026-12-03' END, CASE WHEN $1 = 'done' THEN true END, CASE WHEN $1 = 'done' THEN '' END, CASE WHEN $1 = 'done' THEN '{}'::text[] END`
	a, b := h.officers[0], h.officers[1]
	whole := []any{"ordered", h.team, "2026-12-03", a.ID, a.Person, "2026-01-01", "2027-06-30", b.ID, b.Person, "2026-01-01", "2027-06-30", h.committee}
	if err := sql(t, h.c, insert, whole...); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change map[int]any
		state  string
	}{
		"the same person":                {map[int]any{7: a.ID, 8: a.Person}, "23514"},
		"no first officer":               {map[int]any{3: nil, 4: nil}, "23502"},
		"no second officer":              {map[int]any{7: nil, 8: nil}, "23502"},
		"no person of the post":          {map[int]any{8: nil}, "23502"},
		"another's post":                 {map[int]any{8: h.officers[2].Person}, "23503"},
		"no certificate":                 {map[int]any{10: nil}, "23514"},
		"no certificate, done":           {map[int]any{0: "done", 10: nil}, "23514"},
		"no beginning":                   {map[int]any{9: nil}, "23514"},
		"a certificate that is made up":  {map[int]any{2: "2027-12-03", 6: "2028-01-01", 10: "2028-01-01"}, "23503"},
		"after the certificates' end":    {map[int]any{2: "2027-07-01"}, "23514"},
		"before the posts begin":         {map[int]any{2: "2025-12-31"}, "23514"},
		"made up and done":               {map[int]any{0: "done", 2: "2027-12-03", 6: "2028-01-01", 10: "2028-01-01"}, "23503"},
		"no post at all, though it ends": {map[int]any{0: "cancelled", 3: 4711, 5: nil, 6: nil}, "23503"},
	} {
		args := slices.Clone(whole)
		for i, v := range c.change {
			args[i] = v
		}
		if err := sql(t, h.c, insert, args...); sqlState(err) != c.state {
			t.Errorf("%s: %v, want %s", name, err, c.state)
		}
	}
	var id int64
	if err := h.c.Pool.QueryRow(t.Context(), `SELECT id FROM investigation_order`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	const other = `INSERT INTO order_officer (order_id, person_id, post_id, begins, until, day, live) VALUES ($1, $2, $3, '2026-01-01', $4, $5, $6)`
	third := h.officers[2]
	for name, c := range map[string]struct {
		until, day any
		live       bool
		state      string
	}{
		"on another day":         {"2027-06-30", "2026-12-04", true, "23503"},
		"as if it were no order": {nil, "2026-12-03", false, "23503"},
		"no certificate":         {nil, "2026-12-03", true, "23514"},
		"made up":                {"2028-06-30", "2026-12-03", true, "23503"},
	} {
		if err := sql(t, h.c, other, id, third.Person, third.ID, c.until, c.day, c.live); sqlState(err) != c.state {
			t.Errorf("a third: %s: %v, want %q", name, err, c.state)
		}
	}
	if err := sql(t, h.c, other, id, third.Person, third.ID, "2027-06-30", "2026-12-03", true); err != nil {
		t.Fatal(err)
	}
	// What the posts become, the order follows, or refuses.
	for name, c := range map[string]struct{ sql, state string }{
		"the certificate is renewed":         {`UPDATE post SET certificate_until = '2028-06-30' WHERE id = $1`, ""},
		"the post ends after the day":        {`UPDATE post SET ends = '2026-12-03' WHERE id = $1`, ""},
		"the certificate is withdrawn":       {`UPDATE post SET role = 'unit_head', certificate = NULL WHERE id = $1`, "23514"},
		"its end lies before the day":        {`UPDATE post SET certificate_until = '2026-12-02' WHERE id = $1`, "23514"},
		"the post ends before the day":       {`UPDATE post SET ends = '2026-12-02' WHERE id = $1`, "23514"},
		"the post is taken back":             {`UPDATE post SET ends = begins - 1 WHERE id = $1`, "23514"},
		"the post begins after the day":      {`UPDATE post SET begins = '2026-12-04' WHERE id = $1`, "23514"},
		"it has no end any more":             {`UPDATE post SET role = 'unit_head', certificate_until = NULL WHERE id = $1`, "23514"},
		"the post is gone":                   {`DELETE FROM post WHERE id = $1`, "42501"},
		"the order is moved beyond them all": {`UPDATE investigation_order SET day = '2029-01-01' WHERE officer1_post = $1 OR officer2_post = $1 OR $1 > 0`, "23514"},
	} {
		for _, post := range h.officers {
			if err := sql(t, h.c, c.sql, post.ID); sqlState(err) != c.state {
				t.Errorf("%s: %v, want %q", name, err, c.state)
			}
			if c.state == "" {
				var until, has string
				if err := h.c.Pool.QueryRow(t.Context(), `SELECT o.certified_until::text, coalesce((SELECT max(until)::text FROM order_officer WHERE post_id = o.id),
					(SELECT max(CASE WHEN officer1_post = o.id THEN officer1_until ELSE officer2_until END)::text FROM investigation_order)) FROM post o WHERE id = $1`, post.ID).Scan(&until, &has); err != nil || until != has {
					t.Errorf("%s: until %s, the order has %s, %v", name, until, has, err)
				}
				if err := sql(t, h.c, `UPDATE post SET certificate_until = '2027-06-30', ends = NULL WHERE id = $1`, post.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func sqlState(err error) string {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// What a post needs for an order cannot be taken away from it, until somebody else is on the order; then it can.
func TestPostsOnOrdersStay(t *testing.T) {
	h := newHouse(t)
	o := h.ordered()
	post := h.officers[1]
	change := func(c person.PostChange) error {
		p, err := h.c.People.ChangePost(t.Context(), post.ID, post.Version, c)
		if err == nil {
			post = p
		}
		return err
	}
	day := func(d person.Day) *person.Day { return &d }
	for name, err := range map[string]error{"ends": change(person.PostChange{Ends: day("2026-12-02")}), "certificate": change(person.PostChange{CertificateUntil: day("2026-12-02")}),
		"begins": change(person.PostChange{Begins: day("2026-12-04")})} {
		if f, ok := fault.As(err); !ok || f.Code != "on_order" || !strings.Contains(f.Message, "the order of 3 December 2026") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.c.People.EndPost(t.Context(), post.ID, post.Version, "2026-11-24"); faultCode(err) != "on_order" {
		t.Errorf("ended: %v", err)
	}
	if err := h.c.Auth.Erase(t.Context(), post.Person); faultCode(err) != "on_order" {
		t.Errorf("erased: %v", err)
	}
	if err := change(person.PostChange{CertificateUntil: day("2026-12-03")}); err != nil {
		t.Errorf("up to the very day: %v", err)
	}
	if got := h.get(o.ID).Officers[1].Until; got != "2026-12-03" {
		t.Errorf("the order has %s", got)
	}
	// The day cannot be moved beyond that, but with somebody else it can.
	if err := h.do(&o, investigation.Doing{Act: investigation.Change, Day: "2026-12-04"}); faultCode(err) != "not_certificated" {
		t.Errorf("%v", err)
	}
	if err := h.do(&o, investigation.Doing{Act: investigation.Change, Day: "2026-12-04", Officers: []policy.PostID{h.officers[0].ID, h.officers[2].ID}, Reason: "王芳生病"}); err != nil {
		t.Fatal(err)
	}
	if now := h.get(o.ID); now.Day != "2026-12-04" || now.Officers[1].Post != h.officers[2].ID || now.State != investigation.Ordered || now.Version != 2 {
		t.Errorf("%+v", now)
	}
	if _, err := h.c.People.EndPost(t.Context(), post.ID, post.Version, "2026-11-24"); err != nil {
		t.Errorf("who is on no order any more: %v", err)
	}
	deeds, err := h.c.Investigations.Deeds(t.Context(), o.ID)
	if err != nil || len(deeds) != 2 || deeds[1].Act != investigation.Change || deeds[1].Detail.Day != "2026-12-04" || deeds[1].Reason != "王芳生病" || !slices.Equal(deeds[0].Detail.Officers, []policy.PostID{h.officers[0].ID, h.officers[1].ID}) {
		t.Errorf("%+v, %v", deeds, err)
	}
	// A cancelled order holds nobody; one that was carried out says that the certificate was good then.
	if err := h.do(&o, investigation.Doing{Act: investigation.Cancel, Reason: "台风"}); err != nil {
		t.Fatal(err)
	}
	if p := h.proposal(h.west); p.State != screening.IsOpen || p.Order != 0 || p.Version != 2 {
		t.Errorf("its proposal: %+v", p)
	}
	if now := h.get(o.ID); now.State != investigation.Cancelled || !slices.Equal(now.Proposals, []screening.ProposalID{h.west}) || now.Officers[0].Post != h.officers[0].ID || now.Officers[0].Until != "" {
		t.Errorf("%+v", now)
	}
	if _, err := h.c.People.ChangePost(t.Context(), h.officers[2].ID, 1, person.PostChange{CertificateUntil: day("2026-12-01")}); err != nil {
		t.Errorf("on a cancelled order: %v", err)
	}
	third := h.officer("third", h.team, person.Post{Begins: "2026-01-01", CertificateUntil: "2027-06-30"})
	again := h.ordered(func(a *investigation.Ask) {
		a.Version, a.Order.Officers = 2, []policy.PostID{h.officers[0].ID, third.ID}
	})
	h.clock.days = 10
	if err := h.do(&again, finding()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.c.People.EndPost(t.Context(), third.ID, third.Version, "2026-12-02"); faultCode(err) != "investigated" {
		t.Errorf("before what was carried out: %v", err)
	}
	if _, err := h.c.People.EndPost(t.Context(), third.ID, third.Version, "2026-12-03"); err != nil {
		t.Errorf("after what was carried out: %v", err)
	}
}

// Two committees decide at once: one wins, and the other is told who it was and what.
func TestTwoCommitteesAtOnce(t *testing.T) {
	h := newHouse(t)
	names := []string{"李委员", "赵委员"}
	var who [2]context.Context
	for i, name := range names {
		who[i], _ = h.as(name)
	}
	for round := range 6 {
		version := h.proposal(h.east).Version
		var wg sync.WaitGroup
		var errs [2]error
		for i := range who {
			wg.Go(func() {
				_, errs[i] = h.c.Investigations.Decide(who[i], h.east, investigation.Ask{Act: investigation.Decline, Reason: "已在整治", Version: version, Within: screening.Within{All: true}})
			})
		}
		wg.Wait()
		winner := slices.IndexFunc(errs[:], func(err error) bool { return err == nil })
		if winner < 0 {
			t.Fatalf("round %d: %v", round, errs)
		}
		f, ok := fault.As(errs[1-winner])
		if !ok || f.Code != "decided_meanwhile" || !strings.HasPrefix(f.Message, names[winner]+" declined proposal") || !strings.Contains(f.Message, "16:00 on 24 November") {
			t.Errorf("round %d: the loser is told %v", round, errs[1-winner])
		}
		if p := h.proposal(h.east); p.State != screening.IsDeclined || p.Version != version+1 {
			t.Errorf("round %d: %+v", round, p)
		}
		if _, err := h.c.Investigations.Decide(h.ctx, h.east, investigation.Ask{Act: investigation.Reconsider, Reason: "又多了", Version: version + 1, Within: screening.Within{All: true}}); err != nil {
			t.Fatal(err)
		}
	}
	// One orders what the other merges.
	var wg sync.WaitGroup
	var errs [2]error
	for i, id := range []screening.ProposalID{h.west, h.beside} {
		wg.Go(func() {
			_, errs[i] = h.c.Investigations.Decide(who[i], id, h.approval(func(a *investigation.Ask) {
				a.Order.With = []screening.ProposalID{[]screening.ProposalID{h.beside, h.west}[i]}
			}))
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("%v", errs)
	}
	if err := errs[0]; err == nil {
		errs[0] = errs[1]
	}
	if f, ok := fault.As(errs[0]); !ok || f.Code != "decided_meanwhile" || !strings.Contains(f.Message, " approved proposal ") {
		t.Errorf("%v", errs[0])
	}
	var orders int
	if err := h.c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM investigation_order`).Scan(&orders); err != nil || orders != 1 {
		t.Errorf("%d orders, %v", orders, err)
	}
}

// Of all acts in all states those are done that the tables have, and no others.
func TestAllActsInAllStates(t *testing.T) {
	h := newHouse(t)
	set := func(statement string, args ...any) {
		t.Helper()
		if err := sql(t, h.c, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	o := h.ordered()
	all := screening.Within{All: true}
	for _, state := range screening.States {
		for _, act := range []investigation.Act{investigation.Approve, investigation.Decline, investigation.Reconsider} {
			order := any(nil)
			if state == screening.IsOrdered || state == screening.IsDone {
				order = o.ID
			}
			set(`UPDATE proposal SET state = $2, version = 10, order_id = $3 WHERE id = $1`, h.east, state, order)
			set(`UPDATE proposal SET version = version + (SELECT coalesce(max(n), 0) FROM proposal_act WHERE proposal_id = $1) WHERE id = $1`, h.east)
			a := investigation.Ask{Act: act, Reason: "r", Version: h.proposal(h.east).Version, Within: all}
			if act == investigation.Approve {
				a.Order = h.approval().Order
			}
			_, err := h.c.Investigations.Decide(h.ctx, h.east, a)
			want := slices.Contains(investigation.DecisionsOn(state, func(policy.Action) bool { return true }), act)
			if (err == nil) != want || err != nil && faultCode(err) != "decided_meanwhile" {
				t.Errorf("%s of what is %s: %v", act, state, err)
			}
		}
	}
	h.clock.days = 9
	for _, state := range investigation.States {
		for _, act := range []investigation.Act{investigation.Finish, investigation.Cancel, investigation.Change} {
			set(`UPDATE investigation_order SET state = $2, version = 20 + (SELECT max(n) FROM order_act WHERE order_id = $1), ended_at = CASE WHEN $2 <> 'ordered' THEN timestamptz '2026-12-03' END,
				found = CASE WHEN $2 = 'done' THEN true END, findings = CASE WHEN $2 = 'done' THEN '' END, visited = CASE WHEN $2 = 'done' THEN '{}'::text[] END,
				officer1_begins = '2026-01-01', officer1_until = '2027-06-30', officer2_begins = '2026-01-01', officer2_until = '2027-06-30' WHERE id = $1`, o.ID, state)
			set(`UPDATE proposal SET state = 'ordered', order_id = $2 WHERE id = $1`, h.west, o.ID)
			d := map[investigation.Act]investigation.Doing{investigation.Finish: finding(), investigation.Cancel: {Reason: "r"}, investigation.Change: {Day: "2026-12-04"}}[act]
			d.Act = act
			err := h.do(&o, d)
			want := slices.Contains(investigation.Acts(state, func(policy.Action) bool { return true }), act)
			if (err == nil) != want || err != nil && faultCode(err) != "decided_meanwhile" {
				t.Errorf("%s of what is %s: %v", act, state, err)
			}
			set(`UPDATE investigation_order SET day = '2026-12-03' WHERE id = $1`, o.ID)
		}
	}
	// An old version is refused, and says who was there.
	set(`UPDATE investigation_order SET state = 'ordered', ended_at = NULL, found = NULL, findings = NULL, visited = NULL WHERE id = $1`, o.ID)
	if err := h.c.Investigations.Do(h.ctx, o.ID, investigation.Doing{Act: investigation.Cancel, Reason: "r", Version: 1}); faultCode(err) != "decided_meanwhile" || !strings.Contains(err.Error(), "王主任") {
		t.Errorf("%v", err)
	}
	if err := h.c.Investigations.Do(h.ctx, 4711, finding()); faultCode(err) != "not_found" {
		t.Errorf("%v", err)
	}
}

func TestHostileActsOnOrders(t *testing.T) {
	h := newHouse(t)
	o := h.ordered()
	for name, c := range map[string]struct {
		d           investigation.Doing
		field, code string
	}{
		"an act that is none":         {investigation.Doing{Act: "approve"}, "act", "unknown_value"},
		"found, or not?":              {investigation.Doing{Act: investigation.Finish, Findings: "x"}, "found", "required"},
		"in no words":                 {investigation.Doing{Act: investigation.Finish, Found: new(false)}, "findings", "required"},
		"words of controls":           {investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: "a\x1b"}, "findings", "control_character"},
		"too many words":              {investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: strings.Repeat("x", 2001)}, "findings", "too_long"},
		"an object twice":             {investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: "x", Visited: []string{"a", "a"}}, "visited[1]", "twice"},
		"fifty-one objects":           {investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: "x", Visited: make([]string, 51)}, "visited", "too_many"},
		"cancelled without a reason":  {investigation.Doing{Act: investigation.Cancel}, "reason", "required"},
		"cancelled and found":         {investigation.Doing{Act: investigation.Cancel, Reason: "x", Found: new(true)}, "found", "not_here"},
		"done on another day":         {investigation.Doing{Act: investigation.Finish, Found: new(false), Findings: "x", Day: "2026-12-03"}, "day", "not_here"},
		"nothing is changed":          {investigation.Doing{Act: investigation.Change}, "day", "required"},
		"moved to yesterday":          {investigation.Doing{Act: investigation.Change, Day: "2026-11-23"}, "day", "in_the_past"},
		"left with one officer":       {investigation.Doing{Act: investigation.Change, Officers: []policy.PostID{h.officers[0].ID}}, "officers", "two_officers"},
		"beyond the certificates":     {investigation.Doing{Act: investigation.Change, Day: "2027-07-01"}, "officers[0]", "not_certificated"},
		"a post that there is not":    {investigation.Doing{Act: investigation.Change, Officers: []policy.PostID{h.officers[0].ID, 4711}}, "officers[1]", "unknown_post"},
		"cancelled, with new people":  {investigation.Doing{Act: investigation.Cancel, Reason: "x", Officers: []policy.PostID{1, 2}}, "day", "not_here"},
		"before its day has come yet": {finding(), "", "too_early"},
	} {
		err := h.do(&o, c.d)
		if f, ok := fault.As(err); !ok || f.Field != c.field || f.Code != c.code {
			t.Errorf("%s: %v, want %s %s", name, err, c.field, c.code)
		}
	}
	h.clock.days = 20
	if err := h.do(&o, investigation.Doing{Act: investigation.Change, Day: "2026-12-24"}); faultCode(err) != "day_past" {
		t.Errorf("%v", err)
	}
	if now := h.get(o.ID); now.Version != 1 || now.State != investigation.Ordered {
		t.Errorf("%+v", now)
	}
}

// A post and an order that needs it change at once: whichever comes second is refused, and no order is left without a certificate.
func TestAPostEndsAsItIsOrdered(t *testing.T) {
	h := newHouse(t)
	for round := range 8 {
		officer := h.officer(fmt.Sprint("one of round ", round), h.team, person.Post{Begins: "2026-01-01", CertificateUntil: "2027-06-30"})
		p := h.proposal(h.west)
		var wg sync.WaitGroup
		var ordered, ended error
		var id investigation.ID
		wg.Go(func() {
			id, ordered = h.c.Investigations.Decide(h.ctx, h.west, h.approval(func(a *investigation.Ask) {
				a.Version, a.Order.Officers = p.Version, []policy.PostID{h.officers[0].ID, officer.ID}
			}))
		})
		wg.Go(func() { _, ended = h.c.People.EndPost(t.Context(), officer.ID, officer.Version, "2026-11-24") })
		wg.Wait()
		if (ordered == nil) == (ended == nil) {
			t.Fatalf("round %d: ordered %v, ended %v", round, ordered, ended)
		}
		if ordered != nil && !slices.Contains([]string{"not_certificated", "officer_changed"}, faultCode(ordered)) || ended != nil && faultCode(ended) != "on_order" {
			t.Errorf("round %d: ordered %v, ended %v", round, ordered, ended)
		}
		if ordered == nil {
			o := h.get(id)
			if err := h.do(&o, investigation.Doing{Act: investigation.Cancel, Reason: "r"}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
