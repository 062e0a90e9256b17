package contact_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/audit"
	"gridgov/internal/contact"
	"gridgov/internal/fault"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/report"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// city is the test's city with a plan and keys.
func city(t *testing.T) *app.City {
	t.Helper()
	_, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	return c
}

// told is a report that somebody told.
func told(by report.Reporter) report.New {
	p := apptest.Center(1, 1)
	return report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "web", Item: "01", CapturedAt: apptest.Now, X: &p[0], Y: &p[1], Reporter: &by}
}

func file(t *testing.T, c *app.City, n report.New) report.Num {
	t.Helper()
	num, existed, err := c.Reports.File(t.Context(), n)
	if err != nil || existed {
		t.Fatalf("existed %v, %v", existed, err)
	}
	return num
}

func count(t *testing.T, c *app.City, sql string, args ...any) (n int) {
	t.Helper()
	if err := c.Pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// slow counts the reports that took more than the one statement: who told them was kept in a savepoint.
const slow = `SELECT count(*) FROM report r JOIN reporter w ON w.report_num = r.num WHERE r.xmin <> w.xmin`

func unmask(t *testing.T, c *app.City, num report.Num) contact.Contact {
	t.Helper()
	got, err := c.Contacts.Unmask(t.Context(), num, "a test looks")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return fmt.Sprint(err)
}

func TestOnePersonIsOneContact(t *testing.T) {
	c := city(t)
	home := orb.Point{120.611, 30.522}
	first := file(t, c, told(report.Reporter{Name: "王小明", Phone: "138 0013 8000"}))
	again := file(t, c, told(report.Reporter{Name: "王小明", Phone: "+86-138-0013-8000"}))
	file(t, c, told(report.Reporter{Phone: "13800138000"}))
	if n := count(t, c, `SELECT count(*) FROM contact`); n != 1 {
		t.Fatalf("%d contacts", n)
	}
	if n := count(t, c, slow); n != 0 {
		t.Errorf("%d reports took more than one statement", n)
	}
	id := unmask(t, c, first).ID
	if got := unmask(t, c, again); got.ID != id {
		t.Errorf("told by %v", got)
	}
	// What is new takes the place of what was told; what is not told stays.
	file(t, c, told(report.Reporter{Name: "王晓明", Phone: "13800138000", Email: "Wang@Example.com", Home: &home}))
	if n := count(t, c, slow); n != 1 {
		t.Errorf("%d reports took more than one statement", n)
	}
	last := file(t, c, told(report.Reporter{Email: "wang@example.COM "}))
	got := unmask(t, c, last)
	if got.Home == nil || *got.Home != home {
		t.Fatalf("home is %v", got.Home)
	}
	got.Home, got.CreatedAt = nil, time.Time{}
	if got != (contact.Contact{ID: id, Name: "王晓明", Phone: "13800138000", Email: "wang@example.com"}) {
		t.Errorf("%+v", got)
	}
	// A new number of who is known by the address.
	file(t, c, told(report.Reporter{Phone: "13900139000", Email: "wang@example.com"}))
	if got := unmask(t, c, first); got.Phone != "13900139000" || got.ID != id {
		t.Errorf("%+v", got)
	}
	other := file(t, c, told(report.Reporter{Phone: "13800138000"})) // the number has a new owner
	if got := unmask(t, c, other); got.ID == id {
		t.Error("the number that was given up is still the person's")
	}
	if n := count(t, c, slow); n != 2 {
		t.Errorf("%d reports took more than one statement", n)
	}
}

// A number or an address is one person's: erasing by it leaves it nowhere.
func TestAddressStaysItsOwners(t *testing.T) {
	c := city(t)
	a := file(t, c, told(report.Reporter{Name: "A", Phone: "13800138000"}))
	b := file(t, c, told(report.Reporter{Name: "B", Email: "b@example.com"}))
	both := file(t, c, told(report.Reporter{Name: "AA", Phone: "13800138000", Email: "b@example.com"}))
	if got := unmask(t, c, both); got.ID != unmask(t, c, a).ID || got.Email != "" || got.Name != "AA" {
		t.Errorf("%+v", got)
	}
	if got := unmask(t, c, b); got.Name != "B" || got.Phone != "" {
		t.Errorf("%+v", got)
	}
}

func TestNameAloneIsNobodyElse(t *testing.T) {
	c := city(t)
	n := told(report.Reporter{Name: "王某"})
	file(t, c, n)
	file(t, c, told(report.Reporter{Name: "王某"}))
	if _, existed, err := c.Reports.File(t.Context(), n); !existed || err != nil {
		t.Errorf("retried: %v, %v", existed, err)
	}
	file(t, c, told(report.Reporter{Name: " "}))
	if n := count(t, c, `SELECT count(*) FROM contact`); n != 2 {
		t.Errorf("%d contacts", n)
	}
	if n := count(t, c, `SELECT count(*) FROM reporter`); n != 2 {
		t.Errorf("%d reporters", n)
	}
}

func TestRetryIsKnownByWhoToldIt(t *testing.T) {
	c := city(t)
	n := told(report.Reporter{Phone: "13800138000"})
	num := file(t, c, n)
	same := n
	same.Reporter = &report.Reporter{Phone: "138-0013-8000"}
	if got, existed, err := c.Reports.File(t.Context(), same); got != num || !existed || err != nil {
		t.Errorf("the same: %d, %v, %v", got, existed, err)
	}
	other := n
	other.Reporter = &report.Reporter{Phone: "13800138001"}
	if _, _, err := c.Reports.File(t.Context(), other); code(err) != "other_content" {
		t.Errorf("told by another: %v", err)
	}
	if n := count(t, c, `SELECT count(*) FROM contact`); n != 1 {
		t.Errorf("%d contacts", n)
	}
}

func TestBadReporterIsRefused(t *testing.T) {
	c := city(t)
	far := orb.Point{181, 30}
	for want, by := range map[string]report.Reporter{
		"bad_phone": {Name: "x", Phone: "unknown"}, "bad_email": {Email: "a@b@c"}, "out_of_range": {Name: "x", Home: &far}, "too_long": {Name: strings.Repeat("王", 101)},
		"control_character": {Email: "a\n@b"},
	} {
		_, _, err := c.Reports.File(t.Context(), told(by))
		if f, ok := fault.As(err); !ok || f.Code != want || !strings.HasPrefix(f.Field, "reporter.") {
			t.Errorf("%+v: %v, want %s", by, err, want)
		}
	}
	if n := count(t, c, `SELECT count(*) FROM report`); n != 0 {
		t.Errorf("%d reports", n)
	}
}

func TestWithoutKeyNobodyIsKept(t *testing.T) {
	c := city(t)
	known := file(t, c, told(report.Reporter{Name: "王小明", Phone: "13800138000"}))
	c.Contacts.Ring = nil
	if _, _, err := c.Reports.File(t.Context(), told(report.Reporter{Name: "x"})); code(err) != "key_missing" || !fault.Is(err, fault.KindUnavailable) {
		t.Errorf("filed: %v", err)
	}
	n := told(report.Reporter{})
	n.Reporter = nil
	file(t, c, n)
	_, err := c.Reports.Import(t.Context(), func(yield func(report.Row, *report.Reject) bool) {
		row := told(report.Reporter{Name: "x"})
		row.Source, row.ExternalID = "import", "1"
		yield(report.Row{Line: 1, New: row}, nil)
	}, report.ImportOptions{})
	if code(err) != "key_missing" {
		t.Errorf("imported: %v", err)
	}
	masked, err := c.Contacts.Masked(t.Context(), []report.Num{known, known + 1, known + 2})
	if err != nil || len(masked) != 1 || masked[known] != (contact.Masked{Known: true}) {
		t.Errorf("masked: %+v, %v", masked, err)
	}
	_, err = c.Contacts.Unmask(t.Context(), known, "no key")
	_, err2 := c.Contacts.Find(t.Context(), "13800138000")
	if code(err) != "key_missing" || code(err2) != "key_missing" {
		t.Errorf("unmasked: %v; found: %v", err, err2)
	}
	c.Reports.Contacts = nil
	if _, _, err := c.Reports.File(t.Context(), told(report.Reporter{Name: "x"})); code(err) != "key_missing" {
		t.Errorf("filed without contacts: %v", err)
	}
}

func TestMaskedAndUnmasked(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	home := orb.Point{120.611, 30.522}
	num := file(t, c, told(report.Reporter{Name: "王小明", Phone: "13800131234", Email: "anna@example.com", Home: &home}))
	masked, err := c.Contacts.Masked(t.Context(), []report.Num{num})
	if want := (contact.Masked{Known: true, Name: "王**", Phone: "138****1234", Email: "a***@example.com", Home: true}); err != nil || masked[num] != want {
		t.Errorf("masked: %+v, %v", masked, err)
	}
	if got := unmask(t, c, num); got.Name != "王小明" || got.Phone != "13800131234" || got.Email != "anna@example.com" || *got.Home != home {
		t.Errorf("%+v", got)
	}
	for _, reason := range []string{"", " a ", strings.Repeat("x", 501), "\xff\xff\xff\xff"} {
		if _, err := c.Contacts.Unmask(t.Context(), num, reason); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("for %.20q: %v", reason, err)
		}
	}
	if _, err := c.Contacts.Unmask(t.Context(), num+1, "no such report"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("nobody's: %v", err)
	}
	// Who looked, and why, is on record, but not what was seen; where it cannot be put on record nothing is told.
	const looks = `SELECT count(*) FROM audit WHERE act = 'report.unmask'`
	by := uuid.New()
	before := count(t, c, looks)
	if _, err := c.Contacts.Unmask(audit.By(t.Context(), audit.Author{Person: by, Address: "192.0.2.7"}), num, " to call back "); err != nil {
		t.Fatal(err)
	}
	var kept string
	err = c.Pool.QueryRow(t.Context(), `SELECT concat_ws(' ', person, address, subject, after->>'reason') FROM audit WHERE act = 'report.unmask' ORDER BY seq DESC LIMIT 1`).Scan(&kept)
	if want := fmt.Sprintf("%s 192.0.2.7 report:%d to call back", by, num); err != nil || kept != want || count(t, c, looks) != before+1 {
		t.Errorf("on record is %q, %v; want %q", kept, err, want)
	}
	if _, err := db.Owner().Exec(t.Context(), fmt.Sprintf(`REVOKE INSERT ON testcity.audit FROM %s`, c.Role)); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Contacts.Unmask(t.Context(), num, "off the record"); err == nil || got != (contact.Contact{}) {
		t.Errorf("off the record: %+v, %v", got, err)
	}
	if got, err := c.Contacts.Export(t.Context(), contactOf(t, c, num)); err == nil || got.Name != "" || got.Reports != nil {
		t.Errorf("off the record: %+v, %v", got, err)
	}
}

func contactOf(t *testing.T, c *app.City, num report.Num) (id uuid.UUID) {
	t.Helper()
	if err := c.Pool.QueryRow(t.Context(), `SELECT contact_id FROM reporter WHERE report_num = $1`, num).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestFindAndExport(t *testing.T) {
	c := city(t)
	home := orb.Point{120.611, 30.522}
	n := told(report.Reporter{Name: "王小明", Phone: "13800138000", Email: "wang@example.com", Home: &home})
	n.Title, n.Text = "噪音", "每晚"
	num := file(t, c, n)
	if err := c.Reports.SetPosition(t.Context(), num, apptest.Center(2, 2), "called back"); err != nil {
		t.Fatal(err)
	}
	file(t, c, told(report.Reporter{Name: "another"}))
	id := unmask(t, c, num).ID
	for _, by := range []string{"+86 138 0013 8000", "WANG@example.com"} {
		if got, err := c.Contacts.Find(t.Context(), by); got != id || err != nil {
			t.Errorf("%s: %v, %v", by, got, err)
		}
	}
	for by, want := range map[string]string{"13800138001": "not_found", "x@example.com": "not_found", "": "not_found", "nobody": "bad_phone", "@": "bad_email"} {
		if _, err := c.Contacts.Find(t.Context(), by); code(err) != want {
			t.Errorf("%q: %v", by, err)
		}
	}
	held, err := c.Contacts.Export(t.Context(), id)
	if err != nil || len(held.Reports) != 1 || held.Reports[0].Num != num || held.Home == nil || *held.Home != (contact.Point{Lon: home[0], Lat: home[1]}) {
		t.Fatalf("%+v, %v", held, err)
	}
	b, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"王小明", "13800138000", "wang@example.com", "噪音", "每晚", "called back", n.ID.String(), id.String()} {
		if !strings.Contains(string(b), s) {
			t.Errorf("%s is not in %s", s, b)
		}
	}
	if _, err := c.Contacts.Export(t.Context(), uuid.New()); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestImportKeepsWhoTold(t *testing.T) {
	c := city(t)
	known := file(t, c, told(report.Reporter{Name: "old", Phone: "13800138000"}))
	rows := func(yield func(report.Row, *report.Reject) bool) {
		for i := range 300 {
			n := told(report.Reporter{})
			n.ID, n.Source, n.ExternalID = report.ID{}, "import", fmt.Sprint(i)
			switch i % 3 {
			case 0:
				n.Reporter = &report.Reporter{Phone: "138 0013 8000", Name: fmt.Sprint("name ", i)}
			case 1:
				n.Reporter = &report.Reporter{Email: fmt.Sprintf("p%d@example.com", i%10), Phone: fmt.Sprintf("1390013800%d", i%10)}
			default:
				n.Reporter = nil
			}
			if i == 299 {
				n.Reporter = &report.Reporter{Phone: "none"}
			}
			if !yield(report.Row{Line: i + 1, New: n}, nil) {
				return
			}
		}
	}
	for _, want := range []report.Imported{{Added: 299, Rejected: 1}, {Present: 299, Rejected: 1}} {
		if out, err := c.Reports.Import(t.Context(), rows, report.ImportOptions{}); err != nil || out != want {
			t.Fatalf("%+v, %v; want %+v", out, err, want)
		}
	}
	if n := count(t, c, `SELECT count(*) FROM contact`); n != 11 {
		t.Errorf("%d contacts", n)
	}
	if n := count(t, c, `SELECT count(*) FROM reporter`); n != 201 {
		t.Errorf("%d reporters", n)
	}
	if got := unmask(t, c, known); got.Name != "name 297" {
		t.Errorf("%+v", got)
	}
}

// However reports of one person come together, they are one contact's, and all are kept.
func TestOnePersonAtOnce(t *testing.T) {
	c := city(t)
	for round := range 8 {
		phone := fmt.Sprintf("1380013800%d", round)
		var wg sync.WaitGroup
		for i := range 50 {
			by := report.Reporter{Phone: phone, Name: "王小明"}
			if round%2 == 1 && i%5 == 0 {
				by.Name = fmt.Sprint("name ", i)
			}
			if round >= 4 && i%7 == 0 {
				by.Email = fmt.Sprintf("p%d@example.com", round)
			}
			if round >= 4 && i%7 == 1 {
				by = report.Reporter{Email: fmt.Sprintf("p%d@example.com", round)}
			}
			wg.Go(func() {
				if _, _, err := c.Reports.File(t.Context(), told(by)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(t, c, `SELECT count(*) FROM reporter`); n != 50*(round+1) {
			t.Fatalf("round %d: %d reporters", round, n)
		}
		// Who came by the address alone may have been first: then they are a contact by themselves.
		most := round + 1
		if round >= 4 {
			most = 4 + 2*(round-3)
		}
		if n := count(t, c, `SELECT count(*) FROM contact`); n < round+1 || n > most {
			t.Fatalf("round %d: %d contacts", round, n)
		}
	}
	batch := make([]report.New, 60)
	for i := range batch {
		batch[i] = told(report.Reporter{Phone: fmt.Sprintf("1370013700%d", i%4), Name: "x"})
	}
	for _, f := range c.Reports.FileAll(t.Context(), batch) {
		if f.Err != nil {
			t.Error(f.Err)
		}
	}
	if n := count(t, c, `SELECT count(DISTINCT contact_id) FROM reporter WHERE report_num IN (SELECT num FROM report ORDER BY num DESC LIMIT 60)`); n != 4 {
		t.Errorf("%d people told the batch", n)
	}
}

// Reports that come while the person is erased are the erased person's, without words, or those of somebody new.
func TestFilingWhileErasing(t *testing.T) {
	c := city(t)
	const phone = "13800138000"
	for range 20 {
		file(t, c, told(report.Reporter{Phone: phone}))
		id, err := c.Contacts.Find(t.Context(), phone)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				n := told(report.Reporter{Phone: phone})
				n.Title = "words"
				if _, _, err := c.Reports.File(t.Context(), n); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			if _, err := c.Contacts.Erase(t.Context(), id, contact.EraseOptions{}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if n := count(t, c, `SELECT count(*) FROM reporter w JOIN report r ON r.num = w.report_num JOIN contact c ON c.id = w.contact_id
			WHERE c.erased_at IS NOT NULL AND r.title IS NOT NULL`); n != 0 {
			t.Fatalf("%d reports of the erased person still have words", n)
		}
	}
	if n := count(t, c, `SELECT count(*) FROM report r LEFT JOIN reporter w ON w.report_num = r.num WHERE w.report_num IS NULL`); n != 0 {
		t.Errorf("%d reports are nobody's", n)
	}
}

// What was sealed for one city, one person and one field opens as nothing else.
func TestSealedFieldsAreTheirPersons(t *testing.T) {
	db, c := apptest.City(t)
	apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-1, 0, 0))
	a := file(t, c, told(report.Reporter{Name: "A", Phone: "13800138000"}))
	b := file(t, c, told(report.Reporter{Name: "B", Phone: "13900139000"}))
	swap := func(sql string) {
		t.Helper()
		if _, err := db.Owner().Exec(t.Context(), `SET search_path TO testcity; `+sql); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(what string, want error) {
		t.Helper()
		if got, err := c.Contacts.Unmask(t.Context(), a, "a test looks"); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
		if m, err := c.Contacts.Masked(t.Context(), []report.Num{a, b}); err != nil || m[a] != (contact.Masked{Known: true}) {
			t.Errorf("%s: masked %+v, %v", what, m, err)
		}
	}
	swap(`CREATE TABLE was AS SELECT * FROM contact`)
	restore := `UPDATE contact c SET name = w.name, phone = w.phone, data_key = w.data_key FROM was w WHERE w.id = c.id`
	swap(`UPDATE contact c SET name = phone`)
	fails("another field", keyring.ErrForged)
	swap(restore + `; UPDATE contact c SET name = w.name FROM was w WHERE w.id <> c.id`)
	fails("another's field", keyring.ErrForged)
	swap(restore + `; UPDATE contact c SET name = w.name, phone = w.phone, data_key = w.data_key FROM was w WHERE w.id <> c.id`)
	fails("another's key and fields", keyring.ErrForged)
	swap(restore)
	unmask(t, c, a)
	elsewhere := *c.Contacts
	elsewhere.City = "other"
	if _, err := elsewhere.Unmask(t.Context(), a, "a test looks"); !errors.Is(err, keyring.ErrForged) {
		t.Errorf("as another city's: %v", err)
	}
	if _, err := elsewhere.Find(t.Context(), "13800138000"); !fault.Is(err, fault.KindNotFound) {
		t.Errorf("found as another city's: %v", err)
	}
	c.Contacts.Ring = apptest.Ring(t)
	if _, err := c.Contacts.Unmask(t.Context(), a, "a test looks"); code(err) != "key_missing" {
		t.Errorf("by another ring: %v", err)
	}
}
