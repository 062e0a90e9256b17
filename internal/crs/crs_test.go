package crs_test

import (
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"

	"gridgov/internal/crs"
	"gridgov/internal/fault"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]crs.System{
		"gcj02": crs.GCJ02, "GCJ-02": crs.GCJ02, "bd09": crs.BD09, " BD-09 ": crs.BD09, "bd09ll": crs.BD09,
		"4490": crs.CGCS2000, "EPSG:4490": crs.CGCS2000, "epsg:4326": crs.WGS84, "CRS84": crs.WGS84, "WGS 84": crs.WGS84, "CGCS2000": crs.CGCS2000,
		"urn:ogc:def:crs:OGC:1.3:CRS84": crs.WGS84, "urn:ogc:def:crs:EPSG::26985": 26985, "urn:ogc:def:crs:EPSG:9.9.1:4549": 4549,
		"http://www.opengis.net/def/crs/EPSG/0/4549": 4549, "http://www.opengis.net/def/crs/OGC/1.3/CRS84": crs.WGS84, "EPSG:4549": 4549,
	} {
		got, err := crs.Parse(name)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v; want %v", name, got, err, want)
		}
		if again, err := crs.Parse(got.String()); err != nil || again != got {
			t.Errorf("%v does not read back its own name: %v, %v", got, again, err)
		}
	}
	for _, name := range []string{"", "EPSG:", "EPSG:0", "EPSG:-1", "EPSG:1000000", "mars", "4490; DROP", "EPSG:4490 ;", "IGNF:4490", "4e3", strings.Repeat("9", 99)} {
		if got, err := crs.Parse(name); !fault.Is(err, fault.KindInvalid) {
			t.Errorf("Parse(%q) = %v, %v; want a fault", name, got, err)
		}
	}
}

func TestNeedsProj(t *testing.T) {
	for s, want := range map[crs.System]bool{crs.CGCS2000: false, crs.WGS84: false, crs.GCJ02: false, crs.BD09: false, 4549: true, 4214: true} {
		if s.NeedsProj() != want {
			t.Errorf("%v.NeedsProj() = %v", s, !want)
		}
	}
	if _, err := crs.System(4549).ToLonLat(orb.Point{500000, 3370000}); !fault.Is(err, fault.KindInvalid) {
		t.Errorf("a projected system was taken for degrees: %v", err)
	}
}

// The vectors of domain.md "Codes".
func TestVectors(t *testing.T) {
	p := orb.Point{116.404, 39.915}
	for _, c := range []struct {
		name string
		got  orb.Point
		want orb.Point
	}{
		{"WGS→GCJ", crs.ToGCJ02(p), orb.Point{116.41024449916938, 39.91640428150164}},
		{"GCJ→BD", crs.ToBD09(p), orb.Point{116.41036949371029, 39.92133699351021}},
		{"BD→GCJ", crs.FromBD09(p), orb.Point{116.39762729119315, 39.90865673957631}},
	} {
		// The vectors are printed doubles; another order of operations may differ in the last place.
		if apart(c.got, c.want) > 2e-14*180 {
			t.Errorf("%s of %v is %v, want %v", c.name, p, c.got, c.want)
		}
	}
}

// A point in China, a degree inside the rectangle of GCJ-02 where the bending jumps.
func china(t *rapid.T) orb.Point {
	return orb.Point{rapid.Float64Range(73.1, 136.8).Draw(t, "lon"), rapid.Float64Range(1.9, 54.8).Draw(t, "lat")}
}

func TestGCJ02ComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := china(t)
		bent := crs.ToGCJ02(p)
		if d := apart(bent, p); d == 0 || d > 0.02 {
			t.Fatalf("%v was moved by %v degrees", p, d)
		}
		back, err := crs.GCJ02.ToLonLat(bent)
		if err != nil || apart(back, p) > 1e-10 {
			t.Fatalf("%v came back as %v (%v)", p, back, err)
		}
	})
}

func TestBD09ComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := china(t)
		back, err := crs.BD09.ToLonLat(crs.ToBD09(crs.ToGCJ02(p)))
		if err != nil || apart(back, p) > 1e-10 {
			t.Fatalf("%v came back as %v (%v): off by %g", p, back, err, apart(back, p))
		}
	})
}

// Haining lies about 490 m from where GCJ-02 shows it (domain.md).
func TestShiftAtHaining(t *testing.T) {
	p := orb.Point{120.69, 30.53}
	bent := crs.ToGCJ02(p)
	m := math.Hypot((bent[0]-p[0])*111320*math.Cos(p[1]*math.Pi/180), (bent[1]-p[1])*110850)
	if m < 470 || m > 510 {
		t.Errorf("the shift is %.0f m", m)
	}
}

func TestIdentities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := orb.Point{rapid.Float64Range(-180, 71.9).Draw(t, "lon"), rapid.Float64Range(-90, 90).Draw(t, "lat")}
		for _, s := range []crs.System{crs.CGCS2000, crs.WGS84, crs.GCJ02} {
			if got, err := s.ToLonLat(p); err != nil || got != p {
				t.Fatalf("%v moved %v, west of China, to %v (%v)", s, p, got, err)
			}
		}
		q := china(t)
		if got, err := crs.CGCS2000.ToLonLat(q); err != nil || got != q {
			t.Fatalf("CGCS2000 moved %v to %v", q, got)
		}
	})
}

func apart(a, b orb.Point) float64 { return math.Max(math.Abs(a[0]-b[0]), math.Abs(a[1]-b[1])) }

func TestValidate(t *testing.T) {
	haining := orb.Bound{Min: orb.Point{120.30, 30.25}, Max: orb.Point{120.87, 30.58}}
	dc := orb.Bound{Min: orb.Point{-77.12, 38.79}, Max: orb.Point{-76.90, 39.0}}
	for _, c := range []struct {
		name        string
		p           orb.Point
		city        orb.Bound
		field, code string
	}{
		{"in the city", orb.Point{120.5, 30.4}, haining, "", ""},
		{"elsewhere is no fault", orb.Point{-77, 38.9}, haining, "", ""},
		{"no city known", orb.Point{30.4, 120.5}, orb.Bound{}, "lat", "swapped"},
		{"swapped, out of range", orb.Point{30.4, 120.5}, haining, "lon", "swapped"},
		{"swapped, in range", orb.Point{38.9, -77}, dc, "lon", "swapped"},
		{"a swap that cannot be told", orb.Point{38.9, -77}, haining, "", ""},
		{"projected", orb.Point{397000, 137000}, dc, "lon", "projected"},
		{"projected with a zone", orb.Point{40517000.5, 3370000}, haining, "lon", "projected"},
		{"web mercator in the south", orb.Point{100, -4000000}, haining, "lat", "projected"},
		{"longitude", orb.Point{180.5, 95}, orb.Bound{}, "lon", "out_of_range"},
		{"latitude", orb.Point{120.5, 90.0001}, haining, "lat", "out_of_range"},
		{"corner of the globe", orb.Point{180, 89.999999}, haining, "", ""},
		{"the north pole", orb.Point{180, 90}, haining, "lat", "out_of_range"},
		{"the south pole", orb.Point{0, -90}, haining, "lat", "out_of_range"},
		{"NaN", orb.Point{120.5, math.NaN()}, haining, "lat", "not_finite"},
		{"infinite", orb.Point{math.Inf(-1), 30}, haining, "lon", "not_finite"},
		{"0, 0", orb.Point{0, 0}, haining, "lon", "zero"},
	} {
		f := crs.Validate(c.p, c.city)
		switch {
		case f == nil && c.code == "":
		case f == nil:
			t.Errorf("%s: %v passed, want %s", c.name, c.p, c.code)
		case f.Code != c.code || c.code != "" && !strings.Contains(c.field+"|lat|lon", f.Field):
			t.Errorf("%s: %v gives %s %s (%s), want %s", c.name, c.p, f.Field, f.Code, f.Message, c.code)
		case c.code != "swapped" && f.Field != c.field:
			t.Errorf("%s: field %s, want %s", c.name, f.Field, c.field)
		}
	}
}

// Nothing that Validate passes is outside the globe.
func TestValidatePassesOnlyTheGlobe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := orb.Point{rapid.Float64().Draw(t, "lon"), rapid.Float64().Draw(t, "lat")}
		city := orb.Bound{Min: orb.Point{179.8, 89.8}, Max: orb.Point{180, 90}}
		if rapid.Bool().Draw(t, "near") {
			p = orb.Point{rapid.Float64Range(179, 181).Draw(t, "lon"), rapid.Float64Range(89, 91).Draw(t, "lat")}
		}
		if crs.Validate(p, city) == nil && !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) < 90) {
			t.Fatalf("%v passed", p)
		}
	})
}

func TestParsePoint(t *testing.T) {
	if p, f := crs.ParsePoint(" 120.5", "+3.04e1 "); f != nil || p != (orb.Point{120.5, 30.4}) {
		t.Errorf("got %v, %v", p, f)
	}
	for _, c := range []struct{ lon, lat, field, code, says string }{
		{"", "30", "lon", "missing", ""},
		{"120", "  ", "lat", "missing", ""},
		{"NaN", "30", "lon", "not_a_number", ""},
		{"120", "Inf", "lat", "not_a_number", ""},
		{"0x1p4", "30", "lon", "not_a_number", ""},
		{"1_0", "30", "lon", "not_a_number", ""},
		{"120", "1e999", "lat", "not_a_number", ""},
		{"120,5", "30", "lon", "not_a_number", "dot"},
		{"120°18′45″E", "30", "lon", "not_a_number", "decimal degrees"},
		{"120", "--3", "lat", "not_a_number", ""},
		{"77°02W", "38.9", "lon", "not_a_number", "decimal degrees"},
		{"77.03W", "38.9", "lon", "not_a_number", "decimal degrees"},
	} {
		_, f := crs.ParsePoint(c.lon, c.lat)
		if f == nil || f.Field != c.field || f.Code != c.code || !strings.Contains(f.Message, c.says) {
			t.Errorf("ParsePoint(%q, %q): %+v; want %s %s", c.lon, c.lat, f, c.field, c.code)
		}
	}
}

func TestParseNumber(t *testing.T) {
	if v, f := crs.ParseNumber("accuracy_m", " 2.5 "); f != nil || v != 2.5 {
		t.Errorf("got %v, %v", v, f)
	}
	for text, says := range map[string]string{"5 metres": "not a number", "2,5": "dot", "0x2": "not a number", "": "no value", "-7_7": "not a number"} {
		_, f := crs.ParseNumber("accuracy_m", text)
		if f == nil || f.Field != "accuracy_m" || !strings.Contains(f.Message, says) || strings.Contains(f.Message, "degrees") {
			t.Errorf("ParseNumber(%q): %+v", text, f)
		}
	}
}

// What is read is what strconv makes of the same decimal, and nothing that it reads besides.
func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"1", "-77.03", "1e999", "0x1p3", "1_0", "+.5e-3", "Inf", "77°02W"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, bad := crs.ParseNumber("lon", text)
		if bad != nil {
			return
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || strings.ContainsAny(text, "xXpP_iInN,") {
			t.Fatalf("%q is read as %v", text, v)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"gcj02", "EPSG:4490", "urn:ogc:def:crs:EPSG::26985", "CRS84", "::", "EPSG:9.9:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s, err := crs.Parse(name)
		if err != nil {
			return
		}
		if again, err := crs.Parse(s.String()); err != nil || again != s {
			t.Fatalf("Parse(%q) = %v, which reads back as %v, %v", name, s, again, err)
		}
	})
}
