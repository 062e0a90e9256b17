package api

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/paulmach/orb"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/internal/jurisdiction"
	"gridgov/internal/policy"
)

// getGround answers with all doubles of the faces, so that a phone's answer is the service's.
func (a *api) getGround(w http.ResponseWriter, r *http.Request, c *call) error {
	if err := parseQuery(r.URL.RawQuery).done(); err != nil {
		return err
	}
	reach := c.may(policy.FieldHold)
	g := c.State().Ground(&reach)
	if g == nil {
		return fault.NotFound("no boundary plan is in force yet")
	}
	out := Ground{Plan: g.Layout.Plan.Name, Version: g.Layout.Plan.Version, AroundM: app.GroundAroundM, TooMany: optional(g.TooMany), Grids: []GroundFace{}, Microgrids: []GroundFace{},
		Generated: g.Layout.Generated}
	for i, k := range append(slices.Clone(g.Own), g.Around...) {
		f := groundFace(g.Layout, g.Level, k)
		f.Own = new(i < len(g.Own))
		out.Grids = append(out.Grids, f)
	}
	for _, k := range g.Microgrids {
		out.Microgrids = append(out.Microgrids, groundFace(g.Layout, g.Micro, k))
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	digest, zip := sha256.Sum256(b), acceptsGzip(r)
	etag := `"` + hex.EncodeToString(digest[:16]) + `"`
	if zip {
		etag = otherCoding(etag)
	}
	h := w.Header()
	h.Set("ETag", etag)
	h.Set("Cache-Control", "private, no-cache")
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if !zip {
		return writeJSON(w, http.StatusOK, json.RawMessage(b))
	}
	h.Set("Content-Type", "application/json")
	gzipped(w, b) // a seventh of it, as neighbours share their borders
	return nil
}

func groundFace(l *jurisdiction.Layout, level, unit int) GroundFace {
	u := &l.Levels[level].Units[unit]
	out := GroundFace{Code: u.Code, Name: u.Name, NameLatin: optional(u.NameLatin), Shape: coordinates(l.Index.Shape(level, int32(unit)))}
	for _, p := range l.Parents(level, unit) {
		out.Parents = append(out.Parents, refOf(p))
	}
	return out
}

// coordinates are a shape's as GeoJSON has them.
func coordinates(shape orb.MultiPolygon) [][][][]float64 {
	out := make([][][][]float64, len(shape))
	for i, polygon := range shape {
		out[i] = make([][][]float64, len(polygon))
		for k, ring := range polygon {
			out[i][k] = make([][]float64, len(ring))
			for n, p := range ring {
				out[i][k][n] = []float64{p[0], p[1]}
			}
		}
	}
	return out
}
