package audit_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"gridgov/internal/audit"
	"gridgov/internal/feed"
	"gridgov/internal/keyring"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.CheckLeaks()) }

var start = time.Date(2026, 11, 24, 8, 0, 0, 123456789, time.UTC)

var person = uuid.MustParse("01980000-0000-7000-8000-000000000001")

// chain is a city whose acts are on record.
type chain struct {
	t           *testing.T
	owner, pool *pgxpool.Pool
	ring        *keyring.Ring
	writer      *feed.Writer
	written     int
}

// newChain puts n acts on record: of a person and of the system, with and without what changed.
func newChain(t *testing.T, n int) *chain {
	t.Helper()
	ring, err := keyring.Create(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	owner, pool, code := pgtest.City(t)
	c := &chain{t: t, owner: owner, pool: pool, ring: ring, writer: &feed.Writer{Key: audit.KeyOf(ring, code)}}
	c.write(n)
	return c
}

func (c *chain) write(n int) {
	c.t.Helper()
	for range n {
		c.written++
		ctx := c.t.Context()
		if c.written%2 == 0 {
			ctx = audit.By(ctx, audit.Author{Person: person, Post: int64(c.written), Address: "192.0.2.7"})
		}
		r := audit.Record{Act: []string{"plan.publish", "plan.import", "report.file"}[c.written%3], Subject: fmt.Sprintf("thing:%d", c.written)}
		if c.written%4 == 0 {
			r.Before, r.After = map[string]int{"z": 1, "a": 2}, json.RawMessage(`{"b":1,"a":"\u4e2d中","a":1.0}`)
		}
		err := pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
			_, err := c.writer.Append(ctx, tx, start.Add(time.Duration(c.written)*time.Second), nil, r)
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *chain) verify(anchors ...audit.Anchor) audit.Report {
	c.t.Helper()
	report, err := audit.Verify(c.t.Context(), c.pool, audit.Keys(c.ring, pgtest.CityCode), anchors...)
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

// exec does what the database's owner can.
func (c *chain) exec(sql string, args ...any) {
	c.t.Helper()
	if _, err := c.owner.Exec(c.t.Context(), sql, args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chain) head() audit.Head {
	c.t.Helper()
	h, err := audit.HeadOf(c.t.Context(), c.pool)
	if err != nil {
		c.t.Fatal(err)
	}
	return h
}

// setHeadBack makes the last row that is there the head, as far as the rows tell.
func (c *chain) setHeadBack() {
	c.exec(`UPDATE feed SET (audit_seq, audit_mac) = (SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1)`)
}

func TestWholeChain(t *testing.T) {
	c := newChain(t, 0)
	if r := c.verify(); r.Fault != nil || r.Rows != 0 {
		t.Errorf("an empty chain: %+v", r)
	}
	c.write(30)
	if r := c.verify(); r.Fault != nil || r.Rows != 30 || r.Head.Seq != 30 || len(r.Unkeyed) != 0 {
		t.Errorf("%+v, %v", r, r.Fault)
	}
	page, err := audit.List(t.Context(), c.pool, audit.Query{Limit: 100})
	if err != nil || len(page.Rows) != 30 {
		t.Fatalf("%d rows, %v", len(page.Rows), err)
	}
	r := page.Rows[30-12] // row 12: of a person, with before and after
	if r.Seq != 12 || r.Person != person || r.Post != 12 || r.Address != "192.0.2.7" || r.Act != "plan.publish" || r.Subject != "thing:12" ||
		!r.At.Equal(start.Add(12*time.Second).Truncate(time.Microsecond)) || string(r.Before) != `{"a":2,"z":1}` || len(r.MAC) != 32 || r.Key == "" {
		t.Errorf("row 12 is %+v", r)
	}
	if s := page.Rows[30-13]; s.Person != uuid.Nil || s.Post != 0 || s.Address != "" || s.Before != nil {
		t.Errorf("row 13 is %+v", s)
	}
}

// Whatever somebody with the owner's rights but without the key does to the rows is found, where it was done.
func TestTamperingIsFound(t *testing.T) {
	const n = 12
	shift := func(c *chain, from, by int) { // numbers are unique: over a far place
		c.exec(`UPDATE audit SET seq = seq + 1000 WHERE seq >= $1`, from)
		c.exec(`UPDATE audit SET seq = seq - 1000 + $1 WHERE seq >= 1000`, by)
	}
	for name, tamper := range map[string]struct {
		do   func(c *chain)
		seq  int64
		what string
	}{
		"act":             {func(c *chain) { c.exec(`UPDATE audit SET act = 'plan.retire' WHERE seq = 5`) }, 5, audit.Altered},
		"time":            {func(c *chain) { c.exec(`UPDATE audit SET at = at + interval '1 microsecond' WHERE seq = 5`) }, 5, audit.Altered},
		"person":          {func(c *chain) { c.exec(`UPDATE audit SET person = NULL WHERE seq = 6`) }, 6, audit.Altered},
		"post":            {func(c *chain) { c.exec(`UPDATE audit SET post = 7 WHERE seq = 6`) }, 6, audit.Altered},
		"address":         {func(c *chain) { c.exec(`UPDATE audit SET address = '192.0.2.8' WHERE seq = 6`) }, 6, audit.Altered},
		"subject":         {func(c *chain) { c.exec(`UPDATE audit SET subject = 'thing:99' WHERE seq = 12`) }, 12, audit.Altered},
		"before":          {func(c *chain) { c.exec(`UPDATE audit SET before = NULL WHERE seq = 8`) }, 8, audit.Altered},
		"blanks in after": {func(c *chain) { c.exec(`UPDATE audit SET after = replace(after::text, ',', ', ')::json WHERE seq = 8`) }, 8, audit.Altered},
		"mac": {func(c *chain) {
			c.exec(`UPDATE audit SET mac = set_byte(mac, 0, (get_byte(mac, 0) + 1) % 256) WHERE seq = 5`)
		}, 5, audit.Altered},
		"removed":            {func(c *chain) { c.exec(`DELETE FROM audit WHERE seq = 5`) }, 5, audit.Missing},
		"first removed":      {func(c *chain) { c.exec(`DELETE FROM audit WHERE seq = 1`) }, 1, audit.Missing},
		"removed and closed": {func(c *chain) { c.exec(`DELETE FROM audit WHERE seq = 5`); shift(c, 6, -1) }, 5, audit.Altered},
		"last removed":       {func(c *chain) { c.exec(`DELETE FROM audit WHERE seq = 12`) }, 12, audit.Missing},
		"last removed, head": {func(c *chain) { c.exec(`DELETE FROM audit WHERE seq = 12`); c.setHeadBack() }, 11, audit.WrongHead},
		"all removed":        {func(c *chain) { c.exec(`DELETE FROM audit`) }, 1, audit.Missing},
		"head alone":         {func(c *chain) { c.exec(`UPDATE feed SET audit_sum = sha256('x')`) }, 12, audit.WrongHead},
		"head back, rows left": {func(c *chain) {
			c.exec(`UPDATE feed SET audit_seq = 9, audit_mac = (SELECT mac FROM audit WHERE seq = 9)`)
		}, 10, audit.Inserted},
		"inserted": {func(c *chain) {
			shift(c, 5, 1)
			c.exec(`INSERT INTO audit SELECT 5, at, person, post, act, subject, before, after, address, key, mac FROM audit WHERE seq = 3`)
		}, 5, audit.Inserted},
		"inserted at the end": {func(c *chain) {
			c.exec(`INSERT INTO audit SELECT 13, at, person, post, act, subject, before, after, address, key, mac FROM audit WHERE seq = 12`)
		}, 13, audit.Altered},
		"swapped": {func(c *chain) {
			c.exec(`UPDATE audit SET seq = 1000 WHERE seq = 5`)
			c.exec(`UPDATE audit SET seq = 5 WHERE seq = 6`)
			c.exec(`UPDATE audit SET seq = 6 WHERE seq = 1000`)
		}, 5, audit.OutOfOrder},
		"key's name": {func(c *chain) { c.exec(`UPDATE audit SET key = 'ffffffff' WHERE seq = 5`) }, 5, audit.UnknownKey},
		// Who lacks the key can make whole chains of another key, or of none; the rest of the chain, or its head, tells.
		"one row without a key": {func(c *chain) { c.rehash(5, 5, audit.Key{}) }, 6, audit.Altered},
		"last without a key":    {func(c *chain) { c.rehash(12, 12, audit.Key{}) }, 12, audit.WrongHead},
		"all with another secret": {func(c *chain) {
			c.rehash(1, n, audit.Key{ID: string(c.ring.Current()), Secret: []byte("guessed")})
		}, 1, audit.Altered},
		"all with another key": {func(c *chain) { c.rehash(1, n, audit.Key{ID: "ffffffff", Secret: []byte("own")}) }, 1, audit.UnknownKey},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			c := newChain(t, n)
			tamper.do(c)
			want := audit.Fault{Seq: tamper.seq, What: tamper.what}
			if r := c.verify(); r.Fault == nil || *r.Fault != want {
				t.Errorf("found %v, want %v", r.Fault, want)
			}
			// Going on from there covers up nothing.
			c.writer = &feed.Writer{Key: c.writer.Key}
			head := c.head()
			if tamper.what == audit.Inserted || tamper.seq == 13 {
				return // the next number is taken: nothing more goes in
			}
			c.write(2)
			if r := c.verify(); r.Fault == nil || r.Head.Seq != head.Seq+2 {
				t.Errorf("two acts later found %v at %d", r.Fault, r.Head.Seq)
			}
		})
	}
}

// rehash makes the rows anew with another key, as well as its owner can: the head too.
func (c *chain) rehash(from, to int64, k audit.Key) {
	c.t.Helper()
	page, err := audit.List(c.t.Context(), c.owner, audit.Query{Limit: 1000})
	if err != nil {
		c.t.Fatal(err)
	}
	rows := page.Rows
	slices.Reverse(rows)
	var h audit.Head
	for _, r := range rows {
		var next []audit.Row
		signed, err := audit.Sign(audit.Author{Person: r.Person, Post: r.Post, Address: r.Address},
			audit.Record{Act: r.Act, Subject: r.Subject, Before: orNil(r.Before), After: orNil(r.After)})
		if err != nil {
			c.t.Fatal(err)
		}
		if r.Seq < from || r.Seq > to {
			h = audit.Head{Seq: r.Seq, MAC: r.MAC} // its sum needs the key
			continue
		}
		next, h = h.Extend(k, r.At, signed)
		c.exec(`UPDATE audit SET key = $2, mac = $3, before = $4::text::json, after = $5::text::json WHERE seq = $1`, r.Seq, k.ID, next[0].MAC,
			text(next[0].Before), text(next[0].After))
	}
	c.exec(`UPDATE feed SET audit_mac = $1`, h.MAC)
	if from == 1 {
		c.exec(`UPDATE feed SET audit_sum = $1`, h.Sum)
	}
}

func orNil(b json.RawMessage) any {
	if b == nil {
		return nil
	}
	return b
}

func text(b json.RawMessage) *string {
	if b == nil {
		return nil
	}
	return new(string(b))
}

// Chains without any key can be made by anybody, and are said to be so.
func TestRehashedWithoutKey(t *testing.T) {
	c := newChain(t, 9)
	c.exec(`UPDATE audit SET subject = 'thing:forged' WHERE seq = 4`)
	c.rehash(1, 9, audit.Key{})
	if r := c.verify(); r.Fault != nil || r.WithoutKey() != 9 || !slices.Equal(r.Unkeyed, []audit.Range{{From: 1, To: 9}}) {
		t.Errorf("%+v, %v", r, r.Fault)
	}
}

// The key is lost for a while, and rotated: the chain goes on, and says which rows it does not vouch for.
func TestKeysComeAndGo(t *testing.T) {
	c := newChain(t, 3)
	keyed := c.writer
	c.writer = &feed.Writer{}
	c.write(2)
	c.writer = keyed
	c.write(3)
	if err := c.ring.Rotate(start); err != nil {
		t.Fatal(err)
	}
	c.writer = &feed.Writer{Key: audit.KeyOf(c.ring, pgtest.CityCode)}
	c.write(2)
	r := c.verify()
	if r.Fault != nil || r.Rows != 10 || !slices.Equal(r.Unkeyed, []audit.Range{{From: 4, To: 5}}) {
		t.Errorf("%+v, %v", r, r.Fault)
	}
	has, err := audit.HasKeys(t.Context(), c.pool)
	if err != nil || !has {
		t.Errorf("keys: %v, %v", has, err)
	}
	c.exec(`UPDATE audit SET subject = 'x' WHERE seq = 4`) // a row without a key is held by those behind it
	if r := c.verify(); r.Fault == nil || r.Fault.Seq != 4 {
		t.Errorf("found %v", r.Fault)
	}
	if r, err := audit.Verify(t.Context(), c.pool, audit.Keys(nil, pgtest.CityCode)); err != nil || r.Fault == nil || *r.Fault != (audit.Fault{Seq: 1, What: audit.UnknownKey}) {
		t.Errorf("without the file: %v, %v", r.Fault, err)
	}
	other := audit.Keys(c.ring, "elsewhere")
	if r, err := audit.Verify(t.Context(), c.pool, other); err != nil || r.Fault == nil || *r.Fault != (audit.Fault{Seq: 1, What: audit.Altered}) {
		t.Errorf("with another city's key: %v, %v", r.Fault, err)
	}
}

// Who kept an old head can set everything back to it; what was anchored after it is then missing.
func TestAnchorsTellOfWhatWasSetBack(t *testing.T) {
	c := newChain(t, 5)
	before := c.head()
	c.write(3)
	anchor := audit.Anchor{At: start, City: pgtest.CityCode, Seq: c.head().Seq, MAC: c.head().MAC}
	if r := c.verify(anchor, audit.Anchor{Seq: before.Seq, MAC: before.MAC}); r.Fault != nil {
		t.Fatal(r.Fault)
	}
	c.exec(`DELETE FROM audit WHERE seq > 5`)
	c.exec(`UPDATE feed SET audit_seq = $1, audit_mac = $2, audit_sum = $3`, before.Seq, before.MAC, before.Sum)
	if r := c.verify(); r.Fault != nil || r.Rows != 5 {
		t.Errorf("without an anchor: %v", r.Fault)
	}
	if r := c.verify(anchor); r.Fault == nil || *r.Fault != (audit.Fault{Seq: 6, What: audit.Missing}) {
		t.Errorf("found %v", r.Fault)
	}
	c.written = 20 // other acts than before
	c.write(6)
	if r := c.verify(anchor); r.Fault == nil || *r.Fault != (audit.Fault{Seq: 8, What: audit.NotAnchor}) {
		t.Errorf("found %v", r.Fault)
	}
}

func TestAnchorFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "anchors")
	mac := sha256.Sum256(nil)
	want := []audit.Anchor{
		{At: start.Truncate(time.Second), City: "haining", Seq: 7, MAC: mac[:]},
		{At: start.Truncate(time.Second).Add(time.Hour), City: "haining", Seq: 9, MAC: mac[:]},
	}
	for _, a := range []audit.Anchor{{At: start, City: "haining"}, want[0], {At: start, City: "dc", Seq: 3, MAC: mac[:]}, want[1]} {
		if err := a.Append(file); err != nil {
			t.Fatal(err)
		}
	}
	got, err := audit.ReadAnchors(file, "haining")
	if err != nil || len(got) != 2 || got[0].String() != want[0].String() || got[1].String() != want[1].String() {
		t.Errorf("read %v, %v", got, err)
	}
}

func FuzzParseAnchor(f *testing.F) {
	for _, s := range []string{"2026-11-24T08:00:00Z haining 7 00ff", "2026-11-24T08:00:00Z haining 0 -", "", "a b c d", "2026-11-24T08:00:00Z x 1 0F",
		"2026-11-24T08:00:00+08:00 x 1 00", "2026-11-24T08:00:00Z x -1 00", "2026-11-24T08:00:00Z x 01 00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := audit.ParseAnchor(s)
		if ok && (a.String() != s || a.Seq < 0 || a.City == "") {
			t.Fatalf("%q is read as %+v", s, a)
		}
	})
}

func TestList(t *testing.T) {
	c := newChain(t, 30)
	all, err := audit.List(t.Context(), c.pool, audit.Query{Limit: 100})
	if err != nil || len(all.Rows) != 30 || all.Next != 0 {
		t.Fatalf("%d rows, next %d, %v", len(all.Rows), all.Next, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		q := audit.Query{Limit: rapid.IntRange(1, 12).Draw(t, "limit"), Act: rapid.SampledFrom([]string{"", "plan.", "plan.import", "report", "p_"}).Draw(t, "act"),
			Subject: rapid.SampledFrom([]string{"", "thing:7", "thing:x"}).Draw(t, "subject")}
		if rapid.Bool().Draw(t, "of the person") {
			q.Person = person
		}
		if rapid.Bool().Draw(t, "from") {
			q.From = start.Add(time.Duration(rapid.IntRange(0, 31).Draw(t, "second")) * time.Second).Truncate(time.Microsecond)
		}
		if rapid.Bool().Draw(t, "to") {
			q.To = start.Add(time.Duration(rapid.IntRange(0, 31).Draw(t, "second")) * time.Second).Truncate(time.Microsecond)
		}
		var want, got []int64
		for _, r := range all.Rows {
			if (q.Person == uuid.Nil || r.Person == q.Person) && strings.HasPrefix(r.Act, q.Act) && (q.Subject == "" || r.Subject == q.Subject) &&
				(q.From.IsZero() || !r.At.Before(q.From)) && (q.To.IsZero() || r.At.Before(q.To)) {
				want = append(want, r.Seq)
			}
		}
		for more := true; more; {
			page, err := audit.List(context.Background(), c.pool, q)
			if err != nil || len(page.Rows) > q.Limit {
				t.Fatalf("%d rows, %v", len(page.Rows), err)
			}
			for _, r := range page.Rows {
				got = append(got, r.Seq)
			}
			q.Before, more = page.Next, page.Next > 0
		}
		if !slices.Equal(got, want) {
			t.Fatalf("listed %v, want %v", got, want)
		}
	})
}

// No two rows have the same encoding, so none can take another's MAC.
func TestFieldsDoNotRunIntoEachOther(t *testing.T) {
	k := audit.Key{ID: "0123abcd", Secret: []byte("secret")}
	seen := map[string]int{}
	for i, s := range []struct {
		by audit.Author
		r  audit.Record
	}{
		{audit.Author{}, audit.Record{Act: "ab", Subject: "c"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "bc"}},
		{audit.Author{Address: "c"}, audit.Record{Act: "a", Subject: "b"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "b", Before: json.RawMessage(`{}`)}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "b", After: json.RawMessage(`{}`)}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "b"}},
		{audit.Author{Post: 1}, audit.Record{Act: "a", Subject: "b"}},
		{audit.Author{Person: person}, audit.Record{Act: "a", Subject: "b"}},
	} {
		signed, err := audit.Sign(s.by, s.r)
		if err != nil {
			t.Fatal(err)
		}
		rows, head := audit.Head{}.Extend(k, start, signed)
		mac := string(rows[0].MAC)
		if j, ok := seen[mac]; ok {
			t.Errorf("%d and %d have one MAC", i, j)
		}
		seen[mac] = i
		if !bytes.Equal(head.MAC, rows[0].MAC) || hmac.Equal(head.Sum, head.MAC) || head.Seq != 1 {
			t.Errorf("the head is %+v", head)
		}
	}
}

func TestSignRefusesWhatTheTableWould(t *testing.T) {
	for _, bad := range []struct {
		by audit.Author
		r  audit.Record
	}{
		{audit.Author{}, audit.Record{Act: "", Subject: "x"}},
		{audit.Author{}, audit.Record{Act: "Plan.publish", Subject: "x"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: ""}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "\x00"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "\xff"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: strings.Repeat("中", 201)}},
		{audit.Author{}, audit.Record{Act: strings.Repeat("a", 65), Subject: "x"}},
		{audit.Author{Address: strings.Repeat("1", 101)}, audit.Record{Act: "a", Subject: "x"}},
		{audit.Author{}, audit.Record{Act: "a", Subject: "x", After: func() {}}},
	} {
		if _, err := audit.Sign(bad.by, bad.r); err == nil {
			t.Errorf("%+v is signed", bad)
		}
	}
	if _, err := audit.Sign(audit.Author{Address: "::1"}, audit.Record{Act: "a.b_c.9", Subject: strings.Repeat("中", 200), After: "\x00\xff"}); err != nil {
		t.Error(err)
	}
}
