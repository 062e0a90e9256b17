package app_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/placement"
	"gridgov/internal/placement/madeup"
	"gridgov/internal/report"
	"gridgov/internal/soak"
)

// sample is points of one kind.
type sample struct {
	kind   string
	points []orb.Point
}

// coversEverywhere holds the city's placement, level by level, against ST_Covers on the faces as stored: for its reports,
// anywhere, and where it is hardest, at the lines of each level.
func coversEverywhere(t *testing.T, c *app.City) {
	t.Helper()
	samples := []sample{{"reports", reported(t, c)}}
	rng := rand.New(rand.NewPCG(21, 22))
	layout, n := c.State().Layout, soak.Or(500, 50_000)
	for i, level := range layout.Levels {
		town := townOf(level)
		if i == 0 {
			samples = append(samples, sample{"anywhere", town.Random(rng, soak.Or(20_000, 2_700_000))}) // of its bound
		}
		axial, slanted := madeup.Sort(town.Edges)
		vertices, onAxes, onSlants := town.Vertices(rng, soak.Or(n, math.MaxInt)), madeup.On(rng, axial, n), madeup.On(rng, slanted, n)
		for _, s := range []sample{
			{"vertices", vertices}, {"ulps from vertices", madeup.Ulps(rng, vertices)}, {"10 nm to 1 m from vertices", madeup.Offsets(rng, vertices)},
			{"on axial edges", onAxes}, {"ulps from axial edges", madeup.Ulps(rng, onAxes)}, {"10 nm to 1 m from axial edges", madeup.Offsets(rng, onAxes)},
			{"on slanted edges", onSlants}, {"ulps from slanted edges", madeup.Ulps(rng, onSlants)}, {"10 nm to 1 m from slanted edges", madeup.Offsets(rng, onSlants)},
		} {
			samples = append(samples, sample{string(level.Role) + ": " + s.kind, s.points})
		}
	}
	var points []orb.Point
	for _, s := range samples {
		points = append(points, s.points...)
	}
	want := covering(t, c, points)
	first := 0
	for _, s := range samples {
		last := first + len(s.points)
		found, cracks := compare(t, c, s, want[first:last])
		if len(s.points) == 0 { // Washington has no axial edges
			continue
		}
		if s.kind == "anywhere" && found < soak.Or(6_000, 1_000_000) {
			t.Errorf("only %d of the points lie within the city", found)
		}
		t.Logf("%-45s %9d points, in a face of each level %d, in cracks %d", s.kind, len(s.points), found, cracks)
		first = last
	}
	t.Logf("%d points on %d levels", len(points), len(layout.Levels))
}

// reported reads where the city's reports are, and holds what the database keeps of each against the plan in memory.
func reported(t *testing.T, c *app.City) []orb.Point {
	t.Helper()
	rows, err := c.Pool.Query(t.Context(), `
		SELECT r.num, r.lon, r.lat, p.method, coalesce(p.town, ''), coalesce(p.village, ''), coalesce(p.grid, ''), coalesce(p.microgrid, '')
		FROM report r JOIN placement p ON p.report_num = r.num
		WHERE r.lon IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	var points []orb.Point
	var num int64
	var p orb.Point
	var a report.Placement
	_, err = pgx.ForEachRow(rows, []any{&num, &p[0], &p[1], &a.Method, &a.Town, &a.Village, &a.Grid, &a.Microgrid}, func() error {
		points = append(points, p)
		byPoint := a.Method != placement.MethodGeocoded && a.Method != placement.MethodManual
		if faces := placed(c.State().Layout, p); byPoint && !answers(c.State().Layout, a, faces) {
			t.Errorf("report number %d is kept as %+v and lies in %q", num, a, faces)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func townOf(level jurisdiction.LayoutLevel) madeup.Town {
	faces := make([]placement.Face, level.Coverage.Len())
	for i := range faces {
		faces[i] = placement.Face{Code: level.Units[i].Code, Shape: level.Coverage.Shape(i)}
	}
	return madeup.Of(faces)
}

// codes is one face a level, top first; "" for none.
type codes [placement.MaxLevels]string

// covering asks the database which face of each level covers each point: of several the one with the smallest code.
func covering(t *testing.T, c *app.City, points []orb.Point) []codes {
	t.Helper()
	return judge(t, c, points, `ST_Covers(b.geom, pt.geom)`)
}

// holding asks GEOS, whose orientation is exact to twice the precision of a double.
func holding(t *testing.T, c *app.City, points []orb.Point) []codes {
	t.Helper()
	return judge(t, c, points, `b.geom && pt.geom AND ST_Relate(b.geom, pt.geom, '******FF*')`)
}

func judge(t *testing.T, c *app.City, points []orb.Point, holds string) []codes {
	t.Helper()
	out := make([]codes, len(points))
	err := pgx.BeginFunc(t.Context(), c.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `CREATE TEMP TABLE xy (n integer, x float8, y float8) ON COMMIT DROP`); err != nil {
			return err
		}
		_, err := tx.CopyFrom(t.Context(), pgx.Identifier{"xy"}, []string{"n", "x", "y"},
			pgx.CopyFromSlice(len(points), func(i int) ([]any, error) { return []any{i, points[i][0], points[i][1]}, nil }))
		if err != nil {
			return err
		}
		for _, sql := range []string{
			`CREATE TEMP TABLE pt ON COMMIT DROP AS SELECT n, ST_SetSRID(ST_MakePoint(x, y), 4490) AS geom FROM xy`,
			`CREATE INDEX ON pt USING gist (geom)`,
			`ANALYZE pt`,
		} {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		layout := c.State().Layout
		for level, role := range layout.Roles() {
			// The faces outside, the points inside: PostGIS prepares each face once.
			rows, err := tx.Query(t.Context(), `
				SELECT i.n, min(b.code COLLATE "C")
				FROM boundary b CROSS JOIN LATERAL (SELECT pt.n FROM pt WHERE `+holds+` OFFSET 0) i
				WHERE b.plan_id = $1 AND b.role = $2
				GROUP BY i.n`, layout.Plan.ID, role)
			if err != nil {
				return err
			}
			var n int
			var code string
			if _, err = pgx.ForEachRow(rows, []any{&n, &code}, func() error { out[n][level] = code; return nil }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compare holds a sample against what PostGIS says. Where PostGIS names no face, placement names one in a crack alone: the
// face that GEOS finds there. It counts the points that are in a face on all levels, and those in cracks.
func compare(t *testing.T, c *app.City, s sample, want []codes) (found, cracks int) {
	t.Helper()
	layout := c.State().Layout
	var torn []orb.Point
	var given []codes
	wrong := 0
	fail := func(p orb.Point, format string, args ...any) {
		if wrong++; wrong <= 5 {
			t.Errorf("%s (%v, %v): %s", s.kind, p[0], p[1], fmt.Sprintf(format, args...))
		}
	}
	for i, p := range s.points {
		got, all, crack := placed(layout, p), true, false
		for level := range layout.Levels {
			switch {
			case want[i][level] == "" && got[level] != "":
				crack = true
			case want[i][level] != got[level]:
				fail(p, "placed in %s %q, PostGIS says %q", layout.Levels[level].Role, got[level], want[i][level])
			}
			all = all && got[level] != ""
		}
		if crack {
			torn, given = append(torn, p), append(given, got)
		}
		if all {
			found++
		}
		if answer := c.State().Placer.At(p, math.NaN(), report.LocatedPoint); !answers(layout, answer, got) {
			fail(p, "it is answered %+v where its faces are %q", answer, got)
		}
	}
	for i, exact := range holding(t, c, torn) {
		if given[i] != exact {
			fail(torn[i], "placed in %q, GEOS says %q and PostGIS names less", given[i], exact)
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d are wrong", s.kind, wrong, len(s.points))
	}
	return found, len(torn)
}

// placed is the answer of the plan in memory.
func placed(l *jurisdiction.Layout, p orb.Point) (out codes) {
	for level, face := range l.Index.At(p) {
		if face >= 0 {
			out[level] = l.Index.Codes(level)[face]
		}
	}
	return out
}

// answers tells whether a report's answer is the faces that hold its point; one in no grid is given to none by that rule.
func answers(l *jurisdiction.Layout, a report.Placement, faces codes) bool {
	inGrid := a.Method == placement.MethodInside || a.Method == placement.MethodEdge
	said := map[jurisdiction.Role]string{jurisdiction.RoleTown: a.Town, jurisdiction.RoleVillage: a.Village,
		jurisdiction.RoleGrid: a.Grid, jurisdiction.RoleMicrogrid: a.Microgrid}
	for level, lv := range l.Levels {
		code, told := said[lv.Role]
		if lv.Role == jurisdiction.RoleGrid && inGrid != (faces[level] != "") || told && inGrid && code != faces[level] {
			return false
		}
	}
	return true
}
