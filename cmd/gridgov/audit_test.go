package main

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"gridgov/internal/audit"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/postgres/pgtest"
)

// The record of acts is checked from the command line: whole, behind lost keys, tampered with, set back.
func TestAuditVerify(t *testing.T) {
	keys := filepath.Join(t.TempDir(), "keys")
	t.Setenv("GRIDGOV_KEY_FILE", keys)
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	put(t, "grids.geojson", collection("", faces(jurisdiction.RoleGrid, 0)...))
	move := func(from, to string) func(*testing.T) {
		return func(t *testing.T) {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	exec := func(sql string, args ...any) func(*testing.T) {
		return func(t *testing.T) {
			if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	anchor := func(t *testing.T) {
		var h audit.Head
		if err := conn.QueryRow(t.Context(), `SELECT audit_seq, audit_mac FROM tc.feed`).Scan(&h.Seq, &h.MAC); err != nil {
			t.Fatal(err)
		}
		if err := (audit.Anchor{At: time.Now(), City: "tc", Seq: h.Seq, MAC: h.MAC}).Append("anchors"); err != nil {
			t.Fatal(err)
		}
	}
	zeros := hex.EncodeToString(make([]byte, 32))
	put(t, "forged", "2026-01-01T00:00:00Z other 1 "+zeros+"\n2026-01-01T00:00:00Z tc 1 "+zeros+"\n")
	put(t, "broken", "2026-01-01T00:00:00Z tc\n")

	for _, l := range []line{
		{args: "audit verify", code: 2, err: []string{`"city" not set`}},
		{args: "audit verify --city tc", code: 1, err: []string{"a new key file is in " + keys, "no city"}},
		{args: "city create tc " + create, err: []string{"!key file"}},
		{args: "audit verify --city tc", out: []string{"rows\t0\nhead\t0\t\n"}, err: []string{"the record is empty", "!whole"}},
		{args: "import boundaries grids.geojson " + grids + " --publish"},
		// The first four are the city's first regime and unit.
		{args: "audit verify --city tc", out: []string{"rows\t7\nhead\t7\t"}, err: []string{"the record is whole"}, then: anchor},
		{args: "audit verify --city tc --anchor anchors", out: []string{"anchors\t1\n"}, err: []string{"whole"}},
		{args: "audit verify --city tc --anchor none", code: 1, err: []string{"cannot be read"}},
		{args: "audit verify --city tc --anchor broken", code: 1, err: []string{"line 1"}},
		{args: "audit verify --city tc --anchor forged", code: 1, err: []string{"row 1 is at fault (not anchored)"}, then: move(keys, "away")},

		// Without the file work goes on, and is told; the file that comes back does not vouch for what was done meanwhile.
		{args: "import places - --city tc", stdin: "name,lon,lat\na,120.61,30.51\n", err: []string{"the key file " + keys + " is missing", "1 places added"}},
		{args: "audit verify --city tc", code: 1, err: []string{"row 1 is at fault (unknown key)"}, then: func(t *testing.T) {
			absent(keys)(t)
			move("away", keys)(t)
		}},
		{args: "import places - --city tc", stdin: "name,lon,lat\nb,120.61,30.51\n", err: []string{"!key file"}},
		{args: "audit verify --city tc", code: 1, out: []string{"rows\t9"}, err: []string{"rows 8 to 8 were written without a key", "1 rows have no key, and --without-key says 0"}},
		{args: "audit verify --city tc --without-key 1", err: []string{"whole"}, then: exec(`UPDATE tc.audit SET subject = 'plan:9' WHERE seq = 7`)},
		{args: "audit verify --city tc --without-key 1", code: 1, err: []string{"row 7 is at fault (altered)", "!whole"}, then: exec(`UPDATE tc.audit SET subject = 'plan:1' WHERE seq = 7`)},
		{args: "audit verify --city tc --without-key 1", err: []string{"whole"}, then: exec(`DELETE FROM tc.audit WHERE seq = 9`)},
		{args: "audit verify --city tc --without-key 1", code: 1, err: []string{"row 9 is at fault (missing)"}, then: func(t *testing.T) {
			if err := os.Chmod(keys, 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		{args: "audit verify --city tc", code: 1, err: []string{"chmod 600"}},
	} {
		l.run(t, database)
	}
}

// In the private data folder the keys lie beside the database, and no backup holds them.
func TestBackupHoldsNoKey(t *testing.T) {
	data := t.TempDir()
	global := []string{"--database", pgtest.URL(t), "--data", data}
	t.Setenv("GRIDGOV_KEY_FILE", "")
	for _, l := range []string{"city create tc " + create, "db backup " + filepath.Join(data, "backup")} {
		if got := run(t.Context(), nil, append(global, strings.Fields(l)...)...); got.code != 0 {
			t.Fatalf("%s: %d %s", l, got.code, got.err)
		}
	}
	keys, err := os.ReadFile(filepath.Join(data, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	backup, err := os.ReadFile(filepath.Join(data, "backup"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(strings.Split(string(keys), "\n")[1])
	secret, err := hex.DecodeString(fields[2])
	if err != nil || len(secret) != 32 {
		t.Fatalf("%d bytes, %v", len(secret), err)
	}
	for _, s := range []string{fields[2], string(secret)} {
		if strings.Contains(string(backup), s) {
			t.Error("the backup holds the key")
		}
	}
}
