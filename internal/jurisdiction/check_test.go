package jurisdiction_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/app/apptest"
	"gridgov/internal/coverage"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
)

// plan is a draft in a test.
type plan struct {
	*testing.T
	c    *app.City
	name string
}

func newPlan(t *testing.T) plan {
	t.Helper()
	_, c := apptest.City(t)
	return plan{t, c, "p"}
}

// put imports faces as a level; accept is why gaps are meant.
func (p plan) put(role jurisdiction.Role, faces []jurisdiction.Face, withParent bool, accept string) jurisdiction.Imported {
	p.Helper()
	level, err := p.c.Plans.Level(string(role))
	if err != nil {
		p.Fatal(err)
	}
	out, err := p.c.Plans.ImportLevel(p.Context(), jurisdiction.Import{Plan: p.name, Level: level, File: "made", Faces: faces, WithParent: withParent, AcceptGaps: accept})
	if err != nil || len(out.Rejects) > 0 {
		p.Fatalf("importing %s: %v, rejected %v", role, err, out.Rejects)
	}
	return out
}

// clean imports the levels as they are drawn, with parents.
func (p plan) clean(roles ...jurisdiction.Role) {
	p.Helper()
	for _, role := range roles {
		if out := p.put(role, apptest.Faces(role, 0), role != jurisdiction.RoleCity, ""); len(out.Findings) > 0 {
			p.Fatalf("%s: %+v", role, out.Findings)
		}
	}
}

func (p plan) check(accept string) jurisdiction.Plan {
	p.Helper()
	checked, err := p.c.Plans.Check(p.Context(), p.name, accept)
	if err != nil {
		p.Fatal(err)
	}
	return checked
}

// mustRefuse checks and publishes in vain, and tells what was found.
func (p plan) mustRefuse() map[jurisdiction.Role][]coverage.Finding {
	p.Helper()
	checked := p.check("")
	if checked.State != jurisdiction.Draft || checked.Findings[coverage.Refused] == 0 {
		p.Errorf("checked as %s with %v", checked.State, checked.Findings)
	}
	_, err := p.c.Plans.Publish(p.Context(), p.name, time.Time{})
	if f, ok := fault.As(err); !ok || f.Kind != fault.KindConflict || f.Code != "plan_refused" {
		p.Errorf("publishing: %v", err)
	}
	return p.findings(checked)
}

func (p plan) findings(of jurisdiction.Plan) map[jurisdiction.Role][]coverage.Finding {
	p.Helper()
	found, err := p.c.Plans.Findings(p.Context(), of.ID)
	if err != nil {
		p.Fatal(err)
	}
	return found
}

func (p plan) mustPublish() *jurisdiction.Layout {
	p.Helper()
	published, err := p.c.Plans.Publish(p.Context(), p.name, time.Time{})
	if err != nil {
		p.Fatal(err)
	}
	layout, err := p.c.Plans.Load(p.Context(), published)
	if err != nil {
		p.Fatal(err)
	}
	return layout
}

// messages are what is said, in order.
func messages(found []coverage.Finding) (out []string) {
	for _, f := range found {
		out = append(out, string(f.Severity)+" "+f.Message)
	}
	return out
}

// without leaves out the faces of the codes.
func without(faces []jurisdiction.Face, codes ...string) []jurisdiction.Face {
	return slices.DeleteFunc(faces, func(f jurisdiction.Face) bool { return slices.Contains(codes, f.Code) })
}

// at is a point in steps of the test city's grids from its south-west corner.
func at(x, y float64) orb.Point {
	return orb.Point{apptest.West + x*apptest.Step, apptest.South + y*apptest.Step}
}

// beside is one more face, east of the city, with a ring of points in steps.
func beside(points ...[2]float64) jurisdiction.Face {
	var ring orb.Ring
	for _, p := range points {
		ring = append(ring, at(p[0], p[1]))
	}
	return jurisdiction.Face{Code: "extra", Name: "extra", Line: 17, Shape: orb.MultiPolygon{{ring}}}
}

// The level's outlines are settled when they are stored: what was wrong with them must not be forgotten by the check, which
// sees the settled ones.
func TestWhatAnImportRefusedIsNotForgotten(t *testing.T) {
	for _, test := range []struct {
		kind  coverage.Kind
		spoil func([]jurisdiction.Face) []jurisdiction.Face
	}{
		{coverage.Overlap, func(f []jurisdiction.Face) []jurisdiction.Face {
			f[5].Shape = orb.MultiPolygon{{{at(1, 1), at(2.3, 1), at(2.3, 2), at(1, 2), at(1, 1)}}}
			return f
		}},
		{coverage.SelfCrossing, func(f []jurisdiction.Face) []jurisdiction.Face {
			return append(f, beside([2]float64{5, 0}, [2]float64{6, 1}, [2]float64{6, 0}, [2]float64{5, 1.2}, [2]float64{5, 0}))
		}},
		{coverage.Duplicate, func(f []jurisdiction.Face) []jurisdiction.Face {
			f = append(f, f[3])
			f[len(f)-1].Code = "twin"
			return f
		}},
		{coverage.InvalidRing, func(f []jurisdiction.Face) []jurisdiction.Face {
			return append(f, beside([2]float64{5, 0}, [2]float64{6, 0}, [2]float64{6, 1}, [2]float64{5, 1}))
		}},
		{coverage.Empty, func(f []jurisdiction.Face) []jurisdiction.Face {
			return append(f, beside([2]float64{5, 0}, [2]float64{6, 0}, [2]float64{7, 0}, [2]float64{5, 0}))
		}},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			p := newPlan(t)
			p.clean("city")
			out := p.put("grid", test.spoil(apptest.Faces("grid", 0)), false, "")
			if !slices.ContainsFunc(out.Findings, func(f coverage.Finding) bool { return f.Kind == test.kind && f.Severity == coverage.Refused }) {
				t.Fatalf("the import says %+v", out.Findings)
			}
			first := p.mustRefuse()
			if !slices.Equal(messages(first["grid"]), messages(out.Findings)) {
				t.Errorf("the import says %+v, the check %+v", out.Findings, first["grid"])
			}
			p.put("city", apptest.Faces("city", 0), false, "") // another level mends nothing
			if again := p.mustRefuse(); !reflect.DeepEqual(again, first) {
				t.Errorf("checked again: %+v", again)
			}
			if checked := p.check("meant"); checked.State != jurisdiction.Draft {
				t.Errorf("a reason for gaps accepts it: %s", checked.State)
			}
			p.put("grid", apptest.Faces("grid", 0), false, "")
			p.mustPublish()
		})
	}
}

// A finding that the settled outlines still show is told once, not once more by each check.
func TestWhatStaysVisibleIsToldOnce(t *testing.T) {
	p := newPlan(t)
	out := p.put("grid", append(apptest.Faces("grid", 0), beside([2]float64{5, 0}, [2]float64{6, 0}, [2]float64{6, 1}, [2]float64{7, 1}, [2]float64{7, 2},
		[2]float64{6, 2}, [2]float64{6, 1}, [2]float64{5, 1}, [2]float64{5, 0})), false, "")
	if len(out.Findings) != 1 || out.Findings[0].Kind != coverage.SelfCrossing || out.Findings[0].Severity != coverage.Repaired {
		t.Fatalf("%+v", out.Findings)
	}
	for range 2 {
		if found := p.findings(p.check("")); !reflect.DeepEqual(found["grid"], out.Findings) {
			t.Errorf("%+v", found)
		}
	}
}

func TestWhatAParentCoversItsChildrenMustCover(t *testing.T) {
	corner, village := apptest.GridCode(0, 0), apptest.VillageCode(1, 1)
	for _, test := range []struct {
		name    string
		missing []string
		parent  string
		areas   float64 // in grids
	}{
		{"a grid at the rim", []string{corner}, apptest.VillageCode(0, 0), 1},
		{"all grids of a village", []string{apptest.GridCode(2, 2), apptest.GridCode(3, 2), apptest.GridCode(2, 3), apptest.GridCode(3, 3)}, village, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlan(t)
			p.clean("city", "town", "village")
			grids := func() []jurisdiction.Face { return without(apptest.Faces("grid", 0), test.missing...) }
			out := p.put("grid", grids(), true, "")
			found := p.mustRefuse()
			if !slices.Equal(messages(found["grid"]), messages(out.Findings)) || len(out.Findings) != 1 {
				t.Fatalf("the import says %+v, the check %+v", out.Findings, found)
			}
			f := out.Findings[0]
			var areaM2 float64
			if err := p.c.Pool.QueryRow(t.Context(), `SELECT avg(area_m2) FROM boundary WHERE role = 'grid'`).Scan(&areaM2); err != nil {
				t.Fatal(err)
			}
			if f.Kind != coverage.Gap || f.Severity != coverage.Refused || !slices.Equal(f.Codes, []string{test.parent}) || f.AreaM2 < 0.99*test.areas*areaM2 || f.AreaM2 > 1.01*test.areas*areaM2 {
				t.Errorf("%+v", f)
			}
			out = p.put("grid", grids(), true, "a lake")
			if len(out.Findings) != 1 || out.Findings[0].Severity != coverage.Warning {
				t.Errorf("accepted: %+v", out.Findings)
			}
			if l := p.mustPublish(); l.Plan.AcceptedGaps != "a lake" || l.Levels[3].Nests {
				t.Errorf("accepted for %q, nests: %v", l.Plan.AcceptedGaps, l.Levels[3].Nests)
			}
		})
	}
}

func TestAnAcceptanceBelongsToItsImport(t *testing.T) {
	p := newPlan(t)
	p.clean("city", "town")
	gone := apptest.VillageCode(1, 1)
	villages := without(apptest.Faces("village", 0), gone)
	grids := slices.DeleteFunc(apptest.Faces("grid", 0), func(f jurisdiction.Face) bool { return f.Parent == gone })
	hole := apptest.GridCode(1, 1) // an inner corner: with the village gone it is at the rim
	p.put("village", villages, true, "a reservoir")
	p.put("grid", without(slices.Clone(grids), hole), true, "a lake")
	if checked := p.check(""); checked.State != jurisdiction.Checked || checked.AcceptedGaps != "a lake; a reservoir" || checked.Findings[coverage.Warning] != 2 {
		t.Fatalf("%s, %q, %v", checked.State, checked.AcceptedGaps, checked.Findings)
	}
	// The grids come again with another hole and no word about it. The villages' reason stays theirs.
	p.put("grid", without(slices.Clone(grids), hole, apptest.GridCode(0, 0)), true, "")
	found := p.mustRefuse()
	if len(found["village"]) != 1 || found["village"][0].Severity != coverage.Warning || len(found["grid"]) == 0 || found["grid"][0].Severity != coverage.Refused {
		t.Errorf("%+v", found)
	}
	p.put("grid", slices.Clone(grids), true, "")
	if checked := p.check(""); checked.State != jurisdiction.Checked || checked.AcceptedGaps != "a reservoir" {
		t.Fatalf("%s, %q, %v", checked.State, checked.AcceptedGaps, checked.Findings)
	}
	// Under another town it is another gap.
	p.put("town", apptest.Faces("town", 0), true, "")
	if found := p.mustRefuse(); len(found["village"]) != 1 || found["village"][0].Severity != coverage.Refused {
		t.Errorf("%+v", found)
	}
	if checked := p.check("a pond"); checked.State != jurisdiction.Checked || checked.AcceptedGaps != "a pond" {
		t.Errorf("%s, %q, %v", checked.State, checked.AcceptedGaps, checked.Findings)
	}
	p.mustPublish()
}

// A plan without grids is checked all the same; it is the publishing that needs them.
func TestAPlanWithoutGridsIsChecked(t *testing.T) {
	p := newPlan(t)
	villages := apptest.Faces("village", 0)
	villages[0].Shape = orb.MultiPolygon{{{at(0, 0), at(2.2, 0), at(2.2, 2), at(0, 2), at(0, 0)}}}
	p.put("village", villages, false, "")
	if found := p.mustRefuse(); len(found["village"]) == 0 || found["village"][0].Kind != coverage.Overlap {
		t.Errorf("%+v", found)
	}
	p.put("village", apptest.Faces("village", 0), false, "")
	if checked := p.check(""); checked.State != jurisdiction.Checked {
		t.Errorf("%s", checked.State)
	}
	_, err := p.c.Plans.Publish(t.Context(), p.name, time.Time{})
	if f, ok := fault.As(err); !ok || f.Kind != fault.KindConflict || f.Code != "no_grids" {
		t.Errorf("publishing: %v", err)
	}
	p.put("grid", apptest.Faces("grid", 0), true, "")
	p.mustPublish()
}

// codes lists the levels of a layout with the codes of their units.
func codes(l *jurisdiction.Layout) map[jurisdiction.Role][]string {
	out := map[jurisdiction.Role][]string{}
	for _, lv := range l.Levels {
		for _, u := range lv.Units {
			out[lv.Role] = append(out[lv.Role], u.Code)
		}
	}
	return out
}

// What a check dissolved goes with the import that it came from.
func TestADissolvedLevelIsMadeAnew(t *testing.T) {
	p := newPlan(t)
	renamed := func(prefix string) []jurisdiction.Face {
		grids := apptest.Faces("grid", 0)
		for i := range grids {
			grids[i].Parent = prefix + grids[i].Parent
		}
		return grids
	}
	for _, prefix := range []string{"V", "W"} {
		if out := p.put("grid", renamed(prefix), true, ""); len(out.Findings) > 0 {
			t.Fatalf("%+v", out.Findings)
		}
		for range 2 {
			if checked := p.check(""); checked.State != jurisdiction.Checked {
				t.Fatalf("%s: %+v", checked.State, p.findings(checked))
			}
		}
	}
	want := []string{"W" + apptest.VillageCode(0, 0), "W" + apptest.VillageCode(1, 0), "W" + apptest.VillageCode(0, 1), "W" + apptest.VillageCode(1, 1)}
	slices.Sort(want)
	if got := codes(p.mustPublish()); !slices.Equal(got["village"], want) || len(got) != 2 {
		t.Errorf("%v", got)
	}
	// An import takes the place of a dissolved level.
	p.name = "q"
	p.put("grid", renamed(""), true, "")
	p.check("")
	p.put("village", apptest.Faces("village", 0), false, "")
	p.c.Plans.Now = func() time.Time { return apptest.Now.Add(time.Hour) }
	if l := p.mustPublish(); l.Levels[0].Units[0].Name != "村00" || !l.Levels[1].Nests {
		t.Errorf("%+v", l.Levels[0].Units)
	}
}

func TestAMiddleLevelIsDissolved(t *testing.T) {
	p := newPlan(t)
	p.put("town", apptest.Faces("town", 0), false, "")
	if out := p.put("grid", apptest.Faces("grid", 0), true, ""); len(out.Findings) > 0 {
		t.Fatalf("%+v", out.Findings)
	}
	// What is left out of the town is told of the level that is compared with it.
	p.put("grid", without(apptest.Faces("grid", 0), apptest.GridCode(0, 0)), true, "")
	found := p.mustRefuse()
	if len(found) != 1 || len(found["village"]) != 1 || found["village"][0].Kind != coverage.Gap || !slices.Equal(found["village"][0].Codes, []string{"330481101"}) {
		t.Errorf("%+v", found)
	}
	if checked := p.check("a lake"); checked.State != jurisdiction.Checked {
		t.Errorf("accepted: %s", checked.State)
	}
	if checked := p.check(""); checked.State != jurisdiction.Checked || checked.AcceptedGaps != "a lake" {
		t.Errorf("checked again: %s", checked.State)
	}
	p.put("grid", apptest.Faces("grid", 0), true, "")
	l := p.mustPublish()
	if got := codes(l); len(got["town"]) != 1 || len(got["village"]) != 4 || len(got["grid"]) != 16 || !l.Levels[2].Nests {
		t.Errorf("%v", slices.Collect(maps.Keys(got)))
	}
}

// A grid lies in the village that it names, or else that its inner point lies in, and so up.
func TestWhatAUnitLiesIn(t *testing.T) {
	for name, named := range map[string]map[jurisdiction.Role]bool{
		"all name their parents": {jurisdiction.RoleTown: true, jurisdiction.RoleVillage: true, jurisdiction.RoleGrid: true},
		"grids name none":        {jurisdiction.RoleTown: true, jurisdiction.RoleVillage: true},
		"villages name none":     {jurisdiction.RoleTown: true, jurisdiction.RoleGrid: true},
		"none names any":         {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlan(t)
			for _, role := range apptest.Roles {
				p.put(role, apptest.Faces(role, 0), named[role], "")
			}
			l := p.mustPublish()
			level, unit, ok := l.Unit(jurisdiction.RoleGrid, apptest.GridCode(3, 0))
			if !ok {
				t.Fatal("the grid is not there")
			}
			var got []string
			for _, r := range l.Around(level, unit) {
				got = append(got, string(r.Level)+" "+r.Code)
			}
			if want := []string{"village " + apptest.VillageCode(1, 0), "town 330481101", "city " + l.Levels[0].Units[0].Code}; !slices.Equal(got, want) {
				t.Errorf("it lies in %q, and not %q", got, want)
			}
		})
	}
}

// Without villages, grids may name their towns.
func TestParentsMayBeOfTheNextLevelThatIsThere(t *testing.T) {
	p := newPlan(t)
	p.put("town", apptest.Faces("town", 0), false, "")
	grids := apptest.Faces("grid", 0)
	for i := range grids {
		grids[i].Parent = "330481101"
	}
	p.put("grid", grids, true, "")
	l := p.mustPublish()
	if got := codes(l); len(got) != 2 || len(got["town"]) != 1 || !l.Levels[1].Nests {
		t.Errorf("%v", got)
	}
}

func TestAPlanIsNotPublishedBeforeTheOneInForce(t *testing.T) {
	_, c := apptest.City(t)
	first := apptest.Publish(t, c, "first", 0, apptest.Now.AddDate(-2, 0, 0)) // the first may be of any date
	apptest.Publish(t, c, "to come", 0.001, apptest.Now.AddDate(1, 0, 0))
	apptest.Draft(t, c, "late", 0.002)
	_, err := c.Plans.Publish(t.Context(), "late", first.InForceFrom.Add(-time.Second))
	if f, ok := fault.As(err); !ok || f.Kind != fault.KindInvalid || f.Code != "before_in_force" || f.Field != "from" {
		t.Errorf("before the one in force: %v", err)
	}
	if p, err := c.Plans.Plan(t.Context(), "late"); err != nil || p.State != jurisdiction.Checked {
		t.Errorf("it is %s, %v", p.State, err)
	}
	if p, err := c.Plans.Publish(t.Context(), "late", first.InForceFrom.Add(time.Second)); err != nil || p.State != jurisdiction.Published {
		t.Errorf("after the one in force: %s, %v", p.State, err)
	}
}
