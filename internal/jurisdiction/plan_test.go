package jurisdiction_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"gridgov/internal/app/apptest"
	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestPlanFromDraftToInForce(t *testing.T) {
	_, c := apptest.City(t)
	if _, ok, err := c.Plans.InForce(t.Context()); ok || err != nil {
		t.Fatalf("in force before there is any: %v %v", ok, err)
	}
	apptest.Draft(t, c, "2026", 0)
	p, err := c.Plans.Check(t.Context(), "", "")
	if err != nil || p.State != jurisdiction.Checked || p.Findings[coverage.Refused] != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err = c.Plans.Publish(t.Context(), "2026", apptest.Now.AddDate(0, -1, 0)); err != nil || p.State != jurisdiction.Published || p.Version == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	layout, err := c.Plans.Load(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(layout.Levels) != 4 || len(layout.Levels[3].Units) != 16 || layout.Levels[0].Nests || !layout.Levels[1].Nests || !layout.Levels[3].Nests {
		t.Errorf("levels %+v", layout.Levels)
	}
	if grids, ok := layout.GridsOf("town", "330481101"); !ok || len(grids) != 16 {
		t.Errorf("the town has grids %v", grids)
	}
	// Everything stored is valid and tiles the city, says PostGIS.
	var invalid int
	var gap float64
	err = c.Pool.QueryRow(t.Context(), `
		SELECT count(*) FILTER (WHERE NOT ST_IsValid(geom)),
			ST_Area(ST_SymDifference(ST_Union(geom), (SELECT geom FROM boundary WHERE role = 'city')))
		FROM boundary WHERE role = 'grid'`).Scan(&invalid, &gap)
	if err != nil || invalid != 0 || gap != 0 {
		t.Errorf("%d invalid, %g uncovered, %v", invalid, gap, err)
	}

	// A published plan never changes.
	level, _ := c.Plans.Level("grid")
	_, err = c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "2026", Level: level, File: "x", Faces: apptest.Faces("grid", 0)})
	if !fault.Is(err, fault.KindConflict) {
		t.Errorf("importing into it: %v", err)
	}
	if _, err := c.Plans.Publish(t.Context(), "2026", time.Time{}); !fault.Is(err, fault.KindConflict) {
		t.Errorf("publishing it again: %v", err)
	}

	// The next one from a date to come; until then the first stays in force.
	apptest.Draft(t, c, "2027", 0.001)
	if _, err := c.Plans.Publish(t.Context(), "2027", *p.InForceFrom); !fault.Is(err, fault.KindConflict) {
		t.Errorf("at the same moment: %v", err)
	}
	next, err := c.Plans.Publish(t.Context(), "2027", apptest.Now.AddDate(0, 1, 0))
	if err != nil || next.Version == p.Version {
		t.Fatalf("%+v, %v", next, err)
	}
	if now, _, _ := c.Plans.InForce(t.Context()); now.ID != p.ID {
		t.Errorf("in force is %q", now.Name)
	}
	later := *c.Plans
	later.Now = func() time.Time { return apptest.Now.AddDate(0, 2, 0) }
	if now, _, _ := later.InForce(t.Context()); now.ID != next.ID {
		t.Errorf("in two months %q is in force", now.Name)
	}
	plans, _ := later.Plans(t.Context())
	if plans[0].State != jurisdiction.Published || plans[1].State != jurisdiction.Retired {
		t.Errorf("states %s, %s", plans[0].State, plans[1].State)
	}
	changes, err := c.Plans.Diff(t.Context(), p, next)
	if err != nil {
		t.Fatal(err)
	}
	reshaped := map[jurisdiction.Role]int{}
	for _, ch := range changes {
		if ch.What != "reshaped" {
			t.Errorf("%+v", ch)
		}
		reshaped[ch.Role]++
	}
	// Inner corners moved: every grid but the city's corners' has one; villages meet in the middle.
	if reshaped["grid"] != 16 || reshaped["village"] != 4 || reshaped["town"] != 0 {
		t.Errorf("reshaped %v", reshaped)
	}
}

func TestRefusedFindingsKeepADraftFromPublishing(t *testing.T) {
	_, c := apptest.City(t)
	apptest.Draft(t, c, "holed", 0)
	level, _ := c.Plans.Level("grid")
	faces := apptest.Faces("grid", 0)[1:] // a grid is missing: its village is not covered
	out, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "holed", Level: level, File: "x", Faces: append(faces, faces[0]), WithParent: true})
	if err != nil || len(out.Rejects) != 1 || out.Rejects[0].Code != "duplicate_code" {
		t.Fatalf("%+v, %v", out, err)
	}
	moved := apptest.Faces("grid", 0)
	moved[5].Shape[0][0][1][0] += 0.002 // and one corner overlaps its neighbour
	if out, err = c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "holed", Level: level, File: "x", Faces: moved, WithParent: true}); err != nil || !coverage.HasRefused(out.Findings) {
		t.Fatalf("%+v, %v", out, err)
	}
	if _, err := c.Plans.Publish(t.Context(), "holed", time.Time{}); !fault.Is(err, fault.KindConflict) {
		t.Errorf("publishing: %v", err)
	}
	p, err := c.Plans.Check(t.Context(), "holed", "")
	if err != nil || p.State != jurisdiction.Draft || p.Findings[coverage.Refused] == 0 {
		t.Errorf("%+v, %v", p, err)
	}
	byLevel, err := c.Plans.Findings(t.Context(), p.ID)
	if err != nil || len(byLevel["grid"]) == 0 {
		t.Errorf("%v, %v", byLevel, err)
	}
}

func TestUpperLevelIsDissolvedFromTheLowest(t *testing.T) {
	_, c := apptest.City(t)
	if l, err := c.Plans.Level("网格"); err == nil {
		t.Fatalf("a level by a name it does not have: %+v", l)
	}
	grid, err := c.Plans.Level("GRID")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "p", Level: grid, File: "x", Faces: apptest.Faces("grid", 0.001), WithParent: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Plans.Publish(t.Context(), "p", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := c.State().Layout
	if len(l.Levels) != 2 || l.Levels[0].Role != "village" || len(l.Levels[0].Units) != 4 || !l.Levels[1].Nests {
		t.Fatalf("levels %+v", l.Levels)
	}
	pl := c.State().Placer.At(apptest.Center(2, 3), 10, "point")
	if pl.Village != apptest.VillageCode(1, 1) || pl.Grid != apptest.GridCode(2, 3) {
		t.Errorf("%+v", pl)
	}
	var apart float64
	err = c.Pool.QueryRow(t.Context(), `
		SELECT max(ST_Area(ST_SymDifference(v.geom, (SELECT ST_Union(g.geom) FROM boundary g WHERE g.role = 'grid' AND g.parent = v.code))))
		FROM boundary v WHERE v.role = 'village'`).Scan(&apart)
	if err != nil || apart != 0 {
		t.Errorf("villages and their grids' unions differ by %g, %v", apart, err)
	}
	city, _ := c.Plans.Level("city")
	if _, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "q", Level: city, File: "x", Faces: apptest.Faces("city", 0), WithParent: true}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("the uppermost level with a parent: %v", err)
	}
}

func TestServingRoleCannotChangeWhatIsPublished(t *testing.T) {
	_, c := apptest.City(t)
	for _, sql := range []string{
		`UPDATE plan SET name = 'x'`, `DELETE FROM plan`, `UPDATE event SET type = 'x'`, `DELETE FROM event`, `DELETE FROM report`,
		`UPDATE placement_past SET method = 'x'`, `DELETE FROM position_set`, `CREATE TABLE t ()`, `ALTER TABLE report ADD x int`,
		`UPDATE feed SET epoch = 2`, `DELETE FROM item`,
	} {
		_, err := c.Pool.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "42501" {
			t.Errorf("%s: %v", sql, err)
		}
	}
}
