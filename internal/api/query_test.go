package api

import (
	"net/url"
	"testing"
	"time"

	"gridgov/internal/app"
	"gridgov/internal/catalogue"
	"gridgov/internal/cube"
	"gridgov/internal/policy"
	"gridgov/internal/regime"
)

// FuzzParseQuery: what url.ParseQuery reads without a fault and with each name once is read the same, and what it refuses
// is refused.
func FuzzParseQuery(f *testing.F) {
	for _, raw := range []string{"", "a=1", "a=1&b=2&", "&&a", "a=1&a=2", "item=01%2C02&kind=", "a=%zz", "%zz=1", "a;b=1", "a=1;2", "=x", "a=b=c", "a+b=c+d", "%61=1&a=2"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		want, err := url.ParseQuery(raw)
		q := parseQuery(raw)
		repeated := false
		for name, v := range want {
			repeated = repeated || len(v) > 1
			if got := q.get(name); err == nil && got != v[0] {
				t.Errorf("%q: %q is %q, not %q", raw, name, got, v[0])
			}
		}
		if fault := q.done(); (fault != nil) != (err != nil || repeated) {
			t.Errorf("%q: %v; url.ParseQuery says %v", raw, fault, err)
		}
	})
}

// noCity knows of nothing.
type noCity struct{}

func (noCity) Names() *app.Names                   { return &app.Names{} }
func (noCity) Regime() *regime.Regime              { return &regime.Regime{Catalogue: &catalogue.Catalogue{}} }
func (noCity) LedBy([]policy.UnitID) *cube.FaceSet { return cube.FacesOf() }

// FuzzFilters: whatever a query holds, filters and boxes are read or refused; what is read is within its bounds.
func FuzzFilters(f *testing.F) {
	for _, raw := range []string{"item=01,02&kind=none,conflict&source=web", "from=2026-11-24&to=2026-11-24T08:00:00%2B08:00", "bbox=1,2,3,4", "bbox=-180,-90,180,90",
		"bbox=4,2,3,4", "from=0000-00-00", "to=9999-12-31T23:59:59Z", "from=1969-12-31T23:59:59Z", "bbox=1e308,2,3,4", "limit=-1", "kind=,&source=,", "state=closed,filed&settled_by=none,committee&team=1,2&colour=red,none", "aspect=a&item=01",
		"team=-1", "team=9223372036854775808", "state=,&colour=,", "settled_by=nobody"} {
		f.Add(raw)
	}
	zone := time.FixedZone("CST", 8*3600)
	f.Fuzz(func(t *testing.T, raw string) {
		q := parseQuery(raw)
		filter, box := q.filter(zone, time.Unix(1_800_000_000, 0)), q.bbox()
		limit := q.integer("limit", 1, 500, 50)
		if q.done() != nil {
			return
		}
		c := filter.cube(noCity{})
		if filter.aspects == nil && len(c.Items) < len(filter.items) || filter.aspects != nil && len(c.Items) != 1 ||
			(c.States == 0) != (filter.fate.States == nil) || (c.Ends == 0) != (filter.fate.Ends == nil) || (c.Clocks == 0) != (filter.fate.Colours == nil) ||
			(c.Crews == nil) != (filter.fate.Teams == nil) || limit < 1 || limit > 500 {
			t.Errorf("%q: %+v, %d", raw, c, limit)
		}
		if box != nil && !(box.Min[0] <= box.Max[0] && box.Min[1] <= box.Max[1] && box.Min[0] >= -360 && box.Max[0] <= 360) {
			t.Errorf("%q: %v", raw, box)
		}
		if !filter.from.IsZero() && (c.From == 0 && filter.from.Unix() != 0) {
			t.Errorf("%q: from is lost", raw)
		}
	})
}

func (noCity) Dial() *cube.Dial { return cube.DialOf(time.UTC) }
