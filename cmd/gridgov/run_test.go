package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"golang.org/x/text/encoding/simplifiedchinese"

	"gridgov/internal/app/apptest"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// ran is what one command line did.
type ran struct {
	code     int
	out, err string
}

func run(ctx context.Context, stdin io.Reader, args ...string) ran {
	var out, err bytes.Buffer
	code := Run(ctx, args, stdin, &out, &err)
	return ran{code, out.String(), err.String()}
}

// line is a command line and what it has to do. Texts that begin with ! must not be said.
type line struct {
	args  string // parted by blanks
	stdin string
	code  int
	err   []string // parts of standard error
	out   []string // parts of standard output
	then  func(t *testing.T)
}

func (l line) run(t *testing.T, database string) {
	t.Helper()
	got := run(t.Context(), strings.NewReader(l.stdin), append([]string{"--database", database}, strings.Fields(l.args)...)...)
	if got.code != l.code {
		t.Errorf("gridgov %s: exit code %d, want %d\n%s", l.args, got.code, l.code, got.err)
	}
	for what, parts := range map[string][]string{got.err: l.err, got.out: l.out} {
		for _, p := range parts {
			if text, not := strings.CutPrefix(p, "!"); strings.Contains(what, text) == not {
				t.Errorf("gridgov %s: said\n%s\nwant %q", l.args, what, p)
			}
		}
	}
	if l.then != nil {
		l.then(t)
	}
}

// collection makes a GeoJSON file, a feature a line.
func collection(crs string, features ...map[string]any) string {
	var lines []string
	for _, f := range features {
		f["type"] = "Feature"
		b, err := json.Marshal(f)
		if err != nil {
			panic(err) // numbers and texts
		}
		lines = append(lines, string(b))
	}
	if crs != "" {
		crs = `"crs":{"type":"name","properties":{"name":"` + crs + `"}},`
	}
	return `{"type":"FeatureCollection",` + crs + `"features":[` + "\n" + strings.Join(lines, ",\n") + "\n]}\n"
}

// faces are the features of a level of apptest's city.
func faces(role jurisdiction.Role, shift float64) []map[string]any {
	var out []map[string]any
	for _, f := range apptest.Faces(role, shift) {
		out = append(out, map[string]any{"properties": map[string]any{"code": f.Code, "name": f.Name, "people": nil},
			"geometry": map[string]any{"type": "MultiPolygon", "coordinates": f.Shape}})
	}
	return out
}

func put(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func holds(name, want string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s holds\n%s\n%v; want\n%s", name, got, err, want)
		}
	}
}

func absent(name string) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if _, err := os.Stat(name); err == nil {
			t.Errorf("there is a file %s", name)
		}
	}
}

// at is the middle of a grid as two columns of a table, from the city's south-west.
func at(x, y int) string {
	c := apptest.Center(x, y)
	return fmt.Sprintf("%.4f,%.4f", c[0], c[1])
}

// projected is a point in metres of EPSG:4549.
func projected(t *testing.T, database string, p orb.Point) (xy orb.Point) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if err := conn.QueryRow(t.Context(), `SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_Point($1, $2, 4490), 4549) p`, p[0], p[1]).Scan(&xy[0], &xy[1]); err != nil {
		t.Fatal(err)
	}
	return xy
}

const (
	create = "--name T --timezone Asia/Shanghai --srid 4549 --levels city,grid"
	grids  = "--city tc --level grid --code code --name name"
	byName = "--city tc --map id=id,lon=lon,lat=lat,at=at,item=item"
)

// The command line is a contract: scripts depend on its exit codes, on what it writes, and on what it leaves alone.
func TestCommandLine(t *testing.T) {
	t.Setenv("GRIDGOV_KEY_FILE", filepath.Join(t.TempDir(), "keys"))
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())

	sound := faces(jurisdiction.RoleGrid, 0)
	put(t, "grids.geojson", collection("", sound...))
	put(t, "city.geojson", collection("", faces(jurisdiction.RoleCity, 0)...))
	moved := collection("", faces(jurisdiction.RoleGrid, 0.001)...)
	put(t, "moved.geojson", moved)

	overlapping := faces(jurisdiction.RoleGrid, 0)
	overlapping[5]["geometry"] = faces(jurisdiction.RoleGrid, 0.003)[5]["geometry"]
	put(t, "overlap.geojson", collection("", overlapping...))

	damaged := faces(jurisdiction.RoleGrid, 0)
	damaged[0]["geometry"] = nil // at the rim: nothing is enclosed
	damaged[3]["properties"] = map[string]any{"code": apptest.GridCode(3, 0), "name": " "}
	put(t, "damaged.geojson", collection("", damaged...))

	put(t, "lacking.geojson", collection("", slices.Delete(faces(jurisdiction.RoleGrid, 0), 5, 6)...))

	const head = "id,lon,lat,at,item\n"
	first := head + "r1," + at(0, 0) + ",2026-01-01T00:00:00Z,01\nr2," + at(1, 0) + ",2026-01-02 08:00,02\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(first)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, "first.csv.gz", zipped.String())
	put(t, "empty.csv", head)
	put(t, "bad.csv", head+"b1,"+at(2, 2)+",2026-01-03,01\nb2,,,2026-01-03,01\nb3,x,30.5,2026-01-03,01\nb4,1\nb5,"+at(2, 2)+",never,01\n")
	chinese, err := simplifiedchinese.GBK.NewEncoder().String("id,lon,lat,at,item\ng1," + at(3, 3) + ",2026-01-04,露天焚烧\n")
	if err != nil {
		t.Fatal(err)
	}
	put(t, "gbk.csv", chinese)
	point := func(id string, p orb.Point) map[string]any {
		return map[string]any{"id": id, "properties": map[string]any{"at": "2026-01-05", "item": "01"}, "geometry": map[string]any{"type": "Point", "coordinates": p}}
	}
	metres := projected(t, database, apptest.Center(2, 1))
	put(t, "metres.geojson", collection("urn:ogc:def:crs:EPSG::4549", point("m1", metres)))
	put(t, "undeclared.geojson", collection("", point("m2", metres)))
	put(t, "nowhere.geojson", collection("urn:ogc:def:crs:EPSG::99999", point("m3", metres)))
	put(t, "third.geojson", regexp.MustCompile(`\[([0-9.]+),([0-9.]+)\]`).ReplaceAllString(collection("", sound...), "[$1,$2,7]"))
	var alike strings.Builder
	alike.WriteString(head)
	for i := range 50 {
		fmt.Fprintf(&alike, "a%d,%s,never,01\n", i, at(0, 0))
	}
	put(t, "alike.csv", alike.String())

	for _, l := range []line{
		// Called wrongly.
		{args: "--version", out: []string{"gridgov version ", "go1."}},
		{args: "nonsense", code: 2, err: []string{`unknown command "nonsense"`}},
		{args: "import nonsense f.csv --city tc --map x", code: 2, err: []string{`unknown command "nonsense" for "gridgov import"`}},
		{args: "import", code: 2, err: []string{"needs a command"}},
		{args: "import boundaries", code: 2},
		{args: "import boundaries grids.geojson --city tc", code: 2, err: []string{`"code", "level", "name" not set`}},
		{args: "export placements", code: 2, err: []string{`"city" not set`}},
		{args: "hotspot --city tc", code: 2, err: []string{`"level" not set`}},
		{args: "hotspot --city tc --level grid --stat heat", code: 2, err: []string{"--stat", "gistar", "joincount"}},
		{args: "hotspot --city tc --level grid --weights knn:0", code: 2, err: []string{"--weights", "band:METRES"}},
		{args: "hotspot --city tc --level grid --permutations -1", code: 2, err: []string{"--permutations"}},
		{args: "hotspot --city tc --level grid --stat knox --permutations 0", code: 2, err: []string{"--permutations of knox is 1 to"}},
		{args: "hotspot --city tc --level grid --stat knox --within 200,100", code: 2, err: []string{"--within", "rise"}},
		{args: "hotspot --city tc --level grid --stat knox --days x", code: 2, err: []string{"--days", "numbers that rise"}},
		{args: "hotspot --city tc --level grid --stat kulldorff --days 0", code: 2, err: []string{"--days of kulldorff", "from 1 on"}},
		{args: "hotspot --city tc --level grid --stat kulldorff --days 7,14", code: 2, err: []string{"--days of kulldorff"}},
		{args: "import reports first.csv.gz " + byName + " --nonsense", code: 2},
		{args: "import reports first.csv.gz " + byName + " --tz Mars/One", code: 2},
		{args: "import reports first.csv.gz " + byName + " --items some", code: 2},
		{args: "import reports first.csv.gz --city tc --map id=id", code: 2},
		{args: "serve --admin-addr 0.0.0.0:8081", code: 2, err: []string{"--admin-addr", "no accounts there"}},
		{args: "serve --addr 8080", code: 2, err: []string{"--addr", "host:port"}},
		{args: "serve --addr 0.0.0.0:0 --tls-cert cert.pem", code: 2, err: []string{"go together"}},
		{args: "serve --trusted-proxy 10.0.0.0/33", code: 2, err: []string{"--trusted-proxy"}},
		{args: "serve --rate -1", code: 2, err: []string{"--rate"}},
		{args: "serve --demo nowhere", code: 2},
		{args: "demo haining --until yesterday", code: 2},
		{args: "db status", code: 2, err: []string{"private database"}},
		{args: "city create public " + create, code: 2, err: []string{"the service uses it itself"}},
		{args: "city create Abc " + create, code: 2},
		{args: "city create tc --name T --timezone Mars/One --srid 4549", code: 2},
		{args: "city create tc --name T --timezone Asia/Shanghai --srid 4326", code: 2},
		{args: "city create tc --name T --timezone Asia/Shanghai --srid 999999", code: 2},
		{args: "city create tc --name T --timezone Asia/Shanghai --srid 4549 --levels town", code: 2},

		{args: "city create tc " + create, err: []string{"city tc (T) created"}},
		{args: "city create tc " + create, code: 1, err: []string{"already"}},
		{args: "city list", out: []string{"tc\tT\tAsia/Shanghai\tEPSG:4549\tcity,grid\n"}},
		{args: "import reports empty.csv --city other --map id=id,lon=lon,lat=lat,at=at,item=item", code: 1, err: []string{"no city"}},
		{args: "plan list --city tc", out: []string{"PLAN", "!draft"}},

		// Boundaries named wrongly: one mistake is told once, and nothing is begun.
		{args: "import boundaries grids.geojson " + grids + " --crs foo", code: 2},
		{args: "import boundaries grids.geojson " + grids + " --crs 99999", code: 2, err: []string{"PROJ knows no coordinate system", "!rejected"}},
		{args: "import boundaries grids.geojson " + grids + " --level ward", code: 2},
		{args: "import boundaries grids.geojson --city tc --level grid --code NOPE --name name", code: 2,
			err: []string{`code: no feature has a property "NOPE"; the first has code, name`, "!rejected"}},
		{args: "import boundaries grids.geojson " + grids + " --households NOPE", code: 2, err: []string{`households: no feature has a property "NOPE"`}},
		{args: "import boundaries grids.geojson " + grids + " --name-latin NOPE", code: 2, err: []string{`name-latin: no feature has a property "NOPE"`}},
		{args: "import boundaries grids.geojson " + grids + " --layer nolayer", code: 2, err: []string{"GeoJSON has no layers"}},
		{args: "import boundaries grids.geojson " + grids + " --encoding latin9", code: 2},
		{args: "import boundaries grids.geojson " + grids + " --rejects no/such/folder.csv", code: 2},
		{args: "import boundaries grids.geojson " + grids + " --rejects grids.geojson", code: 2, err: []string{"--rejects names the file that is imported"},
			then: holds("grids.geojson", collection("", sound...))},
		{args: "import boundaries none.geojson " + grids + " --rejects none.csv", code: 1, err: []string{"there is no file"}, then: absent("none.csv")},
		{args: "plan list --city tc", out: []string{"!draft"}},

		// Reports before there is any plan.
		{args: "hotspot --city tc --level grid", code: 1, err: []string{"no plan in force"}},
		{args: "import reports first.csv.gz " + byName, err: []string{"2 added, 0 there before, 0 rejected; 2 of the added lie in no grid", "!note"}},
		{args: "import reports - " + byName, stdin: first, err: []string{"0 added, 2 there before, 0 rejected"}},

		// A draft goes in force only as the file has it.
		{args: "import boundaries overlap.geojson " + grids + " --plan overlap --publish", code: 1,
			err: []string{"refused overlap", `draft "overlap" cannot be published as it is`, "!in force"}},
		{args: "import boundaries damaged.geojson " + grids + " --plan damaged --publish --rejects left.csv", code: 1,
			err:  []string{"14 faces", "2 rejected", `was not published`, `gridgov plan publish --city tc --plan "damaged"`, "!in force"},
			then: holds("left.csv", "rejected_line,rejected_field,rejected_code,rejected_reason,code\n2,geometry,no_geometry,there is no geometry,"+apptest.GridCode(0, 0)+"\n5,name,required,is empty: each face needs one,"+apptest.GridCode(3, 0)+"\n")},
		{args: "plan check --city tc", code: 2, err: []string{"name one with --plan"}},
		{args: "plan check --city tc --plan none", code: 1},
		{args: "import boundaries city.geojson --city tc --level city --code code --name name --plan one", err: []string{"1 faces", "0 rejected"}},
		{args: "import boundaries lacking.geojson " + grids + " --plan one --publish", code: 1, err: []string{"refused gap", "--accept-gaps", "!in force"}},
		{args: "plan publish --city tc --plan one", code: 1},
		{args: "plan list --city tc", out: []string{"!published"}},
		{args: "import boundaries lacking.geojson " + grids + " --plan one --accept-gaps lake --publish", err: []string{"15 faces", `plan "one" is in force from`, "2 of 2 reports have a new answer"}},
		{args: "import boundaries third.geojson " + grids + " --population people --plan two", err: []string{"note: the third dimension was dropped"}},
		{args: "import boundaries - " + grids + " --plan two --publish", stdin: moved, err: []string{`plan "two" is in force from`}},
		{args: "plan list --city tc", out: []string{"two", "published"}},
		{args: "import boundaries grids.geojson " + grids + " --plan two", code: 1, err: []string{"published"}},

		// Rows left out.
		{args: "import reports first.csv.gz --city tc --map id=id,lon=X,lat=lat,at=at,item=item", code: 2, err: []string{"the file has no column “X”"}},
		{args: "import reports first.csv.gz " + byName + " --crs foo", code: 2},
		{args: "import reports first.csv.gz " + byName + " --crs 99999", code: 2, err: []string{"!added"}},
		{args: "import reports none.csv " + byName, code: 1, err: []string{"there is no file", "!added"}},
		{args: "import reports empty.csv " + byName, err: []string{"empty.csv holds no report: nothing was imported", "!added"}},
		{args: "import reports bad.csv " + byName + " --rejects left.csv", code: 1, err: []string{"1 added, 0 there before, 4 rejected", "rejected: line 3", "rejected: line 4", "rejected: line 5", "rejected: line 6"},
			then: func(t *testing.T) {
				got, err := os.ReadFile("left.csv")
				lines := strings.Split(string(got), "\n")
				if err != nil || len(lines) != 6 {
					t.Fatalf("%s %v", got, err)
				}
				for i, want := range []string{"rejected_line,rejected_field,rejected_code,rejected_reason,id,lon,lat,at,item", "3,", "4,lon,not_a_number,", "5,,wrong_field_count,", "6,at,bad_time,"} {
					if !strings.HasPrefix(lines[i], want) {
						t.Errorf("line %d of the rejects is %q, want %q", i+1, lines[i], want)
					}
				}
				if !strings.HasSuffix(lines[2], ",b3,x,30.5,2026-01-03,01") || !strings.HasSuffix(lines[3], ",b4,1") {
					t.Errorf("the rows are not as they were:\n%s", got)
				}
				put(t, "mended.csv", strings.NewReplacer("b3,x", "b3,120.6", "never", "2026-01-06", "b2,,", "b2,120.6,30.5", ",b4,1", ",b4,120.6,30.5,2026-01-03,01").Replace(string(got)))
			}},
		{args: "import reports mended.csv " + byName + " --rejects left.csv", err: []string{"4 added, 0 there before, 0 rejected"},
			then: holds("left.csv", "rejected_line,rejected_field,rejected_code,rejected_reason,id,lon,lat,at,item\n")},
		{args: "import reports alike.csv " + byName, code: 1, err: []string{"rejected: line 2, at", "rejected: 49 more for the same reason (at, bad_time)", "--rejects", "!line 3", "50 rejected"}},
		{args: "import reports none.csv " + byName + " --rejects left.csv", code: 1,
			then: holds("left.csv", "rejected_line,rejected_field,rejected_code,rejected_reason,id,lon,lat,at,item\n")},
		{args: "import reports - " + byName + " --items reject --rejects left.csv", stdin: head + "n1," + at(0, 0) + ",2026-01-01,zz\n", code: 1, err: []string{"rejected: line 2, item"},
			then: func(t *testing.T) {
				if got, err := os.ReadFile("left.csv"); err != nil || !strings.HasSuffix(string(got), ",n1,"+at(0, 0)+",2026-01-01,zz\n") {
					t.Errorf("%s %v", got, err)
				}
			}},

		// What the file says of itself.
		{args: "import reports gbk.csv " + byName, err: []string{"1 added", "note: the text was read as GB18030"}},
		{args: "import reports metres.geojson " + byName, err: []string{"1 added", "0 rejected; 0 of the added lie in no grid"}},
		{args: "import reports undeclared.geojson " + byName + " --crs 4549", err: []string{"1 added", "0 rejected; 0 of the added lie in no grid"}},
		{args: "import reports nowhere.geojson " + byName, code: 1, err: []string{"name its system with --crs"}},
		{args: "import places - --city tc", stdin: "name,lon,lat\n桥,120.61,30.51\nx,y,z\n", code: 1, err: []string{"1 places added or changed, 1 rejected", "rejected: line 3"}},
		{args: "import places - --city tc", stdin: "name,x\n", code: 1, err: []string{"no column", "!added"}},

		{args: "hotspot --city tc --level street", code: 1, err: []string{"no level of the plan in force", "grid"}},
		{args: "hotspot --city tc --level grid --from yesterday", code: 2, err: []string{"--from", "2026-03-01"}},
		{args: "hotspot --city tc --level grid --value rate", code: 1, err: []string{"neither households nor population"}},
		{args: "hotspot --city tc --level grid --permutations 99", err: []string{"rough"}, out: []string{"code,name,n,value,z,p,q,class,p_sim,q_by\n"}},
		{args: "hotspot --city tc --level grid --stat joincount", out: []string{"stat,value,expected,variance,z,p\nbb,"}},
		{args: "hotspot --city tc --level grid --from 2026-02-01 --to 2026-02-01", code: 1, err: []string{"no day is from 2026-02-01 on and before 2026-02-01"}},
		{args: "hotspot --city tc --level grid --from 9998-01-01", code: 1, err: []string{"9998-01-01 is to come"}},
		{args: "hotspot --city tc --level grid --stat knox --to 2020-01-01", code: 1, err: []string{"no report of that item and time lies in a unit of the level"}, out: []string{"!metres"}},
		{args: "hotspot --city tc --level grid --stat knox --within 0,100 --days 3,14", out: []string{"metres,days,pairs,expected,ratio,p\n0,3,", "\n0,14,", "\n100,3,"}},
		{args: "hotspot --city tc --level grid --stat kulldorff --from 2025-12-29", out: []string{"code,name,units,radius_m,from,to,n,expected,llr,p\n" + apptest.GridCode(0, 0)[:9]}},
		{args: "hotspot --city tc --level grid --stat kulldorff --to 2020-01-01", code: 1, err: []string{"no report"}},
		{args: "hotspot --city tc --level grid --stat kulldorff --value rate", code: 1, err: []string{"neither households nor population"}},
		{args: "export placements --city tc --format xml", code: 2},
		{args: "export placements --city tc", err: []string{"10 placements"}, out: []string{
			"id,lon,lat,grid,village,town,method,distance_m,plan\n",
			"r1,120.605,30.505," + apptest.GridCode(0, 0) + ",,,inside,",
			"\nm1,120.62", "," + apptest.GridCode(2, 1) + ",,,inside,", ",two\n"}},
	} {
		l.run(t, database)
	}
}

// A Shapefile of an office: its table in GBK without a word of it, no .prj, parts that were not sent along.
func TestImportShapefiles(t *testing.T) {
	t.Setenv("GRIDGOV_KEY_FILE", filepath.Join(t.TempDir(), "keys"))
	database := pgtest.URL(t)
	t.Chdir(t.TempDir())
	put(t, "source.geojson", collection("", faces(jurisdiction.RoleGrid, 0)...))
	if out, err := exec.CommandContext(t.Context(), "ogr2ogr", "-f", "ESRI Shapefile", "g.shp", "source.geojson", "-t_srs", "EPSG:4549", "-lco", "ENCODING=CP936").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	remove := func(name string) func(*testing.T) {
		return func(t *testing.T) {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove("g.cpg")(t)
	table, err := os.ReadFile("g.dbf")
	if err != nil {
		t.Fatal(err)
	}
	table[29] = 0 // the language
	put(t, "g.dbf", string(table))
	for _, l := range []line{
		{args: "city create tc " + create},
		{args: "import boundaries g.shp " + grids + " --publish", err: []string{"16 faces", "0 rejected", "note: the table of g.shp names no encoding and was read as GBK", "in force"}, then: remove("g.prj")},
		{args: "import boundaries g.shp " + grids + " --plan next", code: 1, err: []string{"note: the file names no coordinate system", "--crs EPSG:4549", "rejected: 15 more for the same reason"}},
		{args: "import boundaries g.shp " + grids + " --plan next --crs EPSG:99999", code: 2, err: []string{"PROJ knows no coordinate system EPSG:99999"}},
		{args: "import boundaries g.shp " + grids + " --plan next --crs EPSG:4549", err: []string{"16 faces"}, then: remove("g.dbf")},
		{args: "import boundaries g.shp " + grids + " --plan next", code: 2, err: []string{"note: there is no .dbf beside g.shp", "no feature has a property", "!rejected"}, then: remove("g.shx")},
		{args: "import boundaries g.shp " + grids + " --plan next", code: 1, err: []string{"copy its .shx"}},
	} {
		l.run(t, database)
	}
}

// An interrupted import says how to go on, and goes on.
func TestInterrupted(t *testing.T) {
	t.Setenv("GRIDGOV_KEY_FILE", filepath.Join(t.TempDir(), "keys"))
	database := pgtest.URL(t)
	line{args: "city create tc " + create}.run(t, database)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	table := "id,lon,lat,at,item\nr1," + at(0, 0) + ",2026-01-01,01\n"
	stdin := io.MultiReader(strings.NewReader(table), readerFunc(func([]byte) (int, error) { cancel(); return 0, ctx.Err() }))
	args := append([]string{"--database", database, "import", "reports", "-"}, strings.Fields(byName)...)
	got := run(ctx, stdin, args...)
	if got.code != 1 || !strings.Contains(got.err, "interrupted; run it again to go on") || strings.Contains(got.err, "canceled") {
		t.Errorf("%d %s", got.code, got.err)
	}
	if again := run(t.Context(), strings.NewReader(table), args...); again.code != 0 || !strings.Contains(again.err, "added") {
		t.Errorf("%d %s", again.code, again.err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Elsewhere than on a terminal, long work tells a line each ten seconds.
func TestProgressLines(t *testing.T) {
	var said bytes.Buffer
	now := apptest.Now
	tl := &tool{err: &said, now: func() time.Time { return now }}
	show, finish := tl.progress("importing")
	for _, step := range []struct{ seconds, done, total int64 }{{5, 10, 100}, {6, 20, 100}, {9, 30, 100}, {1, 40, 0}} {
		now = now.Add(time.Duration(step.seconds) * time.Second)
		show(step.done, step.total)
	}
	finish()
	if want := "importing: 20 %\nimporting: 40\n"; said.String() != want {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}

// A code that cannot be a city's is refused before a database is made for it.
func TestCityCodeIsCheckedFirst(t *testing.T) {
	dir := t.TempDir()
	got := run(t.Context(), nil, append([]string{"--database", "", "--data", dir, "city", "create", "public"}, strings.Fields(create)...)...)
	if left, err := os.ReadDir(dir); got.code != 2 || err != nil || len(left) > 0 {
		t.Errorf("%d %s, left %v, %v", got.code, got.err, left, err)
	}
}

// A backup of a private cluster brings another one to the same rows and placements.
func TestBackupOfAPrivateCluster(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "gridgov-run-") // where the account that PostgreSQL runs as can enter
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	var exported [2]string
	for i, lines := range [][]string{
		{"db start", "city create tc " + create, "import boundaries - " + grids + " --publish", "import reports - " + byName, "db backup " + dir + "/file", "export placements --city tc"},
		{"db start", "db restore " + dir + "/file", "export placements --city tc"},
	} {
		global := []string{"--database", "", "--data", fmt.Sprint(dir, "/", i)}
		stop := func() ran { return run(context.WithoutCancel(t.Context()), nil, append(global, "db", "stop")...) }
		t.Cleanup(func() { stop() })
		for _, l := range lines {
			stdin := map[bool]string{true: collection("", faces(jurisdiction.RoleGrid, 0)...),
				false: "id,lon,lat,at,item\nr1," + at(0, 0) + ",2026-01-01,01\nr2,100,20,2026-01-01,01\n"}[strings.HasPrefix(l, "import boundaries")]
			got := run(t.Context(), strings.NewReader(stdin), append(slices.Clone(global), strings.Fields(l)...)...)
			if got.code != 0 {
				t.Fatalf("%s: %d %s", l, got.code, got.err)
			}
			exported[i] = cmp.Or(got.out, exported[i])
		}
		if got := stop(); got.code != 0 {
			t.Errorf("%d %s", got.code, got.err)
		}
	}
	if exported[0] != exported[1] || strings.Count(exported[0], "\n") != 3 {
		t.Errorf("before\n%s\nafter\n%s", exported[0], exported[1])
	}
}
