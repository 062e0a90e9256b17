package tiles

import (
	"fmt"
	"testing"

	"gridgov/internal/fault"
	"gridgov/internal/postgres/pgtest"
	"gridgov/internal/soak"
)

func TestMain(m *testing.M) {
	soak.Checks(100, 20_000)
	pgtest.Main(m)
}

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		z, x, y string
		ok      bool
	}{
		{"0", "0", "0", true}, {"22", "4194303", "4194303", true}, {"10", "855", "421", true},
		{"0", "1", "0", false}, {"10", "1024", "0", false}, {"10", "0", "1024", false}, {"23", "0", "0", false},
		{"22", "4194304", "0", false}, {"-1", "0", "0", false}, {"1", "+1", "0", false}, {"01", "0", "0", false},
		{"1", "0", "00", false}, {"1", "0x1", "0", false}, {"", "0", "0", false}, {"1", " 1", "0", false},
		{"1", "1.0", "0", false}, {"1", "99999999999999999999", "0", false}, {"1", "４", "0", false},
	} {
		_, err := ParseAddress(c.z, c.x, c.y)
		if (err == nil) != c.ok || err != nil && !fault.Is(err, fault.KindNotFound) {
			t.Errorf("%q/%q/%q: %v", c.z, c.x, c.y, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("0", "0", "0")
	f.Add("22", "4194303", "4194303")
	f.Add("12", "-1", "007")
	f.Add("9999999999", "１", "\x00")
	f.Fuzz(func(t *testing.T, z, x, y string) {
		a, err := ParseAddress(z, x, y)
		if err != nil {
			return
		}
		if !a.Valid() || fmt.Sprint(a.Z, "/", a.X, "/", a.Y) != fmt.Sprint(z, "/", x, "/", y) {
			t.Fatalf("%q/%q/%q is read as %+v", z, x, y, a)
		}
	})
}

func TestETagNamesTheBytes(t *testing.T) {
	a, b := []byte("one tile"), []byte("one tilf")
	if ETag(a) != ETag([]byte("one tile")) || ETag(a) == ETag(b) {
		t.Errorf("%s and %s", ETag(a), ETag(b))
	}
	if tag := ETag(nil); len(tag) != 18 || tag[0] != '"' || tag[17] != '"' {
		t.Errorf("%s is no strong entity tag", tag)
	}
}
