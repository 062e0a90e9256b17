package apptest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"gridgov/internal/app"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
	"gridgov/internal/report"
)

// The wide city has 16 × 10 grids of Step degrees from the same corner, in two towns side by side, each of two villages, so that hotspots can
// stand out in it.
const (
	WideCols = 16
	WideRows = 10
)

// WideTown is the town of a column.
func WideTown(x int) policy.Area {
	return policy.Area{Level: policy.Town, Code: fmt.Sprintf("33048110%d", 1+x/(WideCols/2))}
}

// WideVillage is the village of a grid.
func WideVillage(x, y int) policy.Area {
	return policy.Area{Level: policy.Village, Code: fmt.Sprintf("%s20%d", WideTown(x).Code, y/(WideRows/2))}
}

// WideGrid is the code of the grid in column x, row y.
func WideGrid(x, y int) string {
	return fmt.Sprintf("%s%03d", WideVillage(x, y).Code, 1+x%(WideCols/2)+WideCols/2*(y%(WideRows/2)))
}

func wideFaces(role jurisdiction.Role) (out []jurisdiction.Face) {
	add := func(code, parent string, x0, y0, x1, y1 int) {
		out = append(out, jurisdiction.Face{Code: code, Name: string(role) + " " + code, Parent: parent, Line: len(out) + 1, Shape: box(x0, y0, x1, y1, 0)})
	}
	cols, rows := WideCols/2, WideRows/2
	for x := 0; x < WideCols && role != jurisdiction.RoleCity; x += cols {
		if role == jurisdiction.RoleTown {
			add(WideTown(x).Code, CityArea.Code, x, 0, x+cols, WideRows)
		}
		for y := 0; y < WideRows && role != jurisdiction.RoleTown; y += rows {
			village := WideVillage(x, y).Code
			if role == jurisdiction.RoleVillage {
				add(village, WideTown(x).Code, x, y, x+cols, y+rows)
				continue
			}
			for gy := y; gy < y+rows; gy++ {
				for gx := x; gx < x+cols; gx++ {
					add(WideGrid(gx, gy), village, gx, gy, gx+1, gy+1)
				}
			}
		}
	}
	if role == jurisdiction.RoleCity {
		add(CityArea.Code, "", 0, 0, WideCols, WideRows)
	}
	return out
}

// PublishWide drafts and publishes a plan of the wide city, in force since a year.
func PublishWide(t testing.TB, c *app.City) {
	t.Helper()
	for i, role := range Roles {
		level, err := c.Plans.Level(string(role))
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.Plans.ImportLevel(t.Context(), jurisdiction.Import{Plan: "wide", Level: level, File: "made", Faces: wideFaces(role), WithParent: i > 0})
		if err != nil || len(out.Findings) > 0 || len(out.Rejects) > 0 {
			t.Fatalf("level %s: %+v, %v", role, out, err)
		}
	}
	if _, err := c.Plans.Publish(t.Context(), "wide", Now.AddDate(-1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// WideServer is [Server] of the wide city.
func WideServer(t testing.TB) (*app.Server, *app.Live) {
	t.Helper()
	db, c := City(t)
	PublishWide(t, c)
	return serve(t, db, c, Clock)
}

// Tell files n reports of an item in a grid of either city, told so long ago, a minute apart, and returns their numbers, in order.
func Tell(t testing.TB, c *app.City, x, y, n int, item string, source report.Source, ago time.Duration) (nums []report.Num) {
	t.Helper()
	batch := make([]report.New, n)
	for i := range batch {
		p := Center(x, y)
		batch[i] = report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: source, CapturedAt: Now.Add(-ago - time.Duration(i)*time.Minute), Item: item, X: &p[0], Y: &p[1]}
	}
	for _, f := range c.Reports.FileAll(t.Context(), batch) {
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		nums = append(nums, f.Num)
	}
	slices.Sort(nums)
	return nums
}

// Plant files a report in each grid of the wide city, and n more in each of the four about the corner (x+1, y+1), where they stand out. It returns
// the numbers of all that lie in these four, in order.
func Plant(t testing.TB, c *app.City, x, y, n int, item string) (nums []report.Num) {
	t.Helper()
	batch := make([]report.New, 0, WideCols*WideRows+4*n)
	var in []bool
	add := func(gx, gy int, ago time.Duration) {
		p := Center(gx, gy)
		batch = append(batch, report.New{ID: report.ID(uuid.Must(uuid.NewV7())), Source: "phone", CapturedAt: Now.Add(-ago), Item: item, X: &p[0], Y: &p[1]})
		in = append(in, (gx == x || gx == x+1) && (gy == y || gy == y+1))
	}
	for gy := range WideRows {
		for gx := range WideCols {
			add(gx, gy, 5*24*time.Hour)
		}
	}
	for i := range 4 * n {
		add(x+i%2, y+i/2%2, 24*time.Hour+time.Duration(i)*time.Minute)
	}
	for i, f := range c.Reports.FileAll(t.Context(), batch) {
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		if in[i] {
			nums = append(nums, f.Num)
		}
	}
	slices.Sort(nums)
	return nums
}
