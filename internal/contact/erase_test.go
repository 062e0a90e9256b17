package contact_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

// keyed is the test's city with a plan, and its keys in a file.
func keyed(t *testing.T) (db *postgres.Database, c *app.City, keys string) {
	t.Helper()
	keys = filepath.Join(t.TempDir(), "keys")
	ring, err := keyring.Create(keys)
	if err != nil {
		t.Fatal(err)
	}
	db, info := pgtest.Database(t)
	c = open(t, db, info, ring)
	if err := c.Reports.SetItems(t.Context(), []report.Item{{Code: "01", Name: "露天焚烧"}}); err != nil {
		t.Fatal(err)
	}
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	return db, c, keys
}

func open(t *testing.T, db *postgres.Database, info postgres.City, ring *keyring.Ring) *app.City {
	t.Helper()
	c, err := app.Open(t.Context(), db, info, ring, apptest.Quiet(), apptest.Clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// restored is the city of a backup, in a database of its own.
func restored(t *testing.T, file string, ring *keyring.Ring) (*postgres.Database, *app.City) {
	t.Helper()
	db, err := postgres.Connect(t.Context(), pgtest.URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if _, err := db.Restore(t.Context(), file, backupOptions()); err != nil {
		t.Fatal(err)
	}
	info, err := db.City(t.Context(), pgtest.CityCode)
	if err != nil {
		t.Fatal(err)
	}
	return db, open(t, db, info, ring)
}

func backupOptions() postgres.BackupOptions {
	return postgres.BackupOptions{PGBin: os.Getenv("PG_BIN"), At: apptest.Now}
}

func backup(t *testing.T, db *postgres.Database) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup")
	if _, err := db.Backup(t.Context(), file, backupOptions()); err != nil {
		t.Fatal(err)
	}
	return file
}

// canary is a string that is looked for in every form that it may have.
type canary struct {
	name  string
	forms [][]byte
}

func ofText(name, s string) canary {
	return canary{name, [][]byte{[]byte(s), []byte(hex.EncodeToString([]byte(s)))}}
}

// ofNumber is a coordinate: its digits, and its bytes as PostgreSQL and as the network have them.
func ofNumber(name string, x float64) canary {
	c := ofText(name, fmt.Sprint(x))
	big := binary.BigEndian.AppendUint64(nil, math.Float64bits(x))
	little := binary.LittleEndian.AppendUint64(nil, math.Float64bits(x))
	c.forms = append(c.forms, big, little, []byte(hex.EncodeToString(big)), []byte(hex.EncodeToString(little)))
	return c
}

// found is the places in which canaries were found, by canary.
type found map[string][]string

func (f found) add(c canary, place string) {
	if !slices.Contains(f[c.name], place) {
		f[c.name] = append(f[c.name], place)
	}
}

func (f found) names() []string { return slices.Sorted(maps.Keys(f)) }

// inTables looks through all columns of all tables of the database, its catalogue too, as text.
func inTables(t *testing.T, owner *pgxpool.Pool, canaries []canary) found {
	t.Helper()
	rows, err := owner.Query(t.Context(), `SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'm') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || !slices.Contains(tables, "testcity.contact") || !slices.Contains(tables, "pg_statistic") {
		t.Fatalf("tables %v, %v", tables, err)
	}
	of := map[string]canary{}
	for _, c := range canaries {
		for _, form := range c.forms {
			if printable(form) {
				of[strings.ToLower(string(form))] = c
			}
		}
	}
	out := found{}
	for _, table := range tables {
		rows, err := owner.Query(t.Context(), `WITH t AS MATERIALIZED (SELECT lower(x::text) AS line FROM `+table+` x)
			SELECT c FROM unnest($1::text[]) c WHERE EXISTS (SELECT FROM t WHERE strpos(line, c) > 0)`, slices.Collect(maps.Keys(of)))
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		forms, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		for _, form := range forms {
			out.add(of[form], table)
		}
	}
	return out
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' }) && strings.ToValidUTF8(string(b), "") == string(b)
}

// inFiles looks through the files of the database, with what lies in unused parts of them.
func inFiles(t *testing.T, owner *pgxpool.Pool, canaries []canary) found {
	t.Helper()
	return inServerFiles(t, owner, canaries, `SELECT 'base/' || d.oid || '/' || f FROM pg_database d, pg_ls_dir('base/' || d.oid) f
		WHERE d.datname = current_database() ORDER BY 1`)
}

// inLog looks through the write-ahead log, of all databases of the server.
func inLog(t *testing.T, owner *pgxpool.Pool, canaries []canary) found {
	t.Helper()
	return inServerFiles(t, owner, canaries, `SELECT 'pg_wal/' || name FROM pg_ls_waldir() ORDER BY 1`)
}

func inServerFiles(t *testing.T, owner *pgxpool.Pool, canaries []canary, list string) found {
	t.Helper()
	if _, err := owner.Exec(t.Context(), `CHECKPOINT`); err != nil {
		t.Fatal(err)
	}
	rows, err := owner.Query(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		t.Fatalf("files %v, %v", names, err)
	}
	out := found{}
	for _, name := range names {
		var content []byte // NULL: gone meanwhile, or a folder
		if err := owner.QueryRow(t.Context(), `SELECT pg_read_binary_file($1, 0, 1 << 28, true)`, name).Scan(&content); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		inBytes(out, name, content, canaries)
	}
	return out
}

func inBytes(out found, place string, content []byte, canaries []canary) {
	for _, c := range canaries {
		for _, form := range c.forms {
			if bytes.Contains(content, form) {
				out.add(c, place)
			}
		}
	}
}

// TestErasedPersonIsNowhere plants a person, proves that the search finds what lies in the clear, and that what is sealed
// does not, and then looks for all of it after the person was erased.
func TestErasedPersonIsNowhere(t *testing.T) {
	db, c, keyFile := keyed(t)
	owner := db.Owner()
	home := orb.Point{120.6137294651, 30.5182736459}
	person := report.Reporter{Name: "欧阳卡纳丽", Phone: "13766554433", Email: "canary.person@example.com", Home: &home}
	who := []canary{ofText("name", person.Name), ofText("phone", person.Phone), ofText("phone as written", "137-6655-4433"), ofText("e-mail", person.Email),
		ofNumber("home's longitude", home[0]), ofNumber("home's latitude", home[1])}
	words := []canary{ofText("title", "TitelKanarie"), ofText("text", "文字金丝雀"), ofText("address", "Canarylane 7"), ofText("reason", "ReasonCanary")}
	said := func(n report.New) report.New {
		n.Title, n.Text, n.Address = "TitelKanarie", "文字金丝雀 says what happened", "Canarylane 7"
		return n
	}
	// Enough of one title for PostgreSQL's statistics to quote it.
	var nums []report.Num
	for range 20 {
		n := said(told(person))
		n.Reporter.Phone = "137-6655-4433"
		nums = append(nums, file(t, c, n))
	}
	if err := c.Reports.SetPosition(t.Context(), nums[0], apptest.Center(2, 2), "ReasonCanary called"); err != nil {
		t.Fatal(err)
	}
	nowhere := said(told(person))
	nowhere.X, nowhere.Y = nil, nil
	nums = append(nums, file(t, c, nowhere))
	_, err := c.Reports.Import(t.Context(), func(yield func(report.Row, *report.Reject) bool) {
		n := said(told(person))
		n.Source, n.ExternalID = "import", "1"
		yield(report.Row{Line: 1, New: n}, nil)
	}, report.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other := file(t, c, told(report.Reporter{Name: "somebody else", Phone: "13700000000"}))
	if _, err := owner.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}

	// Before: the words are where they must be found, the person is nowhere.
	nobody := func(when string, f found) {
		t.Helper()
		if len(f) > 0 {
			t.Errorf("%s: found %v", when, f)
		}
	}
	all := append(slices.Clone(who), words...)
	allWords := []string{"address", "reason", "text", "title"}
	got := inTables(t, owner, all)
	if !slices.Equal(got.names(), allWords) || !slices.Contains(got["title"], "testcity.report") ||
		!slices.Contains(got["title"], "pg_statistic") || !slices.Contains(got["reason"], "testcity.position_set") {
		t.Errorf("before, in tables: %v", got)
	}
	if got := inFiles(t, owner, all); !slices.Equal(got.names(), allWords) {
		t.Errorf("before, in files: %v", got)
	}
	if got := inLog(t, owner, all); !slices.Equal(got.names(), allWords) {
		t.Errorf("before, in the log: %v", got)
	}
	before, _ := restored(t, backup(t, db), c.Contacts.Ring)
	if got := inTables(t, before.Owner(), all); !slices.Equal(got.names(), allWords) {
		t.Errorf("before, in a backup: %v", got)
	}
	id, err := c.Contacts.Find(t.Context(), person.Phone)
	if err != nil {
		t.Fatal(err)
	}
	held, err := c.Contacts.Export(t.Context(), id)
	if err != nil || len(held.Reports) != 22 {
		t.Fatalf("%d reports, %v", len(held.Reports), err)
	}
	if got := inHeld(t, held, all); len(got) != len(all)-1 { // the number is kept in its normal form alone
		t.Errorf("before, in what is held: %v", got)
	}

	// The keys are in no backup and no table.
	keys, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	var secrets []canary
	for line := range strings.Lines(string(keys)) {
		if fields := strings.Fields(line); len(fields) == 3 {
			raw, err := hex.DecodeString(fields[2])
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, canary{"key " + fields[0], [][]byte{raw, []byte(fields[2])}})
		}
	}
	if len(secrets) != 1 {
		t.Fatalf("%d keys", len(secrets))
	}
	noKeys := func() {
		t.Helper()
		file := backup(t, db)
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f := found{}
		inBytes(f, "backup", content, secrets)
		nobody("keys in a backup", f)
		again, _ := restored(t, file, nil)
		nobody("keys in the tables of a backup", inTables(t, again.Owner(), secrets))
		nobody("keys in files", inFiles(t, owner, secrets))
	}
	noKeys()

	seq := count(t, c, `SELECT seq FROM feed`)
	done, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{})
	if err != nil || done.Reports != 22 {
		t.Fatalf("%+v, %v", done, err)
	}
	nobody("after, in tables but the statistics", func() found {
		f := inTables(t, owner, all)
		for name, places := range f {
			if f[name] = slices.DeleteFunc(places, func(s string) bool { return s == "pg_statistic" }); len(f[name]) == 0 {
				delete(f, name)
			}
		}
		return f
	}())
	if err := db.Scrub(t.Context(), c.City, false); err != nil {
		t.Fatal(err)
	}
	nobody("after cleaning, in tables", inTables(t, owner, all))
	if err := db.Scrub(t.Context(), c.City, true); err != nil {
		t.Fatal(err)
	}
	nobody("after, in tables", inTables(t, owner, all))
	nobody("after, in files", inFiles(t, owner, all))
	nobody("after, in the log", inLog(t, owner, who))
	var csv bytes.Buffer
	if _, err := c.ExportPlacements(t.Context(), &csv); err != nil {
		t.Fatal(err)
	}
	f := found{}
	inBytes(f, "placements", csv.Bytes(), all)
	nobody("after, in exports", f)
	after, copied := restored(t, backup(t, db), c.Contacts.Ring)
	nobody("after, in a backup", inTables(t, after.Owner(), all))
	if got := unmask(t, copied, other); got.Name != "somebody else" {
		t.Errorf("who was not erased is %+v", got)
	}
	noKeys()

	// What is left says that somebody was erased, and stays consistent.
	held, err = c.Contacts.Export(t.Context(), id)
	if err != nil || held.ErasedAt == nil || len(held.Reports) != 22 || len(inHeld(t, held, all)) > 0 {
		t.Errorf("held of the erased: %+v, %v", held, err)
	}
	if _, err := c.Contacts.Find(t.Context(), person.Phone); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("found by phone: %v", err)
	}
	if _, err := c.Contacts.Unmask(t.Context(), nums[0], "a test looks"); code(err) != "person_erased" {
		t.Errorf("unmasked: %v", err)
	}
	masked, err := c.Contacts.Masked(t.Context(), []report.Num{nums[0], other})
	if err != nil || masked[nums[0]] != (contact.Masked{Erased: true}) || masked[other].Name != "s**" {
		t.Errorf("masked: %+v, %v", masked, err)
	}
	if got := count(t, c, `SELECT sum(jsonb_array_length(data->'nums')) FROM event WHERE seq > $1 AND type = 'report.erased'`, seq); got != 22 {
		t.Errorf("the feed tells of %d reports", got)
	}
	if got := count(t, c, `SELECT count(*) FROM audit WHERE act = 'person.erase' AND subject = $1`, "contact:"+id.String()); got != 1 {
		t.Errorf("%d acts on record", got)
	}
	// A retry of what was erased is taken for it, and brings nothing back.
	nowhere.Title = "TitelKanarie anew"
	if num, existed, err := c.Reports.File(t.Context(), nowhere); num != nums[20] || !existed || err != nil {
		t.Errorf("retried: %d, %v, %v", num, existed, err)
	}
	if r, err := c.Reports.Get(t.Context(), nums[20]); err != nil || r.Title != nil || r.Text != nil || r.Address == nil || *r.Address != "" {
		t.Errorf("report without a point: %+v, %v", r, err)
	}
	again, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{})
	if err != nil || again.Reports != 22 {
		t.Errorf("erased again: %+v, %v", again, err)
	}
	// Who comes again is somebody new.
	num := file(t, c, told(person))
	if got := unmask(t, c, num); got.ID == id || got.Name != person.Name {
		t.Errorf("%+v", got)
	}
}

func inHeld(t *testing.T, h contact.Held, canaries []canary) found {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	f := found{}
	inBytes(f, "held", b, canaries)
	return f
}

func TestEraseKeepsTextsWhenTold(t *testing.T) {
	_, c, _ := keyed(t)
	n := told(report.Reporter{Phone: "13766554433"})
	n.Title = "pothole"
	num := file(t, c, n)
	id := contactOf(t, c, num)
	if _, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{KeepText: true}); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Reports.Get(t.Context(), num); err != nil || r.Title == nil || *r.Title != "pothole" {
		t.Errorf("%+v, %v", r, err)
	}
	if n := count(t, c, `SELECT count(*) FROM report WHERE octet_length(content) > 0`); n != 0 {
		t.Error("a digest is left, against which numbers can be tried")
	}
	if _, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{}); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Reports.Get(t.Context(), num); err != nil || r.Title != nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := c.Contacts.Erase(t.Context(), uuid.New(), contact.EraseOptions{}); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// Rotation keeps all people readable, can be interrupted, and leaves older backups readable.
func TestRotation(t *testing.T) {
	db, c, keyFile := keyed(t)
	const people = 2500
	_, err := c.Reports.Import(t.Context(), func(yield func(report.Row, *report.Reject) bool) {
		for i := range people {
			n := told(report.Reporter{Name: fmt.Sprint("name ", i), Phone: fmt.Sprint(13_700_000_000 + i)})
			n.Source, n.ExternalID = "import", fmt.Sprint(i)
			if !yield(report.Row{Line: i + 1, New: n}, nil) {
				return
			}
		}
	}, report.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	indexed(t, db.Owner())
	old, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	oldFile := filepath.Join(t.TempDir(), "old keys")
	if err := os.WriteFile(oldFile, old, 0o600); err != nil {
		t.Fatal(err)
	}
	file := backup(t, db)
	ring := c.Contacts.Ring
	first := ring.Current()
	if err := ring.Rotate(apptest.Now); err != nil {
		t.Fatal(err)
	}
	by := func(id keyring.ID) int {
		return count(t, c, `SELECT count(*) FROM contact WHERE key_id = $1`, string(id))
	}
	look := func(c *app.City, i int) {
		t.Helper()
		id, err := c.Contacts.Find(t.Context(), fmt.Sprint(13_700_000_000+i))
		if err != nil {
			t.Fatal(err)
		}
		if held, err := c.Contacts.Export(t.Context(), id); err != nil || held.Name != fmt.Sprint("name ", i) {
			t.Fatalf("%+v, %v", held, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done, err := c.Contacts.Rewrap(ctx, func(int) { stop() })
	if !errors.Is(err, context.Canceled) || done != 1000 || by(first) != people-1000 || by(ring.Current()) != 1000 {
		t.Fatalf("interrupted after %d, %v; %d by the old key", done, err, by(first))
	}
	look(c, 1)
	look(c, people-1)
	// Erased people and new ones are no hindrance.
	id, err := c.Contacts.Find(t.Context(), fmt.Sprint(13_700_000_000+people-1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{}); err != nil {
		t.Fatal(err)
	}
	if done, err = c.Contacts.Rewrap(t.Context(), nil); err != nil || done != people-1001 || by(first) != 0 {
		t.Fatalf("then %d, %v", done, err)
	}
	if done, err = c.Contacts.Rewrap(t.Context(), nil); err != nil || done != 0 {
		t.Errorf("again %d, %v", done, err)
	}
	look(c, 1)
	look(c, people-2)

	_, copied := restored(t, file, ring)
	look(copied, 1)
	look(copied, people-1)
	if done, err := copied.Contacts.Rewrap(t.Context(), nil); err != nil || done != people {
		t.Errorf("restored: %d, %v", done, err)
	}
	look(copied, 7)

	// The old file opens the old backup, and nothing that was sealed since.
	oldRing, err := keyring.Open(oldFile)
	if err != nil {
		t.Fatal(err)
	}
	c.Contacts.Ring = oldRing
	if id, err = c.Contacts.Find(t.Context(), "13700000001"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Contacts.Export(t.Context(), id); code(err) != "key_missing" {
		t.Errorf("with the old file: %v", err)
	}
	if done, err := c.Contacts.Rewrap(t.Context(), nil); done != 0 || code(err) != "key_missing" {
		t.Errorf("with the old file: %d, %v", done, err)
	}
	if _, err := (&contact.Service{}).Rewrap(t.Context(), nil); code(err) != "key_missing" {
		t.Errorf("without keys: %v", err)
	}
}

// indexed checks that people are found by their indexes, which are partial.
func indexed(t *testing.T, owner *pgxpool.Pool) {
	t.Helper()
	for _, of := range []string{"phone_index = $1 OR email_index = $2", "phone_index = ANY (ARRAY[$1]) OR email_index = ANY (ARRAY[$2])"} {
		var plan []string
		err := pgx.BeginFunc(t.Context(), owner, func(tx pgx.Tx) error {
			for _, sql := range []string{`SET LOCAL search_path TO testcity`, `SET LOCAL plan_cache_mode TO force_generic_plan`, `ANALYZE contact`,
				`PREPARE by (bytea, bytea) AS SELECT id FROM contact WHERE ` + of} {
				if _, err := tx.Exec(t.Context(), sql); err != nil {
					return err
				}
			}
			rows, err := tx.Query(t.Context(), `EXPLAIN EXECUTE by ('a', 'b')`, pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				return err
			}
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			_, err = tx.Exec(t.Context(), `DEALLOCATE by`)
			return err
		})
		text := strings.Join(plan, "\n")
		if err != nil || !strings.Contains(text, "contact_phone") || !strings.Contains(text, "contact_email") || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s:\n%s\n%v", of, text, err)
		}
	}
}
