package person_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/person"
	"gridgov/internal/policy"
)

// account gives a person an account; what it can do is for the test to say.
func account(t testing.TB, s *person.Service, who uuid.UUID) {
	t.Helper()
	_, err := s.Pool.Exec(context.Background(), `INSERT INTO account (person_id, login, password, password_at, must_change, demo, totp_step, created_at)
		VALUES ($1, $2, 'hash', $3, false, false, 0, $3)`, who, "a-"+who.String(), s.Now())
	if err != nil {
		t.Fatal(err)
	}
}

func administrator(t testing.TB, s *person.Service, name string, from, to person.Day) person.Post {
	t.Helper()
	p := must(s.CreatePost(context.Background(), person.Post{Person: human(t, s, name), Role: policy.Administrator, Area: city, Begins: from, Ends: to}))(t)
	account(t, s, p.Person)
	return p
}

// set sets a column of somebody's account.
func set(t testing.TB, s *person.Service, who uuid.UUID, assignment string) {
	t.Helper()
	if _, err := s.Pool.Exec(context.Background(), `UPDATE account SET `+assignment+` WHERE person_id = $1`, who); err != nil {
		t.Fatal(err)
	}
}

const (
	yesterday = "2026-11-23"
	today     = "2026-11-24"
	tomorrow  = "2026-11-25"
)

// Nobody takes the post of the last who administers the city, and whoever is not the last may lose it.
func TestLastAdministratorStays(t *testing.T) {
	ctx, s := t.Context(), service(t)
	day := func(d person.Day) *person.Day { return &d }
	for name, c := range map[string]struct {
		other  func(t *testing.T) // who else there is
		change person.PostChange
		free   bool
	}{
		"ends today":                          {change: person.PostChange{Ends: day(today)}},
		"ended yesterday":                     {change: person.PostChange{Ends: day(yesterday)}},
		"taken back":                          {change: person.PostChange{Ends: day("2026-01-01"), Begins: day("2026-01-02")}},
		"begins tomorrow":                     {change: person.PostChange{Begins: day(tomorrow)}},
		"a term":                              {change: person.PostChange{Ends: day(tomorrow)}, free: true},
		"begins earlier":                      {change: person.PostChange{Begins: day("2025-01-01")}, free: true},
		"a certificate":                       {change: person.PostChange{CertificateUntil: day("2027-01-01")}, free: true},
		"another administers":                 {other: func(t *testing.T) { administrator(t, s, "乙", today, "") }, change: person.PostChange{Ends: day(yesterday)}, free: true},
		"another until tomorrow":              {other: func(t *testing.T) { administrator(t, s, "乙", today, tomorrow) }, change: person.PostChange{Ends: day(yesterday)}, free: true},
		"another until today":                 {other: func(t *testing.T) { administrator(t, s, "乙", today, today) }, change: person.PostChange{Ends: day(today)}},
		"another from tomorrow, ends today":   {other: func(t *testing.T) { administrator(t, s, "乙", tomorrow, "") }, change: person.PostChange{Ends: day(today)}, free: true},
		"another from tomorrow, ends at once": {other: func(t *testing.T) { administrator(t, s, "乙", tomorrow, "") }, change: person.PostChange{Ends: day(yesterday)}},
		"another who was taken back":          {other: func(t *testing.T) { administrator(t, s, "乙", tomorrow, today) }, change: person.PostChange{Ends: day(today)}},
		"another without an account": {other: func(t *testing.T) {
			must(s.CreatePost(ctx, person.Post{Person: human(t, s, "乙"), Role: policy.Administrator, Area: city, Begins: today}))(t)
		}, change: person.PostChange{Ends: day(today)}},
		"another whose account is out of use": {other: func(t *testing.T) {
			set(t, s, administrator(t, s, "乙", today, "").Person, "disabled_at = now()")
		}, change: person.PostChange{Ends: day(today)}},
		"another who cannot sign in": {other: func(t *testing.T) {
			set(t, s, administrator(t, s, "乙", today, "").Person, "password = NULL")
		}, change: person.PostChange{Ends: day(today)}},
		"another who signs in by a provider": {other: func(t *testing.T) {
			set(t, s, administrator(t, s, "乙", today, "").Person, "password = NULL, issuer = 'https://id.example', subject = '7'")
		}, change: person.PostChange{Ends: day(today)}, free: true},
		"another of the demo, in a city that is none": {other: func(t *testing.T) {
			set(t, s, administrator(t, s, "乙", today, "").Person, "demo = true")
		}, change: person.PostChange{Ends: day(today)}},
		"another of the demo": {other: func(t *testing.T) {
			s.Demo = true
			set(t, s, administrator(t, s, "乙", today, "").Person, "demo = true")
		}, change: person.PostChange{Ends: day(today)}, free: true},
		"another of another role": {other: func(t *testing.T) {
			p := must(s.CreatePost(ctx, person.Post{Person: human(t, s, "乙"), Role: policy.Planner, Area: city, Begins: today}))(t)
			account(t, s, p.Person)
		}, change: person.PostChange{Ends: day(today)}},
	} {
		t.Run(name, func(t *testing.T) {
			s.Demo = false
			if _, err := s.Pool.Exec(ctx, `UPDATE account SET disabled_at = $1`, s.Now()); err != nil { // those of the cases before
				t.Fatal(err)
			}
			p := administrator(t, s, "甲", "2026-01-01", "")
			if c.other != nil {
				c.other(t)
			}
			_, err := s.ChangePost(ctx, p.ID, p.Version, c.change)
			if c.free && err != nil {
				t.Error(err)
			}
			if c.free {
				return
			}
			wantCode(t, err, "last_administrator")
			if now := must(s.Post(ctx, p.ID))(t); now != p {
				t.Errorf("%+v", now)
			}
			if c.change.Ends != nil && c.change.Begins == nil {
				_, err = s.EndPost(ctx, p.ID, p.Version, *c.change.Ends)
				wantCode(t, err, "last_administrator")
			}
			if held := must(s.Administered(ctx))(t); !held {
				t.Error("nobody administers the city")
			}
		})
	}
}

// Where nobody administers the city there is nothing to keep: what there is can be mended.
func TestCityWithoutAdministrator(t *testing.T) {
	ctx, s := t.Context(), service(t)
	if held := must(s.Administered(ctx))(t); held {
		t.Error("nobody is somebody")
	}
	p := administrator(t, s, "甲", "2026-01-01", "")
	set(t, s, p.Person, "disabled_at = now()")
	must(s.EndPost(ctx, p.ID, p.Version, today))(t)
}

// An import is held to it row by row, the preview too; who hands over in one table gives the post first.
func TestImportKeepsAnAdministrator(t *testing.T) {
	ctx, s := t.Context(), service(t)
	p := administrator(t, s, "甲", "2026-01-01", "")
	heir := human(t, s, "乙")
	account(t, s, heir)
	end := person.Row{Line: 2, ID: p.Person, Name: "甲", Role: "administrator", Level: "city", Code: city.Code, Ends: today}
	give := person.Row{Line: 3, ID: heir, Name: "乙", Role: "administrator", Level: "city", Code: city.Code, Begins: today}
	for _, rows := range [][]person.Row{{end}, {end, give}} {
		out := must(s.Preview(ctx, rows))(t)
		wantCode(t, out[0].Err, "last_administrator")
		out, err := s.Apply(ctx, rows)
		wantCode(t, err, "rows_rejected")
		wantCode(t, out[0].Err, "last_administrator")
		if now := must(s.Post(ctx, p.ID))(t); now.Ends != "" {
			t.Errorf("%+v", now)
		}
	}
	must(s.Apply(ctx, []person.Row{give, end}))(t)
	if now := must(s.Post(ctx, p.ID))(t); now.Ends != today {
		t.Errorf("%+v", now)
	}
}

// Two who take each other's post: one of them is refused, however close together they are.
func TestTwoAdministratorsEndEachOther(t *testing.T) {
	ctx, s := t.Context(), service(t)
	posts := []person.Post{administrator(t, s, "甲", "2026-01-01", ""), administrator(t, s, "乙", "2026-01-01", "")}
	began := time.Now()
	for range 10 {
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range posts {
			wg.Go(func() { _, errs[i] = s.EndPost(ctx, posts[i].ID, posts[i].Version, yesterday) })
		}
		wg.Wait()
		lost := slices.IndexFunc(errs, func(err error) bool { return err != nil })
		if lost < 0 || errs[1-lost] != nil {
			t.Fatalf("%v", errs)
		}
		wantCode(t, errs[lost], "last_administrator")
		if held := must(s.Administered(ctx))(t); !held {
			t.Fatal("nobody administers the city")
		}
		none := person.Day("")
		for i := range posts {
			now := must(s.Post(ctx, posts[i].ID))(t)
			posts[i] = must(s.ChangePost(ctx, now.ID, now.Version, person.PostChange{Ends: &none}))(t)
		}
	}
	if took := time.Since(began); took > 8*time.Second { // each that stands in the other's way takes a second
		t.Errorf("it took %v", took)
	}
}
