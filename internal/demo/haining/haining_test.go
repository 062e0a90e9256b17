package haining

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/paulmach/orb"

	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// shared is the plan of Seed, generated once for all tests.
var shared = sync.OnceValues(Boundaries)

func plan(t testing.TB) *Plan {
	t.Helper()
	p, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var roles = []string{"city", "town", "village", "grid", "microgrid"}

// TestGolden holds every byte of the boundaries to what they were. GRIDGOV_UPDATE=1 writes the new hashes.
func TestGolden(t *testing.T) {
	p := plan(t)
	var got strings.Builder
	for _, role := range roles {
		h := sha256.New()
		if err := p.WriteGeoJSON(h, role); err != nil {
			t.Fatal(err)
		}
		got.WriteString(role + " " + hex.EncodeToString(h.Sum(nil)) + "\n")
	}
	golden(t, "testdata/boundaries.sha256", got.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("GRIDGOV_UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%swant\n%s", file, got, want)
	}
}

func TestCounts(t *testing.T) {
	p := plan(t)
	if len(p.Towns) != Towns || len(p.Villages) != Villages {
		t.Fatalf("%d towns, %d villages", len(p.Towns), len(p.Villages))
	}
	if n := len(p.Grids); n < 1350 || n > 1450 {
		t.Errorf("%d grids, want about 1,400", n)
	}
	if n := len(p.Microgrids); n < 7200 || n > 7600 {
		t.Errorf("%d microgrids, want about 7,400", n)
	}
	length := map[string]int{"city": 6, "town": 9, "village": 12, "grid": 15, "microgrid": 17}
	above := map[string]bool{"": true}
	for _, role := range roles {
		codes := map[string]bool{}
		people, homes := 0, 0
		last := ""
		for _, d := range p.Level(role) {
			if len(d.Code) != length[role] || d.Code <= last || !strings.HasPrefix(d.Code, d.Parent) || !above[d.Parent] {
				t.Errorf("%s %s under %q after %s", role, d.Code, d.Parent, last)
			}
			if d.Name == "" || d.Latin == "" || d.Generated == (role == "city") || d.Households <= 0 {
				t.Errorf("%s %s: name %q, %q, generated %v, %d households", role, d.Code, d.Name, d.Latin, d.Generated, d.Households)
			}
			last, codes[d.Code] = d.Code, true
			people, homes = people+d.Population, homes+d.Households
		}
		if people != Population || homes != households {
			t.Errorf("%s: %d people in %d households", role, people, homes)
		}
		above = codes
	}
}

// TestGridsHoldTheirHouseholds: most grids are within the planner's range, and some are not, for there to be work.
func TestGridsHoldTheirHouseholds(t *testing.T) {
	within, outside := 0, 0
	for _, g := range plan(t).Grids {
		if g.Households >= 200 && g.Households <= 500 {
			within++
		} else {
			outside++
		}
	}
	if within < 9*outside || outside == 0 {
		t.Errorf("%d grids hold 200–500 households, %d do not", within, outside)
	}
}

// TestEdgesAreShared: within a level each edge is walked once each way, or once if it is on the city's outline; and each edge
// of a level is an edge of the level below. That is nesting, without a tolerance.
func TestEdgesAreShared(t *testing.T) {
	type edge struct{ a, b orb.Point }
	p := plan(t)
	rim := map[edge]bool{}
	for i, q := range p.City.Shape[0][1:] {
		rim[edge{p.City.Shape[0][i], q}] = true
	}
	below := map[edge]string{}
	for k := len(roles) - 1; k >= 0; k-- {
		own := map[edge]string{}
		for _, d := range p.Level(roles[k]) {
			for i, q := range d.Shape[0][1:] {
				e := edge{d.Shape[0][i], q}
				if other, twice := own[e]; twice {
					t.Fatalf("%s and %s have one edge in one direction", d.Code, other)
				}
				own[e] = d.Code
				if len(below) > 0 && !strings.HasPrefix(below[e], d.Code) {
					t.Fatalf("%s %s: an edge is that of %q below", roles[k], d.Code, below[e])
				}
			}
		}
		for e, code := range own {
			if _, paired := own[edge{e.b, e.a}]; paired == rim[e] {
				t.Fatalf("%s: edge %v: other side there: %v, on the outline: %v", code, e, paired, rim[e])
			}
		}
		below = own
	}
}

// TestShapes: faces are compact and nowhere thin, and corners are not spikes.
func TestShapes(t *testing.T) {
	p := plan(t)
	for _, role := range []string{"village", "grid", "microgrid"} {
		poor := 0
		for _, d := range p.Level(role) {
			var length float64
			loop := make([]vec, 0, len(d.Shape[0]))
			for i, q := range d.Shape[0][1:] {
				loop = append(loop, toLocal(q))
				length += toLocal(q).sub(toLocal(d.Shape[0][i])).len()
			}
			area := areaM2(loop)
			if c := 4 * math.Pi * area / (length * length); c < 0.25 {
				poor++
			} else if area/length < 8 {
				t.Errorf("%s is a sliver: %.0f m² in %.0f m", d.Code, area, length)
			}
			if !inside(loop, toLocal(d.Label)) {
				t.Errorf("%s: its label lies outside", d.Code)
			}
		}
		if poor*50 > len(p.Level(role)) {
			t.Errorf("%d of %d %ss are drawn out", poor, len(p.Level(role)), role)
		}
	}
}

func TestPlaceNames(t *testing.T) {
	for name, want := range map[string]string{
		"褚石村委会": "褚石村 Chushi Village", "东山社区居委会": "东山社区 Dongshan Community", "长安镇": "长安镇 Chang'an Town",
		"硖石街道": "硖石街道 Xiashi Subdistrict", "鹿耳村委会": "鹿耳村 Lu'er Village", "双联社区居民委员会": "双联社区 Shuanglian Community",
		"仲乐村委会": "仲乐村 Zhongle Village", "尖山新区社区": "尖山新区社区 Jianshan New Area Community", "许村镇": "许村镇 Xucun Town",
		"对外综合开发区社区": "对外综合开发区社区 Open Development Zone Community", "海宁市": "海宁市 Haining City",
	} {
		short := placeName(name)
		latin, ok := LatinName(short)
		if got := short + " " + latin; !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, want)
		}
	}
	if latin, ok := LatinName("龘村"); ok {
		t.Errorf("a character without a reading gives %q", latin)
	}
}

func TestPlaces(t *testing.T) {
	places := plan(t).Places()
	if len(places) != 1+Towns+Villages {
		t.Errorf("%d places", len(places))
	}
	for _, p := range places {
		if p.Name == "" || p.Latin == "" || strings.Contains(p.Name, "委会") {
			t.Errorf("%s: %q, %q", p.Code, p.Name, p.Latin)
		}
	}
}

// TestSeeds: another seed gives another city that is as whole.
func TestSeeds(t *testing.T) {
	seeds := soak.Or[uint64](1, 4) // beside the one that ships
	var shipped bytes.Buffer
	if err := plan(t).WriteGeoJSON(&shipped, "village"); err != nil {
		t.Fatal(err)
	}
	before := shipped.Bytes()
	for seed := range seeds {
		p, err := Generate(seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		var b bytes.Buffer
		if err := p.WriteGeoJSON(&b, "village"); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(before, b.Bytes()) {
			t.Errorf("seed %d gives the city of the seed before it", seed)
		}
		before = b.Bytes()
	}
}
