package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pquerna/otp/totp"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/auth"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/keyring"
	"gridgov/internal/person"
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
		{args: "user create root --city tc --role administrator --level city", code: 2, err: []string{"--name", "--person"}},
		{args: "user create root --city tc --person 7 --role administrator --level city", code: 2, err: []string{"is not a UUID"}},
		{args: "user create root --city tc --person 0198c0de-0000-7000-8000-000000000000 --name Root", code: 2, err: []string{"leave them out"}},
		{args: "user create root --city tc --person 0198c0de-0000-7000-8000-000000000000 --level city", code: 2, err: []string{"what post is meant"}},
		{args: "user create root --city tc --person 0198c0de-0000-7000-8000-000000000000", code: 1, err: []string{"there is no person"}, out: []string{"!-"}},
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
	day := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	got := run(t.Context(), nil, "--database", database, "user", "token", "line", "--city", "tc", "--scope", "report.file", "--expires", day)
	after, err := time.ParseInLocation(time.DateOnly, day, shanghai(t))
	if err != nil || got.code != 0 || !strings.Contains(got.err, "until "+after.AddDate(0, 0, 1).Format(time.RFC3339)) {
		t.Errorf("%+v: the day that is named is the last, %v", got, err)
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

	// Who is there gets an account, and a post where one is named; nobody is made.
	there := func(name string) string {
		t.Helper()
		p, err := c.People.Create(t.Context(), person.New{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return p.ID.String()
	}
	zhao, qian := there("赵一"), there("钱二")
	people := func() (n int) {
		t.Helper()
		if err := c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM person`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := people()
	password = secret("user", "create", "zhao", "--city", "tc", "--person", zhao)
	in, err = c.Auth.SignIn(t.Context(), auth.Attempt{Login: "zhao", Password: password})
	if err != nil || in.Identity.Person.String() != zhao || len(in.Identity.Actor.Posts) != 0 {
		t.Errorf("%+v %v", in.Identity, err)
	}
	password = secret("user", "create", "qian", "--city", "tc", "--person", strings.ToUpper(qian), "--role", "grid_worker", "--level", "grid", "--code", grid)
	in, err = c.Auth.SignIn(t.Context(), auth.Attempt{Login: "qian", Password: password})
	if err != nil || in.Identity.Person.String() != qian || len(in.Identity.Actor.Posts) != 1 {
		t.Errorf("%+v %v", in.Identity, err)
	}
	line{args: "user create qian2 --city tc --person " + qian, code: 1, err: []string{"has an account already"}}.run(t, database)
	if n := people(); n != before {
		t.Errorf("%d people, before %d", n, before)
	}
}

func shanghai(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// An administrator who has lost both password and second factor gets in again by two commands.
func TestSecondFactorIsRemovedByCommand(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("GRIDGOV_KEY_FILE", keys)
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	for _, l := range []line{
		{args: "city create tc " + create},
		{args: "user create root --city tc --name Root --role administrator --level city"},
		{args: "city settings --city tc --set require_totp_admin=true"},
		{args: "user remove-second-factor", code: 2},
		{args: "user remove-second-factor nobody --city tc", code: 1, err: []string{`there is no account "nobody"`}},
		{args: "user remove-second-factor root --city tc", err: []string{"root has no second factor"}},
	} {
		l.run(t, database)
	}
	c := openCity(t, database, "tc", keys)
	passwd := func() string {
		t.Helper()
		got := run(t.Context(), nil, "--database", database, "user", "passwd", "root", "--city", "tc")
		if got.code != 0 {
			t.Fatalf("%+v", got)
		}
		return strings.TrimSpace(got.out)
	}
	signIn := func(password, code string) (auth.SignedIn, error) {
		return c.Auth.SignIn(t.Context(), auth.Attempt{Login: "root", Password: password, Code: code})
	}
	in, err := signIn(passwd(), "")
	if err != nil || !in.Identity.NeedsTOTP {
		t.Fatalf("%+v %v", in.Identity, err)
	}
	setup, err := c.Auth.BeginTOTP(t.Context(), in.Identity)
	if err != nil {
		t.Fatal(err)
	}
	code, err := totp.GenerateCode(setup.Secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Auth.ConfirmTOTP(t.Context(), in.Identity, code); err != nil {
		t.Fatal(err)
	}
	password := passwd()
	if _, err := signIn(password, ""); err == nil {
		t.Error("no code is asked for")
	}
	code, err = totp.GenerateCode(setup.Secret, time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	in, err = signIn(password, code)
	if err != nil {
		t.Fatal(err)
	}
	line{args: "user remove-second-factor root --city tc", err: []string{"without a second factor", "sessions have ended"}, out: []string{"!t"}}.run(t, database)
	c.Auth.Forget() // as a server does that follows the feed
	if _, err := c.Auth.Identify(t.Context(), in.Token); err == nil {
		t.Error("the session goes on")
	}
	if in, err = signIn(password, ""); err != nil || in.Identity.TOTP || !in.Identity.NeedsTOTP {
		t.Errorf("%+v %v", in.Identity, err)
	}
	acts(t, c, "totp.reset", 1)
}

// openCity opens a city as a server would.
func openCity(t *testing.T, database, city, keys string) *app.City {
	t.Helper()
	db, err := postgres.Connect(t.Context(), database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	info, err := db.City(t.Context(), city)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, ring, apptest.Quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// acts checks how many acts of a kind are on record.
func acts(t *testing.T, c *app.City, act string, want int) {
	t.Helper()
	var n int
	if err := c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM audit WHERE act = $1`, act).Scan(&n); err != nil || n != want {
		t.Errorf("%d acts %s on record, want %d, %v", n, act, want, err)
	}
}

// A city's settings are told and changed, one by one, on record, and servers that run hear of it.
func TestSettingsByCommand(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("GRIDGOV_KEY_FILE", keys)
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	line{args: "city create tc " + create}.run(t, database)
	for _, l := range []line{
		{args: "city settings", code: 2, err: []string{"city"}},
		{args: "city settings --city tc", out: []string{"public_map\tfalse\n", "resident_reports\tfalse\n", "require_totp_admin\tfalse\n"}},
		{args: "city settings --city tc --set public_map", code: 2, err: []string{"SETTING=true", "resident_reports"}},
		{args: "city settings --city tc --set public_map=yes", code: 2, err: []string{"SETTING=true"}},
		{args: "city settings --city tc --set public_map=true --set public_map=false", code: 2, err: []string{"twice"}},
		{args: "city settings --city tc --set message_smtp=true", code: 2, err: []string{`there is no setting "message_smtp"`}},
		{args: "city settings --city tc --set public_map=true --set smtp=true", code: 2, err: []string{"no setting"}},
		{args: "city settings --city tc", out: []string{"public_map\tfalse"}},
		{args: "city settings --city nowhere --set public_map=true", code: 1, err: []string{"no city"}},
		{args: "city settings --city tc --set public_map=true --set resident_reports=true", out: []string{"public_map\ttrue", "resident_reports\ttrue"}, err: []string{"codes cannot be sent yet"}},
		{args: "city settings --city tc --set resident_reports=false", out: []string{"public_map\ttrue", "resident_reports\tfalse", "require_totp_admin\tfalse"}},
	} {
		l.run(t, database)
	}
	c := openCity(t, database, "tc", keys)
	acts(t, c, "setting.change", 3)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	heard := make(chan error, 1)
	if _, err := conn.Exec(t.Context(), "LISTEN gridgov_feed_tc"); err != nil {
		t.Fatal(err)
	}
	go func() { _, err := conn.WaitForNotification(t.Context()); heard <- err }()
	line{args: "city settings --city tc --set require_totp_admin=true", out: []string{"require_totp_admin\ttrue"}}.run(t, database)
	select {
	case err := <-heard:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("no server heard of it")
	}
}
