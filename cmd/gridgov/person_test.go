package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/contact"
	"gridgov/internal/keyring"
	"gridgov/internal/person"
	"gridgov/internal/policy"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// tell files a report that the person told, as the service would.
func tell(t *testing.T, database, city, keys, title string, person report.Reporter) report.Num {
	t.Helper()
	db, err := postgres.Connect(t.Context(), database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	info, err := db.City(t.Context(), city)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Open(keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := app.Open(t.Context(), db, info, ring, apptest.Quiet(), apptest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "01", Name: "露天焚烧"}}); err != nil {
		t.Fatal(err)
	}
	p := apptest.Center(1, 1)
	num, _, err := c.Reports.File(t.Context(), report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", Item: "01", CapturedAt: apptest.Now,
		X: &p[0], Y: &p[1], Title: title, Reporter: &person})
	if err != nil {
		t.Fatal(err)
	}
	return num
}

func TestPersonAndKeyCommands(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("GRIDGOV_KEY_FILE", keys)
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	for _, city := range []string{"tc", "td"} {
		line{args: "city create " + city + " " + create}.run(t, database)
		tell(t, database, city, keys, "hello <b>", report.Reporter{Name: "王小明", Phone: "137 6655 4433", Email: "wang@example.com"})
	}
	ids := func(want int) func(*testing.T) {
		return func(t *testing.T) {
			t.Helper()
			if ring, err := keyring.Open(keys); err != nil || len(ring.IDs()) != want {
				t.Errorf("%d keys, %v; want %d", len(ring.IDs()), err, want)
			}
		}
	}
	var id string
	for _, l := range []line{
		{args: "person", code: exitUsage},
		{args: "person export --phone 137", code: exitUsage, err: []string{"city"}},
		{args: "person export --city tc", code: exitUsage, err: []string{"--phone, --email, --id or --login"}},
		{args: "person export --city tc --phone 137 --email a@b", code: exitUsage},
		{args: "person export --city tc --id 1", code: exitUsage, err: []string{"not a UUID"}},
		{args: "person export --city tc --phone x", code: exitRejected, err: []string{"reporter.phone"}},
		{args: "person export --city tc --phone 13700000000 --out none", code: exitRejected, err: []string{"nobody is known"}, then: absent("none")},
		{args: "person export --city tc --phone +86-13766554433", out: []string{"王小明", "wang@example.com", `"title": "hello <b>"`}},
		{args: "person export --city tc --email WANG@example.com --out person.json", out: []string{"!王小明"}, then: func(t *testing.T) {
			t.Helper()
			info, err := os.Stat("person.json")
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("mode %v, %v", info.Mode(), err)
			}
			b, err := os.ReadFile("person.json")
			var held contact.Held
			if err == nil {
				err = json.Unmarshal(b, &held)
			}
			if err != nil || held.Phone != "13766554433" || len(held.Reports) != 1 {
				t.Errorf("%+v, %v", held, err)
			}
			id = held.ID.String()
		}},
		{args: "person export --city tc --email wang@example.com --out person.json", code: exitUsage, err: []string{"--out"}},
		{args: "key rotate --city nowhere", code: exitRejected, then: ids(1)},
		{args: "key rotate", err: []string{"city tc: 1 people", "city td: 1 people", "the current key is"}, then: ids(2)},
		{args: "key rewrap", err: []string{"city tc: 0 people", "city td: 0 people"}, then: ids(2)},
		{args: "key rotate --city td --city td", err: []string{"!city tc", "city td: 1 people"}, then: ids(3)},
		{args: "key rewrap", err: []string{"city tc: 1 people", "city td: 0 people"}, then: ids(3)},
		{args: "person export --city tc --phone 13766554433", out: []string{"王小明"}},
		{args: "person erase --city tc --phone 13766554433", code: exitUsage, err: []string{"--yes"}},
		{args: "person export --city tc --phone 13766554433", out: []string{"王小明"}},
		{args: "person erase --city tc --phone 13766554433 --yes", err: []string{"with 1 reports"}},
		{args: "person export --city tc --phone 13766554433", code: exitRejected, err: []string{"nobody is known"}},
		{args: "user create lin --city tc --name 林某 --phone 13911112222 --role planner --level city"},
		{args: "person export --city tc --login lin", out: []string{"林某", "13911112222", `"role": "planner"`, `"acts": []`}},
		{args: "person export --city tc --login nobody", code: exitRejected},
		{args: "person erase --city tc --login lin", code: exitUsage, err: []string{"--yes"}},
		{args: "person erase --city tc --login lin --yes", err: []string{"stays on record"}},
		{args: "person export --city tc --login lin", code: exitRejected},
		{args: "person export --city td --phone 13766554433", out: []string{"王小明"}},
	} {
		l.run(t, database)
	}
	staffByID(t, database, keys)
	line{args: "person export --city tc --id " + id, out: []string{"erased_at", "!王小明", "!hello"}}.run(t, database)
	line{args: "person erase --rewrite --keep-text --yes --city tc --id " + id, err: []string{id}}.run(t, database)
	line{args: "import reports - --city tc --map id=id,lon=lon,lat=lat,at=at,item=item,reporter_name=who,reporter_phone=tel --items create", code: exitRejected,
		stdin: "id,lon,lat,at,item,who,tel\n1," + at(1, 1) + ",2026-11-24 08:00,01,张三,0573-87001234\n2," + at(1, 1) + ",2026-11-24 08:00,01,李四,none\n",
		err:   []string{"line 3, reporter.phone"}}.run(t, database)
	line{args: "person export --city tc --phone +8657387001234", out: []string{"张三"}}.run(t, database)
	// Without the key a person can be erased by the id alone.
	line{args: "person export --city td --email wang@example.com --out td.json"}.run(t, database)
	b, err := os.ReadFile("td.json")
	var held contact.Held
	if err == nil {
		err = json.Unmarshal(b, &held)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(keys, keys+".away"); err != nil {
		t.Fatal(err)
	}
	for _, l := range []line{
		{args: "key rotate", code: exitRejected, err: []string{"no key file"}, then: absent(keys)},
		{args: "person erase --city td --phone 13766554433 --yes", code: exitRejected, err: []string{"key file"}},
		{args: "person erase --city td --yes --id " + held.ID.String(), err: []string{"is erased"}},
	} {
		l.run(t, database)
	}
}

// staffByID: who works here is found by the id too, which is the only way to somebody without an account.
func staffByID(t *testing.T, database, keys string) {
	t.Helper()
	c := openCity(t, database, "tc", keys)
	p, err := c.People.Create(t.Context(), person.New{Name: "周无号", Phone: "13911113333", Email: "zhou@example.com"})
	if err == nil {
		_, err = c.People.CreatePost(t.Context(), person.Post{Person: p.ID, Role: policy.Planner, Area: c.Area(), Begins: "2026-01-01"})
	}
	if err != nil {
		t.Fatal(err)
	}
	id := p.ID.String()
	for _, l := range []line{
		{args: "person export --city tc --id " + id, out: []string{"周无号", "13911113333", "zhou@example.com", `"role": "planner"`, `"sessions": []`, "!login", "!erased_at"}},
		{args: "person erase --city tc --id " + id, code: exitUsage, err: []string{"--yes"}},
		{args: "person erase --city tc --yes --id " + id, err: []string{"person " + id + " is erased"}},
		{args: "person export --city tc --id " + id, out: []string{"erased_at", "!周无号", "!13911113333", "!zhou@example.com"}},
		{args: "person export --city td --id " + id, code: exitRejected},
		{args: "person erase --city td --yes --id " + id, code: exitRejected},
		{args: "person erase --city tc --yes --id " + uuid.Must(uuid.NewV7()).String(), code: exitRejected},
	} {
		l.run(t, database)
	}
	acts(t, c, "person.erase", 3) // a resident and lin before
	var posts int
	if err := c.Pool.QueryRow(t.Context(), `SELECT count(*) FROM post WHERE person_id = $1 AND (ends IS NULL OR ends >= $2)`, p.ID, time.Now().In(c.Zone).Format(time.DateOnly)).Scan(&posts); err != nil || posts > 0 {
		t.Errorf("%d posts go on, %v", posts, err)
	}
}

// TestErasedPersonLeavesTheDataFolder looks through every file of a data folder, before and after a person is erased: the
// cluster with its write-ahead log, the server's log, and what else is there.
func TestErasedPersonLeavesTheDataFolder(t *testing.T) {
	data, err := os.MkdirTemp("/tmp", "gridgov-person-") // where the account that PostgreSQL runs as can enter
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(data); err != nil {
			t.Error(err)
		}
	})
	do := func(args ...string) string {
		t.Helper()
		got := run(t.Context(), strings.NewReader(""), append([]string{"--data", data}, args...)...)
		if got.code != exitOK {
			t.Fatalf("gridgov %v: exit code %d\n%s", args, got.code, got.err)
		}
		return strings.TrimSpace(got.out)
	}
	url := do("db", "start")
	t.Cleanup(func() {
		run(context.WithoutCancel(t.Context()), strings.NewReader(""), "--data", data, "db", "stop") // again, where the test broke off
	})
	do(append([]string{"city", "create", "tc"}, strings.Fields(create)...)...)
	person := report.Reporter{Name: "欧阳卡纳丽", Phone: "13766554433", Email: "canary.person@example.com", Home: &orb.Point{120.6137294651, 30.5182736459}}
	const word = "TitelKanarie"
	staff := []string{"StaffCanary", "13955667788", "staff.canary@example.com", "canary.login"}
	do("user", "create", staff[3], "--city", "tc", "--name", staff[0], "--phone", staff[1], "--email", staff[2], "--role", "administrator", "--level", "city")
	tell(t, url, "tc", filepath.Join(data, "keys"), word, person)
	backup := filepath.Join(data, "before")
	do("db", "backup", backup)
	do("db", "stop")
	search := func(log bool, canaries ...string) (found []string) {
		t.Helper()
		files := 0
		err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || path == backup || !log && strings.Contains(path, "/pg_wal/") {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			for _, c := range canaries {
				if bytes.Contains(b, []byte(c)) || bytes.Contains(b, []byte(hex.EncodeToString([]byte(c)))) {
					found = append(found, fmt.Sprintf("%s in %s", c, strings.TrimPrefix(path, data)))
				}
			}
			return err
		})
		if err != nil || files < 500 {
			t.Fatalf("%d files, %v", files, err)
		}
		return found
	}
	who := []string{person.Name, person.Phone, person.Email, "120.6137294651", "30.5182736459"}
	if found := search(true, who...); len(found) > 0 {
		t.Errorf("before: %v", found)
	}
	lexeme := strings.ToLower(word) // by which the report is found
	for _, c := range []string{word, lexeme} {
		if len(search(false, c)) == 0 {
			t.Errorf("the search does not find %s, which lies in the clear", c)
		}
	}
	for _, c := range staff {
		if len(search(false, c)) == 0 {
			t.Errorf("the search does not find %s", c)
		}
	}
	do("person", "erase", "--city", "tc", "--phone", person.Phone, "--rewrite", "--yes")
	do("person", "erase", "--city", "tc", "--login", staff[3], "--rewrite", "--yes")
	if found := search(false, slices.Concat(who, staff, []string{word, lexeme})...); len(found) > 0 {
		t.Errorf("after: %v", found)
	}
	if found := search(true, who...); len(found) > 0 {
		t.Errorf("after: %v", found)
	}
	// A backup from before does not bring back who was erased since, as long as the database knows.
	got := run(t.Context(), strings.NewReader(""), "--data", data, "db", "restore", backup, "--replace")
	if got.code != exitOK || !strings.Contains(got.err, "1 people who were erased since the backup stay erased") {
		t.Fatalf("exit code %d\n%s", got.code, got.err)
	}
	if found := search(false, append(who, word, lexeme)...); len(found) > 0 {
		t.Errorf("after a restore: %v", found)
	}
	got = run(t.Context(), strings.NewReader(""), "--data", data, "person", "export", "--city", "tc", "--phone", person.Phone)
	if got.code != exitRejected || !strings.Contains(got.err, "nobody is known") {
		t.Errorf("after a restore: exit code %d\n%s", got.code, got.err)
	}
	do("db", "start")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	var erased, words, digests, found int
	err = conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE c.erased_at IS NOT NULL AND c.data_key IS NULL), count(r.title), sum(octet_length(r.content)),
			(SELECT count(*) FROM tc.report_words WHERE words @@ '''#1'''::tsquery)
		FROM tc.report r JOIN tc.reporter w ON w.report_num = r.num JOIN tc.contact c ON c.id = w.contact_id`).Scan(&erased, &words, &digests, &found)
	if err != nil || erased != 1 || words != 0 || digests != 0 || found != 1 {
		t.Errorf("after a restore: %d erased, %d titles, %d bytes of digests, %d found by the number, %v", erased, words, digests, found, err)
	}
}
