package api

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"

	"gridgov/internal/app"
	"gridgov/internal/sheet"
)

// exportHotspots writes all places as CSV, the furthest out first.
func (a *api) exportHotspots(w http.ResponseWriter, r *http.Request, c *call) error {
	asked, found, err := c.findSpots(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	csvHeader(w, c.spotsFile(asked, found, "csv"))
	if r.Method == http.MethodHead {
		return nil
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_, _ = w.Write([]byte("\ufeff")) // spreadsheets know UTF-8 by it
	_ = out.Write([]string{"code", "name", "name_latin", "n", "found", "around", "expected", "rate", "z", "p", "q", "class", "trend", "few"})
	for _, i := range ranked(found) {
		_ = out.Write(spotCells(found, i))
	}
	out.Flush()
	return nil
}

func spotCells(s *app.Spots, i int) []string {
	u, t := &s.Level.Units[s.Units[i]], spotOf(s, i)
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	found, rate, few := "", "", ""
	if s.Found != nil {
		found = strconv.FormatUint(t.Found, 10)
	}
	if v, ok := s.RateOf(i); ok {
		rate = number(v)
	}
	if t.Few {
		few = "true"
	}
	return []string{sheet.Guard(u.Code), sheet.Guard(u.Name), sheet.Guard(u.NameLatin), strconv.FormatUint(t.N, 10), found, strconv.FormatUint(t.Around, 10),
		number(s.Expected(i)), rate, number(t.Z), number(t.P), number(t.Q), t.Class, t.Trend, few}
}

// exportHotspotShapes writes all places with their outlines as GeoJSON (RFC 7946: lon and lat; CGCS2000 differs from WGS 84 by centimetres).
func (a *api) exportHotspotShapes(w http.ResponseWriter, r *http.Request, c *call) error {
	asked, found, err := c.findSpots(r, parseQuery(r.URL.RawQuery))
	if err != nil {
		return err
	}
	type feature struct {
		Type       string         `json:"type"`
		Geometry   map[string]any `json:"geometry"`
		Properties map[string]any `json:"properties"`
	}
	features := make([]feature, 0, len(found.Units))
	for _, i := range ranked(found) {
		u, t := &found.Level.Units[found.Units[i]], spotOf(found, i)
		p := map[string]any{"code": u.Code, "name": u.Name, "n": t.N, "around": t.Around, "expected": found.Expected(i), "z": t.Z, "p": t.P, "q": t.Q}
		for key, value := range map[string]string{"name_latin": u.NameLatin, "class": t.Class, "trend": t.Trend} {
			if value != "" {
				p[key] = value
			}
		}
		if found.Found != nil {
			p["found"] = t.Found
		}
		if v, ok := found.RateOf(i); ok {
			p["rate"] = v
		}
		if t.Few {
			p["few"] = true
		}
		features = append(features, feature{"Feature", map[string]any{"type": "MultiPolygon", "coordinates": found.Level.Coverage.Shape(found.Units[i])}, p})
	}
	body, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/geo+json")
	h.Set("Content-Disposition", `attachment; filename="`+c.spotsFile(asked, found, "geojson")+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the client may be gone
	return nil
}
