package main

import (
	"strings"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
)

// Accounts by the command line: what is printed is the secret alone, and once.
func TestUsersByCommand(t *testing.T) {
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	put(t, "city.geojson", collection("", faces(jurisdiction.RoleCity, 0)...))
	put(t, "grids.geojson", collection("", faces(jurisdiction.RoleGrid, 0)...))
	soon := time.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	tomorrow := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	grid := apptest.GridCode(0, 0)
	for _, l := range []line{
		{args: "city create tc " + create},
		{args: "user", code: 2, err: []string{"user needs a command"}},
		{args: "user create", code: 2},
		{args: "user create root --city tc --name Root", code: 2, err: []string{"role"}},
		{args: "user create root --city other --name Root --role administrator --level city", code: 1, err: []string{"no city"}},
		{args: "user create Ro/ot --city tc --name Root --role administrator --level city", code: 2, err: []string{"cannot be a login"}},
		{args: "user create root --city tc --name Root --role emperor --level city", code: 2, err: []string{"there is no role"}},
		{args: "user create root --city tc --name Root --role administrator", code: 2, err: []string{"a post needs a place"}},
		{args: "user create root --city tc --name Root --role administrator --level grid --code x", code: 2, err: []string{"the role administrator is held in a jurisdiction of level city"}},
		{args: "user list --city tc", out: []string{"LOGIN", "!root"}},
		{args: "user create root --city tc --name Root --role administrator --level city", err: []string{"root (", "must be changed"}, out: []string{"-", "!root"}},
		{args: "user create root --city tc --name Root --role administrator --level city", code: 1, err: []string{"is taken"}},
		{args: "user list --city tc", out: []string{"root", "password to be changed", "administrator tc"}},

		{args: "import boundaries city.geojson --city tc --level city --code code --name name --plan one"},
		{args: "import boundaries grids.geojson " + grids + " --plan one --publish"},
		{args: "user create wang --city tc --name 王芳 --role grid_worker --level grid --code 9", code: 1, err: []string{"the plan in force has no grid 9"}},
		{args: "user create wang --city tc --name 王芳 --role grid_worker --level grid --code " + grid + " --from " + soon + " --until 2020-01-01", code: 1, err: []string{"before the first"}},
		{args: "user create wang --city tc --name 王芳 --role grid_worker --level grid --code " + grid + " --from 2026-02-30", code: 2, err: []string{"is no date"}},
		{args: "user create wang --city tc --name 王芳 --role grid_worker --level grid --code " + grid, err: []string{"wang ("}},
		{args: "user create chen --city tc --name 陈 --role grid_worker --level grid --code " + grid + " --from " + soon, err: []string{"chen ("}},
		{args: "user create li --city tc --name 李 --role officer --unit 9", code: 1, err: []string{"there is no unit 9"}},
		{args: "user list --city tc", out: []string{"王芳", "grid_worker " + grid}, then: func(t *testing.T) {
			got := run(t.Context(), nil, "--database", database, "user", "list", "--city", "tc")
			for _, l := range strings.Split(got.out, "\n") {
				if strings.HasPrefix(l, "chen") && strings.Contains(l, "grid_worker") {
					t.Error("a post that has not begun is said to be held")
				}
			}
		}},
		{args: "user passwd nobody --city tc", code: 1, err: []string{`there is no account "nobody"`}},
		{args: "user disable wang --city tc", err: []string{"wang is disabled"}},
		{args: "user list --city tc", out: []string{"disabled"}},
		{args: "user enable wang --city tc", err: []string{"wang is in use"}},
		{args: "user list --city tc", out: []string{"!disabled"}},
		{args: "user disable wang --city tc", err: []string{"wang is disabled", "!note"}},
		{args: "user disable root --city tc", err: []string{"root is disabled", "note: with that nobody administers tc", "gridgov user create"}},
		{args: "user enable root --city tc", err: []string{"root is in use"}},
		{args: "user enable wang --city tc", err: []string{"wang is in use"}},

		{args: "user create line --city tc --name 12345 --role hotline --level city", err: []string{"machine line ("}, out: []string{"!-"}},
		{args: "user passwd line --city tc", code: 1, err: []string{"a machine has no password"}},
		{args: "user token line --city tc --scope report.file", code: 2, err: []string{"expires"}},
		{args: "user token line --city tc --scope report.file --expires never", code: 2, err: []string{"--expires"}},
		{args: "user token line --city tc --scope report.burn --expires " + tomorrow, code: 2, err: []string{`there is no action "report.burn"`}},
		{args: "user token line --city tc --scope report.file --expires 2020-01-01", code: 1, err: []string{"expires in the future"}},
		{args: "user token wang --city tc --scope report.file --expires " + tomorrow, code: 1, err: []string{"tokens are for machines"}},
	} {
		l.run(t, database)
	}

	// What is printed opens the door, and nothing else is printed.
	secret := func(args ...string) string {
		t.Helper()
		got := run(t.Context(), nil, append([]string{"--database", database}, args...)...)
		text, ended := strings.CutSuffix(got.out, "\n")
		if got.code != 0 || !ended || text == "" || strings.ContainsAny(text, " \n") || strings.Contains(got.err, text) {
			t.Fatalf("%v: %+v", args, got)
		}
		return text
	}
	password := secret("user", "passwd", "wang", "--city", "tc")
	token := secret("user", "token", "line", "--city", "tc", "--scope", "report.file,report.view", "--expires", tomorrow)
	db, err := postgres.Connect(t.Context(), database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	info, err := db.City(t.Context(), "tc")
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, nil, apptest.Quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in, err := c.Auth.SignIn(t.Context(), auth.Attempt{Login: "wang", Password: password})
	if err != nil || !in.Identity.MustChange || in.Identity.Actor.Posts[0].Area != (policy.Area{Level: policy.Grid, Code: grid}) {
		t.Errorf("%+v %v", in.Identity, err)
	}
	id, err := c.Auth.Identify(t.Context(), token)
	if err != nil || len(id.Actor.Only) != 2 {
		t.Errorf("%+v %v", id, err)
	}
}
