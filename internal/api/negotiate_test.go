package api

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.0": false, "gzip;q=0.1": true, "br, gzip;q=0.5": true, "br": false,
		"*": true, "*;q=0": false, "*;q=0, gzip": true, "gzip;q=0, *": false, "*, gzip;q=0": false, "identity|gzip": true, "gzipped": false,
	} {
		r := &http.Request{Header: http.Header{"Accept-Encoding": strings.Split(header, "|")}}
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	const tag = `"0123456789abcdef"`
	for header, want := range map[string]bool{
		"": false, tag: true, "W/" + tag: true, `"x", ` + tag: true, `"x"|` + tag: true, "*": true, `"x"`: false, `"0123456789abcde"`: false, tag[1:17]: false,
	} {
		if got := matches(strings.Split(header, "|"), tag); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}

// Every link of the page to read leads somewhere.
func TestDocsLinksLeadSomewhere(t *testing.T) {
	page, err := docsPage()
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`href="#([^"]+)"`).FindAllSubmatch(page, -1)
	if len(links) < 20 {
		t.Fatalf("%d links", len(links))
	}
	for _, link := range links {
		if !strings.Contains(string(page), `id="`+string(link[1])+`"`) {
			t.Errorf("a link leads to %s, which is not there", link[1])
		}
	}
}
