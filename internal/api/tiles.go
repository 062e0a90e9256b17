package api

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"gridgov/internal/app"
	"gridgov/internal/fault"
	"gridgov/tiles"
)

const mvtType = "application/vnd.mapbox-vector-tile"

// tileBuffer is one tile in the making, used again.
type tileBuffer struct{ raw, zipped []byte }

var tileBuffers = sync.Pool{New: func() any { return new(tileBuffer) }}

func (a *api) getBoundaryTile(w http.ResponseWriter, r *http.Request, c *call) error {
	addr, err := tiles.ParseAddress(r.PathValue("z"), r.PathValue("x"), r.PathValue("y"))
	if err != nil {
		return err
	}
	q := parseQuery(r.URL.RawQuery)
	want, state := q.get("plan"), c.State()
	if err := q.done(); err != nil {
		return err
	}
	if state.Layout == nil {
		answered(w, r, "", false, cacheAsk)
		return nil
	}
	cache := cacheAsk
	if want == state.Layout.Plan.Version {
		cache = "private, max-age=31536000, immutable"
		if c.actor.Public {
			cache = "public, max-age=31536000, immutable"
		}
	}
	if acceptsGzip(r) {
		kept := state.Boundaries.Compressed(addr)
		if !answered(w, r, kept.ETag, true, cache) {
			sendTile(w, kept.Gzip, true)
		}
		return nil
	}
	buf := tileBuffers.Get().(*tileBuffer)
	defer tileBuffers.Put(buf)
	buf.raw = state.Boundaries.Tile(buf.raw[:0], addr)
	sendMade(w, r, buf, cache)
	return nil
}

// cacheAsk: the browser asks each time, and is told "as you have it" for next to nothing; nobody between keeps what was
// cut for one person.
const cacheAsk = "private, no-cache"

func (a *api) getReportTile(w http.ResponseWriter, r *http.Request, c *call) error {
	addr, err := tiles.ParseAddress(r.PathValue("z"), r.PathValue("x"), r.PathValue("y"))
	if err != nil {
		return err
	}
	layer := r.PathValue("layer")
	if layer == "hotspots" {
		return a.getSpotTile(w, r, c)
	}
	if layer != "heat" && layer != "reports" && layer != "cases" {
		return noLayer(layer)
	}
	q := parseQuery(r.URL.RawQuery)
	f := q.filter(c.Zone, c.at)
	var smooth app.DensityQuery
	var smoothed bool
	if layer == "heat" {
		smooth, smoothed = q.density()
	}
	if err := q.done(); err != nil {
		return err
	}
	buf := tileBuffers.Get().(*tileBuffer)
	defer tileBuffers.Put(buf)
	view, names := c.View(), c.Names() // in this order: what the view holds has names
	if layer == "cases" {
		f.onlyOpen()
	}
	cut := c.cut(f.cube(c))
	switch {
	case smoothed:
		if buf.raw, err = c.densityTile(r, buf.raw[:0], addr, &smooth, &f); err != nil {
			return err
		}
	case layer == "heat":
		buf.raw = c.Maker.Heat(buf.raw[:0], view, addr, cut)
	case layer == "cases":
		buf.raw, _ = c.Maker.Cases(buf.raw[:0], view, addr, cut, &names.Names)
	default:
		buf.raw, _ = c.Maker.Reports(buf.raw[:0], view, addr, cut, &names.Names)
	}
	sendMade(w, r, buf, cacheAsk)
	return nil
}

func noLayer(layer string) error {
	return fault.NotFound("there is no layer %.40q; there are jurisdictions, reports, heat, cases and hotspots", layer)
}

// sendMade answers with a tile that was made for this request.
func sendMade(w http.ResponseWriter, r *http.Request, buf *tileBuffer, cache string) {
	// The strong ETag is a digest of the bytes: a tile costs less to make than a cache costs to keep true.
	etag := ""
	if len(buf.raw) > 0 {
		etag = tiles.ETag(buf.raw)
	}
	zip := acceptsGzip(r)
	if answered(w, r, etag, zip, cache) {
		return
	}
	body := buf.raw
	if zip {
		buf.zipped = tiles.AppendGzip(buf.zipped[:0], body)
		body = buf.zipped
	}
	sendTile(w, body, zip)
}

// answered sets a tile's headers and answers where no bytes are needed: there is nothing in the tile, or the client has
// it. etag is that of the tile before compression, empty for an empty one.
func answered(w http.ResponseWriter, r *http.Request, etag string, zipped bool, cache string) bool {
	h := w.Header()
	for _, name := range forPages {
		delete(h, name) // a tile is none, and is answered faster with few headers
	}
	h["Cache-Control"] = []string{cache}
	h["Vary"] = varyEncoding
	if etag == "" {
		w.WriteHeader(http.StatusNoContent)
		return true
	}
	if zipped {
		etag = otherCoding(etag)
	}
	h["Etag"] = []string{etag}
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	return false
}

func sendTile(w http.ResponseWriter, body []byte, zipped bool) {
	h := w.Header()
	h["Content-Type"] = mvtTypes
	if zipped {
		h["Content-Encoding"] = gzipEncoding
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body) // the client may be gone
}

var (
	varyEncoding = []string{"Accept-Encoding"}
	mvtTypes     = []string{mvtType}
	gzipEncoding = []string{"gzip"}
)

// acceptsGzip reads Accept-Encoding; "gzip;q=0" refuses, and "*" stands for gzip where it is not named.
func acceptsGzip(r *http.Request) (accepts bool) {
	for _, header := range r.Header["Accept-Encoding"] {
		for part := range strings.SplitSeq(header, ",") {
			coding, q, _ := strings.Cut(part, ";")
			coding = strings.TrimSpace(coding)
			named := strings.EqualFold(coding, "gzip")
			if !named && coding != "*" {
				continue
			}
			q = strings.ReplaceAll(q, " ", "")
			accepts = q == "" || strings.Trim(q[strings.IndexByte(q, '=')+1:], "0.") != ""
			if named {
				return accepts
			}
		}
	}
	return accepts
}

// otherCoding is the tag of what is tagged so before it is gzipped: another coding, another tag.
func otherCoding(etag string) string { return etag[:len(etag)-1] + `-gz"` }

// matches implements If-None-Match by weak comparison, as RFC 9110 has it.
func matches(headers []string, etag string) bool {
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			part = strings.TrimSpace(part)
			if part == "*" || strings.TrimPrefix(part, "W/") == etag {
				return true
			}
		}
	}
	return false
}

func (a *api) getTileJSON(w http.ResponseWriter, r *http.Request, c *call) error {
	q := parseQuery(r.URL.RawQuery)
	if err := q.done(); err != nil {
		return err
	}
	layer := r.PathValue("layer")
	base := scheme(r) + "://" + r.Host + "/" + c.Code + "/v1/tiles/" + layer + "/{z}/{x}/{y}"
	doc, ok := tileJSON(c.Live, layer, base)
	if !ok {
		return noLayer(layer)
	}
	return writeJSON(w, http.StatusOK, doc)
}

// getFixed answers with a fixed body and a tile's headers: what the way through router, log and connection costs alone.
func (a *api) getFixed(w http.ResponseWriter, _ *http.Request, _ *call) error {
	h := w.Header()
	for _, name := range forPages {
		delete(h, name)
	}
	h["Content-Type"], h["Cache-Control"], h["Vary"] = mvtTypes, []string{"no-cache"}, varyEncoding
	h["Content-Length"] = []string{strconv.Itoa(len(a.FixedBody))}
	_, _ = w.Write(a.FixedBody) // the client may be gone
	return nil
}
