package api

import (
	"net/url"
	"testing"
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
