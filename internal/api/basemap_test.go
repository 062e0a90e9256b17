package api_test

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"gridgov/internal/api"
	"gridgov/internal/app/apptest"
	"gridgov/internal/basemap"
)

func TestBasemapIsServedByRangesAndTold(t *testing.T) {
	s := newSite(t)
	s.do("GET", "/basemap.pmtiles", nil).problem(http.StatusNotFound, "not_found", "")
	var city api.City
	s.do("GET", "/", nil).want(http.StatusOK).into(&city)
	if city.Basemap != nil {
		t.Error("a basemap is told where there is none")
	}

	content := make([]byte, 200)
	copy(content, "PMTiles\x03")
	for _, at := range []int{8, 24, 40, 56} {
		binary.LittleEndian.PutUint64(content[at:], 127)
		binary.LittleEndian.PutUint64(content[at+8:], 73)
	}
	content[99] = 2 // PNG
	path := filepath.Join(t.TempDir(), "ground.pmtiles")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ground, err := basemap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	live := s.live
	h := httptest.NewServer(newHandler(t, api.Config{Server: s.server, Basemap: ground, Log: apptest.Quiet(), Now: apptest.Clock}))
	t.Cleanup(h.Close)
	with := &site{t: t, url: h.URL, live: live, router: specRouter(t, h.URL+"/"+live.Code+"/v1"), token: s.token}
	with.do("GET", "/", nil).want(http.StatusOK).into(&city)
	if city.Basemap == nil || !*city.Basemap {
		t.Error("the city does not tell of the basemap")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, with.url+"/"+live.Code+"/v1/basemap.pmtiles", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Range", "bytes=0-7")
	req.Header.Set("Accept-Encoding", "gzip")
	part := with.send(req).want(http.StatusPartialContent)
	if string(part.body) != "PMTiles\x03" || part.header.Get("Content-Encoding") != "" || part.header.Get("Content-Range") != "bytes 0-7/200" {
		t.Errorf("a range: %q %v", part.body, part.header)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	with.do("GET", "/basemap.pmtiles", nil).problem(http.StatusNotFound, "not_found", "")
}
